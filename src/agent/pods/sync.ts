// One look at one pod: what is in the runtime, what to do next, what to tell the cluster. Quick by design: everything slow
// is a task that runs beside it and asks for another look when it is done.

import { readFile } from 'node:fs/promises';
import type { Pod } from '../../api/index.ts';
import { messageOf } from '../../base/index.ts';
import { tailOfLog } from '../server/log-reader.ts';
import { allContainers, annotationNames, nameOf } from './identity.ts';
import { isRunning, newestOf, observePod, type RuntimeContainer, type RuntimePod } from './observe.ts';
import { isComplete, type NextStep, type PodPlan, type PodView, planPod, type Stop } from './plan.ts';
import { graceOf, memoOf, type PodRecord, referenceTo } from './record.ts';
import { allocatedPod } from './resize.ts';
import { applyResizes, judgeResize } from './resize-act.ts';
import { mountVolumes, podIpsOf, runPostStart, startContainer, startSandbox } from './start.ts';
import { podStatus } from './status.ts';
import { removePod, stopContainer, tearDown } from './stop.ts';
import type { PodWorld } from './world.ts';

export interface SyncHooks {
  /** Look at the pod again, now or after some ms. */
  again(uid: string, ms?: number): void;
  /** The ids under which the runtime reports about the pod. */
  seen(uid: string, ids: readonly string[]): void;
  /** The other pods that hold something of the node, as they are allocated. */
  others(uid: string): readonly Pod[];
}

/** ms until a token that could not be exchanged is asked for again. */
const tokenRetry = 10_000;

/** A container that has ended is shown as running by the runtime for a moment more; this often it is asked again. */
const exitLooks = 60;

export async function syncPod(world: PodWorld, record: PodRecord, hooks: SyncHooks): Promise<void> {
  if (record.removed) return;
  const before = workOf(record);
  if (record.stale) await look(world, record, hooks);
  const now = world.clock.now();
  judgeDeadline(record, now);
  if (endingOf(record) === undefined) judgeResize(world, record, () => hooks.others(record.uid));
  const view = viewOf(world, record, now, before);
  const plan = planPod(view);
  for (const stop of plan.stops) launchStop(world, record, stop, hooks);
  if (plan.next !== undefined) launch(world, record, plan.next, hooks);
  launchResizes(world, record, plan, hooks);
  syncProbes(world, record, view.ending !== undefined);
  putStatus(world, record, now);
  // The reason of a failure is told first, and then that the next try is delayed.
  if (noteWaiting(world, record, plan)) putStatus(world, record, now);
  const refresh = world.tokens.refreshAt(record.uid);
  const wakes = [
    plan.wakeAt,
    record.resize.failure === undefined ? undefined : Math.max(record.resize.retryAt, now),
    deadlineOf(record),
    refresh === undefined ? undefined : Math.max(refresh, now + tokenRetry),
  ].filter((at) => at !== undefined);
  if (wakes.length > 0) hooks.again(record.uid, Math.max(0, Math.min(...wakes) - now));
}

/** Writes the pod's volumes again after something that they are made of has changed, or a token has to be exchanged. */
export async function refreshVolumes(world: PodWorld, record: PodRecord): Promise<void> {
  if (record.volumes === undefined || record.tearing || record.tornDown) return;
  try {
    const { hostIps, allocatable } = world;
    await world.volumes.mount(record.pod, { podIps: podIpsOf(world, record), hostIps, allocatable });
  } catch (error) {
    world.events.record(referenceTo(record.pod), 'Warning', 'FailedMount', messageOf(error));
  }
}

