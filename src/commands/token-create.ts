import { readFile } from 'node:fs/promises';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { type ConfigMap, kinds, type Secret } from '../api/index.ts';
import { CodedError } from '../base/index.ts';
import { caCertHash, splitCertificates } from '../certs/index.ts';
import { type ApiClient, ApiStatusError } from '../client/index.ts';
import { createLocalHost } from '../host/index.ts';
import { joinCommand } from '../init/index.ts';
import { parseKubeconfig } from '../kubeconfig/index.ts';
import {
  clusterInfoName,
  clusterInfoNamespace,
  formatJoinString,
  formatToken,
  generateToken,
  type JoinString,
  nodeBootstrappersGroup,
  parseDuration,
  parseToken,
  tokenSecret,
} from '../tokens/index.ts';
import { kubeconfigFlag, list, refusedText } from './flags.ts';
import { openClient } from './machine.ts';
import { K8tsCommand } from './oclif.ts';

export default class TokenCreate extends K8tsCommand {
  static override description = 'Stores a token that machines can join with, and prints it.';
  static override examples = [
    '$ k8ts token create',
    '$ k8ts token create --print-join-command',
    '$ k8ts token create --print-join-string',
    '$ k8ts token create --print-install-command',
    '$ k8ts token create --ttl 1h --description "for rack 7"',
  ];
  static override args = { token: Args.string({ description: 'Token to store; default: a random one' }) };
  static override flags = {
    kubeconfig: kubeconfigFlag,
    'print-join-command': Flags.boolean({ summary: 'Print the whole command to run on a machine' }),
    'print-join-string': Flags.boolean({
      summary: 'Print one word that k8ts join takes alone',
      exclusive: ['print-join-command', 'print-install-command'],
    }),
    'certificate-key': refusedText('certificate-key', 'there is one master'),
    'dry-run': Flags.boolean({ summary: 'Store nothing; print what would be printed' }),
    'print-install-command': Flags.boolean({
      summary: 'Print a command for a machine without k8ts: it installs k8ts from this master, then joins',
    }),
    ttl: Flags.string({ summary: 'How long it is valid; 0: for ever', default: '24h0m0s' }),
    usages: list('What it may be used for: signing, authentication; default both'),
    groups: list(`Groups of who joins with it; default ${nodeBootstrappersGroup}`),
    description: Flags.string({ summary: 'What it is for' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(TokenCreate);
    const token = args.token === undefined ? generateToken() : parseToken(args.token);
    const { description } = flags;
    const ttl = parseDuration(flags.ttl);
    const secret = tokenSecret(token, {
      ttl,
      usages: usagesOf(flags.usages ?? []),
      ...(flags.groups === undefined ? {} : { groups: flags.groups.map(soundGroup) }),
      ...(description === undefined ? {} : { description }),
    });
    const client = await openClient(flags.kubeconfig);
    try {
      if (!flags['dry-run']) await this.#store(client, secret, token.id);
      const expires = ttl === 0 ? undefined : new Date(Date.now() + ttl);
      this.print(await this.#answer(client, { token, expires }, flags));
    } finally {
      await client.close();
    }
  }

  async #answer(
    client: ApiClient,
    { token, expires }: Pick<JoinString, 'token' | 'expires'>,
    flags: Readonly<Record<'print-join-command' | 'print-join-string' | 'print-install-command', boolean>>,
  ): Promise<string> {
    const plain = !flags['print-join-command'] && !flags['print-join-string'] && !flags['print-install-command'];
    if (plain) return formatToken(token);
    const { endpoint, caPem } = await clusterOf(client, this.signal);
    // While the CA is being replaced there are two of them.
    const caCertHashes = splitCertificates(caPem).map(caCertHash);
    const parts: JoinString = { endpoints: [endpoint], caCertHashes, token, expires };
    if (flags['print-join-string']) return formatJoinString(parts);
    if (flags['print-join-command']) return joinCommand(parts);
    const { installCommandFor } = await import('./install-command.ts');
    const say = (line: string): void => void process.stderr.write(`${line}\n`);
    return installCommandFor({ host: createLocalHost(), endpoint, caPem, token: formatToken(token), say });
  }

  async #store(client: ApiClient, secret: Secret, id: string): Promise<void> {
    try {
      await client.create(kinds.secret, secret, { signal: this.signal });
    } catch (error) {
      if (!(error instanceof ApiStatusError) || error.reason !== 'AlreadyExists') throw error;
      throw new CodedError('TOKEN_EXISTS', `there is a token ${id} already`, {
        exit: 'invalidInput',
        hint: `k8ts token delete ${id}, or let k8ts make a random one`,
      });
    }
  }
}

/** What cluster-info says of the cluster. */
async function clusterOf(
  client: ApiClient,
  signal: AbortSignal,
): Promise<{ readonly endpoint: string; readonly caPem: string }> {
  const at = { namespace: clusterInfoNamespace, name: clusterInfoName };
  const map = await client.get<ConfigMap>(kinds.configMap, at, { signal });
  const { server, ca } = parseKubeconfig(map.data?.['kubeconfig'] ?? '');
  const caPem = ca === undefined ? '' : 'text' in ca ? ca.text : await readFile(ca.file, 'utf8');
  if (splitCertificates(caPem).length === 0) {
    throw new CodedError('CLUSTER_INFO_INVALID', 'cluster-info holds no CA certificate', {
      hint: 'run `k8ts init` again',
    });
  }
  return { endpoint: new URL(server).host, caPem };
}

/** Upstream's rule, by which a token cannot put its bearer into a group of people. */
function soundGroup(group: string): string {
  if (/^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/.test(group)) return group;
  throw new CodedError('TOKEN_GROUP_INVALID', `--groups: "${group}" is no group of bootstrap tokens`, {
    exit: 'invalidInput',
    hint: `groups begin with system:bootstrappers: and go on with a-z 0-9 : -, for example ${nodeBootstrappersGroup}`,
  });
}

function usagesOf(given: readonly string[]): readonly ('signing' | 'authentication')[] {
  if (given.length === 0) return ['signing', 'authentication'];
  return given.map((usage) => {
    if (usage === 'signing' || usage === 'authentication') return usage;
    throw new CodedError('USAGE', `--usages takes signing and authentication, not ${usage}`, { exit: 'invalidInput' });
  });
}
