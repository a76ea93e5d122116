// Lifecycle hooks: what a container wants done after it started and before it is stopped.
// Source: kubernetes.io/docs/concepts/containers/container-lifecycle-hooks.

import type { Container } from '../../api/index.ts';
import type { Clock } from '../../base/index.ts';
import type { Cri } from '../../cri/index.ts';
import { httpGet } from '../probes/run-probe.ts';

type Handler = NonNullable<NonNullable<Container['lifecycle']>['postStart']>;

export interface HookTarget {
  readonly cri: Cri;
  readonly clock: Clock;
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
  readonly signal: AbortSignal;
}

/** Throws when the hook failed. @param seconds the hook may take; 0 is without end. */
export async function runHook(handler: Handler, seconds: number, target: HookTarget): Promise<void> {
  const { cri, clock, container, containerId, podIp, signal } = target;
  if (handler.exec !== undefined) {
    const { exitCode, stdout, stderr } = await cri.execSync(containerId, handler.exec.command ?? [], seconds, signal);
    if (exitCode === 0) return;
    throw new Error(
      `command exited with ${exitCode}: ${Buffer.concat([stdout, stderr]).toString('utf8').slice(0, 1024)}`,
    );
  }
  if (handler.httpGet !== undefined) {
    const why = await httpGet(handler.httpGet, seconds === 0 ? 30 : seconds, { container, podIp });
    if (why !== undefined) throw new Error(why);
  }
  if (handler.sleep !== undefined) {
    const wanted = handler.sleep.seconds;
    await clock.sleep((seconds === 0 ? wanted : Math.min(wanted, seconds)) * 1000, signal);
  }
}
