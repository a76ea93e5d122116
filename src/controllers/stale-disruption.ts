// A pod that was marked as about to be disrupted and then was not: after two minutes the mark is taken back, so that a later
// failure of its own is not excused. Marks that the node's agent sets stay: it may take its time. Source: KEP-3329.

import { kinds, type Pod, type Stored, timestamp } from '../api/index.ts';
import { later, patch } from './actions.ts';
import type { Action } from './controller.ts';
import { isFinished, podCondition, withPodCondition } from './pod-state.ts';
import { timeOf } from './wire-time.ts';

const type = 'DisruptionTarget';
const timeout = 2 * 60_000;

export function isMarked(pod: Stored<Pod>): boolean {
  const condition = podCondition(pod, type);
  return (
    condition?.status === 'True' &&
    condition.reason !== 'TerminationByKubelet' &&
    pod.metadata.deletionTimestamp === undefined &&
    !isFinished(pod)
  );
}

/** For a pod that is marked. */
export function takeBackMark(pod: Stored<Pod>, now: number): readonly Action[] {
  const left = timeOf(podCondition(pod, type)?.lastTransitionTime) + timeout - now;
  if (left > 0) return [later(left)];
  const { resourceVersion } = pod.metadata;
  const conditions = withPodCondition(pod, { type, status: 'False' }, timestamp(now));
  return [patch(kinds.pod, pod, { metadata: { resourceVersion }, status: { conditions } }, { subresource: 'status' })];
}
