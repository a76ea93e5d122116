// disruption: keeps each PodDisruptionBudget's status true: how many of its pods are healthy, how many must be, and how many
// may therefore be evicted now. The API server's eviction spends from disruptionsAllowed and notes the pod in
// disruptedPods; a noted pod counts as unhealthy until its deletion shows, or for two minutes if it never does.
// Percentages are of what the pods' controllers want, not of what happens to run: a budget must not shrink with the pods.
// Source: "Specifying a Disruption Budget" in the Kubernetes documentation; k8s.io/kubernetes pkg/controller/disruption.

import {
  type KindOf,
  type KubeObject,
  kinds,
  type Pod,
  type PodDisruptionBudget,
  type Stored,
  timestamp,
} from '../api/index.ts';
import { keyOf } from '../client/index.ts';
import { announce, later, updateSubresource } from './actions.ts';
import { type Action, type Controller, type View, type Watch, watch } from './controller.ts';
import { type Demand, demandOf, scaledKinds } from './disruption-scale.ts';
import { isSame } from './equality.ts';
import { selectorOf } from './labels.ts';
import { isReady } from './pod-state.ts';
import { isMarked, takeBackMark } from './stale-disruption.ts';
import { timeOf } from './wire-time.ts';

/** How long an eviction may take to show as a deletion, ms. */
const deletionTimeout = 2 * 60_000;

/** Keys of pods; all others are budgets. */
const marked = 'pod:';

type Status = NonNullable<PodDisruptionBudget['status']>;
type Condition = NonNullable<Status['conditions']>[number];

export const disruptionController: Controller = {
  name: 'disruption-controller',
  watches: [
    watch(kinds.podDisruptionBudget, (budget) => [keyOf(budget)]),
    watch(kinds.pod, budgetsOf),
    watch(kinds.pod, (pod) => (isMarked(pod) ? [`${marked}${keyOf(pod)}`] : [])),
    ...scaledKinds.map(watchScale),
  ],
  reconcile(key, { view, now }) {
    if (key.startsWith(marked)) {
      const pod = view.get(kinds.pod, key.slice(marked.length));
      return pod === undefined || !isMarked(pod) ? [] : takeBackMark(pod, now);
    }
    const budget = view.get(kinds.podDisruptionBudget, key);
    if (budget === undefined) return [];
    const selector = selectorOf(budget.spec?.selector);
    const inNamespace = view.list(kinds.pod, budget.metadata.namespace);
    const pods = inNamespace.filter((pod) => selector.matches(pod.metadata.labels));
    return reconcileBudget({ budget, pods, demand: demandOf(budget, pods, view), now });
  },
};

function budgetsOf(pod: Stored<Pod>, view: View): readonly string[] {
  return view
    .list(kinds.podDisruptionBudget, pod.metadata.namespace)
    .filter((budget) => selectorOf(budget.spec?.selector).matches(pod.metadata.labels))
    .map(keyOf);
}

function watchScale<T extends KubeObject & { readonly spec?: { readonly replicas?: number } }>(kind: KindOf<T>): Watch {
  return watch<T>(kind, ({ metadata }, view, { type, previous, object }) =>
    type === 'updated' && previous?.spec?.replicas === object.spec?.replicas
      ? []
      : view.list(kinds.podDisruptionBudget, metadata.namespace).map(keyOf),
  );
}

export interface BudgetRequest {
  readonly budget: Stored<PodDisruptionBudget>;
  /** All pods that the budget selects. */
  readonly pods: readonly Stored<Pod>[];
  readonly demand: Demand;
  readonly now: number;
}

