// What the runtime holds of one pod: its sandboxes and containers, newest first. Asked anew whenever something may have
// changed; the status of an exited container never changes, so it is kept from the last time.

import type { ContainerStatus, Cri, PodSandboxStatus } from '../../cri/index.ts';
import { annotationNames, labelNames, podOfLabels } from './identity.ts';

export interface RuntimeContainer {
  readonly id: string;
  readonly sandboxId: string;
  readonly name: string;
  readonly attempt: number;
  readonly state: 'created' | 'running' | 'exited' | 'unknown';
  /** ms since the epoch; 0 when it has not happened. */
  readonly createdAt: number;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
  readonly image: string;
  readonly imageId: string;
  readonly hash: string;
  readonly restartCount: number;
  readonly logPath: string;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RuntimeSandbox {
  readonly id: string;
  readonly attempt: number;
  /** ms since the epoch */
  readonly createdAt: number;
  readonly ready: boolean;
  /** Empty for host network pods. */
  readonly ips: readonly string[];
  readonly hostNetwork: boolean;
}

export interface RuntimePod {
  readonly sandboxes: readonly RuntimeSandbox[];
  readonly containers: readonly RuntimeContainer[];
}

export const emptyRuntimePod: RuntimePod = { sandboxes: [], containers: [] };

export async function observePod(cri: Cri, uid: string, before: RuntimePod): Promise<RuntimePod> {
  const labels = { [labelNames.podUid]: uid };
  const [sandboxes, containers] = await Promise.all([cri.listPodSandbox({ labels }), cri.listContainers({ labels })]);
  const [seenSandboxes, seenContainers] = await Promise.all([
    Promise.all(
      sandboxes.map(async ({ id, state }) => {
        const known = before.sandboxes.find((sandbox) => sandbox.id === id);
        if (known !== undefined) return { ...known, ready: state === 'ready' };
        const status = await cri.podSandboxStatus(id);
        return status === undefined ? undefined : runtimeSandbox(status);
      }),
    ),
    Promise.all(
      containers.map(async ({ id, podSandboxId }) => {
        const known = before.containers.find((container) => container.id === id);
        if (known?.state === 'exited') return known;
        const status = await cri.containerStatus(id);
        return status === undefined ? undefined : runtimeContainer(status, podSandboxId);
      }),
    ),
  ]);
  return {
    sandboxes: seenSandboxes.filter((one) => one !== undefined).sort((a, b) => b.attempt - a.attempt),
    containers: seenContainers
      .filter((one) => one !== undefined)
      .sort((a, b) => b.restartCount - a.restartCount || b.createdAt - a.createdAt),
  };
}

/** Every pod of which the runtime holds something, by uid. */
export async function listRuntimePods(cri: Cri): Promise<ReadonlyMap<string, RuntimePodSummary>> {
  const [sandboxes, containers] = await Promise.all([cri.listPodSandbox(), cri.listContainers()]);
  const pods = new Map<string, RuntimePodSummary>();
  for (const { id, state, labels } of [...sandboxes, ...containers]) {
    const pod = podOfLabels(labels);
    if (pod === undefined) continue;
    const seen = pods.get(pod.uid) ?? { ...pod, parts: new Map<string, string>() };
    seen.parts.set(id, state);
    pods.set(pod.uid, seen);
  }
  return pods;
}

export interface RuntimePodSummary {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  /** Container and sandbox ids with their states. */
  readonly parts: Map<string, string>;
}

/** The newest container of that name. */
export function newestOf(runtime: RuntimePod, name: string): RuntimeContainer | undefined {
  return runtime.containers.find((container) => container.name === name);
}

export function readySandbox(runtime: RuntimePod): RuntimeSandbox | undefined {
  return runtime.sandboxes.find(({ ready }) => ready);
}

export function isRunning({ state }: RuntimeContainer): boolean {
  return state === 'running' || state === 'unknown';
}

function runtimeSandbox(status: PodSandboxStatus): RuntimeSandbox {
  const hostNetwork = status.linux?.namespaces?.options?.network === 'node';
  const { ip = '', additionalIps = [] } = status.network ?? {};
  return {
    id: status.id,
    attempt: status.metadata?.attempt ?? 0,
    createdAt: milliseconds(status.createdAt),
    ready: status.state === 'ready',
    ips: hostNetwork || ip === '' ? [] : [ip, ...additionalIps.map((more) => more.ip)],
    hostNetwork,
  };
}

function runtimeContainer(status: ContainerStatus, sandboxId: string): RuntimeContainer {
  const { id, state, exitCode, reason, message, annotations, logPath } = status;
  return {
    id,
    sandboxId,
    name: status.metadata?.name ?? '',
    attempt: status.metadata?.attempt ?? 0,
    state,
    createdAt: milliseconds(status.createdAt),
    startedAt: milliseconds(status.startedAt),
    finishedAt: milliseconds(status.finishedAt),
    exitCode,
    reason,
    message,
    image: status.image?.image ?? '',
    imageId: status.imageRef,
    hash: annotations[annotationNames.hash] ?? '',
    restartCount: Number(annotations[annotationNames.restartCount] ?? 0),
    logPath,
    annotations,
  };
}

function milliseconds(nanoseconds: number): number {
  return nanoseconds <= 0 ? 0 : Math.round(nanoseconds / 1e6);
}
