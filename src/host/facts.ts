// What this machine is, by systeminformation, and by Node where that knows. The library is loaded when first asked for,
// because `k8ts --version` must not pay for it (20 ms to load, 12 MB in the agent). Its osInfo() is left out: it runs ten
// programs, some of them while everything else waits, for 0.1 s of a join's 1.5. Counts and sizes are the kernel's; nothing
// is guessed.

import { readFile } from 'node:fs/promises';
import { availableParallelism, hostname, networkInterfaces, release } from 'node:os';
import type { MachineFacts } from './host.ts';

export async function readMachineFacts(): Promise<MachineFacts> {
  const { default: si } = await import('systeminformation');
  const text = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
  const [memory, disks, system, machineId] = await Promise.all([
    si.mem(),
    si.fsSize(),
    text('/etc/os-release'),
    text('/etc/machine-id'),
  ]);
  return {
    hostName: hostname(),
    uid: process.getuid?.() ?? -1,
    architecture: process.arch,
    operatingSystem: operatingSystemOf(system),
    kernel: release(),
    processors: availableParallelism(),
    memoryBytes: memory.total,
    swapBytes: memory.swaptotal,
    machineId: machineId.trim(),
    disks: disks.map((disk) => ({ mount: disk.mount, sizeBytes: disk.size, freeBytes: disk.available })),
    addresses: Object.entries(networkInterfaces()).flatMap(([device, list = []]) =>
      list.map(({ address, family }) => ({ device, address, family: family === 'IPv4' ? (4 as const) : (6 as const) })),
    ),
  };
}

/** Source: os-release(5). */
function operatingSystemOf(osRelease: string): string {
  return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(osRelease)?.[1] ?? 'Linux';
}
