// What to do with a StatefulSet's pods now.
//
//   OrderedReady   one step at a time: 0, 1, 2, … each waits until those before are available; scaling down from the
//                  highest, each waits until the one above is gone
//   Parallel       creations and deletions all at once; updates still in order
//   RollingUpdate  from the highest ordinal down to `partition`, at most maxUnavailable at a time
//
// Source: "StatefulSets" in the Kubernetes documentation; k8s.io/kubernetes pkg/controller/statefulset.

import {
  kinds,
  type Pod,
  type PodTemplateSpec,
  type StatefulSet,
  type Stored,
  scaleIntOrString,
} from '../api/index.ts';
import { announce, create, remove } from './actions.ts';
import type { Action } from './controller.ts';
import { isFinished } from './pod-state.ts';
import {
  isAvailable,
  isHealthy,
  isTerminating,
  ordinalOf,
  podName,
  replicasOf,
  revisionOf,
  startOf,
  statefulPod,
} from './statefulset-pods.ts';

export interface Revision {
  readonly name: string;
  readonly template: PodTemplateSpec | undefined;
}

interface PlanRequest {
  readonly set: Stored<StatefulSet>;
  readonly pods: readonly Stored<Pod>[];
  /** What the pods below the partition have. */
  readonly current: Revision;
  /** What the set's present template is. */
  readonly next: Revision;
  /** What must exist before the pod of this ordinal can be created. */
  readonly claims: (ordinal: number) => readonly Action[];
  readonly now: number;
}

interface Replicas {
  /** By position: ordinal minus the first ordinal. */
  readonly wanted: readonly (Stored<Pod> | undefined)[];
  /** Outside of the range, the lowest first. */
  readonly condemned: readonly Stored<Pod>[];
}

function replicasIn({ set, pods }: Pick<PlanRequest, 'set' | 'pods'>): Replicas {
  const start = startOf(set);
  const wanted: (Stored<Pod> | undefined)[] = Array.from({ length: replicasOf(set) });
  const condemned: { readonly ordinal: number; readonly pod: Stored<Pod> }[] = [];
  for (const pod of pods) {
    const ordinal = ordinalOf(set, pod);
    if (ordinal === undefined) continue;
    if (ordinal >= start && ordinal < start + wanted.length) wanted[ordinal - start] = pod;
    else condemned.push({ ordinal, pod });
  }
  return { wanted, condemned: condemned.sort((a, b) => a.ordinal - b.ordinal).map(({ pod }) => pod) };
}

export function planPods(request: PlanRequest): readonly Action[] {
  const { set } = request;
  const replicas = replicasIn(request);
  const isOrdered = set.spec?.podManagementPolicy !== 'Parallel';
  const filled = fill(request, replicas.wanted, isOrdered);
  if (isOrdered && (filled.actions.length > 0 || filled.waits)) return filled.actions;
  const shrunk = shrink(request, replicas, isOrdered);
  if (isOrdered && (shrunk.actions.length > 0 || shrunk.waits)) return shrunk.actions;
  return [...filled.actions, ...shrunk.actions, ...roll(request, replicas.wanted)];
}

interface Step {
  readonly actions: readonly Action[];
  /** Nothing to do, but what comes next must not be done yet. */
  readonly waits: boolean;
}

const wait: Step = { actions: [], waits: true };

function fill(request: PlanRequest, wanted: Replicas['wanted'], isOrdered: boolean): Step {
  const { set, claims, now } = request;
  const actions: Action[] = [];
  for (const [at, pod] of wanted.entries()) {
    const ordinal = startOf(set) + at;
    if (pod === undefined) actions.push(...claims(ordinal), createPod(request, ordinal));
    else if (isFinished(pod) && !isTerminating(pod)) actions.push(recreating(set, pod), deletePod(set, pod));
    else if (isOrdered && (isTerminating(pod) || !isAvailable(pod, set, now))) return { actions, waits: true };
    else continue;
    if (isOrdered) return { actions, waits: false };
  }
  return { actions, waits: false };
}

