// How a workload is timed: a fixed number of operations by a fixed number of workers, latency of each, CPU time of the
// server out of /proc. CPU per operation is the figure to compare: it hardly depends on who else uses the machine.

import { readFile } from 'node:fs/promises';

export interface Sample {
  readonly operations: number;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly serverCpu: number;
  readonly clientCpu: number;
}

export interface ProcessUse {
  /** Seconds since its start, user and system. */
  readonly cpu: number;
  /** Bytes. */
  readonly resident: number;
}

export interface Timed {
  readonly latencies: readonly number[];
  /** What is counted per second when it is not the operations (events delivered). */
  readonly counted?: number;
}

const ticksPerSecond = 100;

export async function processUse(pid: number): Promise<ProcessUse> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ]);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  return { cpu: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond, resident: kilobytes * 1024 };
}

export async function measure(pid: number, work: () => Promise<Timed>): Promise<Sample> {
  const before = await processUse(pid);
  const client = process.cpuUsage();
  const start = performance.now();
  const { latencies, counted = latencies.length } = await work();
  const seconds = (performance.now() - start) / 1000;
  const used = process.cpuUsage(client);
  const after = await processUse(pid);
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  const perOperation = 1000 / Math.max(1, latencies.length);
  return {
    operations: latencies.length,
    perSecond: counted / seconds,
    p50: at(0.5),
    p99: at(0.99),
    serverCpu: (after.cpu - before.cpu) * perOperation,
    clientCpu: ((used.user + used.system) / 1e6) * perOperation,
  };
}

/** Runs `operate(i, worker)` for each i below `count`; answers how long each took, ms. */
export async function drive(
  count: number,
  workers: number,
  operate: (index: number, worker: number) => Promise<unknown>,
): Promise<number[]> {
  const latencies: number[] = [];
  let next = 0;
  const work = async (worker: number): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      const start = performance.now();
      await operate(index, worker);
      latencies.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, count) }, (_, worker) => work(worker)));
  return latencies;
}
