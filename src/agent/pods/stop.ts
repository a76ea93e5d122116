// Ends what a pod has: containers with their preStop hook and grace period, then sandbox, volumes, cgroup, and the pod's
// object in the cluster. Every step may be done twice.

import { rm } from 'node:fs/promises';
import { type Container, kinds } from '../../api/index.ts';
import { messageOf } from '../../base/index.ts';
import { ApiStatusError } from '../../client/index.ts';
import { runHook } from './hooks.ts';
import { allContainers, nameOf } from './identity.ts';
import { unlinkLog } from './log-links.ts';
import type { Stop } from './plan.ts';
import { graceOf, type PodRecord, referenceTo } from './record.ts';
import { podIpsOf } from './start.ts';
import type { PodWorld } from './world.ts';

/** A container that had a preStop hook gets at least this long after it, in seconds. */
const leastAfterHook = 2;

export async function stopContainer(
  world: PodWorld,
  record: PodRecord,
  { container, graceSeconds, message }: Stop,
  signal: AbortSignal,
): Promise<void> {
  const { cri, clock, events } = world;
  const { pod } = record;
  const spec = allContainers(pod).find(({ name }) => name === container.name);
  const grace = graceSeconds ?? graceOf(pod);
  const begun = clock.now();
  events.record(referenceTo(pod, container.name), 'Normal', 'Killing', message);
  let left = grace;
  if (spec?.lifecycle?.preStop !== undefined && grace > 0) {
    await runPreStop(world, record, { spec, id: container.id, grace }, signal);
    left = Math.max(leastAfterHook, grace - Math.round((clock.now() - begun) / 1000));
  }
  if (!signal.aborted) await cri.stopContainer(container.id, left, signal);
}

async function runPreStop(
  world: PodWorld,
  record: PodRecord,
  { spec, id, grace }: { readonly spec: Container; readonly id: string; readonly grace: number },
  signal: AbortSignal,
): Promise<void> {
  const handler = spec.lifecycle?.preStop;
  if (handler === undefined) return;
  const { cri, clock } = world;
  const podIp = podIpsOf(world, record)[0] ?? '';
  const over = AbortSignal.any([signal, AbortSignal.timeout(grace * 1000)]);
  try {
    await runHook(handler, grace, { cri, clock, container: spec, containerId: id, podIp, signal: over });
  } catch (error) {
    if (signal.aborted) return;
    const about = referenceTo(record.pod, spec.name);
    world.events.record(about, 'Warning', 'FailedPreStopHook', `PreStopHook failed: ${messageOf(error)}`);
  }
}

/** After the last container has ended: network, volumes and cgroup. The containers stay for their logs and status. */
export async function tearDown(world: PodWorld, record: PodRecord): Promise<void> {
  const { cri, signal, references, tokens, prober, volumes, cgroups } = world;
  const { uid, runtime, pod } = record;
  prober.forget(uid);
  await Promise.all(runtime.sandboxes.map(({ id }) => cri.stopPodSandbox(id, signal)));
  references.release(uid);
  tokens.forget(uid);
  await volumes.unmount(uid);
  await cgroups.remove(pod);
  record.volumes = undefined;
}

/** Takes the pod's object out of the cluster (its deletion waited for this) and the rest out of the runtime. */
export async function removePod(world: PodWorld, record: PodRecord): Promise<void> {
  const { cri, client, status, signal, paths, cgroups } = world;
  const { uid, pod, runtime } = record;
  const name = nameOf(pod);
  if (record.inCluster) {
    await status.flushed(uid);
    try {
      await client.delete(kinds.pod, name, { gracePeriodSeconds: 0, preconditions: { uid }, signal });
    } catch (error) {
      if (!(error instanceof ApiStatusError) || (error.code !== 404 && error.code !== 409)) throw error;
    }
  }
  status.forget(uid);
  await Promise.all(runtime.sandboxes.map(({ id }) => cri.removePodSandbox(id, signal)));
  await Promise.all(
    runtime.containers.map(async (container) => {
      await cri.removeContainer(container.id, signal);
      await unlinkLog(world, pod, container.name, container.id);
    }),
  );
  await cgroups.remove(pod);
  await rm(paths.podLogDir(name), { recursive: true, force: true });
}
