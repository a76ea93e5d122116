// Whether a Job is over, and why. Over comes in two steps: first the interim condition (SuccessCriteriaMet, FailureTarget),
// at which its pods are stopped, and once none is left the final one (Complete, Failed) with the same reason, so that who
// waits for the final one finds no pod still running (KEP-3998, KEP-4368).

import { type Job, type Pod, type Stored, timestamp } from '../api/index.ts';
import { failurePolicyVerdict } from './job-failure-policy.ts';
import { parseIndexes } from './job-indexes.ts';
import { hasFailed } from './job-pods.ts';
import { timeOf } from './wire-time.ts';

export type JobCondition = NonNullable<NonNullable<Job['status']>['conditions']>[number];

export interface Outcome {
  readonly type: 'SuccessCriteriaMet' | 'FailureTarget';
  readonly reason: string;
  readonly message: string;
}

export interface Progress {
  /** Pods, or indexes, that succeeded and failed, those not yet in the status included. */
  readonly succeeded: number;
  readonly failed: number;
  readonly active: number;
  readonly succeededIndexes: ReadonlySet<number>;
  readonly failedIndexes: ReadonlySet<number>;
}

export function conditionOf(job: Job, type: string): JobCondition | undefined {
  return job.status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');
}

export function isOver(job: Job): boolean {
  return conditionOf(job, 'Complete') !== undefined || conditionOf(job, 'Failed') !== undefined;
}

/** undefined while the Job goes on. */
export function outcomeOf(
  job: Job,
  pods: readonly Stored<Pod>[],
  progress: Progress,
  now: number,
): Outcome | undefined {
  for (const type of ['FailureTarget', 'SuccessCriteriaMet'] as const) {
    const held = conditionOf(job, type);
    if (held !== undefined) return { type, reason: held.reason ?? '', message: held.message ?? '' };
  }
  return failure(job, pods, progress, now) ?? success(job, progress);
}

function failure(job: Job, pods: readonly Stored<Pod>[], progress: Progress, now: number): Outcome | undefined {
  const { backoffLimit = 6, completions = 0, maxFailedIndexes, template } = job.spec ?? {};
  const type = 'FailureTarget';
  const fatal = pods
    .filter((pod) => hasFailed(pod, job))
    .map((pod) => failurePolicyVerdict(job, pod))
    .find(({ action }) => action === 'FailJob');
  if (fatal !== undefined) return { type, reason: 'PodFailurePolicy', message: fatal.message ?? '' };
  const restarts = template?.spec?.restartPolicy === 'OnFailure' ? restartsOf(pods) : 0;
  const isSpent = backoffLimit === 0 ? restarts > 0 : restarts >= backoffLimit;
  if (progress.failed > backoffLimit || (restarts > 0 && isSpent)) {
    return { type, reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
  }
  if ((timeLeft(job, now) ?? 1) <= 0) {
    return { type, reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' };
  }
  const failed = progress.failedIndexes.size;
  if (failed > (maxFailedIndexes ?? Number.POSITIVE_INFINITY)) {
    const message = 'Job has exceeded the specified maximal number of failed indexes';
    return { type, reason: 'MaxFailedIndexesExceeded', message };
  }
  if (failed > 0 && failed + progress.succeededIndexes.size >= completions) {
    return { type, reason: 'FailedIndexes', message: 'Job has failed indexes' };
  }
  return undefined;
}

function restartsOf(pods: readonly Pod[]): number {
  return pods
    .filter(({ status }) => status?.phase === 'Running' || status?.phase === 'Pending')
    .flatMap(({ status }) => [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])])
    .reduce((sum, { restartCount }) => sum + restartCount, 0);
}

/** ms until activeDeadlineSeconds is over; undefined when it does not count. */
export function timeLeft({ spec, status }: Job, now: number): number | undefined {
  if (spec?.activeDeadlineSeconds === undefined || spec.suspend === true) return undefined;
  if (status?.startTime === undefined) return undefined;
  return timeOf(status.startTime) + spec.activeDeadlineSeconds * 1000 - now;
}

function success(job: Job, { succeeded, active, succeededIndexes }: Progress): Outcome | undefined {
  const { completions, successPolicy } = job.spec ?? {};
  const type = 'SuccessCriteriaMet';
  for (const [at, rule] of (successPolicy?.rules ?? []).entries()) {
    const wanted = rule.succeededIndexes;
    const among =
      wanted === undefined ? succeededIndexes : intersection(parseIndexes(wanted, completions ?? 0), succeededIndexes);
    const needed = rule.succeededCount ?? parseIndexes(wanted, completions ?? 0).size;
    if (among.size >= needed) return { type, reason: 'SuccessPolicy', message: `Matched rules at index ${at}` };
  }
  const isComplete = active === 0 && (completions === undefined ? succeeded > 0 : succeeded >= completions);
  if (!isComplete) return undefined;
  return { type, reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' };
}

function intersection(a: ReadonlySet<number>, b: ReadonlySet<number>): ReadonlySet<number> {
  return new Set([...a].filter((index) => b.has(index)));
}

/** The conditions with one set; its times change only with its status. */
export function withCondition(
  conditions: readonly JobCondition[],
  next: Pick<JobCondition, 'type' | 'status' | 'reason' | 'message'>,
  now: number,
): readonly JobCondition[] {
  const held = conditions.find(({ type }) => type === next.type);
  if (held?.status === next.status) return conditions;
  const time = timestamp(now) as JobCondition['lastTransitionTime'];
  const made = { ...next, lastProbeTime: time, lastTransitionTime: time } as JobCondition;
  return [...conditions.filter(({ type }) => type !== next.type), made];
}
