// statefulset: pods with names that last. Which pods come and go: statefulset-plan.ts; what a pod is: statefulset-pods.ts;
// whom its claims belong to: statefulset-claims.ts; the history of its template: revisions.ts.

import {
  type ControllerRevision,
  kinds,
  type PersistentVolumeClaim,
  type Pod,
  type StatefulSet,
  type Stored,
} from '../api/index.ts';
import { keyOf } from '../client/index.ts';
import { create, later, updateSubresource } from './actions.ts';
import { type Action, type Controller, type View, watch } from './controller.ts';
import { isSame } from './equality.ts';
import { selectorOf } from './labels.ts';
import { claim, controllerOf, orphansOf } from './ownership.ts';
import { availableAt, needsPodsByController, podsByController } from './pod-state.ts';
import { expiredRevisions, type History, historyOf, needsRevisionsByController, templateIn } from './revisions.ts';
import { ownClaims } from './statefulset-claims.ts';
import { planPods, type Revision } from './statefulset-plan.ts';
import {
  claimsOf,
  isAvailable,
  isRunningAndReady,
  isTerminating,
  ordinalOf,
  replicasOf,
  revisionOf,
} from './statefulset-pods.ts';

export const statefulSetController: Controller = {
  name: 'statefulset-controller',
  parallel: 5,
  indexes: [needsPodsByController, needsRevisionsByController],
  watches: [
    watch(kinds.statefulSet, (set) => [keyOf(set)]),
    watch(kinds.pod, setsOf),
    watch(kinds.controllerRevision, (revision) => {
      const owner = controllerOf(revision);
      return owner?.kind === 'StatefulSet' ? [`${revision.metadata.namespace}/${owner.name}`] : [];
    }),
  ],
  reads: [kinds.persistentVolumeClaim],
  reconcile(key, { view, now }) {
    const set = view.get(kinds.statefulSet, key);
    if (set === undefined) return [];
    const selector = selectorOf(set.spec?.selector);
    const candidates = [
      ...view.byIndex(podsByController, set.metadata.uid),
      ...view.byIndex(podsByController, orphansOf(set.metadata.namespace)),
    ];
    const matches = (pod: Stored<Pod>): boolean =>
      ordinalOf(set, pod) !== undefined && selector.matches(pod.metadata.labels);
    const { owned, actions } = claim({
      ownerKind: kinds.statefulSet,
      owner: set,
      kind: kinds.pod,
      candidates,
      matches,
    });
    const history = historyOf(kinds.statefulSet, set, view);
    const claimOf = (name: string): Stored<PersistentVolumeClaim> | undefined =>
      view.get(kinds.persistentVolumeClaim, `${set.metadata.namespace}/${name}`);
    return [...actions, ...history.actions, ...reconcileStatefulSet({ set, pods: owned, history, claimOf, now })];
  },
};

function setsOf(pod: Stored<Pod>, view: View): readonly string[] {
  const { namespace, labels } = pod.metadata;
  const owner = controllerOf(pod);
  if (owner !== undefined) return owner.kind === 'StatefulSet' ? [`${namespace}/${owner.name}`] : [];
  return view
    .list(kinds.statefulSet, namespace)
    .filter((set) => ordinalOf(set, pod) !== undefined && selectorOf(set.spec?.selector).matches(labels))
    .map(keyOf);
}

interface StatefulSetRequest {
  readonly set: Stored<StatefulSet>;
  readonly pods: readonly Stored<Pod>[];
  readonly history: History;
  readonly claimOf: (name: string) => Stored<PersistentVolumeClaim> | undefined;
  readonly now: number;
}

function reconcileStatefulSet(request: StatefulSetRequest): readonly Action[] {
  const { set, pods, history, claimOf, now } = request;
  const next = revisionFrom(history.current);
  const current = history.stored.map(revisionFrom).find(({ name }) => name === set.status?.currentRevision) ?? next;
  const status = statusOf(request, current.name, next.name);
  const report = isSame(status, set.status) ? [] : [updateSubresource(kinds.statefulSet, 'status', { ...set, status })];
  const owning = ownClaims(set, pods, claimOf);
  if (set.metadata.deletionTimestamp !== undefined) return [...owning, ...report];
  const wait = nextAvailability(set, pods, now);
  const claims = (ordinal: number): readonly Action[] => missingClaims(set, ordinal, claimOf);
  const inUse = new Set([current.name, ...pods.map(revisionOf)]);
  return [
    ...(wait === undefined ? [] : [later(wait)]),
    ...owning,
    ...report,
    ...(history.isStored ? planPods({ set, pods, current, next, claims, now }) : []),
    ...expiredRevisions(set, history, inUse),
  ];
}

function revisionFrom(revision: ControllerRevision): Revision {
  return { name: revision.metadata?.name ?? '', template: templateIn(revision) };
}

function missingClaims(
  set: Stored<StatefulSet>,
  ordinal: number,
  claimOf: StatefulSetRequest['claimOf'],
): readonly Action[] {
  return claimsOf(set, ordinal)
    .filter(({ metadata }) => claimOf(metadata?.name ?? '') === undefined)
    .map((one) => {
      const where = `Claim ${one.metadata?.name} Pod ${set.metadata.name}-${ordinal} in StatefulSet ${set.metadata.name}`;
      return create(kinds.persistentVolumeClaim, one, {
        about: set,
        done: () => ({ type: 'Normal', reason: 'SuccessfulCreate', message: `create ${where} success` }),
        failed: (message) => ({
          type: 'Warning',
          reason: 'FailedCreate',
          message: `create ${where} failed error: ${message}`,
        }),
      });
    });
}

function statusOf(
  { set, pods, now }: StatefulSetRequest,
  currentRevision: string,
  updateRevision: string,
): NonNullable<StatefulSet['status']> {
  const alive = pods.filter((pod) => !isTerminating(pod));
  const ready = pods.filter(isRunningAndReady).length;
  const available = pods.filter((pod) => isAvailable(pod, set, now)).length;
  const current = alive.filter((pod) => revisionOf(pod) === currentRevision).length;
  const updated = alive.filter((pod) => revisionOf(pod) === updateRevision).length;
  const replicas = replicasOf(set);
  const isRolled =
    (set.spec?.updateStrategy?.type ?? 'RollingUpdate') === 'RollingUpdate' &&
    updated === replicas &&
    ready === replicas &&
    pods.length === replicas;
  const { generation } = set.metadata;
  const currentReplicas = isRolled ? updated : current;
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    replicas: pods.length,
    ...(ready === 0 ? {} : { readyReplicas: ready }),
    ...(currentReplicas === 0 ? {} : { currentReplicas }),
    ...(updated === 0 ? {} : { updatedReplicas: updated }),
    currentRevision: isRolled ? updateRevision : currentRevision,
    updateRevision,
    collisionCount: set.status?.collisionCount ?? 0,
    availableReplicas: available,
  };
}

/** How long until the next ready pod has been so for minReadySeconds, ms. */
function nextAvailability({ spec }: StatefulSet, pods: readonly Pod[], now: number): number | undefined {
  const waits = pods.map((pod) => (availableAt(pod, spec?.minReadySeconds ?? 0) ?? 0) - now).filter((wait) => wait > 0);
  return waits.length === 0 ? undefined : Math.min(...waits);
}
