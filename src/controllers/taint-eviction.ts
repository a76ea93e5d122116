// taint-eviction: deletes pods from nodes whose NoExecute taints they do not tolerate, or no longer: a toleration with
// tolerationSeconds counts from the moment the taint was added. Keys are pods; one timer a pod that is on its way out.

import { kinds, type Pod, type Stored, type Taint, timestamp, tolerates } from '../api/index.ts';
import { keyOf } from '../client/index.ts';
import { later, patch, remove } from './actions.ts';
import { type Action, type Controller, watch } from './controller.ts';
import { isSame } from './equality.ts';
import { isFinished, needsPodsByNode, podCondition, podsByNode, withPodCondition } from './pod-state.ts';
import { timeOf } from './wire-time.ts';

export const taintEvictionController: Controller = {
  name: 'taint-eviction-controller',
  parallel: 8,
  indexes: [needsPodsByNode],
  watches: [
    watch(kinds.pod, (pod) => (pod.spec?.nodeName === undefined ? [] : [keyOf(pod)])),
    watch(kinds.node, (node, view, { previous, object }) =>
      previous !== undefined && isSame(previous.spec?.taints, object.spec?.taints)
        ? []
        : view.byIndex(podsByNode, node.metadata.name).map(keyOf),
    ),
  ],
  reconcile(key, { view, now, unchangedSince }) {
    const pod = view.get(kinds.pod, key);
    const node = view.get(kinds.node, pod?.spec?.nodeName ?? '');
    const taints = (node?.spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute');
    if (pod === undefined || taints.length === 0) return [];
    return reconcileTaintedPod(
      pod,
      taints,
      (taint) => timeOf(taint.timeAdded, unchangedSince(`${pod.metadata.uid} ${taint.key}`, taint.value ?? '')),
      now,
    );
  },
};

/** @param addedAt when the pod began to see a taint, ms since the epoch */
export function reconcileTaintedPod(
  pod: Stored<Pod>,
  taints: readonly Taint[],
  addedAt: (taint: Taint) => number,
  now: number,
): readonly Action[] {
  if (pod.metadata.deletionTimestamp !== undefined) return [];
  const leaveAt = Math.min(...taints.map((taint) => deadlineOf(pod, taint, addedAt)));
  if (leaveAt === Number.POSITIVE_INFINITY) return [];
  if (leaveAt > now) return [later(leaveAt - now)];
  return [...markDisrupted(pod, now), evict(pod)];
}

/** Until when the pod may stay in spite of this taint, ms since the epoch. */
function deadlineOf(pod: Pod, taint: Taint, addedAt: (taint: Taint) => number): number {
  const toleration = pod.spec?.tolerations?.find((one) => tolerates(one, taint));
  if (toleration === undefined) return 0;
  const { tolerationSeconds } = toleration;
  if (tolerationSeconds === undefined) return Number.POSITIVE_INFINITY;
  return addedAt(taint) + Math.max(0, tolerationSeconds) * 1000;
}

/** Tells the pod's owner (a Job, say) that the pod did not fail by itself. Source: KEP-3329. */
function markDisrupted(pod: Stored<Pod>, now: number): readonly Action[] {
  if (podCondition(pod, 'DisruptionTarget')?.status === 'True' || isFinished(pod)) return [];
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByTaintManager',
    message: 'Taint manager: deleting due to NoExecute taint',
  };
  const { resourceVersion } = pod.metadata;
  const conditions = withPodCondition(pod, condition, timestamp(now));
  return [patch(kinds.pod, pod, { metadata: { resourceVersion }, status: { conditions } }, { subresource: 'status' })];
}

function evict(pod: Stored<Pod>): Action {
  const message = `Marking for deletion Pod ${keyOf(pod)}`;
  return remove(kinds.pod, pod, {
    event: { about: pod, done: () => ({ type: 'Normal', reason: 'TaintManagerEviction', message }) },
  });
}
