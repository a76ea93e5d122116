// What to do next: use the cluster, and add machines to it.

import { caCertHash } from '../certs/index.ts';
import { paths } from '../config/index.ts';
import { formatDuration, formatToken } from '../tokens/index.ts';
import type { Phase } from '../workflow/index.ts';
import type { InitContext } from './context.ts';

export const showJoinCommand: Phase<InitContext> = {
  name: 'show-join-command',
  title: 'Done',
  run: async ({ config, host, token, tokenTtl, say }) => {
    const caPem = (await host.readFile(paths.caFile)).toString('utf8');
    const join = joinCommand(config.cluster.controlPlaneEndpoint, formatToken(token), caCertHash(caPem));
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
        `To add a machine, run this on it as root${tokenTtl === 0 ? '' : ` within ${formatDuration(tokenTtl)}`}:`,
        '',
        `  ${join}`,
        '',
      ].join('\n'),
    );
  },
};

/** Ready to paste. */
export function joinCommand(endpoint: string, token: string, hash: string): string {
  return `k8ts join ${endpoint} --token ${token} --discovery-token-ca-cert-hash ${hash}`;
}
