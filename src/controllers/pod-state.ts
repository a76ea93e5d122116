// What a pod's status says, in the words that controllers use. Source: k8s.io/api core/v1 PodStatus and its conditions.

import { kinds, type Pod, type PodCondition } from '../api/index.ts';
import { type Index, needs } from './controller.ts';

import { byController } from './ownership.ts';

export const podsByController = byController(kinds.pod);
export const podsByNode: Index<Pod> = {
  kind: kinds.pod,
  name: 'node',
  valuesOf: (pod) => (pod.spec?.nodeName === undefined || pod.spec.nodeName === '' ? [] : [pod.spec.nodeName]),
};
export const needsPodsByController = needs(podsByController);
export const needsPodsByNode = needs(podsByNode);

export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

export function isReady(pod: Pod): boolean {
  return podCondition(pod, 'Ready')?.status === 'True';
}

/** Succeeded or Failed: its containers will not run again. */
export function isFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

function isBeingDeleted(pod: Pod): boolean {
  return pod.metadata?.deletionTimestamp !== undefined;
}

/** Counts towards the replicas of its controller. */
export function isActive(pod: Pod): boolean {
  return !isFinished(pod) && !isBeingDeleted(pod);
}

/** When the pod will have been ready for `minReadySeconds`, ms since the epoch; undefined while it is not ready. */
export function availableAt(pod: Pod, minReadySeconds: number): number | undefined {
  const ready = podCondition(pod, 'Ready');
  if (ready?.status !== 'True') return undefined;
  if (minReadySeconds === 0) return 0;
  if (ready.lastTransitionTime === undefined) return undefined;
  return Date.parse(ready.lastTransitionTime) + minReadySeconds * 1000;
}

/** The pod with one condition set; `lastTransitionTime` changes only with the status. */
export function withPodCondition(pod: Pod, condition: PodCondition, now: string): readonly PodCondition[] {
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== condition.type);
  const previous = podCondition(pod, condition.type);
  const kept = previous?.status === condition.status ? previous.lastTransitionTime : undefined;
  return [...others, { ...condition, lastTransitionTime: kept ?? now }];
}
