import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { kinds } from '../api/index.ts';
import { CodedError } from '../base/index.ts';
import { ApiStatusError } from '../client/index.ts';
import { parseToken, tokenNamespace, tokenSecretName } from '../tokens/index.ts';
import { kubeconfigFlag } from './flags.ts';
import { openClient } from './machine.ts';
import { K8tsCommand } from './oclif.ts';

export default class TokenDelete extends K8tsCommand {
  static override description = 'Deletes tokens, given whole or by the part before the dot. Machines that joined stay.';
  static override examples = ['$ k8ts token delete abcdef', '$ k8ts token delete abcdef 123456'];
  static override strict = false;
  static override args = {
    token: Args.string({ required: true, description: 'Token or its id; several may be given' }),
  };
  static override flags = {
    kubeconfig: kubeconfigFlag,
    'dry-run': Flags.boolean({ summary: 'Delete nothing; print what would be deleted' }),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(TokenDelete);
    const ids = argv.map((word) => {
      const text = String(word);
      return /^[a-z0-9]{6}$/.test(text) ? text : parseToken(text).id;
    });
    if (flags['dry-run']) return this.print(ids.map((id) => `would delete bootstrap token "${id}"`).join('\n'));
    const client = await openClient(flags.kubeconfig);
    try {
      for (const id of ids) {
        await client
          .delete(kinds.secret, { namespace: tokenNamespace, name: tokenSecretName(id) }, { signal: this.signal })
          .catch((error: unknown) => {
            if (!(error instanceof ApiStatusError) || error.reason !== 'NotFound') throw error;
            throw new CodedError('TOKEN_ABSENT', `there is no token ${id}`, { hint: 'k8ts token list' });
          });
        this.print(`bootstrap token "${id}" deleted`);
      }
    } finally {
      await client.close();
    }
  }
}
