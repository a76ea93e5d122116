// cronjob: makes a Job at each time of a schedule. A time is never run twice: the Job's name carries the minute, and
// status.lastScheduleTime moves only forward. Of several times that were missed only the newest is made up for.
// Source: "CronJob" in the Kubernetes documentation; KEP-19.

import { type CronJob, type Job, kinds, type Stored, timestamp } from '../api/index.ts';
import { keyOf } from '../client/index.ts';
import { announce, create, later, remove, updateSubresource } from './actions.ts';
import { type Action, type Controller, type EventText, needs, watch } from './controller.ts';
import { latestDue, parseSchedule, type Schedule, whyUnknownZone } from './cron-schedule.ts';
import { isSame } from './equality.ts';
import { conditionOf, isOver } from './job-outcome.ts';
import { byController, controllerOf, controllerRefTo } from './ownership.ts';
import { timeOf } from './wire-time.ts';

/** Timers may fire early; the look comes a little after the time, ms. */
const slack = 100;
const manyMissed = 100;

const jobsByController = byController(kinds.job);

export const cronJobController: Controller = {
  name: 'cronjob-controller',
  parallel: 5,
  indexes: [needs(jobsByController)],
  watches: [
    watch(kinds.cronJob, (cronJob) => [keyOf(cronJob)]),
    watch(kinds.job, (job) => {
      const owner = controllerOf(job);
      return owner?.kind === 'CronJob' ? [`${job.metadata.namespace}/${owner.name}`] : [];
    }),
  ],
  reconcile(key, { view, now }) {
    const cronJob = view.get(kinds.cronJob, key);
    return cronJob === undefined
      ? []
      : reconcileCronJob(cronJob, view.byIndex(jobsByController, cronJob.metadata.uid), now);
  },
};

/** @param jobs what the CronJob made and still exists */
export function reconcileCronJob(
  cronJob: Stored<CronJob>,
  jobs: readonly Stored<Job>[],
  now: number,
): readonly Action[] {
  const plan = cronJob.metadata.deletionTimestamp === undefined ? planNext(cronJob, jobs, now) : nothing;
  return [
    ...(plan.next === undefined ? [] : [later(plan.next - now + slack)]),
    ...newsOf(cronJob, jobs),
    ...plan.actions,
    ...reportStatus(cronJob, jobs, plan.scheduled),
    ...(cronJob.metadata.deletionTimestamp === undefined ? expiredJobs(cronJob, jobs) : []),
  ];
}

interface Plan {
  readonly actions: readonly Action[];
  /** When to look again, ms since the epoch. */
  readonly next?: number | undefined;
  /** The time that `actions` serve. */
  readonly scheduled?: number;
}

const nothing: Plan = { actions: [] };

function planNext(cronJob: Stored<CronJob>, jobs: readonly Stored<Job>[], now: number): Plan {
  const { spec, status, metadata } = cronJob;
  if (spec === undefined || spec.suspend === true) return nothing;
  const warn = (reason: string, message: string): Action => announce(cronJob, { type: 'Warning', reason, message });
  const zoneFault = spec.timeZone === undefined ? undefined : whyUnknownZone(spec.timeZone);
  if (zoneFault !== undefined) {
    return { actions: [warn('UnknownTimeZone', `invalid timeZone: ${JSON.stringify(spec.timeZone)}: ${zoneFault}`)] };
  }
  const schedule = scheduleOf(cronJob);
  if (typeof schedule === 'string') return { actions: [warn('UnparseableSchedule', schedule)] };
  const deadline = spec.startingDeadlineSeconds === undefined ? undefined : spec.startingDeadlineSeconds * 1000;
  const since = timeOf(status?.lastScheduleTime, timeOf(metadata.creationTimestamp, now));
  const due = latestDue(schedule, deadline === undefined ? since : Math.max(since, now - deadline), now);
  const next = schedule.next(now);
  if (due === undefined) return { actions: [], next };
  const tooMany =
    due.missed <= manyMissed
      ? []
      : [
          warn(
            'TooManyMissedTimes',
            'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
          ),
        ];
  const name = `${metadata.name}-${Math.floor(due.time / 60_000)}`;
  if (jobs.some((job) => job.metadata.name === name)) return { actions: [], next, scheduled: due.time };
  const active = jobs.filter((job) => !isOver(job));
  if (spec.concurrencyPolicy === 'Forbid' && active.length > 0) {
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid';
    return { actions: [...tooMany, announce(cronJob, { type: 'Normal', reason: 'JobAlreadyActive', message })], next };
  }
  const replaced = spec.concurrencyPolicy === 'Replace' ? active.map((job) => deleteJob(cronJob, job)) : [];
  return { actions: [...tooMany, ...replaced, createJob(cronJob, name, due.time)], next, scheduled: due.time };
}

/** Or why it cannot be read. */
function scheduleOf({ spec }: CronJob): Schedule | string {
  const { schedule = '', timeZone } = spec ?? {};
  try {
    return parseSchedule(schedule, timeZone);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `unparseable schedule: ${JSON.stringify(schedule)} : ${why}`;
  }
}

