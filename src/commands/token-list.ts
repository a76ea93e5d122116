import { kinds } from '../api/index.ts';
import {
  formatDuration,
  formatToken,
  readTokenSecret,
  type TokenRecord,
  tokenNamespace,
  tokenSecretType,
} from '../tokens/index.ts';
import { kubeconfigFlag, outputFlag } from './flags.ts';
import { openClient } from './machine.ts';
import { K8tsCommand } from './oclif.ts';
import { type Column, formatRows } from './output.ts';

interface Row {
  readonly token: string;
  readonly expires: string | undefined;
  readonly usages: readonly string[];
  readonly description: string | undefined;
  readonly groups: readonly string[];
}

const columns: readonly Column<Row>[] = [
  { header: 'TOKEN', value: ({ token }) => token },
  { header: 'TTL', value: ({ expires }) => timeLeft(expires, Date.now()) },
  { header: 'EXPIRES', value: ({ expires }) => expires ?? '<never>' },
  { header: 'USAGES', value: ({ usages }) => usages.join(',') || '<none>' },
  { header: 'DESCRIPTION', value: ({ description }) => description ?? '<none>' },
  { header: 'EXTRA GROUPS', value: ({ groups }) => groups.join(',') || '<none>' },
];

export default class TokenList extends K8tsCommand {
  static override description = 'Lists the tokens that machines can join with.';
  static override examples = ['$ k8ts token list', '$ k8ts token list -o json'];
  static override flags = { kubeconfig: kubeconfigFlag, output: outputFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(TokenList);
    const client = await openClient(flags.kubeconfig);
    try {
      const { items } = await client.list(kinds.secret, {
        namespace: tokenNamespace,
        fieldSelector: `type=${tokenSecretType}`,
        signal: this.signal,
      });
      const rows = items.flatMap((secret) => {
        const record = readTokenSecret(secret);
        return record === undefined ? [] : [rowOf(record)];
      });
      this.print(formatRows(rows, columns, flags.output));
    } finally {
      await client.close();
    }
  }
}

function rowOf({ token, expires, usages, description, groups }: TokenRecord): Row {
  return { token: formatToken(token), expires: expires?.toISOString(), usages, description, groups };
}

function timeLeft(expires: string | undefined, now: number): string {
  if (expires === undefined) return '<forever>';
  const left = Date.parse(expires) - now;
  return left <= 0 ? '<expired>' : formatDuration(left - (left % 60_000 > 0 && left > 60_000 ? left % 60_000 : 0));
}
