// What the agent remembers of one pod between two looks at it. Everything that matters can be found again in the
// cluster and in the runtime after a restart of the agent; what is only here (back-offs, work under way) may be lost.

import type { ObjectReference, Pod } from '../../api/index.ts';
import type { MountedVolumes } from '../volumes/volumes.ts';
import type { RestartBackoff } from './backoff.ts';
import { nameOf } from './identity.ts';
import { emptyRuntimePod, type RuntimePod } from './observe.ts';
import { createResizeState, type ResizeState } from './resize.ts';
import type { Waiting } from './status.ts';

export interface ContainerMemo {
  waiting: Waiting | undefined;
  /** Of restarts after the container ended. */
  restarts: RestartBackoff | undefined;
  /** Of starts that failed before there was a process. */
  failures: RestartBackoff | undefined;
  /** When that may be tried again; ms since the epoch. */
  retryAt: number;
}

export interface StopUnderWay {
  readonly graceSeconds: number;
  readonly abort: AbortController;
}

export interface PodRecord {
  readonly uid: string;
  /** As last seen in the cluster. */
  pod: Pod;
  /** False once the cluster has forgotten the pod, and for what an earlier agent left in the runtime. */
  inCluster: boolean;
  runtime: RuntimePod;
  /** Something may have changed in the runtime since it was looked at. */
  stale: boolean;
  readonly startTime: number;
  readonly resize: ResizeState;
  /** What it took of the node when that was last looked at; empty: nothing. */
  held: string;
  /** By container name; '' is the pod itself (sandbox, volumes, teardown). */
  readonly memos: Map<string, ContainerMemo>;
  volumes: MountedVolumes | undefined;
  starting: AbortController | undefined;
  readonly stops: Map<string, StopUnderWay>;
  /** Containers whose postStart hook still runs. */
  readonly postStarting: Set<string>;
  /** Termination messages by container id. */
  readonly messages: Map<string, string>;
  /** Containers and sandboxes of which the runtime said that they ended, with the number of looks that still saw them run. */
  readonly exits: Map<string, number>;
  verdict: { readonly reason: string; readonly message: string } | undefined;
  tearing: boolean;
  /** Sandbox, volumes and network are gone. */
  tornDown: boolean;
  /** Containers, logs and the API object are gone too. */
  removed: boolean;
}

export function createRecord(
  pod: Pod,
  options: { readonly now: number; readonly inCluster: boolean; readonly stale: boolean },
): PodRecord {
  const since = pod.status?.startTime;
  return {
    uid: nameOf(pod).uid,
    pod,
    inCluster: options.inCluster,
    runtime: emptyRuntimePod,
    stale: options.stale,
    startTime: since === undefined ? options.now : Date.parse(since),
    resize: createResizeState(pod),
    held: '',
    memos: new Map(),
    volumes: undefined,
    starting: undefined,
    stops: new Map(),
    postStarting: new Set(),
    messages: new Map(),
    exits: new Map(),
    verdict: undefined,
    tearing: false,
    tornDown: false,
    removed: false,
  };
}

export function memoOf({ memos }: PodRecord, container: string): ContainerMemo {
  const known = memos.get(container);
  if (known !== undefined) return known;
  const memo: ContainerMemo = { waiting: undefined, restarts: undefined, failures: undefined, retryAt: 0 };
  memos.set(container, memo);
  return memo;
}

/** What events about the pod, or one of its containers, point to. */
export function referenceTo(pod: Pod, container?: string): ObjectReference {
  const { namespace, name, uid } = nameOf(pod);
  const { resourceVersion } = pod.metadata ?? {};
  const isInit = (pod.spec?.initContainers ?? []).some((init) => init.name === container);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    namespace,
    name,
    uid,
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(container === undefined ? {} : { fieldPath: `spec.${isInit ? 'initContainers' : 'containers'}{${container}}` }),
  };
}

/** Seconds that the pod's containers get between SIGTERM and SIGKILL. */
export function graceOf(pod: Pod): number {
  return pod.metadata?.deletionGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 30;
}
