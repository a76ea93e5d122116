import { formatToken, generateToken } from '../tokens/index.ts';
import { K8tsCommand } from './oclif.ts';

export default class TokenGenerate extends K8tsCommand {
  static override description =
    'Prints a random token. It is valid only once stored: k8ts init --token, k8ts token create.';
  static override examples = ['$ k8ts token generate'];

  async run(): Promise<void> {
    await this.parse(TokenGenerate);
    this.print(formatToken(generateToken()));
  }
}
