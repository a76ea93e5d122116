// Brings up what a pod needs next: its sandbox (network), its volumes, one container. Each is a task that runs beside the
// pod's worker, so that a slow pull never keeps the pod's status or its deletion waiting; `signal` ends it early.

import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Container, kinds } from '../../api/index.ts';
import { codeOf, messageOf } from '../../base/index.ts';
import type { ContainerConfig } from '../../cri/index.ts';
import { ImageError } from '../images/pull.ts';
import { containerMounts } from '../volumes/mounts.ts';
import { afterRestart } from './backoff.ts';
import { containerConfig, defaultTerminationPath } from './container-config.ts';
import { hostsFile, podHostname } from './dns.ts';
import { ContainerConfigError, containerEnv } from './env.ts';
import { runHook } from './hooks.ts';
import { nameOf } from './identity.ts';
import { linkLog, unlinkLog } from './log-links.ts';
import { readySandbox } from './observe.ts';
import type { NextStep } from './plan.ts';
import { memoOf, type PodRecord, referenceTo } from './record.ts';
import { allocatedPod } from './resize.ts';
import { fitPodCgroup } from './resize-act.ts';
import { sandboxConfig } from './sandbox-config.ts';
import type { Waiting } from './status.ts';
import type { PodWorld } from './world.ts';

type ContainerStart = Extract<NextStep, { readonly do: 'start' }> & {
  /** Told before the container is started, so that the end of a short one is not news about nobody's container. */
  readonly created: (id: string) => void;
};
type Mounts = NonNullable<ContainerConfig['mounts']>;

/** The pod's addresses, for status, probes and the downward API. */
export function podIpsOf(world: PodWorld, { pod, runtime }: PodRecord): readonly string[] {
  if (pod.spec?.hostNetwork === true) return world.hostIps;
  return (readySandbox(runtime) ?? runtime.sandboxes[0])?.ips ?? [];
}

function fieldsOf(world: PodWorld, record: PodRecord) {
  return { podIps: podIpsOf(world, record), hostIps: world.hostIps, allocatable: world.allocatable };
}

export async function startSandbox(
  world: PodWorld,
  record: PodRecord,
  attempt: number,
  signal: AbortSignal,
): Promise<void> {
  const { cri, cgroups, events, paths, settings } = world;
  const { pod } = record;
  // Volumes are made while the network is set up. If they fail, the next step is to mount them, and that one tells why.
  const mounting = (async () => {
    await world.references.follow(pod, signal);
    record.volumes = await world.volumes.mount(pod, fieldsOf(world, record));
  })().catch(() => undefined);
  try {
    // Without its own cgroup the pod still runs; the limits of its containers hold.
    await cgroups
      .ensure(allocatedPod(record))
      .catch((error: unknown) => world.logger.warn('pod cgroup not set up', { pod: nameOf(pod), error }));
    await mkdir(paths.podLogDir(nameOf(pod)), { recursive: true, mode: 0o755 });
    await Promise.all(record.runtime.sandboxes.map(({ id }) => cri.stopPodSandbox(id, signal)));
    const runtimeHandler = await runtimeHandlerOf(world, record);
    await cri.runPodSandbox(sandboxConfig(pod, attempt, settings), { runtimeHandler, signal });
    await mounting;
    Object.assign(memoOf(record, ''), { failures: undefined, retryAt: 0 });
  } catch (error) {
    if (signal.aborted) return;
    events.record(
      referenceTo(pod),
      'Warning',
      'FailedCreatePodSandBox',
      `Failed to create pod sandbox: ${messageOf(error)}`,
    );
    noteFailure(world, record, '', undefined);
  }
}

/** '' is the runtime's default. */
async function runtimeHandlerOf({ client, signal }: PodWorld, { pod }: PodRecord): Promise<string> {
  const name = pod.spec?.runtimeClassName ?? '';
  if (name === '') return '';
  const { handler } = await client.get(kinds.runtimeClass, { name }, { signal });
  return handler;
}

