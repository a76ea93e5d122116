import { createCri } from '../cri/index.ts';
import { machineFlags, outputFlag } from './flags.ts';
import { runtimeSocket } from './image-import.ts';
import { K8tsCommand } from './oclif.ts';
import { type Column, formatRows } from './output.ts';

interface Row {
  readonly name: string;
  readonly id: string;
  readonly bytes: number;
}

const columns: readonly Column<Row>[] = [
  { header: 'IMAGE', value: ({ name }) => name },
  { header: 'ID', value: ({ id }) => id.replace(/^sha256:/, '').slice(0, 12) },
  { header: 'SIZE', value: ({ bytes }) => `${(bytes / 1024 ** 2).toFixed(1)} MiB` },
];

export default class ImageList extends K8tsCommand {
  static override description = "Lists the images in this machine's container runtime.";
  static override examples = ['$ k8ts image list', '$ k8ts image list -o yaml'];
  static override flags = { 'cri-socket': machineFlags['cri-socket'], output: outputFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(ImageList);
    const cri = createCri(await runtimeSocket(flags['cri-socket']));
    try {
      const images = await cri.listImages(this.signal);
      const rows = images.flatMap(({ id, repoTags, size }) =>
        (repoTags.length === 0 ? ['<none>'] : repoTags).map((name) => ({ name, id, bytes: Number(size) })),
      );
      this.print(
        formatRows(
          rows.sort((a, b) => a.name.localeCompare(b.name)),
          columns,
          flags.output,
        ),
      );
    } finally {
      await cri.close();
    }
  }
}
