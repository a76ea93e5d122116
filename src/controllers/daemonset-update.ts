// Which pods of a DaemonSet's rolling update go and come now.
//
//   maxSurge 0   old pods that are not available go at once; available ones while fewer than maxUnavailable nodes lack one
//   maxSurge n   a new pod comes beside the old one, on at most n nodes at a time, and the old one goes when it is available
//
// Source: k8s.io/kubernetes pkg/controller/daemon/update.go.

import { type DaemonSet, type Pod, type Stored, scaleIntOrString } from '../api/index.ts';
import { availableAt } from './pod-state.ts';
import { revisionHashLabel } from './revisions.ts';

export interface NodePods {
  readonly node: string;
  /** The set's pods of this node, those being deleted included. */
  readonly pods: readonly Stored<Pod>[];
}

export interface Rollout {
  readonly remove: readonly Stored<Pod>[];
  /** Nodes that get a new pod beside the old one. */
  readonly createOn: readonly string[];
}

export interface RolloutRequest {
  readonly set: DaemonSet;
  readonly hash: string;
  /** Nodes that should run a pod. */
  readonly nodes: readonly NodePods[];
  readonly now: number;
}

export function boundsOf(set: DaemonSet, desired: number): { readonly surge: number; readonly unavailable: number } {
  const { maxSurge = 0, maxUnavailable = 1 } = set.spec?.updateStrategy?.rollingUpdate ?? {};
  const surge = scaleIntOrString(maxSurge, desired, 'up');
  const unavailable = scaleIntOrString(maxUnavailable, desired, 'up');
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

export function isUpdated(pod: Pod, hash: string): boolean {
  return pod.metadata?.labels?.[revisionHashLabel] === hash;
}

export function isAvailable(pod: Pod, set: DaemonSet, now: number): boolean {
  return (availableAt(pod, set.spec?.minReadySeconds ?? 0) ?? Number.POSITIVE_INFINITY) <= now;
}

export function rolloutOf(request: RolloutRequest): Rollout {
  const { surge, unavailable } = boundsOf(request.set, request.nodes.length);
  return surge > 0 ? surgingRollout(request, surge) : replacingRollout(request, unavailable);
}

function replacingRollout({ set, hash, nodes, now }: RolloutRequest, mostUnavailable: number): Rollout {
  let unavailable = 0;
  const broken: Stored<Pod>[] = [];
  const candidates: Stored<Pod>[] = [];
  for (const { pods } of nodes) {
    const pair = pairOf(pods, hash);
    if (pair === undefined || (pair.old === undefined && pair.fresh === undefined)) {
      unavailable += 1;
    } else if (pair.fresh !== undefined) {
      if (!isAvailable(pair.fresh, set, now)) unavailable += 1;
    } else if (pair.old !== undefined) {
      if (isAvailable(pair.old, set, now)) {
        candidates.push(pair.old);
      } else {
        unavailable += 1;
        broken.push(pair.old);
      }
    }
  }
  return { remove: [...broken, ...candidates.slice(0, Math.max(0, mostUnavailable - unavailable))], createOn: [] };
}

function surgingRollout({ set, hash, nodes, now }: RolloutRequest, mostSurging: number): Rollout {
  let surging = 0;
  const done: Stored<Pod>[] = [];
  const broken: string[] = [];
  const candidates: string[] = [];
  for (const { node, pods } of nodes) {
    const pair = pairOf(pods, hash);
    if (pair === undefined) {
      surging += 1;
    } else if (pair.old !== undefined && pair.fresh === undefined) {
      (isAvailable(pair.old, set, now) ? candidates : broken).push(node);
    } else if (pair.old !== undefined && pair.fresh !== undefined) {
      if (isAvailable(pair.fresh, set, now)) done.push(pair.old);
      else surging += 1;
    }
  }
  return { remove: done, createOn: [...broken, ...candidates.slice(0, Math.max(0, mostSurging - surging))] };
}

/** At most one pod of each side; undefined when a node has more, which is put right before anything is updated. */
function pairOf(
  pods: readonly Stored<Pod>[],
  hash: string,
): { readonly fresh: Stored<Pod> | undefined; readonly old: Stored<Pod> | undefined } | undefined {
  const alive = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const fresh = alive.filter((pod) => isUpdated(pod, hash));
  const old = alive.filter((pod) => !isUpdated(pod, hash));
  return fresh.length > 1 || old.length > 1 ? undefined : { fresh: fresh[0], old: old[0] };
}
