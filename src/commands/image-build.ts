import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as Flags from '@oclif/core/flags';
import { createLocalHost } from '../host/index.ts';
import { machineFlags, outputFlag } from './flags.ts';
import { runtimeSocket } from './image-import.ts';
import { K8tsCommand } from './oclif.ts';
import { type Column, formatRows } from './output.ts';

interface Built {
  readonly name: string;
  readonly bytes: number;
  /** undefined: it is in the container runtime. */
  readonly file?: string;
}

const columns: readonly Column<Built>[] = [
  { header: 'IMAGE', value: ({ name }) => name },
  { header: 'SIZE', value: ({ bytes }) => `${(bytes / 1024 ** 2).toFixed(1)} MiB` },
  { header: 'WHERE', value: ({ file }) => file ?? 'container runtime' },
];

const words = (summary: string) => Flags.string({ summary, multiple: true, multipleNonGreedy: true });

export default class ImageBuild extends K8tsCommand {
  static override description =
    'Makes an OCI image with one layer from files on this machine and loads it into the container runtime, or writes it to a file. The same files give the same image. There is no build language: prepare the files with what you have (debootstrap, dpkg-deb -x, docker export, make install DESTDIR=…).';
  static override examples = [
    '$ k8ts image build -t example.org/app:1 --rootfs ./rootfs --entrypoint /bin/app',
    '$ k8ts image build -t example.org/app:1 --rootfs rootfs.tar.gz --entrypoint /bin/sh --entrypoint -c --cmd "exec app" --env PORT=80 --file app.tar',
  ];
  static override flags = {
    tag: Flags.string({ char: 't', required: true, summary: 'Name with registry and tag' }),
    rootfs: Flags.string({ required: true, summary: 'Folder, tar or tar.gz with the files of the image' }),
    entrypoint: words('Program that is run, one word each time the flag is given'),
    cmd: words('Its default arguments, one word each time the flag is given'),
    env: words('NAME=VALUE; may be repeated'),
    user: Flags.string({ summary: 'Name or number of the user that runs it' }),
    workdir: Flags.string({ summary: 'Folder that it starts in' }),
    expose: words('Port/protocol that it listens on, such as 80/tcp; may be repeated'),
    architecture: Flags.option({ options: ['amd64', 'arm64'] as const, summary: "Default: this machine's" })(),
    file: Flags.string({ char: 'f', summary: 'Archive to write instead of loading it into the runtime' }),
    'cri-socket': machineFlags['cri-socket'],
    output: outputFlag,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ImageBuild);
    const { architectureOf, buildImage, entriesOfRootfs, importArchive } = await import('../images/index.ts');
    const { tag: name, entrypoint, cmd, env, user, workdir, expose } = flags;
    const archive = await buildImage({
      name,
      architecture: flags.architecture ?? architectureOf(process.arch),
      entries: await entriesOfRootfs(flags.rootfs),
      ...(entrypoint && { entrypoint }),
      ...(cmd && { cmd }),
      ...(env && { env }),
      ...(user !== undefined && { user }),
      ...(workdir !== undefined && { workingDir: workdir }),
      ...(expose && { exposedPorts: expose }),
    });
    const built: Built = {
      name,
      bytes: archive.length,
      ...(flags.file !== undefined && { file: resolve(flags.file) }),
    };
    if (built.file !== undefined) await writeFile(built.file, archive);
    else await importArchive(createLocalHost(), { criSocket: await runtimeSocket(flags['cri-socket']) }, archive, name);
    this.print(formatRows([built], columns, flags.output));
  }
}
