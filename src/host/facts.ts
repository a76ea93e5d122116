// What this machine is, from the kernel's own files. The systeminformation package was refused here: it starts other
// programs for some of it (200 ms of each agent's start) and stays in memory (12 MB of each agent).

import { readFile, statfs } from 'node:fs/promises';
import { availableParallelism, hostname, networkInterfaces, release } from 'node:os';
import type { MachineFacts } from './host.ts';

export async function readMachineFacts(): Promise<MachineFacts> {
  const text = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
  const [memory, system, machineId, mounts] = await Promise.all(
    ['/proc/meminfo', '/etc/os-release', '/etc/machine-id', '/proc/self/mounts'].map(text),
  );
  return {
    hostName: hostname(),
    uid: process.getuid?.() ?? -1,
    architecture: process.arch,
    operatingSystem: operatingSystem(system),
    kernel: release(),
    processors: availableParallelism(),
    memoryBytes: meminfo(memory, 'MemTotal'),
    swapBytes: meminfo(memory, 'SwapTotal'),
    machineId: machineId?.trim() ?? '',
    disks: await readDisks(mounts),
    addresses: Object.entries(networkInterfaces()).flatMap(([device, list = []]) =>
      list.map(({ address, family }) => ({ device, address, family: family === 'IPv4' ? (4 as const) : (6 as const) })),
    ),
  };
}

/** Name and version, "Debian GNU/Linux 12". Source: os-release(5). */
export function operatingSystem(osRelease = ''): string {
  const field = (name: string): string => new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm').exec(osRelease)?.[1] ?? '';
  return [field('NAME') || 'Linux', field('VERSION_ID')].filter((part) => part !== '').join(' ');
}

/** Bytes of one line of /proc/meminfo, which counts in KiB. Source: proc(5). */
export function meminfo(text = '', name = ''): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
}

/** File systems that hold something: those of the kernel itself (proc, cgroup, …) have no blocks. */
async function readDisks(mounts = ''): Promise<MachineFacts['disks']> {
  const points = mounts.split('\n').flatMap((line) => {
    const point = line.split(' ')[1];
    if (point === undefined) return [];
    return [point.replaceAll(/\\(\d{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))];
  });
  const sizes = await Promise.all(
    [...new Set(points)].map(async (mount) => {
      const found = await statfs(mount).catch(() => undefined); // unmounted meanwhile, or a dead network mount
      return found === undefined || found.blocks === 0
        ? []
        : [{ mount, sizeBytes: found.blocks * found.bsize, freeBytes: found.bavail * found.bsize }];
    }),
  );
  return sizes.flat();
}
