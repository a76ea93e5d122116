// Schedules and what a CronJob does at a time.

import t from 'tap';
import type { CronJob, Job, Stored } from '../../src/api/index.ts';
import { latestDue, parseSchedule, whyUnknownZone } from '../../src/controllers/cron-schedule.ts';
import { reconcileCronJob } from '../../src/controllers/cronjob.ts';
import { ago, now } from './objects.ts';

const utc = 'UTC';
const from = Date.parse('2026-01-01T00:10:30Z');

const schedules: readonly (readonly [string, string | undefined, string | undefined])[] = [
  ['*/5 * * * *', utc, '2026-01-01T00:15:00.000Z'],
  ['@hourly', utc, '2026-01-01T01:00:00.000Z'],
  ['@annually', utc, '2027-01-01T00:00:00.000Z'],
  ['@midnight', utc, '2026-01-02T00:00:00.000Z'],
  ['@every 90s', utc, '2026-01-01T00:12:00.000Z'],
  ['@every 1h30m', utc, '2026-01-01T01:40:30.000Z'],
  ['30 4 * * ?', 'Asia/Tokyo', '2026-01-01T19:30:00.000Z'],
  ['0 0 13 * FRI', utc, '2026-01-02T00:00:00.000Z'],
  ['0 0 * JUL WED', utc, '2026-07-01T00:00:00.000Z'],
  ['0 0 31 2 *', utc, undefined],
];
for (const [text, zone, want] of schedules) {
  t.test(`${text} (${zone})`, async (t) => {
    const next = parseSchedule(text, zone).next(from);
    t.equal(next === undefined ? undefined : new Date(next).toISOString(), want);
  });
}

for (const text of ['', '* * * * * *', '61 * * * *', '0 0 L * *', '0 0 15W * *', '@fortnightly', '@every soon']) {
  t.test(`no schedule: ${JSON.stringify(text)}`, async (t) => {
    t.throws(() => parseSchedule(text, utc));
  });
}

t.test('zones', async (t) => {
  t.equal(whyUnknownZone('Europe/Berlin'), undefined);
  t.match(whyUnknownZone('Nowhere/There'), /Nowhere/);
});

t.test('of many missed times the newest counts', async (t) => {
  const every5 = parseSchedule('*/5 * * * *', utc);
  t.same(latestDue(every5, from - 20 * 60_000, from), { time: Date.parse('2026-01-01T00:10:00Z'), missed: 4 });
  const minutely = latestDue(parseSchedule('* * * * *', utc), from - 365 * 24 * 3_600_000, from);
  t.equal(minutely?.time, Date.parse('2026-01-01T00:10:00Z'));
  t.ok((minutely?.missed ?? 0) > 100);
  t.equal(latestDue(every5, from - 10_000, from), undefined);
});

/** Made an hour ago, due each five minutes; the last was done a minute before the newest time. */
function cronJob(spec: object = {}, status: object = { lastScheduleTime: ago(6 * 60) }): Stored<CronJob> {
  return {
    metadata: { name: 'c', namespace: 'default', uid: 'c', resourceVersion: '1', creationTimestamp: ago(3600) },
    spec: { schedule: '*/5 * * * *', timeZone: utc, jobTemplate: { spec: { template: {} } }, ...spec },
    status,
  } as unknown as Stored<CronJob>;
}

function job(name: string, over?: 'Complete' | 'Failed'): Stored<Job> {
  const conditions = over === undefined ? [] : [{ type: over, status: 'True' }];
  return {
    metadata: { name, namespace: 'default', uid: name, resourceVersion: '1' },
    status: { conditions },
  } as unknown as Stored<Job>;
}

/** `create Job`, `update CronJob`, `event Reason`, without timers. */
function words(made: Stored<CronJob>, jobs: readonly Stored<Job>[] = []): readonly string[] {
  return reconcileCronJob(made, jobs, now)
    .filter((action) => action.do !== 'later')
    .map((action) => {
      if (action.do === 'event') return `event ${action.reason}`;
      return `${action.do} ${'kind' in action ? action.kind.kind : ''}`;
    });
}

const cases: readonly {
  readonly name: string;
  readonly made: Stored<CronJob>;
  readonly jobs?: readonly Stored<Job>[];
  readonly want: readonly string[];
}[] = [
  { name: 'due', made: cronJob(), want: ['create Job', 'update CronJob'] },
  { name: 'suspended', made: cronJob({ suspend: true }), want: [] },
  { name: 'done already', made: cronJob({}, { lastScheduleTime: ago(0) }), want: [] },
  { name: 'too late', made: cronJob({ schedule: '2 * * * *', startingDeadlineSeconds: 60 }), want: [] },
  { name: 'no such zone', made: cronJob({ timeZone: 'Nowhere/There' }), want: ['event UnknownTimeZone'] },
  { name: 'no schedule', made: cronJob({ schedule: 'x' }), want: ['event UnparseableSchedule'] },
  {
    name: 'too many missed',
    made: cronJob({ schedule: '* * * * *' }, { lastScheduleTime: ago(7 * 3600) }),
    want: ['event TooManyMissedTimes', 'create Job', 'update CronJob'],
  },
  {
    name: 'the one before still runs, Forbid',
    made: cronJob({ concurrencyPolicy: 'Forbid' }),
    jobs: [job('c-1')],
    want: ['event JobAlreadyActive', 'update CronJob'],
  },
  {
    name: 'the one before still runs, Replace',
    made: cronJob({ concurrencyPolicy: 'Replace' }),
    jobs: [job('c-1')],
    want: ['delete Job', 'create Job', 'update CronJob'],
  },
  {
    name: 'an active one ended, another went missing',
    made: cronJob(
      {},
      {
        lastScheduleTime: ago(0),
        active: [
          { name: 'c-1', uid: 'c-1' },
          { name: 'c-2', uid: 'c-2' },
        ],
      },
    ),
    jobs: [job('c-1', 'Complete')],
    want: ['event SawCompletedJob', 'event MissingJob', 'update CronJob'],
  },
  {
    name: 'past the history limits',
    made: cronJob({ successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 }, { lastScheduleTime: ago(0) }),
    jobs: [job('a', 'Complete'), job('b', 'Complete'), job('f', 'Failed')],
    want: ['delete Job', 'delete Job'],
  },
];
for (const { name, made, jobs, want } of cases) {
  t.test(`a CronJob: ${name}`, async (t) => {
    t.same(words(made, jobs), want);
  });
}

t.test('the Job of a time is named after it and knows it in the zone of the CronJob', async (t) => {
  const [action] = reconcileCronJob(cronJob({ timeZone: 'Asia/Kolkata' }), [], now).filter(
    ({ do: what }) => what === 'create',
  );
  t.match(action, {
    object: {
      metadata: {
        name: `c-${Math.floor(Date.parse('2026-01-01T00:10:00Z') / 60_000)}`,
        annotations: { 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T05:40:00+05:30' },
      },
    },
  });
});
