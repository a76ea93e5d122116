import * as Args from '@oclif/core/args';
import { bashScript } from './completion/bash.ts';
import { fishScript } from './completion/fish.ts';
import { completedCommands, shells } from './completion/model.ts';
import { zshScript } from './completion/zsh.ts';
import { K8tsCommand } from './oclif.ts';

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

export default class Completion extends K8tsCommand {
  static override description =
    'Prints a script that makes the Tab key complete commands, flags and their values. It is made from the commands of this version: print it again after an upgrade.';
  static override examples = [
    '$ k8ts completion bash > /etc/bash_completion.d/k8ts',
    '$ k8ts completion zsh > ~/.zfunc/_k8ts',
    '$ k8ts completion fish | source',
  ];
  static override args = {
    shell: Args.string({ description: 'Which shell', options: [...shells], required: true }),
  };

  async run(): Promise<void> {
    const { args } = await this.parse(Completion);
    this.print(scripts[args.shell as (typeof shells)[number]](await completedCommands(this.commands)));
  }
}
