// Jobs in tables: how pods are counted, when a Job is over, how many pods run.

import t from 'tap';
import type { Job, Pod, Stored } from '../../src/api/index.ts';
import type { Action } from '../../src/controllers/controller.ts';
import { reconcileJob } from '../../src/controllers/job.ts';
import { formatIndexes, parseIndexes } from '../../src/controllers/job-indexes.ts';
import { reconcileTtl } from '../../src/controllers/ttl-after-finished.ts';
import { ago, now } from './objects.ts';

function job(spec: object = {}, status: object = { startTime: ago(60) }, metadata: object = {}): Stored<Job> {
  return {
    metadata: { name: 'j', namespace: 'default', uid: 'j', resourceVersion: '1', ...metadata },
    spec: {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c' }] } },
      ...spec,
    },
    status,
  } as unknown as Stored<Job>;
}

interface PodLike {
  readonly name: string;
  readonly phase?: string;
  readonly index?: number;
  readonly failures?: number;
  readonly exitCode?: number;
  readonly condition?: string;
  readonly deleting?: boolean;
  readonly counted?: boolean;
  readonly restarts?: number;
  readonly endedAt?: number;
}

function pod(like: PodLike): Stored<Pod> {
  const { name, phase = 'Running', index, failures, exitCode, condition, deleting, counted, restarts = 0 } = like;
  const { endedAt = 3600 } = like;
  const annotations = {
    ...(index === undefined ? {} : { 'batch.kubernetes.io/job-completion-index': String(index) }),
    ...(failures === undefined ? {} : { 'batch.kubernetes.io/job-index-failure-count': String(failures) }),
  };
  const hasEnded = phase === 'Failed' || phase === 'Succeeded';
  const state = hasEnded ? { terminated: { exitCode: exitCode ?? 0, finishedAt: ago(endedAt) } } : {};
  return {
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      resourceVersion: '1',
      annotations,
      ...(counted === true ? {} : { finalizers: ['batch.kubernetes.io/job-tracking'] }),
      ...(deleting === true ? { deletionTimestamp: ago(1) } : {}),
    },
    status: {
      phase,
      conditions: condition === undefined ? [] : [{ type: condition, status: 'True' }],
      containerStatuses: [{ name: 'c', restartCount: restarts, state }],
    },
  } as unknown as Stored<Pod>;
}

interface Seen {
  readonly status: NonNullable<Job['status']> | undefined;
  readonly created: number;
  readonly deleted: number;
  readonly untracked: number;
  readonly conditions: readonly string[];
  readonly wait: number | undefined;
}

function look(made: Stored<Job>, pods: readonly Stored<Pod>[]): Seen {
  const actions = reconcileJob(made, pods, now);
  const all = actions.flatMap((one): readonly Action[] => (one.do === 'batch' ? one.actions : [one]));
  const written = all.find((one) => one.do === 'update');
  const status = written?.do === 'update' ? (written.object as Job).status : made.status;
  const count = (word: string): number => all.filter((one) => one.do === word).length;
  const waits = all.flatMap((one) => (one.do === 'later' ? [one.ms] : []));
  return {
    status,
    created: count('create'),
    deleted: count('delete'),
    untracked: count('patch'),
    conditions: (status?.conditions ?? []).map(({ type, reason }) => `${type} ${reason}`),
    wait: waits.length === 0 ? undefined : Math.min(...waits),
  };
}

t.test('indexes are written as ranges', async (t) => {
  t.equal(formatIndexes(new Set([7, 1, 3, 5, 4])), '1,3-5,7');
  t.same([...parseIndexes('1,3-5,7', 10)], [1, 3, 4, 5, 7]);
  t.same([...parseIndexes('0-100', 3)], [0, 1, 2], 'none past the completions');
  t.same([...parseIndexes(undefined, 3)], []);
});

t.test('a finished pod is written down before its finalizer goes, and counted after', async (t) => {
  const two = { completions: 2 };
  const first = look(job(two), [pod({ name: 'a', phase: 'Succeeded' })]);
  t.same(first.status?.uncountedTerminatedPods, { succeeded: ['a'] });
  t.equal(first.status?.succeeded, undefined);
  t.equal(first.untracked, 1);
  t.equal(first.created, 1);
  const second = look(job(two, first.status), [
    pod({ name: 'a', phase: 'Succeeded', counted: true }),
    pod({ name: 'b' }),
  ]);
  t.same(second.status?.uncountedTerminatedPods, {});
  t.equal(second.status?.succeeded, 1);
  const gone = look(job(two, first.status), [pod({ name: 'b' })]);
  t.equal(gone.status?.succeeded, 1, 'a pod that vanished after it was written down counts as well');
  const again = look(job(two, first.status), [pod({ name: 'a', phase: 'Succeeded' }), pod({ name: 'b' })]);
  t.same(again.status?.uncountedTerminatedPods, { succeeded: ['a'] }, 'and none is written down twice');
});

