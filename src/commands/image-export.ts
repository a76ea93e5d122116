import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { createLocalHost } from '../host/index.ts';
import { machineFlags, outputFlag } from './flags.ts';
import { runtimeSocket } from './image-import.ts';
import { K8tsCommand } from './oclif.ts';
import { formatRows } from './output.ts';

export default class ImageExport extends K8tsCommand {
  static override description =
    "Writes images of this machine's container runtime into one OCI archive, which `k8ts image import` takes on another machine.";
  static override examples = [
    '$ k8ts image export k8ts.dev/web:1 --file web.tar',
    '$ k8ts image export k8ts.dev/web:1 k8ts.dev/web:2 --file web.tar -o json',
  ];
  static override strict = false;
  static override args = { image: Args.string({ required: true, description: 'Name with tag; several may be given' }) };
  static override flags = {
    file: Flags.string({ char: 'f', required: true, summary: 'Archive to write' }),
    'cri-socket': machineFlags['cri-socket'],
    output: outputFlag,
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(ImageExport);
    const { exportImages } = await import('../images/index.ts');
    const criSocket = await runtimeSocket(flags['cri-socket']);
    const file = resolve(flags.file);
    const images = argv.map(String);
    await exportImages(createLocalHost(), { criSocket }, { images, file });
    const rows = [{ file, images, bytes: (await stat(file)).size }];
    const columns = [
      { header: 'FILE', value: (row: (typeof rows)[0]) => row.file },
      { header: 'IMAGES', value: (row: (typeof rows)[0]) => row.images.join(' ') },
      { header: 'SIZE', value: (row: (typeof rows)[0]) => `${(row.bytes / 1024 ** 2).toFixed(1)} MiB` },
    ];
    this.print(formatRows(rows, columns, flags.output));
  }
}
