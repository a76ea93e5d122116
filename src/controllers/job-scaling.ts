// How many pods of a Job run at once: what to create and what to stop now. A Job whose pods keep failing waits 10 s, 20 s,
// 40 s, … up to 10 min after the last failure; the wait is read off the failed pods, so a restarted controller waits too.
// With backoffLimitPerIndex each index has a wait of its own.

import { type Job, kinds, type Pod, type Stored } from '../api/index.ts';
import { batch, create, later, patch, remove } from './actions.ts';
import type { Action } from './controller.ts';
import { failurePolicyVerdict } from './job-failure-policy.ts';
import type { Progress } from './job-outcome.ts';
import {
  countIn,
  failureCountName,
  finishedAt,
  hasFailed,
  ignoredCountName,
  indexOf,
  isIndexed,
  isSucceeded,
  isTerminating,
  isTracked,
  jobPod,
  type PodRequest,
  trackingFinalizer,
  waitsForFinalPhase,
} from './job-pods.ts';
import { deletionOrder } from './pod-ranking.ts';
import { isActive } from './pod-state.ts';

/** Creations and deletions of one look. */
const burst = 500;
const firstWait = 10_000;
const longestWait = 10 * 60_000;

export interface ScalingRequest {
  readonly job: Stored<Job>;
  readonly pods: readonly Stored<Pod>[];
  readonly progress: Progress;
  readonly now: number;
}

export function scaleJob({ job, pods, progress, now }: ScalingRequest): readonly Action[] {
  const active = pods.filter(isActive);
  if (job.spec?.suspend === true) return stopPods(job, active, true);
  const wanted = wantedPods(job, progress);
  if (active.length > wanted) {
    const excess = removalOrder(job, active, now).slice(0, Math.min(active.length - wanted, burst));
    return stopPods(job, excess, true);
  }
  const leaving = waitsForFinalPhase(job) ? pods.filter(isTerminating) : [];
  const missing = Math.min(wanted - active.length - leaving.length, burst);
  if (missing <= 0) return [];
  return isIndexed(job)
    ? createIndexed({ job, pods, progress, now }, [...active, ...leaving], missing)
    : createPlain({ job, pods, progress, now }, missing);
}

function wantedPods({ spec }: Job, { succeeded, active, succeededIndexes, failedIndexes }: Progress): number {
  const { parallelism = 1, completions } = spec ?? {};
  if (completions === undefined) return succeeded > 0 ? Math.min(active, parallelism) : parallelism;
  const open = spec?.completionMode === 'Indexed' ? succeededIndexes.size + failedIndexes.size : succeeded;
  return Math.max(0, Math.min(parallelism, completions - open));
}

/** Pods that do no index's work first: sound but doubled, or out of range. Then what is least worth. */
function removalOrder(job: Job, active: readonly Stored<Pod>[], now: number): readonly Stored<Pod>[] {
  const order = deletionOrder({ pods: active, related: active, now });
  if (!isIndexed(job)) return order;
  const taken = new Set<number>();
  const useful = new Set(
    [...order].reverse().filter((pod) => {
      const index = indexOf(pod, job);
      if (index === undefined || taken.has(index)) return false;
      taken.add(index);
      return true;
    }),
  );
  return [...order.filter((pod) => !useful.has(pod)), ...order.filter((pod) => useful.has(pod))];
}

/** @param forget their end is not to count as failure: the Job itself wanted it */
export function stopPods(job: Stored<Job>, pods: readonly Stored<Pod>[], forget: boolean): readonly Action[] {
  const untrack = forget ? pods.filter(isTracked).map(dropFinalizer) : [];
  const stop = pods.map((pod) =>
    remove(kinds.pod, pod, {
      event: {
        about: job,
        done: () => ({ type: 'Normal', reason: 'SuccessfulDelete', message: `Deleted pod: ${pod.metadata.name}` }),
        failed: (message) => ({ type: 'Warning', reason: 'FailedDelete', message: `Error deleting: ${message}` }),
      },
    }),
  );
  return [...untrack, ...(stop.length === 0 ? [] : [batch(stop)])];
}

