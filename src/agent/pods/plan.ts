// What to do next for one pod. Pure: from the pod as the cluster wants it, what the runtime holds, what the probes say
// and the time, to actions. It is asked again after every change, so it never plans past the next step: at most one
// start (containers of a pod start one after another, in order) and any number of stops.
//
//   wanted pod:   [sandbox] → [volumes] → init containers in order → containers in order → nothing
//   ending pod:   stop all → [teardown]        (deleted, refused, past its deadline, or all containers done)
//
// Source: kubernetes.io/docs/concepts/workloads/pods/{pod-lifecycle,init-containers,sidecar-containers},
// pkg/kubelet/kuberuntime computePodActions.

import type { Container, Pod, Probe } from '../../api/index.ts';
import { type RestartBackoff, restartAt } from './backoff.ts';
import { ephemeralContainers, isSidecar, specHash } from './identity.ts';
import { isRunning, newestOf, type RuntimeContainer, type RuntimePod, readySandbox } from './observe.ts';
import { mustRestart, type Requirements, resourcesChanged } from './resize.ts';
import { restartsAfter } from './restart.ts';

export type ProbeResult = 'success' | 'failure' | undefined;

export interface ContainerHealth {
  readonly startup: ProbeResult;
  readonly liveness: ProbeResult;
}

export interface PodView {
  /** With the resources that are allocated to its containers. */
  readonly pod: Pod;
  readonly runtime: RuntimePod;
  readonly now: number;
  /** Set when the pod has to end: seconds its containers get to stop. */
  readonly ending: { readonly graceSeconds: number } | undefined;
  readonly volumesMounted: boolean;
  /** A sandbox, volumes or container start is under way. */
  readonly starting: boolean;
  /** Containers being stopped, with the grace they were given. */
  readonly stopping: ReadonlyMap<string, number>;
  readonly backoff: (container: string) => RestartBackoff | undefined;
  /** When a start that failed may be tried again, ms since the epoch; 0 at once. */
  readonly retryAt: (container: string) => number;
  readonly health: (containerId: string) => ContainerHealth;
  /** False while the container's postStart hook runs. */
  readonly postStarted: (containerId: string) => boolean;
  /** The resources that the container runs with. */
  readonly applied: (containerId: string) => Requirements | undefined;
}

export interface Stop {
  readonly do: 'stop';
  readonly container: RuntimeContainer;
  readonly graceSeconds: number | undefined;
  readonly message: string;
}

export type NextStep =
  | { readonly do: 'sandbox'; readonly attempt: number }
  | { readonly do: 'volumes' }
  | { readonly do: 'start'; readonly container: Container; readonly restartCount: number; readonly sandboxId: string }
  | { readonly do: 'teardown' };

/** A container to be given other resources as it runs. */
export interface Resize {
  readonly container: Container;
  readonly id: string;
}

export interface PodPlan {
  readonly stops: readonly Stop[];
  readonly resizes: readonly Resize[];
  readonly next?: NextStep;
  /** Containers whose restart is delayed, by name, with the time of their next start. */
  readonly waiting: ReadonlyMap<string, number>;
  /** ms since the epoch at which to plan again though nothing happened. */
  readonly wakeAt?: number;
}

export function planPod(view: PodView): PodPlan {
  if (view.ending !== undefined) return planEnding(view, view.ending.graceSeconds);
  const { runtime } = view;
  const sandbox = readySandbox(runtime);
  if (isComplete(view)) return planEnding(view, undefined);
  if (sandbox === undefined) return planSandbox(view);
  const stale = runtime.containers.filter((one) => isRunning(one) && one.sandboxId !== sandbox.id);
  const stops = [
    ...stale.map((one) => stop(one, 'Pod sandbox changed, it will be killed and re-created.')),
    ...unhealthy(view),
  ].filter(({ container }) => !view.stopping.has(container.id));
  const waiting = new Map<string, number>();
  const next = view.volumesMounted ? nextStart(view, sandbox.id, waiting) : ({ do: 'volumes' } as const);
  const blocked = view.starting || next === undefined;
  const times = [...waiting.values(), ...(next?.do === 'volumes' ? [view.retryAt('')] : [])].filter(
    (at) => at > view.now,
  );
  const early = next?.do === 'volumes' && view.retryAt('') > view.now;
  return {
    stops,
    resizes: resizesOf(view),
    ...(blocked || early ? {} : { next }),
    waiting,
    ...(times.length === 0 ? {} : { wakeAt: Math.min(...times) }),
  };
}