export async function mountVolumes(world: PodWorld, record: PodRecord, signal: AbortSignal): Promise<void> {
  const { pod } = record;
  try {
    await world.references.follow(pod, signal);
    record.volumes = await world.volumes.mount(pod, fieldsOf(world, record));
    Object.assign(memoOf(record, ''), { failures: undefined, retryAt: 0 });
  } catch (error) {
    if (signal.aborted) return;
    world.events.record(referenceTo(pod), 'Warning', 'FailedMount', messageOf(error));
    noteFailure(world, record, '', undefined);
  }
}

export async function startContainer(
  world: PodWorld,
  record: PodRecord,
  { container, restartCount, sandboxId, created }: ContainerStart,
  signal: AbortSignal,
): Promise<void> {
  const { cri, events, clock } = world;
  const { pod } = record;
  const { name } = container;
  const about = referenceTo(pod, name);
  const memo = memoOf(record, name);
  let failing = 'CreateContainerConfigError';
  let id: string | undefined;
  try {
    const config = await prepare(world, record, { container, restartCount }, signal);
    failing = 'CreateContainerError';
    if (record.resize.cgroupStale) await fitPodCgroup(world, record);
    id = await cri.createContainer(
      sandboxId,
      config,
      sandboxConfig(pod, attemptOf(record, sandboxId), world.settings),
      signal,
    );
    for (const old of record.runtime.containers) if (old.name === name) record.resize.applied.delete(old.id);
    record.resize.applied.set(id, container.resources ?? {});
    created(id);
    events.record(about, 'Normal', 'Created', `Created container: ${name}`);
    failing = 'RunContainerError';
    if (container.lifecycle?.postStart !== undefined) record.postStarting.add(id);
    await cri.startContainer(id, signal);
    events.record(about, 'Normal', 'Started', `Started container ${name}`);
    await linkLog(world, pod, name, { id, logPath: `${world.paths.podLogDir(nameOf(pod))}/${config.logPath}` });
    if (restartCount > 0) memo.restarts = afterRestart(memo.restarts, clock.now());
    Object.assign(memo, { waiting: undefined, failures: undefined, retryAt: 0 });
  } catch (error) {
    if (signal.aborted) return;
    const reason =
      error instanceof ImageError
        ? error.reason
        : error instanceof ContainerConfigError
          ? 'CreateContainerConfigError'
          : failing;
    if (error instanceof ImageError && error.reason === 'ErrImagePull') {
      events.record(about, 'Warning', 'Failed', `Failed to pull image "${container.image}": ${error.message}`);
    }
    events.record(
      about,
      'Warning',
      'Failed',
      `Error: ${error instanceof ImageError ? error.reason : messageOf(error)}`,
    );
    const waiting = { reason, message: messageOf(error) };
    if (id === undefined) {
      noteFailure(world, record, name, waiting);
    } else {
      // There is a container, and it has ended: its next start is delayed as any restart is.
      record.postStarting.delete(id);
      if (restartCount > 0) memo.restarts = afterRestart(memo.restarts, clock.now());
      Object.assign(memo, { waiting, failures: undefined, retryAt: 0 });
    }
  }
  void removeOld(world, record, name, restartCount);
}

/** After a container has started: its postStart hook. A container whose hook fails is stopped. */
export async function runPostStart(
  world: PodWorld,
  record: PodRecord,
  container: Container,
  containerId: string,
): Promise<string | undefined> {
  const handler = container.lifecycle?.postStart;
  try {
    if (handler === undefined) return undefined;
    const { cri, clock, signal } = world;
    await runHook(handler, 0, { cri, clock, container, containerId, signal, podIp: podIpsOf(world, record)[0] ?? '' });
    return undefined;
  } catch (error) {
    return `PostStartHook failed: ${messageOf(error)}`;
  } finally {
    record.postStarting.delete(containerId);
  }
}

function attemptOf({ runtime }: PodRecord, sandboxId: string): number {
  return runtime.sandboxes.find(({ id }) => id === sandboxId)?.attempt ?? 0;
}

/** Notes why something did not start and when it is tried again: images after 10 s, anything else after 1 s, then doubling. */
const retryLimits = { image: 300_000, container: 60_000, pod: 15_000 } as const;