export function dropFinalizer(pod: Stored<Pod>): Action {
  const { uid, resourceVersion, finalizers = [] } = pod.metadata;
  const left = finalizers.filter((one) => one !== trackingFinalizer);
  return patch(kinds.pod, pod, { metadata: { uid, resourceVersion, finalizers: left.length === 0 ? null : left } });
}

function createPlain({ job, pods, now }: ScalingRequest, missing: number): readonly Action[] {
  const wait = waitAfter(job, pods, now);
  if (wait > 0) return [later(wait)];
  return [batch(Array.from({ length: missing }, () => createPod({ job })))];
}

function createIndexed(
  { job, pods, progress, now }: ScalingRequest,
  present: readonly Stored<Pod>[],
  missing: number,
): readonly Action[] {
  const perIndex = job.spec?.backoffLimitPerIndex !== undefined;
  const wait = perIndex ? 0 : waitAfter(job, pods, now);
  if (wait > 0) return [later(wait)];
  const busy = new Set(present.map((pod) => indexOf(pod, job)));
  const requests: PodRequest[] = [];
  const waits: number[] = [];
  for (let index = 0; index < (job.spec?.completions ?? 0) && requests.length < missing; index += 1) {
    if (busy.has(index) || progress.succeededIndexes.has(index) || progress.failedIndexes.has(index)) continue;
    const earlier = perIndex ? pods.filter((pod) => indexOf(pod, job) === index) : [];
    const indexWait = waitAfter(job, earlier, now);
    if (indexWait > 0) waits.push(indexWait);
    else requests.push({ job, index, ...(perIndex ? { annotations: failuresBefore(job, earlier) } : {}) });
  }
  return [
    ...(waits.length === 0 ? [] : [later(Math.min(...waits))]),
    ...(requests.length === 0 ? [] : [batch(requests.map(createPod))]),
  ];
}

/** What a new pod of an index inherits: the numbers of the pod that failed last, that one added. */
function failuresBefore(job: Job, earlier: readonly Stored<Pod>[]): Readonly<Record<string, string>> {
  const failed = earlier.filter((pod) => hasFailed(pod, job));
  const total = (pod: Pod): number => countIn(pod, failureCountName) + countIn(pod, ignoredCountName);
  const last = [...failed].sort((a, b) => total(b) - total(a))[0];
  if (last === undefined) return { [failureCountName]: '0' };
  const { counts } = failurePolicyVerdict(job, last);
  const ignored = countIn(last, ignoredCountName) + (counts ? 0 : 1);
  return {
    [failureCountName]: String(countIn(last, failureCountName) + (counts ? 1 : 0)),
    ...(ignored === 0 ? {} : { [ignoredCountName]: String(ignored) }),
  };
}

/** ms to wait for the failures since the last success, 0 for none. */
function waitAfter(job: Job, pods: readonly Stored<Pod>[], now: number): number {
  const lastSuccess = Math.max(0, ...pods.filter(isSucceeded).map(finishedAt));
  const failures = pods
    .filter((pod) => hasFailed(pod, job))
    .map(finishedAt)
    .filter((time) => time > lastSuccess);
  if (failures.length === 0) return 0;
  const delay = Math.min(longestWait, firstWait * 2 ** (failures.length - 1));
  return Math.max(0, Math.max(...failures) + delay - now);
}

function createPod(request: PodRequest): Action {
  return create(kinds.pod, jobPod(request), {
    about: request.job,
    done: (pod) => ({ type: 'Normal', reason: 'SuccessfulCreate', message: `Created pod: ${pod?.metadata?.name}` }),
    failed: (message) => ({ type: 'Warning', reason: 'FailedCreate', message: `Error creating: ${message}` }),
  });
}