async function look(world: PodWorld, record: PodRecord, hooks: SyncHooks): Promise<void> {
  record.stale = false;
  const before = record.runtime;
  try {
    record.runtime = withoutEnded(await observePod(world.cri, record.uid, before), record.exits);
  } catch (error) {
    record.stale = true;
    throw error;
  }
  const { sandboxes, containers } = record.runtime;
  const ids = new Set([...sandboxes, ...containers].map(({ id }) => id));
  hooks.seen(record.uid, [...ids]);
  for (const id of record.exits.keys()) if (!ids.has(id)) record.exits.delete(id);
  for (const container of containers) {
    const { id } = container;
    if (container.state === 'exited' && !record.messages.has(id)) {
      record.messages.set(id, await terminationMessage(world, record, container));
    }
    const looks = record.exits.get(id);
    if (looks === undefined) continue;
    if (!isRunning(container) || looks > exitLooks) record.exits.delete(id);
    else {
      record.exits.set(id, looks + 1);
      record.stale = true;
      hooks.again(record.uid, Math.min(500, 2 + looks ** 2 / 4));
    }
  }
}

/** A sandbox of which the runtime has said that it ended may be listed as ready for a moment more; nothing can start in it. */
function withoutEnded(runtime: RuntimePod, exits: ReadonlyMap<string, number>): RuntimePod {
  const sandboxes = runtime.sandboxes.map((one) => ({ ...one, ready: one.ready && !exits.has(one.id) }));
  return { ...runtime, sandboxes };
}

const messageLimit = 4096;

async function terminationMessage(
  world: PodWorld,
  { uid, pod }: PodRecord,
  container: RuntimeContainer,
): Promise<string> {
  const path = world.paths.terminationLog(uid, container.name, container.restartCount);
  const text = await readFile(path, 'utf8').catch(() => '');
  if (text !== '') return text.slice(0, messageLimit);
  // The file is gone with the pod's folder, but it may have been told before the agent was started again.
  const told = toldMessage(pod, container.id);
  if (told !== undefined) return told;
  const policy = container.annotations[annotationNames.terminationPolicy];
  if (policy !== 'FallbackToLogsOnError' || container.exitCode === 0) return container.message;
  return await tailOfLog(container.logPath, { lines: 80, bytes: 2048 });
}

function toldMessage({ status }: Pod, containerId: string): string | undefined {
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return statuses
    .flatMap(({ state, lastState }) => [state?.terminated, lastState?.terminated])
    .find((ended) => ended?.containerID?.endsWith(`://${containerId}`))?.message;
}

function judgeDeadline(record: PodRecord, now: number): void {
  const at = deadlineOf(record);
  if (at === undefined || at > now) return;
  record.verdict = {
    reason: 'DeadlineExceeded',
    message: 'Pod was active on the node longer than the specified deadline',
  };
}

function deadlineOf({ pod, startTime, verdict, tornDown }: PodRecord): number | undefined {
  const seconds = pod.spec?.activeDeadlineSeconds;
  return seconds === undefined || verdict !== undefined || tornDown ? undefined : startTime + seconds * 1000;
}

interface PodWork {
  readonly starting: boolean;
  /** Containers that are being stopped, with their grace in seconds. */
  readonly stopping: ReadonlyMap<string, number>;
}

function workOf({ starting, tearing, stops }: PodRecord): PodWork {
  return {
    starting: starting !== undefined || tearing,
    stopping: new Map([...stops].map(([id, { graceSeconds }]) => [id, graceSeconds])),
  };
}

/**
 * @param before what was under way when the look began. Of what ended during it the runtime may have shown nothing yet,
 * so that it counts as under way; its end asks for another look.
 */
function viewOf(world: PodWorld, record: PodRecord, now: number, before: PodWork): PodView {
  const { runtime, resize } = record;
  const work = workOf(record);
  return {
    pod: allocatedPod(record),
    runtime,
    now,
    ending: endingOf(record),
    volumesMounted: record.volumes !== undefined,
    starting: before.starting || work.starting,
    stopping: new Map([...before.stopping, ...work.stopping]),
    backoff: (container) => record.memos.get(container)?.restarts,
    retryAt: (container) => record.memos.get(container)?.retryAt ?? 0,
    health: (id) => ({ startup: world.prober.result(id, 'startup'), liveness: world.prober.result(id, 'liveness') }),
    postStarted: (id) => !record.postStarting.has(id),
    applied: (id) => resize.applied.get(id),
  };
}

