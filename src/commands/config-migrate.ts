import { writeFile } from 'node:fs/promises';
import * as Flags from '@oclif/core/flags';
import { CodedError, messageOf } from '../base/index.ts';
import { clusterDocument, joinDocument, printDocument, readWholeFile } from '../config/index.ts';
import { readConfigFile } from './config-file.ts';
import { K8tsCommand } from './oclif.ts';

export default class ConfigMigrate extends K8tsCommand {
  static override description =
    "Turns kubeadm's configuration into k8ts's. What has no effect here is named on standard error; what cannot be carried over is an error.";
  static override examples = [
    '$ k8ts config migrate --old-config kubeadm.yaml',
    '$ k8ts config migrate --old-config kubeadm.yaml --new-config cluster.yaml',
  ];
  static override flags = {
    'old-config': Flags.string({ summary: 'The file to read', required: true }),
    'new-config': Flags.string({ summary: 'The file to write; default: standard output' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigMigrate);
    const old = flags['old-config'];
    const { document, warnings } = readWholeFile(await readConfigFile(old), old);
    for (const line of warnings) process.stderr.write(`warning: ${line}\n`);
    const texts = document.map((one) =>
      printDocument(one.kind === 'ClusterConfiguration' ? clusterDocument : joinDocument, one, { withDocs: false }),
    );
    const text = texts.join('---\n');
    const path = flags['new-config'];
    if (path === undefined) return this.print(text.trimEnd());
    // A file for one's eyes: there may be tokens in it.
    await writeFile(path, text, { mode: 0o600 }).catch((error: unknown) => {
      throw new CodedError('CONFIG_UNWRITABLE', `${path} cannot be written: ${messageOf(error)}`, {
        exit: 'invalidInput',
        hint: 'give another path with --new-config, or leave it out',
        cause: error,
      });
    });
  }
}
