// Counting each finished pod of a Job exactly once, across crashes and lost writes:
//
//   finished, has finalizer ──status write──► its uid is in uncountedTerminatedPods ──► finalizer taken off
//        ──finalizer seen off──► uid leaves the list and the number grows, in one status write
//
// The finalizer keeps the pod from vanishing before its uid is written down; the uid keeps it from being counted twice.
// Succeeded pods of Indexed Jobs need no uid: a set of indexes cannot count twice. Source: KEP-2307.

import type { Job, Pod, Stored } from '../api/index.ts';
import { failurePolicyVerdict } from './job-failure-policy.ts';
import { hasFailed, indexOf, isIndexed, isSucceeded, isTracked } from './job-pods.ts';

export interface Tally {
  /** Numbers for the status. */
  readonly succeeded: number;
  readonly failed: number;
  readonly uncounted: { readonly succeeded: readonly string[]; readonly failed: readonly string[] };
  /** Pods that the status written with this tally accounts for; their finalizers may go after that write. */
  readonly accounted: readonly Stored<Pod>[];
}

/** @param isStopping the Job is over or being deleted: pods count as they stop, whatever the phase they reach */
export function tallyOf(job: Job, pods: readonly Stored<Pod>[], isStopping: boolean): Tally {
  const { succeeded = 0, failed = 0, uncountedTerminatedPods } = job.status ?? {};
  const tracked = pods.filter(isTracked);
  const held = new Set(tracked.map(({ metadata }) => metadata.uid));
  const earlier = {
    succeeded: uncountedTerminatedPods?.succeeded ?? [],
    failed: uncountedTerminatedPods?.failed ?? [],
  };
  const waiting = {
    succeeded: earlier.succeeded.filter((uid) => held.has(uid)),
    failed: earlier.failed.filter((uid) => held.has(uid)),
  };
  const known = new Set([...waiting.succeeded, ...waiting.failed]);
  const ended = tracked.filter((pod) => hasEnded(pod, job, isStopping));
  const fresh = ended.filter(({ metadata }) => !known.has(metadata.uid));
  const uids = (of: readonly Stored<Pod>[]): readonly string[] => of.map(({ metadata }) => metadata.uid);
  const freshSucceeded = isIndexed(job) ? [] : fresh.filter(isSucceeded);
  const freshFailed = fresh.filter((pod) => !isSucceeded(pod) && counts(pod, job));
  return {
    succeeded: succeeded + earlier.succeeded.length - waiting.succeeded.length,
    failed: failed + earlier.failed.length - waiting.failed.length,
    uncounted: {
      succeeded: [...waiting.succeeded, ...uids(freshSucceeded)],
      failed: [...waiting.failed, ...uids(freshFailed)],
    },
    accounted: ended,
  };
}

function hasEnded(pod: Stored<Pod>, job: Job, isStopping: boolean): boolean {
  if (isSucceeded(pod) || hasFailed(pod, job)) return true;
  return isStopping && pod.metadata.deletionTimestamp !== undefined;
}

function counts(pod: Stored<Pod>, job: Job): boolean {
  if (isIndexed(job) && indexOf(pod, job) === undefined) return false;
  return failurePolicyVerdict(job, pod).counts;
}