function shrink({ set, now }: PlanRequest, { wanted, condemned }: Replicas, isOrdered: boolean): Step {
  const firstUnhealthy = [...wanted, ...condemned].find((pod) => pod === undefined || !isHealthy(pod));
  const actions: Action[] = [];
  for (const pod of [...condemned].reverse()) {
    if (isTerminating(pod)) {
      if (isOrdered) return wait;
      continue;
    }
    if (isOrdered && !isAvailable(pod, set, now) && pod !== firstUnhealthy) return wait;
    actions.push(deletePod(set, pod));
    if (isOrdered) break;
  }
  return { actions, waits: false };
}

function roll({ set, next, now }: PlanRequest, wanted: Replicas['wanted']): readonly Action[] {
  const { type, rollingUpdate } = set.spec?.updateStrategy ?? {};
  if (type === 'OnDelete') return [];
  const lowest = rollingUpdate?.partition ?? 0;
  const bound = rollingUpdate?.maxUnavailable ?? 1;
  let room = Math.max(1, scaleIntOrString(bound, wanted.length, 'down'));
  const actions: Action[] = [];
  const isUp = (pod: Stored<Pod> | undefined): boolean =>
    pod !== undefined && !isTerminating(pod) && isAvailable(pod, set, now);
  for (let at = wanted.length - 1; at >= lowest && room > 0; at -= 1) {
    const pod = wanted[at];
    if (pod !== undefined && !isTerminating(pod) && revisionOf(pod) !== next.name) {
      actions.push(deletePod(set, pod));
      room -= 1;
    } else if (!isUp(pod)) {
      room -= 1;
    }
  }
  return actions;
}

function createPod({ set, current, next }: PlanRequest, ordinal: number): Action {
  const { name, template } = keepsCurrent(set, ordinal) ? current : next;
  const pod = podName(set, ordinal);
  const where = `Pod ${pod} in StatefulSet ${set.metadata.name}`;
  return create(kinds.pod, statefulPod({ set, ordinal, revision: name, template }), {
    about: set,
    done: () => ({ type: 'Normal', reason: 'SuccessfulCreate', message: `create ${where} successful` }),
    failed: (message) => ({
      type: 'Warning',
      reason: 'FailedCreate',
      message: `create ${where} failed error: ${message}`,
    }),
  });
}

function keepsCurrent(set: StatefulSet, ordinal: number): boolean {
  const { type = 'RollingUpdate', rollingUpdate } = set.spec?.updateStrategy ?? {};
  if (type !== 'RollingUpdate') return false;
  const kept = rollingUpdate === undefined ? (set.status?.currentReplicas ?? 0) : (rollingUpdate.partition ?? 0);
  return ordinal < startOf(set) + kept;
}

function deletePod(set: Stored<StatefulSet>, pod: Stored<Pod>): Action {
  const where = `Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
  return remove(kinds.pod, pod, {
    event: {
      about: set,
      done: () => ({ type: 'Normal', reason: 'SuccessfulDelete', message: `delete ${where} successful` }),
      failed: (message) => ({
        type: 'Warning',
        reason: 'FailedDelete',
        message: `delete ${where} failed error: ${message}`,
      }),
    },
  });
}

function recreating(set: Stored<StatefulSet>, pod: Stored<Pod>): Action {
  const { namespace, name } = set.metadata;
  const hasFailed = pod.status?.phase === 'Failed';
  return announce(set, {
    type: hasFailed ? 'Warning' : 'Normal',
    reason: hasFailed ? 'RecreatingFailedPod' : 'RecreatingTerminatedPod',
    message: `StatefulSet ${namespace}/${name} is recreating ${hasFailed ? 'failed' : 'terminated'} Pod ${pod.metadata.name}`,
  });
}
