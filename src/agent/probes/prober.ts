// Runs the probes of running containers and remembers what they say, by container id: a restarted container is a new one
// and starts without a verdict. Startup goes first; liveness and readiness begin once it has succeeded.
// A verdict changes after `failureThreshold` failures or `successThreshold` successes in a row. The first readiness probe
// runs as soon as its initial delay allows, not at a random point of its period: that is where time to Ready is lost.

import type { Container, Pod, Probe } from '../../api/index.ts';
import type { Cri } from '../../cri/index.ts';
import type { ProbeResult } from '../pods/plan.ts';
import { runProbe } from './run-probe.ts';

export type ProbeKind = 'startup' | 'liveness' | 'readiness';

export interface ProbedContainer {
  readonly id: string;
  readonly container: Container;
  /** ms since the epoch; initialDelaySeconds counts from here. */
  readonly startedAt: number;
}

export interface Prober {
  /** The pod's running containers; probes of containers that are no longer listed end. */
  sync(pod: Pod, podIp: string, running: readonly ProbedContainer[], options: { readonly ending: boolean }): void;
  result(containerId: string, kind: ProbeKind): ProbeResult;
  forget(uid: string): void;
}

export interface ProberOptions {
  readonly cri: Cri;
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** A verdict has changed. */
  readonly changed: (uid: string) => void;
  /** A probe failed; told each time, as the kubelet's Unhealthy events are. */
  readonly failed: (pod: Pod, container: Container, kind: ProbeKind, why: string) => void;
}

interface Running {
  readonly uid: string;
  readonly timer: { handle: NodeJS.Timeout | undefined; stopped: boolean };
  result: ProbeResult;
  streak: number;
}

export function createProber(options: ProberOptions): Prober {
  const { cri, now, signal, changed, failed } = options;
  const probes = new Map<string, Running>();
  signal.addEventListener('abort', () => [...probes.keys()].forEach(end), { once: true });

  return {
    sync(pod, podIp, running, { ending }) {
      const uid = pod.metadata?.uid ?? '';
      const wanted = new Set<string>();
      for (const one of running) {
        for (const kind of ['startup', 'liveness', 'readiness'] as const) {
          const probe = one.container[`${kind}Probe`];
          if (probe === undefined) continue;
          const key = keyOf(one.id, kind);
          wanted.add(key);
          const known = probes.get(key);
          // A pod that ends may still say that it is not ready, but nothing restarts it any more.
          if (ending && kind !== 'readiness') {
            if (known !== undefined) silence(known);
            continue;
          }
          if (known !== undefined || signal.aborted) continue;
          if (
            kind !== 'startup' &&
            one.container.startupProbe !== undefined &&
            resultOf(one.id, 'startup') !== 'success'
          ) {
            continue;
          }
          begin(key, { pod, podIp, one, kind, probe });
        }
      }
      for (const [key, { uid: of }] of probes) if (of === uid && !wanted.has(key)) end(key);
    },
    result: resultOf,
    forget(uid) {
      for (const [key, probe] of probes) if (probe.uid === uid) end(key);
    },
  };

  function keyOf(containerId: string, kind: ProbeKind): string {
    return `${containerId} ${kind}`;
  }

  function resultOf(containerId: string, kind: ProbeKind): ProbeResult {
    return probes.get(keyOf(containerId, kind))?.result;
  }

  function end(key: string): void {
    const probe = probes.get(key);
    if (probe === undefined) return;
    silence(probe);
    probes.delete(key);
  }

  function silence({ timer }: Running): void {
    timer.stopped = true;
    clearTimeout(timer.handle);
  }

  function begin(
    key: string,
    at: {
      readonly pod: Pod;
      readonly podIp: string;
      readonly one: ProbedContainer;
      readonly kind: ProbeKind;
      readonly probe: Probe;
    },
  ): void {
    const { pod, podIp, one, kind, probe } = at;
    const uid = pod.metadata?.uid ?? '';
    const entry: Running = {
      uid,
      timer: { handle: undefined, stopped: false },
      result: undefined,
      streak: 0,
    };
    probes.set(key, entry);
    const period = (probe.periodSeconds ?? 10) * 1000;
    const schedule = (delay: number): void => {
      if (!entry.timer.stopped) entry.timer.handle = setTimeout(() => void look(), delay);
    };
    const look = async (): Promise<void> => {
      const why = await runProbe(probe, { cri, container: one.container, containerId: one.id, podIp });
      if (entry.timer.stopped) return;
      if (why !== undefined) failed(pod, one.container, kind, why);
      note(entry, probe, why === undefined);
      // A startup probe has said all it has to say once it has a verdict.
      if (kind !== 'startup' || entry.result === undefined) schedule(period);
    };
    schedule(Math.max(0, one.startedAt + (probe.initialDelaySeconds ?? 0) * 1000 - now()));
  }

  function note(entry: Running, probe: Probe, isWell: boolean): void {
    entry.streak = isWell ? Math.max(1, entry.streak + 1) : Math.min(-1, entry.streak - 1);
    if (isWell && entry.streak < 0) entry.streak = 1;
    const enough = isWell
      ? entry.streak >= (probe.successThreshold ?? 1)
      : -entry.streak >= (probe.failureThreshold ?? 3);
    const verdict = isWell ? 'success' : 'failure';
    // A first failed readiness probe says no more than what holds without any: not ready.
    if (!enough || entry.result === verdict) return;
    entry.result = verdict;
    changed(entry.uid);
  }
}
