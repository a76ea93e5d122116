// A Deployment's status and its three conditions. Progressing is the story of the present rollout and carries the
// deadline; Available says whether enough pods serve; ReplicaFailure repeats what a ReplicaSet could not do.

import { type Deployment, type DeploymentCondition, type ReplicaSet, type Stored, timestamp } from '../api/index.ts';
import type { Failure } from './controller.ts';
import { availableIn, boundsOf, replicasOf, type Sets, total } from './deployment-scaling.ts';
import { timeOf } from './wire-time.ts';

export type DeploymentStatus = NonNullable<Deployment['status']>;

export interface StatusRequest {
  readonly deployment: Stored<Deployment>;
  readonly newSet: Stored<ReplicaSet> | undefined;
  readonly sets: Sets;
  /** Only a rollout is judged by its progress; scaling and pausing are not. */
  readonly isRollout: boolean;
  /** Name of the set that this look creates. */
  readonly creates: string | undefined;
  readonly failure: Failure | undefined;
  readonly now: number;
}

export function deploymentStatus(request: StatusRequest): DeploymentStatus {
  const { deployment, newSet, sets } = request;
  const counts = countsOf(deployment, newSet, sets);
  const before = noticed(request);
  const available = setCondition(before, availability(deployment, counts, request.now));
  const conditions = request.isRollout ? judged({ ...request, counts, conditions: available }) : available;
  const { collisionCount } = deployment.status ?? {};
  return {
    ...withoutZeros(counts),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    conditions,
  };
}

interface Counts {
  readonly observedGeneration: number;
  readonly replicas: number;
  readonly updatedReplicas: number;
  readonly readyReplicas: number;
  readonly availableReplicas: number;
  readonly unavailableReplicas: number;
}

function countsOf(deployment: Stored<Deployment>, newSet: Stored<ReplicaSet> | undefined, sets: Sets): Counts {
  const sum = (count: (status: NonNullable<ReplicaSet['status']>) => number | undefined): number =>
    sets.reduce((all, set) => all + (set.status === undefined ? 0 : (count(set.status) ?? 0)), 0);
  const availableReplicas = availableIn(sets);
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: sum((status) => status.replicas),
    updatedReplicas: newSet?.status?.replicas ?? 0,
    readyReplicas: sum((status) => status.readyReplicas),
    availableReplicas,
    unavailableReplicas: Math.max(0, total(sets) - availableReplicas),
  };
}

function withoutZeros(counts: Counts): Partial<Counts> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
}

/** As upstream: every replica is of the present template, counted, and available. */
export function isComplete(deployment: Deployment, status: DeploymentStatus | undefined): boolean {
  const wanted = replicasOf(deployment);
  return (
    (status?.updatedReplicas ?? 0) === wanted &&
    (status?.replicas ?? 0) === wanted &&
    (status?.availableReplicas ?? 0) === wanted &&
    (status?.observedGeneration ?? 0) >= (deployment.metadata?.generation ?? 0)
  );
}

/** undefined when none is set; MaxInt32 is upstream's way to say none. */
function deadlineOf(deployment: Deployment): number | undefined {
  const seconds = deployment.spec?.progressDeadlineSeconds;
  return seconds === undefined || seconds === 2 ** 31 - 1 ? undefined : seconds * 1000;
}

/** How long until a rollout without progress is late, ms; undefined when nothing is to be waited for. */
export function progressCheckIn(deployment: Deployment, status: DeploymentStatus, now: number): number | undefined {
  const deadline = deadlineOf(deployment);
  const progressing = conditionOf(status.conditions, 'Progressing');
  if (deadline === undefined || progressing === undefined || deployment.spec?.paused === true) return undefined;
  if (progressing.reason === 'ProgressDeadlineExceeded' || isComplete(deployment, status)) return undefined;
  // One more second, because the wire's times are whole seconds.
  return Math.max(0, timeOf(progressing.lastUpdateTime) + deadline - now) + 1000;
}

type Conditions = readonly DeploymentCondition[];

function conditionOf(conditions: Conditions | undefined, type: string): DeploymentCondition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** Nothing changes while status and reason are the same; the transition time changes only with the status. */
function setCondition(conditions: Conditions, next: DeploymentCondition): Conditions {
  const current = conditionOf(conditions, next.type);
  if (current?.status === next.status && current.reason === next.reason) return conditions;
  const { lastTransitionTime = next.lastTransitionTime } = current?.status === next.status ? current : next;
  const others = conditions.filter(({ type }) => type !== next.type);
  return [...others, { ...next, ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }) }];
}

