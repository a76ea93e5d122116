// Which process a pid file means. A pid alone is not an identity: after a crash the kernel gives it to somebody else. The
// start time (field 22 of /proc/PID/stat, clock ticks since boot, proc(5)) makes it one, so nothing is ever signalled that
// k8ts did not start.
//
//   /run/k8ts/services/k8ts-server.pid:  "4711 8812345\n"

import type { Host } from './host.ts';

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot, as the kernel prints it. */
  readonly startTime: string;
}

/** The process named by a pid file; undefined when it is gone or its pid belongs to another process now. */
export async function readProcess(
  host: Pick<Host, 'readFileIfExists'>,
  pidFile: string,
): Promise<ProcessIdentity | undefined> {
  const text = (await host.readFileIfExists(pidFile))?.toString('utf8') ?? '';
  const [pid = '', startTime] = text.trim().split(' ');
  if (!/^\d+$/.test(pid)) return undefined;
  const now = await identifyProcess(host, Number(pid));
  return now?.startTime === startTime ? now : undefined;
}

/** undefined when no such process runs; a zombie does not. */
export async function identifyProcess(
  host: Pick<Host, 'readFileIfExists'>,
  pid: number,
): Promise<ProcessIdentity | undefined> {
  const stat = (await host.readFileIfExists(`/proc/${pid}/stat`).catch(() => undefined))?.toString('utf8');
  // The program's name, field 2, is in parentheses and may hold spaces and parentheses itself.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields?.[0], fields?.[19]];
  return startTime === undefined || state === 'Z' ? undefined : { pid, startTime };
}

export function formatProcess({ pid, startTime }: ProcessIdentity): string {
  return `${pid} ${startTime}\n`;
}