/** True when no container will ever run again: the pod's phase is Succeeded or Failed. */
export function isComplete({ pod, runtime }: Pick<PodView, 'pod' | 'runtime'>): boolean {
  const { restartPolicy = 'Always', containers = [], initContainers = [] } = pod.spec ?? {};
  const endedForGood = (container: Container): boolean => {
    const newest = newestOf(runtime, container.name);
    return newest?.state === 'exited' && !restartsAfter(container, restartPolicy, newest.exitCode);
  };
  const failedInit = initContainers.some(
    (container) =>
      !isSidecar(container) && endedForGood(container) && newestOf(runtime, container.name)?.exitCode !== 0,
  );
  if (failedInit && !containers.some(({ name }) => newestOf(runtime, name) !== undefined)) return true;
  return containers.length > 0 && containers.every(endedForGood);
}

function planEnding(view: PodView, graceSeconds: number | undefined): PodPlan {
  const { runtime, pod } = view;
  const running = runtime.containers.filter(isRunning);
  const sidecars = new Set((pod.spec?.initContainers ?? []).filter(isSidecar).map(({ name }) => name));
  // Sidecars go last, so that what depends on them can still use them while it ends.
  const mains = running.filter(({ name }) => !sidecars.has(name));
  const stops = (mains.length > 0 ? mains : running)
    .filter(({ id }) => (view.stopping.get(id) ?? Number.POSITIVE_INFINITY) > (graceSeconds ?? Number.MAX_VALUE))
    .map((container) => stop(container, `Stopping container ${container.name}`, graceSeconds));
  const done = running.length === 0 && !view.starting && view.stopping.size === 0;
  return { stops, resizes: [], ...(done ? { next: { do: 'teardown' } as const } : {}), waiting: new Map() };
}

/** ms from one sandbox of a pod to the next, for those that end as soon as they are made. */
const sandboxesApart = 1000;

function planSandbox(view: PodView): PodPlan {
  const running = view.runtime.containers.filter((one) => isRunning(one) && !view.stopping.has(one.id));
  const stops = running.map((one) => stop(one, 'Pod sandbox changed, it will be killed and re-created.'));
  const [newest] = view.runtime.sandboxes;
  const at = Math.max(view.retryAt(''), newest === undefined ? 0 : newest.createdAt + sandboxesApart);
  const ready = !view.starting && running.length === 0 && view.stopping.size === 0 && at <= view.now;
  const attempt = (newest?.attempt ?? -1) + 1;
  return {
    stops,
    resizes: [],
    ...(ready ? { next: { do: 'sandbox', attempt } as const } : {}),
    waiting: new Map(),
    ...(at > view.now ? { wakeAt: at } : {}),
  };
}

function unhealthy(view: PodView): Stop[] {
  const { initContainers = [], containers = [] } = view.pod.spec ?? {};
  return [...initContainers.filter(isSidecar), ...containers].flatMap((container) => {
    const newest = newestOf(view.runtime, container.name);
    if (newest === undefined || !isRunning(newest)) return [];
    const { startup, liveness } = view.health(newest.id);
    const { startupProbe, livenessProbe, name } = container;
    if (startup === 'failure') {
      return [stop(newest, `Container ${name} failed startup probe, will be restarted`, graceIn(startupProbe))];
    }
    if (liveness === 'failure') {
      return [stop(newest, `Container ${name} failed liveness probe, will be restarted`, graceIn(livenessProbe))];
    }
    if (newest.hash !== specHash(container)) {
      return [stop(newest, `Container ${name} definition changed, will be restarted`)];
    }
    const applied = view.applied(newest.id);
    return applied !== undefined && mustRestart(container, applied)
      ? [stop(newest, `Container ${name} resize requires restart`)]
      : [];
  });
}