interface ConditionText {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

function condition(text: ConditionText, now: number): DeploymentCondition {
  return { ...text, lastUpdateTime: timestamp(now), lastTransitionTime: timestamp(now) };
}

function progressing(
  status: ConditionText['status'],
  reason: string,
  message: string,
  now: number,
): DeploymentCondition {
  return condition({ type: 'Progressing', status, reason, message }, now);
}

/** Conditions after what this look noticed or did, before progress is judged. */
function noticed({ deployment, newSet, creates, failure, now }: StatusRequest): Conditions {
  const { conditions = [] } = deployment.status ?? {};
  if (deadlineOf(deployment) === undefined) return conditions;
  const current = conditionOf(conditions, 'Progressing');
  const isPaused = deployment.spec?.paused === true;
  const failedBefore = failure?.action === 'create' && failure.reason !== 'AlreadyExists';
  if (creates !== undefined && failedBefore) {
    const message = `Failed to create new replica set "${creates}": ${failure.message}`;
    return setCondition(conditions, progressing('False', 'ReplicaSetCreateError', message, now));
  }
  if (creates !== undefined) {
    return setCondition(
      conditions,
      progressing('True', 'NewReplicaSetCreated', `Created new replica set "${creates}"`, now),
    );
  }
  const isLate = current?.reason === 'ProgressDeadlineExceeded';
  const wasPaused = current?.reason === 'DeploymentPaused';
  if (!isLate && isPaused && !wasPaused) {
    return setCondition(conditions, progressing('Unknown', 'DeploymentPaused', 'Deployment is paused', now));
  }
  if (!isLate && !isPaused && wasPaused) {
    return setCondition(conditions, progressing('Unknown', 'DeploymentResumed', 'Deployment is resumed', now));
  }
  if (current !== undefined || newSet === undefined) return conditions;
  const found = `Found new replica set "${newSet.metadata.name}"`;
  return setCondition(conditions, progressing('True', 'FoundNewReplicaSet', found, now));
}

function availability(deployment: Deployment, { availableReplicas }: Counts, now: number): DeploymentCondition {
  const isAvailable = availableReplicas >= replicasOf(deployment) - boundsOf(deployment).unavailable;
  return condition(
    isAvailable
      ? {
          type: 'Available',
          status: 'True',
          reason: 'MinimumReplicasAvailable',
          message: 'Deployment has minimum availability.',
        }
      : {
          type: 'Available',
          status: 'False',
          reason: 'MinimumReplicasUnavailable',
          message: 'Deployment does not have minimum availability.',
        },
    now,
  );
}

interface Judging extends StatusRequest {
  readonly counts: Counts;
  readonly conditions: Conditions;
}

function judged(request: Judging): Conditions {
  const progress =
    deadlineOf(request.deployment) === undefined ? without(request.conditions, 'Progressing') : judgeProgress(request);
  const failure = failureOf(request);
  return failure === undefined ? without(progress, 'ReplicaFailure') : setCondition(progress, failure);
}

function without(conditions: Conditions, type: string): Conditions {
  return conditions.filter((one) => one.type !== type);
}

function judgeProgress({ deployment, newSet, creates, counts, conditions, now }: Judging): Conditions {
  const current = conditionOf(conditions, 'Progressing');
  const subject =
    newSet === undefined && creates === undefined
      ? `Deployment "${deployment.metadata.name}"`
      : `ReplicaSet "${newSet?.metadata.name ?? creates}"`;
  if (counts.replicas === counts.updatedReplicas && current?.reason === 'NewReplicaSetAvailable') return conditions;
  if (isComplete(deployment, counts)) {
    const message = `${subject} has successfully progressed.`;
    return setCondition(conditions, progressing('True', 'NewReplicaSetAvailable', message, now));
  }
  if (hasProgressed(deployment.status, counts)) {
    // Progress with the same reason still moves lastUpdateTime on: the deadline counts from the last progress.
    const fresh = progressing('True', 'ReplicaSetUpdated', `${subject} is progressing.`, now);
    const since = current?.status === 'True' ? (current.lastTransitionTime ?? timestamp(now)) : timestamp(now);
    return [...without(conditions, 'Progressing'), { ...fresh, lastTransitionTime: since }];
  }
  if (isLate(deployment, current, now)) {
    const message = `${subject} has timed out progressing.`;
    return setCondition(conditions, progressing('False', 'ProgressDeadlineExceeded', message, now));
  }
  return conditions;
}

function hasProgressed(before: DeploymentStatus | undefined, now: Counts): boolean {
  const { replicas = 0, updatedReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = before ?? {};
  return (
    now.updatedReplicas > updatedReplicas ||
    now.replicas - now.updatedReplicas < replicas - updatedReplicas ||
    now.readyReplicas > readyReplicas ||
    now.availableReplicas > availableReplicas
  );
}

function isLate(deployment: Deployment, current: DeploymentCondition | undefined, now: number): boolean {
  const deadline = deadlineOf(deployment);
  if (deadline === undefined || current === undefined || current.reason === 'NewReplicaSetAvailable') return false;
  return current.reason === 'ProgressDeadlineExceeded' || timeOf(current.lastUpdateTime) + deadline < now;
}

/** The new set's failure counts more than those of old ones. */
function failureOf({ newSet, sets, now }: Judging): DeploymentCondition | undefined {
  const candidates = newSet === undefined ? sets : [newSet, ...sets];
  const failure = candidates
    .flatMap((set) => set.status?.conditions ?? [])
    .find(({ type }) => type === 'ReplicaFailure');
  if (failure === undefined) return undefined;
  const { type, status, reason = '', message = '', lastTransitionTime = timestamp(now) } = failure;
  return { type, status, reason, message, lastTransitionTime, lastUpdateTime: lastTransitionTime };
}
