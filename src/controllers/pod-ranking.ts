// Which pods to delete first when there are too many: upstream's ActivePodsWithRanks. Losing these hurts least:
// unscheduled, then not running, then not ready, then cheap ones (annotation pod-deletion-cost), then those whose node has
// more siblings, then the youngest. Ages are compared by their binary logarithm (LogarithmicScaleDown), so that the same
// "youngest" group does not always lose; inside a group the uid decides.

import type { Pod, Stored } from '../api/index.ts';
import { isReady, podCondition } from './pod-state.ts';
import { timeOf } from './wire-time.ts';

export interface RankingRequest {
  readonly pods: readonly Stored<Pod>[];
  /** Active pods of the same application, these included: more of them on a node make the node's pods go first. */
  readonly related: readonly Pod[];
  readonly now: number;
}

type Comparison = (a: Stored<Pod>, b: Stored<Pod>) => number;

const phaseRank: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/** The same pods, the first to delete first. */
export function deletionOrder({ pods, related, now }: RankingRequest): readonly Stored<Pod>[] {
  const onNode = new Map<string, number>();
  for (const { spec } of related) {
    const node = spec?.nodeName ?? '';
    onNode.set(node, (onNode.get(node) ?? 0) + 1);
  }
  const comparisons: readonly Comparison[] = [
    lower((pod) => (hasNode(pod) ? 1 : 0)),
    lower((pod) => phaseRank[pod.status?.phase ?? 'Pending'] ?? 0),
    lower((pod) => (isReady(pod) ? 1 : 0)),
    lower(deletionCost),
    lower((pod) => -(onNode.get(pod.spec?.nodeName ?? '') ?? 0)),
    (a, b) => (isReady(a) && isReady(b) ? younger(readySince(a), readySince(b), now, a, b) : 0),
    lower((pod) => -restarts(pod)),
    (a, b) => younger(createdAt(a), createdAt(b), now, a, b),
  ];
  return [...pods].sort((a, b) => {
    for (const compare of comparisons) {
      const difference = compare(a, b);
      if (difference !== 0) return difference;
    }
    return 0;
  });
}

function lower(rankOf: (pod: Stored<Pod>) => number): Comparison {
  return (a, b) => rankOf(a) - rankOf(b);
}

function younger(timeA: number, timeB: number, now: number, a: Stored<Pod>, b: Stored<Pod>): number {
  if (timeA === timeB) return 0;
  const difference = ageRank(timeA, now) - ageRank(timeB, now);
  if (difference !== 0) return difference;
  return a.metadata.uid < b.metadata.uid ? -1 : 1;
}

/** One more each time the age doubles; -1 for an age of nothing. */
function ageRank(time: number, now: number): number {
  const age = now - time;
  return age <= 0 ? -1 : Math.floor(Math.log2(age));
}

function hasNode(pod: Pod): boolean {
  return (pod.spec?.nodeName ?? '') !== '';
}

/** Annotation controller.kubernetes.io/pod-deletion-cost: a 32-bit integer, 0 when absent or unreadable. */
function deletionCost(pod: Pod): number {
  const text = pod.metadata?.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? '0';
  const cost = /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : 0;
  return Math.abs(cost) < 2 ** 31 ? cost : 0;
}

function readySince(pod: Pod): number {
  return timeOf(podCondition(pod, 'Ready')?.lastTransitionTime);
}

function createdAt(pod: Pod): number {
  return timeOf(pod.metadata?.creationTimestamp);
}

function restarts(pod: Pod): number {
  return Math.max(0, ...(pod.status?.containerStatuses ?? []).map(({ restartCount }) => restartCount));
}
