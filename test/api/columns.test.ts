// Columns: the words of `kubectl get`, STATUS of pods above all.

import t from 'tap';
import {
  ageOf,
  allKinds,
  type KindSpec,
  kinds,
  type Pod,
  shortDuration,
  tableColumns,
  tableRow,
} from '../../src/api/index.ts';

const now = Date.parse('2026-01-02T00:00:00Z');
const secondsAgo = (seconds: number): string => new Date(now - seconds * 1000).toISOString().replace('.000', '');

/** Cells by lower-case column name. */
function row(kind: KindSpec, object: object): Record<string, unknown> {
  const cells = tableRow(kind, object, now);
  return Object.fromEntries(tableColumns(kind).map(({ name }, index) => [name.toLowerCase(), cells[index]]));
}

const state = (ready: boolean, more: object = { state: { running: {} } }): object => ({
  name: 'a',
  ready,
  restartCount: 0,
  ...more,
});
const podOf = (status: object, more: { spec?: object; metadata?: object } = {}): object => ({
  metadata: { name: 'p', ...more.metadata },
  spec: { containers: [{ name: 'a' }], ...more.spec },
  status: { phase: 'Running', ...status },
});

const statuses: readonly {
  readonly name: string;
  readonly given: object;
  readonly ready: string;
  readonly want: string;
}[] = [
  { name: 'running', given: podOf({ containerStatuses: [state(true)] }), ready: '1/1', want: 'Running' },
  { name: 'pending', given: podOf({ phase: 'Pending' }), ready: '0/1', want: 'Pending' },
  {
    name: 'scheduling gates',
    given: podOf({
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }],
    }),
    ready: '0/1',
    want: 'SchedulingGated',
  },
  {
    name: 'a waiting container',
    given: podOf({ containerStatuses: [state(false, { state: { waiting: { reason: 'CrashLoopBackOff' } } })] }),
    ready: '0/1',
    want: 'CrashLoopBackOff',
  },
  {
    name: 'completed',
    given: podOf({
      phase: 'Succeeded',
      containerStatuses: [state(false, { state: { terminated: { exitCode: 0, reason: 'Completed' } } })],
    }),
    ready: '0/1',
    want: 'Completed',
  },
  {
    name: 'one of two completed',
    given: podOf(
      {
        containerStatuses: [state(false, { state: { terminated: { exitCode: 0, reason: 'Completed' } } }), state(true)],
        conditions: [{ type: 'Ready', status: 'True' }],
      },
      { spec: { containers: [{ name: 'a' }, { name: 'b' }] } },
    ),
    ready: '1/2',
    want: 'Running',
  },
  {
    name: 'an exit code without a reason',
    given: podOf({ phase: 'Failed', containerStatuses: [state(false, { state: { terminated: { exitCode: 3 } } })] }),
    ready: '0/1',
    want: 'ExitCode:3',
  },
  {
    name: 'a signal',
    given: podOf({
      phase: 'Failed',
      containerStatuses: [state(false, { state: { terminated: { exitCode: 137, signal: 9 } } })],
    }),
    ready: '0/1',
    want: 'Signal:9',
  },
  {
    name: 'initializing',
    given: podOf(
      { phase: 'Pending', initContainerStatuses: [state(false, { name: 'i', state: { running: {} } })] },
      { spec: { initContainers: [{ name: 'i' }] } },
    ),
    ready: '0/1',
    want: 'Init:0/1',
  },
  {
    name: 'an init container that fails',
    given: podOf(
      {
        phase: 'Pending',
        initContainerStatuses: [state(false, { name: 'i', state: { waiting: { reason: 'CrashLoopBackOff' } } })],
      },
      { spec: { initContainers: [{ name: 'i' }] } },
    ),
    ready: '0/1',
    want: 'Init:CrashLoopBackOff',
  },
  {
    name: 'a sidecar counts among the containers',
    given: podOf(
      {
        initContainerStatuses: [state(true, { name: 'i', started: true, state: { running: {} } })],
        containerStatuses: [state(true)],
      },
      { spec: { initContainers: [{ name: 'i', restartPolicy: 'Always' }] } },
    ),
    ready: '2/2',
    want: 'Running',
  },
  {
    name: 'deleted',
    given: podOf({ containerStatuses: [state(true)] }, { metadata: { deletionTimestamp: secondsAgo(1) } }),
    ready: '1/1',
    want: 'Terminating',
  },
  {
    name: 'deleted on a lost node',
    given: podOf({ reason: 'NodeLost' }, { metadata: { deletionTimestamp: secondsAgo(1) } }),
    ready: '0/1',
    want: 'Unknown',
  },
  { name: 'evicted', given: podOf({ phase: 'Failed', reason: 'Evicted' }), ready: '0/1', want: 'Evicted' },
];

