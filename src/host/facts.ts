// What this machine is, by systeminformation, and by Node where that knows. Of the library the part about memory is loaded,
// and only when first asked for: all of it takes 35 ms and 6 MB, and its osInfo() and fsSize() run programs, some of them
// while everything else waits. Counts and sizes are the kernel's; nothing is guessed.

import { readFile } from 'node:fs/promises';
import { availableParallelism, hostname, networkInterfaces, release } from 'node:os';
import type { MachineFacts } from './host.ts';

export async function readMachineFacts(): Promise<MachineFacts> {
  const { default: memory } = await import('systeminformation/lib/memory.js');
  const text = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
  const [sizes, system, machineId] = await Promise.all([
    memory.mem(),
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
    memoryBytes: sizes.total,
    swapBytes: sizes.swaptotal,
    machineId: machineId.trim(),
    addresses: Object.entries(networkInterfaces()).flatMap(([device, list = []]) =>
      list.map(({ address, family }) => ({ device, address, family: family === 'IPv4' ? (4 as const) : (6 as const) })),
    ),
  };
}

/** Source: os-release(5). */
function operatingSystemOf(osRelease: string): string {
  return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(osRelease)?.[1] ?? 'Linux';
}
