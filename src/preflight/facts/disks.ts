// Free space where a node needs it. By df(1), which sees what is mounted there, of whatever kind; lists of disks leave out
// what is no block device, such as the root of a container.

import type { Host } from '../../host/index.ts';

export interface Disk {
  /** Mount point. */
  readonly mount: string;
  readonly freeBytes: number;
}

const places = ['/var/lib', '/var/lib/containerd'] as const;

export async function readDisks(host: Host): Promise<readonly Disk[]> {
  const { stdout } = await host.run('df', ['-Pk', ...places], { readsOnly: true, accept: [1] });
  const disks = stdout.split('\n').flatMap((line) => {
    // Filesystem, 1024-blocks, Used, Available, Capacity, Mounted on: POSIX.1-2017, df.
    const [, free, mount] = /\s\d+\s+\d+\s+(\d+)\s+\d+%\s+(\/.*)$/.exec(line) ?? [];
    return mount === undefined ? [] : [{ mount, freeBytes: Number(free) * 1024 }];
  });
  return [...new Map(disks.map((disk) => [disk.mount, disk])).values()];
}
