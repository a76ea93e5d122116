// Completion indexes of an Indexed Job: how sets of them are written (`1,3-5,7`), which ones succeeded or failed for good.
// Source: JobStatus.completedIndexes; KEP-3850 (backoffLimitPerIndex).

import type { Job, Pod, Stored } from '../api/index.ts';
import { failurePolicyVerdict } from './job-failure-policy.ts';
import { countIn, failureCountName, hasFailed, indexOf, isSucceeded, isTracked } from './job-pods.ts';

export function parseIndexes(text: string | undefined, completions: number): Set<number> {
  const indexes = new Set<number>();
  for (const part of (text ?? '').split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (match === null) continue;
    const first = Number(match[1]);
    const last = Math.min(Number(match[2] ?? match[1]), completions - 1);
    for (let index = first; index <= last; index += 1) indexes.add(index);
  }
  return indexes;
}

export function formatIndexes(indexes: ReadonlySet<number>): string {
  const parts: { first: number; last: number }[] = [];
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const open = parts.at(-1);
    if (open !== undefined && open.last === index - 1) open.last = index;
    else parts.push({ first: index, last: index });
  }
  return parts.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}

export function succeededIndexes(job: Job, pods: readonly Stored<Pod>[]): ReadonlySet<number> {
  const indexes = parseIndexes(job.status?.completedIndexes, job.spec?.completions ?? 0);
  for (const pod of pods) {
    const index = indexOf(pod, job);
    if (index !== undefined && isSucceeded(pod) && isTracked(pod)) indexes.add(index);
  }
  return indexes;
}

/** Indexes that will not be tried again; none unless the Job limits failures by index. */
export function failedIndexes(job: Job, pods: readonly Stored<Pod>[]): ReadonlySet<number> {
  const limit = job.spec?.backoffLimitPerIndex;
  if (limit === undefined) return new Set();
  const indexes = parseIndexes(job.status?.failedIndexes, job.spec?.completions ?? 0);
  for (const pod of pods) {
    const index = indexOf(pod, job);
    if (index === undefined || !hasFailed(pod, job)) continue;
    const verdict = failurePolicyVerdict(job, pod);
    const isSpent = verdict.counts && countIn(pod, failureCountName) >= limit;
    if (verdict.action === 'FailIndex' || isSpent) indexes.add(index);
  }
  return indexes;
}
