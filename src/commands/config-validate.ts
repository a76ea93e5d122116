import * as Flags from '@oclif/core/flags';
import { readWholeFile } from '../config/index.ts';
import { readConfigFile } from './config-file.ts';
import { K8tsCommand } from './oclif.ts';

export default class ConfigValidate extends K8tsCommand {
  static override description =
    'Checks a configuration file, of k8ts or of kubeadm, without doing anything. Every field that cannot be used is named, on standard error; the exit code is 3 then. Fields without effect are warnings.';
  static override examples = ['$ k8ts config validate --config cluster.yaml'];
  static override flags = { config: Flags.string({ summary: 'The file', required: true }) };

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigValidate);
    const { document, warnings } = readWholeFile(await readConfigFile(flags.config), flags.config);
    for (const line of warnings) process.stderr.write(`warning: ${line}\n`);
    this.print(`${flags.config} is valid: ${document.map(({ kind }) => kind).join(', ')}`);
  }
}