const failedTwice = [pod({ name: 'a', phase: 'Failed' }), pod({ name: 'b', phase: 'Failed' })];
const rules = (...all: readonly object[]): object => ({ podFailurePolicy: { rules: all } });
const onCode = (action: string, ...values: readonly number[]): object => ({
  action,
  onExitCodes: { operator: 'In', values },
});

const outcomes: readonly {
  readonly name: string;
  readonly made: Stored<Job>;
  readonly pods: readonly Stored<Pod>[];
  readonly want: readonly string[];
}[] = [
  { name: 'still running', made: job(), pods: [pod({ name: 'a' })], want: [] },
  {
    name: 'enough succeeded',
    made: job({}, { startTime: ago(9), succeeded: 1 }),
    pods: [],
    want: ['SuccessCriteriaMet CompletionsReached', 'Complete CompletionsReached'],
  },
  {
    name: 'not before the last uncounted pod',
    made: job(),
    pods: [pod({ name: 'a', phase: 'Succeeded' })],
    want: ['SuccessCriteriaMet CompletionsReached'],
  },
  {
    name: 'without completions one success and no active pod',
    made: job({ completions: undefined, parallelism: 2 }, { startTime: ago(9), succeeded: 1 }),
    pods: [pod({ name: 'a' })],
    want: [],
  },
  {
    name: 'past the backoff limit',
    made: job({ backoffLimit: 1 }),
    pods: failedTwice,
    want: ['FailureTarget BackoffLimitExceeded'],
  },
  {
    name: 'restarts count towards it',
    made: job({ backoffLimit: 2, template: { spec: { restartPolicy: 'OnFailure', containers: [] } } }),
    pods: [pod({ name: 'a', restarts: 2 })],
    want: ['FailureTarget BackoffLimitExceeded'],
  },
  {
    name: 'past the deadline',
    made: job({ activeDeadlineSeconds: 30 }),
    pods: [],
    want: ['FailureTarget DeadlineExceeded', 'Failed DeadlineExceeded'],
  },
  {
    name: 'the deadline of a suspended Job does not count',
    made: job({ activeDeadlineSeconds: 30, suspend: true }),
    pods: [],
    want: ['Suspended JobSuspended'],
  },
  {
    name: 'a fatal exit code',
    made: job(rules(onCode('FailJob', 42))),
    pods: [pod({ name: 'a', phase: 'Failed', exitCode: 42 })],
    want: ['FailureTarget PodFailurePolicy'],
  },
  {
    name: 'a failure that is ignored',
    made: job({
      backoffLimit: 0,
      ...rules({ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }),
    }),
    pods: [pod({ name: 'a', phase: 'Failed', condition: 'DisruptionTarget' })],
    want: [],
  },
  {
    name: 'the first rule that fits decides',
    made: job({ backoffLimit: 0, ...rules(onCode('Ignore', 1), onCode('FailJob', 1)) }),
    pods: [pod({ name: 'a', phase: 'Failed', exitCode: 1 })],
    want: [],
  },
  {
    name: 'indexes that failed for good',
    made: job(
      { completions: 2, completionMode: 'Indexed', backoffLimitPerIndex: 0, backoffLimit: 99 },
      { startTime: ago(9), completedIndexes: '0' },
    ),
    pods: [pod({ name: 'a', index: 1, failures: 0, phase: 'Failed', exitCode: 1 })],
    want: ['FailureTarget FailedIndexes'],
  },
  {
    name: 'too many failed indexes',
    made: job({
      completions: 9,
      completionMode: 'Indexed',
      backoffLimitPerIndex: 0,
      backoffLimit: 99,
      maxFailedIndexes: 0,
    }),
    pods: [pod({ name: 'a', index: 1, failures: 0, phase: 'Failed', exitCode: 1 })],
    want: ['FailureTarget MaxFailedIndexesExceeded'],
  },
  {
    name: 'a success policy',
    made: job({
      completions: 3,
      parallelism: 3,
      completionMode: 'Indexed',
      successPolicy: { rules: [{ succeededIndexes: '0' }] },
    }),
    pods: [pod({ name: 'a', index: 0, phase: 'Succeeded' }), pod({ name: 'b', index: 1 })],
    want: ['SuccessCriteriaMet SuccessPolicy'],
  },
  {
    name: 'an interim condition stays',
    made: job(
      {},
      { startTime: ago(9), succeeded: 1, conditions: [{ type: 'FailureTarget', status: 'True', reason: 'X' }] },
    ),
    pods: [],
    want: ['FailureTarget X', 'Failed X'],
  },
];
for (const { name, made, pods, want } of outcomes) {
  t.test(`outcome: ${name}`, async (t) => {
    t.same(look(made, pods).conditions, want);
  });
}

