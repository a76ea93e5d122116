import * as Args from '@oclif/core/args';
import { agentConfigPath, defaultCriSocket, loadAgentConfig, socketUrl } from '../config/index.ts';
import { createLocalHost } from '../host/index.ts';
import { machineFlags, outputFlag } from './flags.ts';
import { K8tsCommand } from './oclif.ts';
import { formatRows } from './output.ts';

export default class ImageImport extends K8tsCommand {
  static override description = 'Loads OCI or docker archives, so that pods can run them without a registry.';
  static override examples = ['$ k8ts image import web.tar', '$ k8ts image import images/*.tar -o json'];
  static override strict = false;
  static override args = { file: Args.string({ required: true, description: 'Archive; several may be given' }) };
  static override flags = { 'cri-socket': machineFlags['cri-socket'], output: outputFlag };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(ImageImport);
    const { importImages } = await import('../images/index.ts');
    const criSocket = await runtimeSocket(flags['cri-socket']);
    const names = await importImages(createLocalHost(), { criSocket }, argv.map(String));
    const rows = names.map((name) => ({ name }));
    this.print(formatRows(rows, [{ header: 'IMAGE', value: ({ name }) => name }], flags.output));
  }
}

/** The flag's, this node's, or containerd's socket. */
export async function runtimeSocket(flag: string | undefined): Promise<string> {
  if (flag !== undefined) return socketUrl(flag);
  const isNode = (await createLocalHost().stat(agentConfigPath)) !== undefined;
  return isNode ? (await loadAgentConfig()).criSocket : defaultCriSocket;
}
