// pods/eviction: a DELETE that asks the pod's PodDisruptionBudget first. Deciding is pure; http/eviction-requests.ts acts.
// The budget's own status is the ledger: an eviction takes one off disruptionsAllowed and notes the pod in disruptedPods,
// by compare-and-swap, so that two drains at once cannot both take the last one. The disruption controller clears the note
// when the pod is gone. Source: k8s.io/kubernetes pkg/registry/core/pod/storage/eviction.go.

import { compileLabelSelector, type Pod, type PodDisruptionBudget } from '../../api/index.ts';
import { ApiError } from '../contracts.ts';

export type EvictionPlan =
  /** Nothing guards this pod as it is now; delete it, provided that it did not change when `pinned`. */
  | { readonly action: 'delete'; readonly pinned: boolean }
  /** Take one disruption off the budget, then delete. */
  | { readonly action: 'charge'; readonly budget: PodDisruptionBudget };

type BudgetStatus = NonNullable<PodDisruptionBudget['status']>;
type Condition = NonNullable<BudgetStatus['conditions']>[number];

/** More notes than that mean that nobody confirms evictions. */
const disruptedPodsMax = 2000;
const violates = "Cannot evict pod as it would violate the pod's disruption budget.";
const group = 'policy';

/** @param budgets of the pod's namespace. Throws ApiError 500 when several guard the pod. */
export function planEviction(pod: Pod, budgets: readonly PodDisruptionBudget[]): EvictionPlan {
  if (!isGuarded(pod)) return { action: 'delete', pinned: pod.status?.phase === 'Pending' };
  const labels = pod.metadata?.labels ?? {};
  const guarding =
    Object.keys(labels).length === 0
      ? []
      : budgets.filter(({ spec }) => compileLabelSelector(spec?.selector).matches(labels));
  const [budget, other] = guarding;
  if (budget === undefined) return { action: 'delete', pinned: false };
  if (other !== undefined) {
    const why = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
    throw new ApiError('InternalError', why);
  }
  if (!isReady(pod) && mayLoseUnready(budget)) return { action: 'delete', pinned: true };
  return { action: 'charge', budget };
}

/** The budget's status with `podName` taken off it. Throws ApiError 429 or 403 when it does not allow that. */
export function chargedBudget(
  budget: PodDisruptionBudget,
  podName: string,
  { now }: { readonly now: string },
): PodDisruptionBudget {
  const name = budget.metadata?.name ?? '';
  const status = budget.status ?? ({} as BudgetStatus);
  const { disruptionsAllowed = 0, disruptedPods = {}, observedGeneration = 0 } = status;
  if (observedGeneration < (budget.metadata?.generation ?? 0)) {
    throw tooMany(`The disruption budget ${name} is still being processed by the server.`, 10);
  }
  if (disruptionsAllowed < 0) throw forbidden(name, 'pdb disruptions allowed is negative');
  if (Object.keys(disruptedPods).length > disruptedPodsMax) {
    throw forbidden(name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  }
  if (disruptionsAllowed === 0) throw tooMany(whyNone(name, status));
  const left = disruptionsAllowed - 1;
  return {
    ...budget,
    status: {
      ...status,
      disruptionsAllowed: left,
      disruptedPods: { ...disruptedPods, [podName]: now },
      ...(left === 0 ? { conditions: withNoneLeft(status.conditions ?? [], observedGeneration, now) } : {}),
    },
  };
}

/** The pod, marked with why it goes away. */
export function evictedPod(pod: Pod, now: string): Pod {
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'DisruptionTarget');
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
    lastTransitionTime: now,
  };
  return { ...pod, status: { ...pod.status, conditions: [...others, condition] } };
}

/** A pod that does not serve anybody (any more, yet) needs no budget. */
function isGuarded({ status, metadata }: Pod): boolean {
  const phase = status?.phase;
  return (
    phase !== 'Succeeded' && phase !== 'Failed' && phase !== 'Pending' && metadata?.deletionTimestamp === undefined
  );
}

function isReady({ status }: Pod): boolean {
  return (status?.conditions ?? []).some((condition) => condition.type === 'Ready' && condition.status === 'True');
}

/** Source: policy/v1 PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy; IfHealthyBudget is the default. */
function mayLoseUnready({ spec, status }: PodDisruptionBudget): boolean {
  if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

function whyNone(name: string, { conditions = [], desiredHealthy = 0, currentHealthy = 0 }: BudgetStatus): string {
  const failed = conditions.find(({ type, reason }) => type === 'DisruptionAllowed' && reason === 'SyncFailed');
  return failed === undefined
    ? `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`
    : `The disruption budget ${name} does not allow evicting pods currently because it failed sync: ${failed.message}`;
}

function withNoneLeft(conditions: readonly Condition[], observedGeneration: number, now: string): readonly Condition[] {
  const others = conditions.filter(({ type }) => type !== 'DisruptionAllowed');
  return [
    ...others,
    {
      type: 'DisruptionAllowed',
      status: 'False',
      reason: 'InsufficientPods',
      message: '',
      observedGeneration,
      lastTransitionTime: now,
    },
  ];
}

function tooMany(message: string, retryAfterSeconds?: number): ApiError {
  return new ApiError('TooManyRequests', violates, {
    details: { causes: [{ reason: 'DisruptionBudget', message }] },
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

function forbidden(name: string, why: string): ApiError {
  return new ApiError('Forbidden', `poddisruptionbudget.policy "${name}" is forbidden: ${why}`, {
    details: { name, group, kind: 'poddisruptionbudget' },
  });
}