function resizesOf({ pod, runtime, stopping, applied }: PodView): Resize[] {
  const { initContainers = [], containers = [] } = pod.spec ?? {};
  return [...initContainers.filter(isSidecar), ...containers].flatMap((container) => {
    const newest = newestOf(runtime, container.name);
    if (newest?.state !== 'running' || stopping.has(newest.id)) return [];
    const has = applied(newest.id);
    const isSame = has === undefined || resourcesChanged(container.resources, has).length === 0;
    return isSame || mustRestart(container, has) ? [] : [{ container, id: newest.id }];
  });
}

/** A probe may have a grace period of its own. */
function graceIn(probe: Probe | undefined): number | undefined {
  return probe?.terminationGracePeriodSeconds;
}

function nextStart(view: PodView, sandboxId: string, waiting: Map<string, number>): NextStep | undefined {
  const { pod, runtime } = view;
  const { initContainers = [], containers = [], restartPolicy = 'Always' } = pod.spec ?? {};
  const inSandbox = (name: string): RuntimeContainer | undefined =>
    runtime.containers.find((one) => one.name === name && one.sandboxId === sandboxId);
  const initialized = containers.some(({ name }) => inSandbox(name) !== undefined);
  for (const init of initContainers) {
    const newest = inSandbox(init.name);
    const sidecar = isSidecar(init);
    if (newest?.state === 'exited' && newest.exitCode === 0 && !sidecar) continue;
    if (newest !== undefined && isRunning(newest)) {
      const started = sidecar && view.postStarted(newest.id) && startedUp(init, view.health(newest.id).startup);
      if (started || initialized) continue;
      return undefined;
    }
    if (!sidecar && initialized) continue;
    // A failed init container is tried again unless the pod must not be.
    if (newest?.state === 'exited' && !restartsAfter(init, restartPolicy, newest.exitCode)) return undefined;
    const step = startStep(view, init, sandboxId, waiting);
    if (step !== undefined || !initialized) return step;
  }
  for (const container of containers) {
    const newest = inSandbox(container.name) ?? exitedForGood(view, container, restartPolicy);
    if (newest !== undefined && isRunning(newest)) continue;
    if (newest?.state === 'exited' && !restartsAfter(container, restartPolicy, newest.exitCode)) continue;
    const step = startStep(view, container, sandboxId, waiting);
    if (step !== undefined) return step;
  }
  // Debug containers come last, once, and are never started again.
  for (const container of ephemeralContainers(pod)) {
    if (newestOf(runtime, container.name) !== undefined) continue;
    const step = startStep(view, container, sandboxId, waiting);
    if (step !== undefined) return step;
  }
  return undefined;
}

function exitedForGood(view: PodView, container: Container, policy: string): RuntimeContainer | undefined {
  const newest = newestOf(view.runtime, container.name);
  return newest?.state === 'exited' && !restartsAfter(container, policy, newest.exitCode) ? newest : undefined;
}

/** Starts the container, or notes in `waiting` until when it has to wait. */
function startStep(
  view: PodView,
  container: Container,
  sandboxId: string,
  waiting: Map<string, number>,
): NextStep | undefined {
  const newest = newestOf(view.runtime, container.name);
  // What never ran because its sandbox went away has not failed itself.
  const failed = newest?.state === 'exited' && (newest.startedAt > 0 || newest.sandboxId === sandboxId);
  const crashed = failed ? restartAt(view.backoff(container.name), newest.finishedAt) : 0;
  const at = Math.max(crashed, view.retryAt(container.name));
  if (at > view.now) {
    waiting.set(container.name, at);
    return undefined;
  }
  return { do: 'start', container, sandboxId, restartCount: restartCountAfter(view.pod, container.name, newest) };
}

/** Counts on from the runtime, or from the last status when the runtime has forgotten the container. */
function restartCountAfter(pod: Pod, name: string, newest: RuntimeContainer | undefined): number {
  if (newest !== undefined) return newest.restartCount + 1;
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const last = statuses.find((status) => status.name === name);
  return last?.containerID === undefined || last.containerID === '' ? 0 : last.restartCount + 1;
}

/** Whether a running container counts as started: no startup probe, or it has succeeded. */
export function startedUp(container: Container, startup: ProbeResult): boolean {
  return container.startupProbe === undefined || startup === 'success';
}

function stop(container: RuntimeContainer, message: string, graceSeconds?: number): Stop {
  return { do: 'stop', container, message, graceSeconds };
}
