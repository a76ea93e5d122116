// What a controller may report of its workload: counts are not negative, and no part is more than the whole.
// Of Jobs only the counts are looked at: how their conditions go together changed from version to version, and controllers
// of older ones are to work. Source: kubernetes pkg/apis/{apps,core,batch,autoscaling,policy}/validation.

import { type FieldError, invalid } from '../field-error.ts';
import type {
  DaemonSet,
  Deployment,
  HorizontalPodAutoscaler,
  Job,
  PodDisruptionBudget,
  ReplicaSet,
  ReplicationController,
  StatefulSet,
} from '../types.ts';
import { nonNegative } from './rules.ts';

/** The numbers of a status, in whatever kind. */
type Counts = Readonly<Record<string, unknown>>;

export function validateDeploymentStatus(one: Deployment, old: Deployment): readonly FieldError[] {
  const status = countsOf(one);
  return [
    ...natural(status, [
      'observedGeneration',
      'replicas',
      'updatedReplicas',
      'readyReplicas',
      'availableReplicas',
      'unavailableReplicas',
      'terminatingReplicas',
      'collisionCount',
    ]),
    ...notAbove(status, ['updatedReplicas', 'readyReplicas', 'availableReplicas']),
    ...availableAreReady(status, 'readyReplicas'),
    ...notDecremented(status, countsOf(old)),
  ];
}

/** ReplicaSets and ReplicationControllers. */
export function validateReplicaStatus(one: ReplicaSet | ReplicationController): readonly FieldError[] {
  const status = countsOf(one);
  return [
    ...natural(status, [
      'replicas',
      'fullyLabeledReplicas',
      'readyReplicas',
      'availableReplicas',
      'terminatingReplicas',
      'observedGeneration',
    ]),
    ...notAbove(status, ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas']),
    ...availableAreReady(status, 'readyReplicas'),
  ];
}

export function validateStatefulSetStatus(one: StatefulSet, old: StatefulSet): readonly FieldError[] {
  const status = countsOf(one);
  return [
    ...natural(status, [
      'replicas',
      'readyReplicas',
      'currentReplicas',
      'updatedReplicas',
      'availableReplicas',
      'observedGeneration',
      'collisionCount',
    ]),
    ...notAbove(status, ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas']),
    ...availableAreReady(status, 'status.readyReplicas'),
    ...notDecremented(status, countsOf(old)),
  ];
}

export function validateDaemonSetStatus(one: DaemonSet, old: DaemonSet): readonly FieldError[] {
  const status = countsOf(one);
  return [
    ...natural(status, [
      'currentNumberScheduled',
      'numberMisscheduled',
      'desiredNumberScheduled',
      'numberReady',
      'observedGeneration',
      'updatedNumberScheduled',
      'numberAvailable',
      'numberUnavailable',
      'collisionCount',
    ]),
    ...notDecremented(status, countsOf(old)),
  ];
}

export function validateJobStatus(one: Job): readonly FieldError[] {
  return natural(countsOf(one), ['active', 'succeeded', 'failed', 'ready', 'terminating']);
}

export function validateScalerStatus(one: HorizontalPodAutoscaler): readonly FieldError[] {
  return natural(countsOf(one), ['currentReplicas', 'desiredReplicas']);
}

export function validateBudgetStatus(one: PodDisruptionBudget): readonly FieldError[] {
  return natural(countsOf(one), ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods']);
}

function countsOf({ status = {} }: { readonly status?: object }): Counts {
  return status as Counts;
}

function countOf(status: Counts, key: string): number {
  const value = status[key];
  return typeof value === 'number' ? value : 0;
}

function natural(status: Counts, keys: readonly string[]): FieldError[] {
  return keys.flatMap((key) => nonNegative(`status.${key}`, countOf(status, key)));
}

function notAbove(status: Counts, keys: readonly string[]): FieldError[] {
  const whole = countOf(status, 'replicas');
  return keys.flatMap((key) => {
    const value = countOf(status, key);
    return value > whole ? [invalid(`status.${key}`, value, 'cannot be greater than status.replicas')] : [];
  });
}

function availableAreReady(status: Counts, ready: string): FieldError[] {
  const value = countOf(status, 'availableReplicas');
  return value > countOf(status, 'readyReplicas')
    ? [invalid('status.availableReplicas', value, `cannot be greater than ${ready}`)]
    : [];
}

/** How often a name was taken already; names of what comes next are made of it. */
function notDecremented(status: Counts, old: Counts): FieldError[] {
  const value = countOf(status, 'collisionCount');
  return old['collisionCount'] !== undefined && value < countOf(old, 'collisionCount')
    ? [invalid('status.collisionCount', value, 'cannot be decremented')]
    : [];
}
