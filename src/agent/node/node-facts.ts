// What this machine is (read once) and how it is at the moment, from /proc and the file system.

import { statfs } from 'node:fs/promises';
import type { Cri } from '../../cri/index.ts';
import type { Host } from '../../host/index.ts';
import type { NodeFacts, NodePressure } from './node-object.ts';

export async function readNodeFacts(options: {
  readonly host: Host;
  readonly cri: Cri;
  readonly dataDir: string;
  readonly version: string;
  readonly signal: AbortSignal;
}): Promise<NodeFacts> {
  const { host, cri, dataDir, version, signal } = options;
  const text = async (path: string): Promise<string> => ((await host.readFileIfExists(path)) ?? '').toString().trim();
  const [machine, runtime, bootId, systemUuid, disk] = await Promise.all([
    host.facts(),
    cri.version(signal),
    text('/proc/sys/kernel/random/boot_id'),
    text('/sys/class/dmi/id/product_uuid'),
    statfs(dataDir),
  ]);
  return {
    machine,
    runtime,
    version,
    bootId,
    systemUuid: systemUuid === '' ? machine.machineId : systemUuid,
    osImage: machine.operatingSystem,
    diskBytes: disk.blocks * disk.bsize,
  };
}

/** When the machine was started, ms since the epoch; undefined where the kernel does not say. Source: proc(5), btime. */
export async function readBootTime(host: Pick<Host, 'readFileIfExists'>): Promise<number | undefined> {
  const stat = (await host.readFileIfExists('/proc/stat'))?.toString() ?? '';
  const seconds = /^btime (\d+)$/m.exec(stat)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

const leastMemory = 100 * 1024 * 1024;
const leastDiskShare = 0.1;
const leastInodeShare = 0.05;
const leastPidShare = 0.05;

/** The kubelet's default eviction thresholds: 100Mi of memory, 10 % of disk, 5 % of inodes; and 5 % of process ids. */
export async function readPressure(host: Host, dataDir: string): Promise<NodePressure> {
  const [memory, load, maxPid, disk] = await Promise.all([
    host.readFileIfExists('/proc/meminfo'),
    host.readFileIfExists('/proc/loadavg'),
    host.readFileIfExists('/proc/sys/kernel/pid_max'),
    statfs(dataDir),
  ]);
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(memory?.toString() ?? '')?.[1];
  const processes = /\d+\/(\d+)/.exec(load?.toString() ?? '')?.[1];
  return {
    memory: available !== undefined && Number(available) * 1024 < leastMemory,
    disk: disk.bavail < disk.blocks * leastDiskShare || (disk.files > 0 && disk.ffree < disk.files * leastInodeShare),
    pid:
      processes !== undefined && Number(processes) > Number(maxPid ?? Number.POSITIVE_INFINITY) * (1 - leastPidShare),
  };
}
