// ttl-after-finished: deletes a Job, with its pods, spec.ttlSecondsAfterFinished after it ended. One timer a Job.

import { type Job, kinds, type Stored } from '../api/index.ts';
import { keyOf } from '../client/index.ts';
import { later, remove } from './actions.ts';
import { type Action, type Controller, watch } from './controller.ts';
import { conditionOf } from './job-outcome.ts';
import { timeOf } from './wire-time.ts';

export const ttlAfterFinishedController: Controller = {
  name: 'ttl-after-finished-controller',
  parallel: 5,
  watches: [watch(kinds.job, (job) => (job.spec?.ttlSecondsAfterFinished === undefined ? [] : [keyOf(job)]))],
  reconcile(key, { view, now }) {
    const job = view.get(kinds.job, key);
    return job === undefined ? [] : reconcileTtl(job, now);
  },
};

export function reconcileTtl(job: Stored<Job>, now: number): readonly Action[] {
  const ttl = job.spec?.ttlSecondsAfterFinished;
  const end = conditionOf(job, 'Complete') ?? conditionOf(job, 'Failed');
  if (ttl === undefined || end === undefined || job.metadata.deletionTimestamp !== undefined) return [];
  const left = timeOf(end.lastTransitionTime) + ttl * 1000 - now;
  if (left > 0) return [later(left)];
  // Unchanged: a person may have set a longer time meanwhile.
  return [remove(kinds.job, job, { options: { propagationPolicy: 'Foreground' }, unchanged: true })];
}