function endingOf(record: PodRecord): { readonly graceSeconds: number } | undefined {
  const { pod, inCluster, verdict } = record;
  // What the cluster no longer knows gets its grace too, but somebody has said that it may be cut short.
  if (!inCluster) return { graceSeconds: Math.max(1, graceOf(pod)) };
  if (pod.metadata?.deletionTimestamp !== undefined || verdict !== undefined) return { graceSeconds: graceOf(pod) };
  const phase = pod.status?.phase;
  return phase === 'Succeeded' || phase === 'Failed' ? { graceSeconds: graceOf(pod) } : undefined;
}

/** True when the pod's object and everything else of it is to go, not only its processes. */
export function isLeaving({ pod, inCluster }: PodRecord): boolean {
  return !inCluster || pod.metadata?.deletionTimestamp !== undefined;
}

function launchStop(world: PodWorld, record: PodRecord, stop: Stop, hooks: SyncHooks): void {
  const { id } = stop.container;
  record.stops.get(id)?.abort.abort();
  const abort = new AbortController();
  const under = { graceSeconds: stop.graceSeconds ?? graceOf(record.pod), abort };
  record.stops.set(id, under);
  const signal = AbortSignal.any([abort.signal, world.signal]);
  void stopContainer(world, record, stop, signal)
    .catch((error: unknown) => {
      if (!signal.aborted) world.logger.warn('container not stopped', { pod: nameOf(record.pod), id, error });
      return world.clock.sleep(1000, signal).catch(() => undefined);
    })
    .finally(() => {
      if (record.stops.get(id) !== under) return;
      record.stops.delete(id);
      record.stale = true;
      hooks.again(record.uid);
    });
}

function launch(world: PodWorld, record: PodRecord, step: NextStep, hooks: SyncHooks): void {
  if (step.do === 'teardown') {
    if (!record.tornDown || isLeaving(record)) launchTeardown(world, record, hooks);
    return;
  }
  const abort = new AbortController();
  record.starting = abort;
  const signal = AbortSignal.any([abort.signal, world.signal]);
  void begin(world, record, step, { hooks, signal }).finally(() => {
    record.starting = undefined;
    record.stale = true;
    hooks.again(record.uid);
  });
}

async function begin(
  world: PodWorld,
  record: PodRecord,
  step: Exclude<NextStep, { readonly do: 'teardown' }>,
  { hooks, signal }: { readonly hooks: SyncHooks; readonly signal: AbortSignal },
): Promise<void> {
  if (step.do === 'sandbox') return await startSandbox(world, record, step.attempt, signal);
  if (step.do === 'volumes') return await mountVolumes(world, record, signal);
  await startContainer(world, record, { ...step, created: (id) => hooks.seen(record.uid, [id]) }, signal);
  if (step.container.lifecycle?.postStart === undefined || record.postStarting.size === 0) return;
  await look(world, record, hooks);
  const newest = newestOf(record.runtime, step.container.name);
  if (newest === undefined || !record.postStarting.has(newest.id)) return;
  const why = await runPostStart(world, record, step.container, newest.id);
  if (why === undefined) return;
  world.events.record(referenceTo(record.pod, step.container.name), 'Warning', 'FailedPostStartHook', why);
  launchStop(
    world,
    record,
    { do: 'stop', container: newest, graceSeconds: undefined, message: 'FailedPostStartHook' },
    hooks,
  );
}

/** Another look follows; it finds what the pod has wished for meanwhile. */
function launchResizes(world: PodWorld, record: PodRecord, { resizes }: PodPlan, hooks: SyncHooks): void {
  const { resize } = record;
  if (resizes.length === 0) {
    resize.failure = undefined;
    return;
  }
  if (resize.working || resize.retryAt > world.clock.now()) return;
  void applyResizes(world, record, resizes, world.signal).finally(() => hooks.again(record.uid));
}