t.test('what runs on when a Job is over is stopped', async (t) => {
  const over = job({ backoffLimit: 0, completions: 2, parallelism: 2 });
  const seen = look(over, [pod({ name: 'a', phase: 'Failed' }), pod({ name: 'b' })]);
  t.equal(seen.deleted, 1);
  t.equal(seen.created, 0);
});

const counts: readonly {
  readonly name: string;
  readonly made: Stored<Job>;
  readonly pods: readonly Stored<Pod>[];
  readonly created?: number;
  readonly deleted?: number;
}[] = [
  { name: 'up to parallelism', made: job({ completions: 5, parallelism: 3 }), pods: [pod({ name: 'a' })], created: 2 },
  {
    name: 'no more than are still to succeed',
    made: job({ completions: 5, parallelism: 3 }, { startTime: ago(9), succeeded: 4 }),
    pods: [],
    created: 1,
  },
  {
    name: 'fewer after parallelism fell',
    made: job({ completions: 5, parallelism: 1 }),
    pods: [pod({ name: 'a' }), pod({ name: 'b' })],
    deleted: 1,
  },
  { name: 'none while suspended', made: job({ suspend: true }), pods: [pod({ name: 'a' })], deleted: 1 },
  {
    name: 'none right after a failure',
    made: job(),
    pods: [pod({ name: 'a', phase: 'Failed', endedAt: 1 })],
    created: 0,
  },
  {
    name: 'again when the wait is over',
    made: job(),
    pods: [pod({ name: 'a', phase: 'Failed', endedAt: 11 })],
    created: 1,
  },
  {
    name: 'the second wait is longer',
    made: job(),
    pods: [pod({ name: 'a', phase: 'Failed', endedAt: 100 }), pod({ name: 'b', phase: 'Failed', endedAt: 11 })],
    created: 0,
  },
  {
    name: 'none yet for a pod that is being deleted: it counts as failed, and its successor waits',
    made: job(),
    pods: [pod({ name: 'a', deleting: true })],
    created: 0,
  },
  {
    name: 'none where final phases are waited for',
    made: job({ podReplacementPolicy: 'Failed' }),
    pods: [pod({ name: 'a', deleting: true })],
    created: 0,
  },
  {
    name: 'missing indexes',
    made: job(
      { completions: 4, parallelism: 4, completionMode: 'Indexed' },
      { startTime: ago(9), completedIndexes: '0' },
    ),
    pods: [pod({ name: 'b', index: 2 })],
    created: 2,
  },
  {
    name: 'an index twice',
    made: job({ completions: 2, parallelism: 1, completionMode: 'Indexed' }),
    pods: [pod({ name: 'a', index: 0 }), pod({ name: 'b', index: 0 })],
    deleted: 1,
  },
];
for (const { name, made, pods, created = 0, deleted = 0 } of counts) {
  t.test(`pods: ${name}`, async (t) => {
    const seen = look(made, pods);
    t.same([seen.created, seen.deleted], [created, deleted]);
  });
}

t.test('a pod of an index inherits the failures before it', async (t) => {
  const made = job({ completions: 1, completionMode: 'Indexed', backoffLimitPerIndex: 3, backoffLimit: 99 });
  const actions = reconcileJob(made, [pod({ name: 'a', index: 0, failures: 1, phase: 'Failed', exitCode: 1 })], now);
  const [batch] = actions.filter((one) => one.do === 'batch');
  t.match(batch, {
    actions: [{ object: { metadata: { annotations: { 'batch.kubernetes.io/job-index-failure-count': '2' } } } }],
  });
});

t.test('a finished Job waits for its time', async (t) => {
  const ended = (seconds: number): Stored<Job> =>
    job(
      { ttlSecondsAfterFinished: 10 },
      { conditions: [{ type: 'Failed', status: 'True', lastTransitionTime: ago(seconds) }] },
    );
  t.match(reconcileTtl(ended(4), now), [{ do: 'later', ms: 6_000 }]);
  t.match(reconcileTtl(ended(11), now), [{ do: 'delete' }]);
  t.same(reconcileTtl(job({ ttlSecondsAfterFinished: 10 }), now), []);
});