t.test('READY and STATUS of a pod', async (t) => {
  for (const { name, given, ready, want } of statuses) t.match(row(kinds.pod, given), { ready, status: want }, name);
});

t.test('restarts tell when the last one was', async (t) => {
  const restarted = podOf({
    containerStatuses: [
      state(true, {
        restartCount: 3,
        state: { running: {} },
        lastState: { terminated: { exitCode: 1, finishedAt: secondsAgo(90) } },
      }),
    ],
  });
  t.equal(row(kinds.pod, restarted)['restarts'], '3 (90s ago)');
  t.equal(row(kinds.pod, podOf({ containerStatuses: [state(true)] }))['restarts'], '0');
});

t.test('nodes, services and deployments', async (t) => {
  t.match(
    row(kinds.node, {
      metadata: {
        name: 'n',
        labels: { 'node-role.kubernetes.io/control-plane': '' },
        creationTimestamp: secondsAgo(3600),
      },
      spec: { unschedulable: true },
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        nodeInfo: { kubeletVersion: 'v1.35.0' },
        addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
      },
    }),
    {
      status: 'Ready,SchedulingDisabled',
      roles: 'control-plane',
      age: '60m',
      version: 'v1.35.0',
      'internal-ip': '10.0.0.1',
      'external-ip': '<none>',
      'os-image': '<unknown>',
    },
  );
  t.match(
    row(kinds.service, {
      spec: {
        type: 'NodePort',
        clusterIP: '10.96.0.1',
        ports: [{ port: 80, nodePort: 30080, protocol: 'TCP' }],
        selector: { b: '1', a: '2' },
      },
    }),
    {
      type: 'NodePort',
      'cluster-ip': '10.96.0.1',
      'external-ip': '<none>',
      'port(s)': '80:30080/TCP',
      selector: 'a=2,b=1',
    },
  );
  t.match(
    row(kinds.deployment, {
      spec: { replicas: 4, selector: { matchLabels: { app: 'x' } } },
      status: { readyReplicas: 2 },
    }),
    {
      ready: '2/4',
      'up-to-date': 0,
      selector: 'app=x',
    },
  );
  t.match(
    row(kinds.event, {
      metadata: { name: 'e' },
      involvedObject: { kind: 'Pod', name: 'p' },
      count: 3,
      firstTimestamp: secondsAgo(60),
      lastTimestamp: secondsAgo(5),
    }),
    {
      'last seen': '5s (x3 over 60s)',
      object: 'pod/p',
    },
  );
});

t.test('every kind has columns, with the name among them, and rows of the same length', async (t) => {
  for (const kind of allKinds) {
    const columns = tableColumns(kind);
    t.ok(
      columns.some(({ format }) => format === 'name'),
      `${kind.kind}: name`,
    );
    t.equal(new Set(columns.map(({ name }) => name)).size, columns.length, `${kind.kind}: no column twice`);
  }
  const bare: Pod = { metadata: { name: 'x' } };
  t.equal(tableRow(kinds.pod, bare, now).length, tableColumns(kinds.pod).length, 'a pod without spec');
});

t.test('durations get coarser with age', async (t) => {
  const cases: readonly (readonly [seconds: number, want: string])[] = [
    [-5, '<invalid>'],
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [150, '2m30s'],
    [600, '10m'],
    [10_799, '179m'],
    [10_800, '3h'],
    [12_600, '3h30m'],
    [28_800, '8h'],
    [172_799, '47h'],
    [180_000, '2d2h'],
    [691_200, '8d'],
    [63_072_000, '2y'],
    [66_000_000, '2y33d'],
    [300_000_000, '9y'],
  ];
  for (const [seconds, want] of cases) t.equal(shortDuration(seconds * 1000), want, `${seconds}`);
  t.equal(ageOf(undefined, now), '<unknown>');
});

t.test('access modes come in one order, selectors as they were said', async (t) => {
  const modes = ['ReadWriteMany', 'ReadOnlyMany', 'ReadWriteMany'];
  t.equal(row(kinds.persistentVolume, { spec: { accessModes: modes } })['access modes'], 'ROX,RWX');
  const selector = {
    matchLabels: { app: 'web' },
    matchExpressions: [{ key: 'tier', operator: 'In', values: ['front'] }],
  };
  t.equal(row(kinds.deployment, { spec: { selector } })['selector'], 'app=web,tier in (front)');
});
