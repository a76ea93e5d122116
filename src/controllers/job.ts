// job: runs pods until enough of them succeeded, or until it is clear that they will not. One look does, in this order:
// count finished pods and write the status (job-counting.ts), take their finalizers off, then create or stop pods
// (job-scaling.ts). Counting comes first, so that a refused creation never delays it. What ends a Job: job-outcome.ts.
// Source: "Jobs" in the Kubernetes documentation and the KEPs named in those files.

import { type Job, kinds, type Pod, type Stored, timestamp } from '../api/index.ts';
import { keyOf } from '../client/index.ts';
import { announce, later, updateSubresource } from './actions.ts';
import { type Action, type Controller, type Index, needs, type View, watch } from './controller.ts';
import { isSame } from './equality.ts';
import { type Tally, tallyOf } from './job-counting.ts';
import { failedIndexes, formatIndexes, succeededIndexes } from './job-indexes.ts';
import {
  conditionOf,
  isOver,
  type JobCondition,
  type Outcome,
  outcomeOf,
  type Progress,
  timeLeft,
  withCondition,
} from './job-outcome.ts';
import { isIndexed, isTerminating, isTracked } from './job-pods.ts';
import { dropFinalizer, scaleJob, stopPods } from './job-scaling.ts';
import { selectorOf } from './labels.ts';
import { claim, controllerOf, orphansOf } from './ownership.ts';
import { isActive, isReady, needsPodsByController, podsByController } from './pod-state.ts';

const ownName = 'kubernetes.io/job-controller';

/** Pods with a tracking finalizer by their Job's key, so that it comes off even when the Job is gone. */
const trackedByJob: Index<Pod> = {
  kind: kinds.pod,
  name: 'tracked-by-job',
  valuesOf: (pod) => {
    const owner = controllerOf(pod);
    return owner?.kind === 'Job' && isTracked(pod) ? [`${pod.metadata.namespace}/${owner.name}`] : [];
  },
};

export const jobController: Controller = {
  name: 'job-controller',
  parallel: 10,
  indexes: [needsPodsByController, needs(trackedByJob)],
  watches: [watch(kinds.job, (job) => [keyOf(job)]), watch(kinds.pod, jobsOf)],
  reconcile(key, { view, now }) {
    const job = view.get(kinds.job, key);
    const isStray = (pod: Pod): boolean =>
      job === undefined || isOver(job) || controllerOf(pod)?.uid !== job.metadata.uid;
    const strays = view.byIndex(trackedByJob, key).filter(isStray).map(dropFinalizer);
    if (job === undefined || isOver(job) || (job.spec?.managedBy ?? ownName) !== ownName) return strays;
    // The API server makes one; without it no pod would ever count, and each look would create another.
    if (job.spec?.selector === undefined) return strays;
    const selector = selectorOf(job.spec.selector);
    const candidates = [
      ...view.byIndex(podsByController, job.metadata.uid),
      ...view.byIndex(podsByController, orphansOf(job.metadata.namespace)),
    ];
    const matches = (pod: Stored<Pod>): boolean => selector.matches(pod.metadata.labels);
    const { owned, actions } = claim({ ownerKind: kinds.job, owner: job, kind: kinds.pod, candidates, matches });
    return [...strays, ...actions, ...reconcileJob(job, owned, now)];
  },
};

function jobsOf(pod: Stored<Pod>, view: View): readonly string[] {
  const { namespace, labels } = pod.metadata;
  const owner = controllerOf(pod);
  if (owner !== undefined) return owner.kind === 'Job' ? [`${namespace}/${owner.name}`] : [];
  return view
    .list(kinds.job, namespace)
    .filter((job) => selectorOf(job.spec?.selector).matches(labels))
    .map(keyOf);
}

/** @param pods what the Job controls, finished ones included */
export function reconcileJob(job: Stored<Job>, pods: readonly Stored<Pod>[], now: number): readonly Action[] {
  const isDeleting = job.metadata.deletionTimestamp !== undefined;
  const isStopping = isDeleting || conditionOf(job, 'FailureTarget') !== undefined;
  const tally = tallyOf(job, pods, isStopping);
  const progress = progressOf(job, pods, tally);
  const outcome = isDeleting ? undefined : outcomeOf(job, pods, progress, now);
  const status = statusOf({ job, pods, tally, progress, outcome, now });
  const report = isSame(status, job.status)
    ? []
    : [updateSubresource(kinds.job, 'status', { ...job, status }), ...newsOf(job, status.conditions ?? [])];
  const left = timeLeft(job, now);
  return [
    ...(left === undefined || left <= 0 || outcome !== undefined ? [] : [later(left)]),
    ...report,
    ...tally.accounted.map(dropFinalizer),
    ...(isDeleting
      ? []
      : outcome === undefined
        ? scaleJob({ job, pods, progress, now })
        : stopPods(job, pods.filter(isActive), outcome.type === 'SuccessCriteriaMet')),
  ];
}