function noteFailure(world: PodWorld, record: PodRecord, container: string, waiting: Waiting | undefined): void {
  const memo = memoOf(record, container);
  const now = world.clock.now();
  const isImage = /Image/.test(waiting?.reason ?? '');
  const longest = isImage ? retryLimits.image : container === '' ? retryLimits.pod : retryLimits.container;
  const delay = memo.failures === undefined ? (isImage ? 10_000 : 1000) : Math.min(longest, memo.failures.delay * 2);
  memo.failures = { delay, restartedAt: now };
  memo.retryAt = now + delay;
  memo.waiting = waiting;
}

async function prepare(
  world: PodWorld,
  record: PodRecord,
  { container, restartCount }: { readonly container: Container; readonly restartCount: number },
  signal: AbortSignal,
): Promise<ContainerConfig> {
  const { references, puller, host, paths } = world;
  const { pod, uid } = record;
  const { namespace } = nameOf(pod);
  const about = referenceTo(pod, container.name);
  await references.follow(pod, signal);
  const secrets = (pod.spec?.imagePullSecrets ?? []).flatMap(
    ({ name = '' }) => references.secret(namespace, name) ?? [],
  );
  const { image, pulled, took } = await puller.ensure(container, {
    secrets,
    signal,
    pulling: () => world.events.record(about, 'Normal', 'Pulling', `Pulling image "${container.image}"`),
  });
  const text = pulled
    ? `Successfully pulled image "${container.image}" in ${took}ms. Image size: ${image.size} bytes.`
    : `Container image "${container.image}" already present on machine`;
  world.events.record(about, 'Normal', 'Pulled', text);
  const env = containerEnv(pod, container, {
    ...fieldsOf(world, record),
    configMap: (name) => references.configMap(namespace, name),
    secret: (name) => references.secret(namespace, name),
    services: world.servicesFor(pod),
  });
  const volumes = record.volumes ?? new Map<string, string>();
  const mounts = [
    ...(await containerMounts(container, { host, volumes, env, subPathDir: paths.subPathDir(uid) })),
    ...(await ownFiles(world, record, container, restartCount)),
  ];
  const target = pod.spec?.ephemeralContainers?.find(({ name }) => name === container.name)?.targetContainerName;
  const targetId = record.runtime.containers.find((one) => one.name === target && one.state === 'running')?.id;
  return containerConfig(pod, container, { restartCount, image, env, mounts, kernel: world.kernel, targetId });
}

/** /etc/hosts and the file for the termination message, unless the container mounts something there itself. */
async function ownFiles(
  world: PodWorld,
  record: PodRecord,
  container: Container,
  restartCount: number,
): Promise<Mounts> {
  const { host, paths, settings } = world;
  const { pod, uid } = record;
  const taken = new Set((container.volumeMounts ?? []).map(({ mountPath }) => mountPath));
  const mounts: Mounts[number][] = [];
  if (!taken.has('/etc/hosts')) {
    const path = paths.hostsFile(uid);
    const hostFile =
      pod.spec?.hostNetwork === true ? ((await host.readFileIfExists('/etc/hosts'))?.toString() ?? '') : '';
    const name = podHostname(pod, settings.clusterDomain);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, hostsFile(pod, name, podIpsOf(world, record), hostFile));
    mounts.push({ containerPath: '/etc/hosts', hostPath: path, readonly: false });
  }
  const messagePath = container.terminationMessagePath ?? defaultTerminationPath;
  if (!taken.has(messagePath)) {
    const path = paths.terminationLog(uid, container.name, restartCount);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, '');
    await chmod(path, 0o666);
    mounts.push({ containerPath: messagePath, hostPath: path, readonly: false });
  }
  return mounts;
}

/** Keeps the last ended container for its logs and status; those before it go. */
async function removeOld(
  world: PodWorld,
  { runtime, pod }: PodRecord,
  name: string,
  restartCount: number,
): Promise<void> {
  const old = runtime.containers.filter(
    (one) => one.name === name && one.state !== 'running' && one.restartCount < restartCount - 1,
  );
  for (const { id } of old) {
    await unlinkLog(world, pod, name, id);
    await world.cri.removeContainer(id, world.signal).catch((error: unknown) => {
      world.logger.debug('ended container not removed yet', { id, code: codeOf(error) });
    });
  }
}
