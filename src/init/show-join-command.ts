// What to do next: use the cluster, and add machines to it.

import { kinds } from '../api/index.ts';
import { caCertHash, splitCertificates } from '../certs/index.ts';
import { ApiStatusError } from '../client/index.ts';
import { paths } from '../config/index.ts';
import {
  formatDuration,
  formatJoinString,
  formatToken,
  type JoinString,
  tokenNamespace,
  tokenSecretName,
} from '../tokens/index.ts';
import type { Phase } from '../workflow/index.ts';
import { type InitContext, joinToken } from './context.ts';

export const showJoinCommand: Phase<InitContext> = {
  name: 'show-join-command',
  title: 'Done',
  run: async (context, { signal }) => {
    const { say } = context;
    say(
      [
        '',
        'The cluster is up. To use it as yourself:',
        '',
        '  mkdir -p $HOME/.kube',
        `  sudo cp ${paths.adminConf} $HOME/.kube/config`,
        '  sudo chown $(id -u):$(id -g) $HOME/.kube/config',
        '',
        `As root it is enough to: export KUBECONFIG=${paths.adminConf}`,
        '',
        ...(await howToJoin(context, signal)),
        '',
      ].join('\n'),
    );
  },
};

async function howToJoin(context: InitContext, signal: AbortSignal): Promise<readonly string[]> {
  const { config, host, tokens, showToken } = context;
  const { token, ttl } = joinToken(tokens);
  const makeOne = '  k8ts token create --print-join-command';
  if (!(await isStored(context, token.id, signal))) {
    return ['To add a machine, get the command for it here (no bootstrap token was made):', '', makeOne];
  }
  if (!showToken) return ['To add a machine, get the command for it here:', '', makeOne];
  const parts: JoinString = {
    endpoints: [config.cluster.controlPlaneEndpoint],
    caCertHashes: splitCertificates((await host.readFile(paths.caFile)).toString('utf8')).map(caCertHash),
    token,
    expires: ttl === 0 ? undefined : new Date(Date.now() + ttl),
  };
  return [
    `To add a machine, run this on it as root${ttl === 0 ? '' : ` within ${formatDuration(ttl)}`}:`,
    '',
    `  ${joinCommand(parts)}`,
    '',
    'or, which is the same in one word:',
    '',
    `  k8ts join ${formatJoinString(parts)}`,
    '',
    'For a machine that has no k8ts yet, get a line here that installs it from this one:',
    '',
    '  k8ts token create --print-install-command',
  ];
}

/** False when its phase was left out: a command with that token would be refused. */
async function isStored({ client }: InitContext, id: string, signal: AbortSignal): Promise<boolean> {
  const at = { namespace: tokenNamespace, name: tokenSecretName(id) };
  try {
    await (await client()).get(kinds.secret, at, { signal });
    return true;
  } catch (error) {
    if (error instanceof ApiStatusError && error.reason === 'NotFound') return false;
    throw error;
  }
}

/** Ready to paste, with the flags that kubeadm has. */
export function joinCommand({ endpoints, token, caCertHashes }: JoinString): string {
  const pins = caCertHashes.map((hash) => ` --discovery-token-ca-cert-hash ${hash}`).join('');
  return `k8ts join ${endpoints[0] ?? ''} --token ${formatToken(token)}${pins}`;
}