function progressOf(job: Job, pods: readonly Stored<Pod>[], tally: Tally): Progress {
  const indexes = isIndexed(job) ? succeededIndexes(job, pods) : new Set<number>();
  return {
    succeeded: isIndexed(job) ? indexes.size : tally.succeeded + tally.uncounted.succeeded.length,
    failed: tally.failed + tally.uncounted.failed.length,
    active: pods.filter(isActive).length,
    succeededIndexes: indexes,
    failedIndexes: isIndexed(job) ? failedIndexes(job, pods) : new Set(),
  };
}

interface StatusRequest {
  readonly job: Stored<Job>;
  readonly pods: readonly Stored<Pod>[];
  readonly tally: Tally;
  readonly progress: Progress;
  readonly outcome: Outcome | undefined;
  readonly now: number;
}

function statusOf({ job, pods, tally, progress, outcome, now }: StatusRequest): NonNullable<Job['status']> {
  const active = pods.filter(isActive);
  const terminating = pods.filter(isTerminating).length;
  const succeeded = isIndexed(job) ? progress.succeededIndexes.size : tally.succeeded;
  const { succeeded: waitingSucceeded, failed: waitingFailed } = tally.uncounted;
  const isSettled =
    active.length === 0 && terminating === 0 && waitingSucceeded.length === 0 && waitingFailed.length === 0;
  const conditions = conditionsOf(job, outcome, isSettled, now);
  const isComplete = conditions.some(({ type, status }) => type === 'Complete' && status === 'True');
  const startTime = startOf(job, now);
  return {
    ...(conditions.length === 0 ? {} : { conditions }),
    ...(startTime === undefined ? {} : { startTime }),
    ...(isComplete ? { completionTime: timestamp(now) as Time } : {}),
    ...(active.length === 0 ? {} : { active: active.length }),
    ...(succeeded === 0 ? {} : { succeeded }),
    ...(tally.failed === 0 ? {} : { failed: tally.failed }),
    ready: active.filter(isReady).length,
    terminating,
    uncountedTerminatedPods: {
      ...(waitingSucceeded.length === 0 ? {} : { succeeded: waitingSucceeded }),
      ...(waitingFailed.length === 0 ? {} : { failed: waitingFailed }),
    },
    ...(progress.succeededIndexes.size === 0 ? {} : { completedIndexes: formatIndexes(progress.succeededIndexes) }),
    ...(job.spec?.backoffLimitPerIndex === undefined ? {} : { failedIndexes: formatIndexes(progress.failedIndexes) }),
  };
}

type Time = NonNullable<NonNullable<Job['status']>['startTime']>;

/** Counts from the last resumption; a suspended Job has none. */
function startOf({ spec, status }: Job, now: number): Time | undefined {
  if (spec?.suspend === true) return undefined;
  return status?.startTime ?? (timestamp(now) as Time);
}

function conditionsOf(
  job: Job,
  outcome: Outcome | undefined,
  isSettled: boolean,
  now: number,
): readonly JobCondition[] {
  const held = job.status?.conditions ?? [];
  if (outcome === undefined) return suspension(job, held, now);
  const { type, reason, message } = outcome;
  const interim = withCondition(held, { type, status: 'True', reason, message }, now);
  if (!isSettled) return interim;
  const final = type === 'SuccessCriteriaMet' ? 'Complete' : 'Failed';
  return withCondition(interim, { type: final, status: 'True', reason, message }, now);
}

function suspension(job: Job, held: readonly JobCondition[], now: number): readonly JobCondition[] {
  const type = 'Suspended';
  if (job.spec?.suspend === true) {
    return withCondition(held, { type, status: 'True', reason: 'JobSuspended', message: 'Job suspended' }, now);
  }
  if (!held.some((condition) => condition.type === type)) return held;
  return withCondition(held, { type, status: 'False', reason: 'JobResumed', message: 'Job resumed' }, now);
}

/** Conditions that came with this look, as events. */
function newsOf(job: Stored<Job>, conditions: readonly JobCondition[]): readonly Action[] {
  const fresh = conditions.filter(
    (one) => !(job.status?.conditions ?? []).some(({ type, status }) => type === one.type && status === one.status),
  );
  return fresh.flatMap(({ type, status, reason = '', message = '' }) => {
    if (type === 'Complete') return [announce(job, { type: 'Normal', reason: 'Completed', message: 'Job completed' })];
    if (type === 'Failed') return [announce(job, { type: 'Warning', reason, message })];
    if (type !== 'Suspended') return [];
    const word = status === 'True' ? 'Suspended' : 'Resumed';
    return [announce(job, { type: 'Normal', reason: word, message })];
  });
}