function launchTeardown(world: PodWorld, record: PodRecord, hooks: SyncHooks): void {
  record.tearing = true;
  void (async () => {
    if (!record.tornDown) await tearDown(world, record);
    record.tornDown = true;
    if (!isLeaving(record)) return;
    await removePod(world, record);
    record.removed = true;
  })()
    .catch((error: unknown) => {
      if (world.signal.aborted) return;
      world.logger.warn('pod not taken down yet, trying again', { pod: nameOf(record.pod), error });
      return world.clock.sleep(1000, world.signal).catch(() => undefined);
    })
    .finally(() => {
      record.tearing = false;
      record.stale = true;
      hooks.again(record.uid);
    });
}

/** Notes what kubectl shows for containers whose next start is delayed. True when that is news. */
function noteWaiting(world: PodWorld, record: PodRecord, { waiting }: PodPlan): boolean {
  const { pod } = record;
  let isNews = false;
  const { name: podName, namespace, uid } = nameOf(pod);
  for (const container of allContainers(pod)) {
    if (!waiting.has(container.name)) continue;
    const memo = memoOf(record, container.name);
    const about = referenceTo(pod, container.name);
    if (memo.retryAt > world.clock.now()) {
      if (memo.waiting?.reason !== 'ErrImagePull') continue;
      world.events.record(about, 'Normal', 'BackOff', `Back-off pulling image "${container.image}"`);
      const message = `Back-off pulling image "${container.image}": ErrImagePull: ${memo.waiting.message ?? ''}`;
      memo.waiting = { reason: 'ImagePullBackOff', message };
      isNews = true;
      continue;
    }
    if (memo.waiting?.reason === 'CrashLoopBackOff') continue;
    const which = `container=${container.name} pod=${podName}_${namespace}(${uid})`;
    const message = `back-off ${goDuration(memo.restarts?.delay ?? 0)} restarting failed ${which}`;
    memo.waiting = { reason: 'CrashLoopBackOff', message };
    isNews = true;
    world.events.record(
      about,
      'Warning',
      'BackOff',
      `Back-off restarting failed container ${container.name} in pod ${podName}_${namespace}(${uid})`,
    );
  }
  return isNews;
}

function goDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

function syncProbes(world: PodWorld, record: PodRecord, ending: boolean): void {
  const { pod, runtime } = record;
  const running = allContainers(pod).flatMap((container) => {
    const newest = newestOf(runtime, container.name);
    if (newest?.state !== 'running' || record.postStarting.has(newest.id)) return [];
    return [{ id: newest.id, container, startedAt: newest.startedAt }];
  });
  world.prober.sync(pod, podIpsOf(world, record)[0] ?? '', running, { ending });
}

function putStatus(world: PodWorld, record: PodRecord, now: number): void {
  const { pod, runtime, verdict } = record;
  if (!record.inCluster || record.removed || isForgotten(record)) return;
  const status = podStatus({
    pod,
    before: world.status.newest(record.uid) ?? pod.status,
    runtime,
    now,
    startTime: record.startTime,
    hostIps: world.hostIps,
    waiting: (container) => record.memos.get(container)?.waiting,
    startup: (id) => world.prober.result(id, 'startup'),
    readiness: (id) => world.prober.result(id, 'readiness'),
    postStarted: (id) => !record.postStarting.has(id),
    terminationMessage: (id) => record.messages.get(id),
    verdict,
    resize: record.resize,
    complete: isComplete({ pod, runtime }),
    runtimeName: world.runtimeName,
  });
  world.status.put(pod, status);
}

/** A pod that has ended and of which the runtime keeps nothing any more keeps the status it has. */
function isForgotten({ pod: { status }, runtime, verdict }: PodRecord): boolean {
  const ended = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  return ended && runtime.containers.length === 0 && verdict === undefined;
}