export function reconcileBudget({ budget, pods, demand, now }: BudgetRequest): readonly Action[] {
  if (budget.metadata.deletionTimestamp !== undefined) return [];
  const noted = notedDisruptions(budget, pods, now);
  const status = statusOf({ budget, pods, demand, now }, noted.waiting);
  const waits = Object.values(noted.waiting).map((since) => timeOf(since) + deletionTimeout - now);
  return [
    ...(pods.length === 0 && budget.status?.observedGeneration !== budget.metadata.generation ? [noPods(budget)] : []),
    ...noted.expired.map((pod) => notDeleted(budget, pod)),
    ...(waits.length === 0 ? [] : [later(Math.max(1, Math.min(...waits)))]),
    ...(isSame(status, budget.status)
      ? []
      : [updateSubresource(kinds.podDisruptionBudget, 'status', { ...budget, status })]),
  ];
}

function noPods(budget: KubeObject): Action {
  return announce(budget, { type: 'Normal', reason: 'NoPods', message: 'No matching pods found' });
}

function notDeleted(budget: Stored<PodDisruptionBudget>, pod: KubeObject): Action {
  const message = `Pod was expected by PDB ${keyOf(budget)} to be deleted but it wasn't`;
  return announce(pod, { type: 'Warning', reason: 'NotDeleted', message });
}

/** Pods whose eviction was granted and whose deletion is still to show, and those for which that took too long. */
function notedDisruptions(
  budget: Stored<PodDisruptionBudget>,
  pods: readonly Stored<Pod>[],
  now: number,
): { readonly waiting: Readonly<Record<string, string>>; readonly expired: readonly Stored<Pod>[] } {
  const noted = budget.status?.disruptedPods ?? {};
  const alive = pods.filter(
    ({ metadata }) => metadata.deletionTimestamp === undefined && Object.hasOwn(noted, metadata.name),
  );
  const isLate = ({ metadata }: Stored<Pod>): boolean => timeOf(noted[metadata.name]) + deletionTimeout < now;
  const waiting = alive.filter((pod) => !isLate(pod));
  return {
    waiting: Object.fromEntries(waiting.map(({ metadata: { name } }) => [name, noted[name] ?? ''])),
    expired: alive.filter(isLate),
  };
}

function statusOf(
  { budget, pods, demand, now }: BudgetRequest,
  disruptedPods: Readonly<Record<string, string>>,
): Status {
  const { generation } = budget.metadata;
  const healthy = pods.filter(
    (pod) =>
      pod.metadata.deletionTimestamp === undefined && isReady(pod) && !Object.hasOwn(disruptedPods, pod.metadata.name),
  ).length;
  if ('unknown' in demand) {
    const held = { currentHealthy: 0, desiredHealthy: 0, expectedPods: 0, ...budget.status };
    const failed = condition(budget, { status: 'False', reason: 'SyncFailed', message: demand.unknown }, now);
    return { ...held, disruptionsAllowed: 0, conditions: failed };
  }
  const { expectedPods, desiredHealthy } = demand;
  const disruptionsAllowed = expectedPods <= 0 ? 0 : Math.max(0, healthy - desiredHealthy);
  const found =
    disruptionsAllowed > 0
      ? { status: 'True', reason: 'SufficientPods', message: '' }
      : { status: 'False', reason: 'InsufficientPods', message: '' };
  return {
    conditions: condition(budget, found, now),
    currentHealthy: healthy,
    desiredHealthy,
    ...(Object.keys(disruptedPods).length === 0 ? {} : { disruptedPods }),
    disruptionsAllowed,
    expectedPods,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
}

function condition(
  budget: Stored<PodDisruptionBudget>,
  found: Pick<Condition, 'status' | 'reason' | 'message'>,
  now: number,
): readonly Condition[] {
  const type = 'DisruptionAllowed';
  const all = budget.status?.conditions ?? [];
  const held = all.find((one) => one.type === type);
  const since = held?.status === found.status ? held.lastTransitionTime : timestamp(now);
  const { generation } = budget.metadata;
  const next = {
    type,
    ...found,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    lastTransitionTime: since as Condition['lastTransitionTime'],
  };
  return [...all.filter((one) => one.type !== type), next];
}
