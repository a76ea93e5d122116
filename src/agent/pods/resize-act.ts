// Carries a resize out: agrees to it or not, and gives running containers what they are to have. The pod's own cgroup grows
// before its containers do and shrinks after them, because the kernel holds a container to the limits of both.
// Source: KEP-1287 (container resource limit update ordering), pkg/kubelet/kuberuntime (doPodResizeAction).

import type { Pod } from '../../api/index.ts';
import { CodedError, messageOf } from '../../base/index.ts';
import { nameOf } from './identity.ts';
import { isRunning } from './observe.ts';
import type { Resize } from './plan.ts';
import { type PodRecord, referenceTo } from './record.ts';
import { allocatedPod, largestPod, whyNoRoom, wishes } from './resize.ts';
import { amountsOf, containerResources } from './resources.ts';
import type { PodWorld } from './world.ts';

/** ms until a resize that could not be applied is tried again. */
const resizeRetry = 5000;

/** Agrees to what the spec asks for when the node has room, or notes why not. */
export function judgeResize(world: PodWorld, record: PodRecord, others: () => readonly Pod[]): void {
  const { pod, resize } = record;
  // What an earlier agent has started, and not told of, runs with what was allocated then.
  for (const { id, name } of record.runtime.containers.filter(isRunning)) {
    const given = resize.allocated.get(name);
    if (given !== undefined && !resize.applied.has(id)) resize.applied.set(id, given);
  }
  const names = wishes(pod, resize.allocated);
  if (names.length === 0) {
    resize.pending = undefined;
    return;
  }
  const { allocatable } = world;
  const verdict = whyNoRoom(pod, allocatedPod(record), { allocatable, others: others() });
  if (verdict !== undefined && verdict.reason !== resize.pending?.reason) {
    world.events.record(referenceTo(pod), 'Warning', `Resize${verdict.reason}`, verdict.message);
  }
  resize.pending = verdict;
  if (verdict !== undefined) return;
  for (const { name, resources = {} } of [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]) {
    if (names.includes(name)) resize.allocated.set(name, resources);
  }
  Object.assign(resize, { cgroupStale: true, failure: undefined, retryAt: 0 });
}

/** Never rejects: what went wrong is noted, and tried again later. */
export async function applyResizes(
  world: PodWorld,
  record: PodRecord,
  resizes: readonly Resize[],
  signal: AbortSignal,
): Promise<void> {
  const { pod, resize } = record;
  const about = referenceTo(pod);
  resize.working = true;
  try {
    for (const one of resizes) await checkUsage(world, record, one, signal);
    await fitPodCgroup(world, record);
    for (const { container, id } of resizes) {
      const resources = containerResources(allocatedPod(record), container, world.kernel);
      await world.cri.updateContainerResources(id, resources, signal);
      resize.applied.set(id, container.resources ?? {});
    }
    await fitPodCgroup(world, record);
    Object.assign(resize, { failure: undefined, retryAt: 0 });
    const names = resizes.map(({ container }) => container.name).join(', ');
    world.events.record(about, 'Normal', 'ResizeCompleted', `Pod resize completed: ${names}`);
  } catch (error) {
    if (signal.aborted) return;
    if (resize.failure === undefined) world.events.record(about, 'Warning', 'ResizeError', messageOf(error));
    Object.assign(resize, { failure: messageOf(error), retryAt: world.clock.now() + resizeRetry });
  } finally {
    resize.working = false;
  }
}

/** As large as what its containers have and what they are to have. */
export async function fitPodCgroup(world: PodWorld, record: PodRecord): Promise<void> {
  await world.cgroups
    .ensure(largestPod(record))
    .catch((error: unknown) => world.logger.warn('pod cgroup not resized', { pod: nameOf(record.pod), error }));
}

/** A limit below what a container uses would end it. */
async function checkUsage(
  { cri }: PodWorld,
  { resize }: PodRecord,
  { container, id }: Resize,
  signal: AbortSignal,
): Promise<void> {
  const { memory: limit } = amountsOf(container.resources?.limits);
  const { memory: before } = amountsOf(resize.applied.get(id)?.limits);
  if (limit === undefined || (before !== undefined && limit >= before)) return;
  const usage = (await cri.containerStats(id, signal))?.memory?.workingSetBytes?.value ?? 0;
  if (usage <= limit) return;
  const message = `attempting to set memory limit (${limit}) of container ${container.name} below current usage (${usage})`;
  throw new CodedError('RESIZE_BELOW_USAGE', message, {
    hint: 'ask for more, or make the container use less; it is tried again by itself',
  });
}