function createJob(cronJob: Stored<CronJob>, name: string, time: number): Action {
  const { namespace } = cronJob.metadata;
  const { metadata, spec } = cronJob.spec?.jobTemplate ?? {};
  const zone = cronJob.spec?.timeZone;
  const job: Job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(metadata?.labels === undefined ? {} : { labels: metadata.labels }),
      annotations: {
        ...metadata?.annotations,
        'batch.kubernetes.io/cronjob-scheduled-timestamp': scheduledText(time, zone),
      },
      ownerReferences: [controllerRefTo(kinds.cronJob, cronJob)],
    },
    ...(spec === undefined ? {} : { spec }),
  };
  return create(kinds.job, job, {
    about: cronJob,
    done: () => told('Normal', 'SuccessfulCreate', `Created job ${name}`),
    failed: (message) => told('Warning', 'FailedCreate', `Error creating job: ${message}`),
  });
}

/** RFC 3339 in the CronJob's zone. */
function scheduledText(time: number, timeZone: string | undefined): string {
  if (timeZone === undefined) return timestamp(time);
  const parts = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' }).formatToParts(time);
  const offset = /([+-])(\d\d):(\d\d)/.exec(parts.find(({ type }) => type === 'timeZoneName')?.value ?? '');
  if (offset === null) return timestamp(time);
  const [text, sign, hours, minutes] = offset;
  const shift = (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === '-' ? -1 : 1);
  return timestamp(time + shift).replace('Z', text);
}

function deleteJob(cronJob: Stored<CronJob>, job: Stored<Job>): Action {
  const { name } = job.metadata;
  return remove(kinds.job, job, {
    options: { propagationPolicy: 'Background' },
    event: {
      about: cronJob,
      done: () => told('Normal', 'SuccessfulDelete', `Deleted job ${name}`),
      failed: (message) => told('Warning', 'FailedDelete', `Deleted job: ${message}`),
    },
  });
}

function told(type: EventText['type'], reason: string, message: string): EventText {
  return { type, reason, message };
}

/** What happened to Jobs that the status still calls active. */
function newsOf(cronJob: Stored<CronJob>, jobs: readonly Stored<Job>[]): readonly Action[] {
  return (cronJob.status?.active ?? []).flatMap(({ uid, name }) => {
    const job = jobs.find(({ metadata }) => metadata.uid === uid);
    if (job === undefined) return [announce(cronJob, told('Normal', 'MissingJob', `Active job went missing: ${name}`))];
    if (!isOver(job)) return [];
    const condition = conditionOf(job, 'Complete') === undefined ? 'Failed' : 'Complete';
    const message = `Saw completed job: ${name}, condition: ${condition}`;
    return [announce(cronJob, told('Normal', 'SawCompletedJob', message))];
  });
}

function reportStatus(
  cronJob: Stored<CronJob>,
  jobs: readonly Stored<Job>[],
  scheduled: number | undefined,
): readonly Action[] {
  const active = [...jobs]
    .filter((job) => !isOver(job) && job.metadata.deletionTimestamp === undefined)
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .map(({ metadata: { namespace, name, uid } }) => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid,
    }));
  const { lastScheduleTime, lastSuccessfulTime } = cronJob.status ?? {};
  const completions = jobs.map(({ status }) => timeOf(status?.completionTime));
  const success = Math.max(timeOf(lastSuccessfulTime), ...completions);
  const last = Math.max(timeOf(lastScheduleTime), scheduled ?? 0);
  const status = {
    ...(active.length === 0 ? {} : { active }),
    ...(last === 0 ? {} : { lastScheduleTime: timestamp(last) }),
    ...(success === 0 ? {} : { lastSuccessfulTime: timestamp(success) }),
  } as NonNullable<CronJob['status']>;
  if (isSame(status, cronJob.status ?? {})) return [];
  return [updateSubresource(kinds.cronJob, 'status', { ...cronJob, status })];
}

/** Finished Jobs past the history limits, the oldest first. */
function expiredJobs(cronJob: Stored<CronJob>, jobs: readonly Stored<Job>[]): readonly Action[] {
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cronJob.spec ?? {};
  const past = (type: string, limit: number | undefined): readonly Stored<Job>[] => {
    const ended = jobs.filter(
      (job) => conditionOf(job, type) !== undefined && job.metadata.deletionTimestamp === undefined,
    );
    if (limit === undefined || ended.length <= limit) return [];
    return [...ended].sort((a, b) => startOf(a) - startOf(b)).slice(0, ended.length - limit);
  };
  const expired = [...past('Complete', successfulJobsHistoryLimit), ...past('Failed', failedJobsHistoryLimit)];
  return expired.map((job) => deleteJob(cronJob, job));
}

function startOf({ status, metadata }: Stored<Job>): number {
  return timeOf(status?.startTime, timeOf(metadata.creationTimestamp));
}
