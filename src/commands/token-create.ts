import { readFile } from 'node:fs/promises';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { type ConfigMap, kinds, type Secret } from '../api/index.ts';
import { CodedError } from '../base/index.ts';
import { caCertHash, splitCertificates } from '../certs/index.ts';
import { type ApiClient, ApiStatusError } from '../client/index.ts';
import { joinCommand } from '../init/index.ts';
import { parseKubeconfig } from '../kubeconfig/index.ts';
import {
  clusterInfoName,
  clusterInfoNamespace,
  formatToken,
  generateToken,
  nodeBootstrappersGroup,
  parseDuration,
  parseToken,
  tokenSecret,
} from '../tokens/index.ts';
import { kubeconfigFlag, list } from './flags.ts';
import { openClient } from './machine.ts';
import { K8tsCommand } from './oclif.ts';

export default class TokenCreate extends K8tsCommand {
  static override description = 'Stores a token that machines can join with, and prints it.';
  static override examples = [
    '$ k8ts token create',
    '$ k8ts token create --print-join-command',
    '$ k8ts token create --ttl 1h --description "for rack 7"',
  ];
  static override args = { token: Args.string({ description: 'Token to store; default: a random one' }) };
  static override flags = {
    kubeconfig: kubeconfigFlag,
    'print-join-command': Flags.boolean({ summary: 'Print the whole command to run on a machine' }),
    ttl: Flags.string({ summary: 'How long it is valid; 0: for ever', default: '24h0m0s' }),
    usages: list('What it may be used for: signing, authentication; default both'),
    groups: list(`Groups of who joins with it; default ${nodeBootstrappersGroup}`),
    description: Flags.string({ summary: 'What it is for' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(TokenCreate);
    const token = args.token === undefined ? generateToken() : parseToken(args.token);
    const { description } = flags;
    const secret = tokenSecret(token, {
      ttl: parseDuration(flags.ttl),
      usages: usagesOf(flags.usages ?? []),
      ...(flags.groups === undefined ? {} : { groups: flags.groups }),
      ...(description === undefined ? {} : { description }),
    });
    const client = await openClient(flags.kubeconfig);
    try {
      await this.#store(client, secret, token.id);
      const text = formatToken(token);
      this.print(flags['print-join-command'] ? await joinCommandFor(client, text, this.signal) : text);
    } finally {
      await client.close();
    }
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

async function joinCommandFor(client: ApiClient, token: string, signal: AbortSignal): Promise<string> {
  const at = { namespace: clusterInfoNamespace, name: clusterInfoName };
  const map = await client.get<ConfigMap>(kinds.configMap, at, { signal });
  const { server, ca } = parseKubeconfig(map.data?.['kubeconfig'] ?? '');
  const pem = ca === undefined ? '' : 'text' in ca ? ca.text : await readFile(ca.file, 'utf8');
  const [first] = splitCertificates(pem);
  if (first === undefined) {
    throw new CodedError('CLUSTER_INFO_INVALID', 'cluster-info holds no CA certificate', {
      hint: 'run `k8ts init` again',
    });
  }
  return joinCommand(new URL(server).host, token, caCertHash(first));
}

function usagesOf(given: readonly string[]): readonly ('signing' | 'authentication')[] {
  if (given.length === 0) return ['signing', 'authentication'];
  return given.map((usage) => {
    if (usage === 'signing' || usage === 'authentication') return usage;
    throw new CodedError('USAGE', `--usages takes signing and authentication, not ${usage}`, { exit: 'invalidInput' });
  });
}
