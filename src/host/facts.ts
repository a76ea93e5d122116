// What this machine is, by systeminformation. Loaded when first asked for, because `k8ts --version` must not pay for it
// (20 ms to load, 0.2 s for what it asks other programs, 12 MB in the agent). Counts and sizes are the kernel's; nothing
// is guessed.

import { readFile } from 'node:fs/promises';
import { availableParallelism, networkInterfaces } from 'node:os';
import type { MachineFacts } from './host.ts';

export async function readMachineFacts(): Promise<MachineFacts> {
  const { default: si } = await import('systeminformation');
  const [memory, disks, system] = await Promise.all([si.mem(), si.fsSize(), si.osInfo()]);
  return {
    hostName: system.hostname,
    uid: process.getuid?.() ?? -1,
    architecture: process.arch,
    operatingSystem: [system.distro, system.release].filter((part) => part !== '').join(' '),
    kernel: system.kernel,
    processors: availableParallelism(),
    memoryBytes: memory.total,
    swapBytes: memory.swaptotal,
    machineId: (await readFile('/etc/machine-id', 'utf8').catch(() => '')).trim(),
    disks: disks.map((disk) => ({ mount: disk.mount, sizeBytes: disk.size, freeBytes: disk.available })),
    addresses: Object.entries(networkInterfaces()).flatMap(([device, list = []]) =>
      list.map(({ address, family }) => ({ device, address, family: family === 'IPv4' ? (4 as const) : (6 as const) })),
    ),
  };
}
