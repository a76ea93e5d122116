import t from 'tap';
import { podStatus, type StatusView } from '../../src/agent/pods/status.ts';
import { container, exited, pod, running, runtime } from './builders.ts';

function view(more: Partial<StatusView>): StatusView {
  return {
    pod: pod(),
    before: undefined,
    runtime: runtime(),
    now: 60_000,
    startTime: 0,
    hostIps: ['192.0.2.1'],
    waiting: () => undefined,
    startup: () => undefined,
    readiness: () => undefined,
    postStarted: () => true,
    terminationMessage: () => undefined,
    verdict: undefined,
    complete: false,
    runtimeName: 'containerd',
    resize: { allocated: new Map(), applied: new Map(), pending: undefined, failure: undefined },
    ...more,
  };
}

const True = (type: string) => ({ type, status: 'True' });
const False = (type: string, more = {}) => ({ type, status: 'False', ...more });

t.test('phase and container states', async (t) => {
  const probed = pod({ containers: [container('main', { readinessProbe: {} })] });
  const never = pod({ restartPolicy: 'Never' });
  const cases: readonly { readonly name: string; readonly given: Partial<StatusView>; readonly want: unknown }[] = [
    {
      name: 'just taken on',
      given: { runtime: { sandboxes: [], containers: [] } },
      want: {
        phase: 'Pending',
        startTime: '1970-01-01T00:00:00Z',
        containerStatuses: [{ state: { waiting: { reason: 'ContainerCreating' } }, ready: false, restartCount: 0 }],
      },
    },
    {
      name: 'running without a probe is ready',
      given: { runtime: runtime([running()]) },
      want: {
        phase: 'Running',
        podIP: '10.0.0.2',
        podIPs: [{ ip: '10.0.0.2' }],
        containerStatuses: [{ state: { running: {} }, ready: true, started: true, containerID: 'containerd://main-0' }],
      },
    },
    {
      name: 'running before its probe has answered',
      given: { pod: probed, runtime: runtime([running()]) },
      want: { containerStatuses: [{ ready: false, started: true }] },
    },
    {
      name: 'running, probe is well',
      given: { pod: probed, runtime: runtime([running()]), readiness: () => 'success' },
      want: { containerStatuses: [{ ready: true }] },
    },
    {
      name: 'after a restart of the agent the last readiness holds',
      given: {
        pod: probed,
        runtime: runtime([running()]),
        before: {
          containerStatuses: [
            { name: 'main', ready: true, containerID: 'containerd://main-0', image: '', imageID: '', restartCount: 0 },
          ],
        },
      },
      want: { containerStatuses: [{ ready: true }] },
    },
    {
      name: 'a startup probe holds started back',
      given: { pod: pod({ containers: [container('main', { startupProbe: {} })] }), runtime: runtime([running()]) },
      want: { containerStatuses: [{ ready: false, started: false }] },
    },
    {
      name: 'crashed, next start delayed',
      given: {
        runtime: runtime([exited('main', 1, { restartCount: 2, reason: 'Error' })]),
        waiting: () => ({ reason: 'CrashLoopBackOff' }),
      },
      want: {
        phase: 'Running',
        containerStatuses: [
          {
            restartCount: 2,
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: { terminated: { exitCode: 1 } },
          },
        ],
      },
    },
    {
      name: 'started again: the last end is kept',
      given: { runtime: runtime([running('main', { restartCount: 1 }), exited('main', 137, { reason: 'OOMKilled' })]) },
      want: {
        containerStatuses: [
          { restartCount: 1, ready: true, lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } } },
        ],
      },
    },
    {
      name: 'done well',
      given: { pod: never, complete: true, runtime: runtime([exited('main', 0)]) },
      want: { phase: 'Succeeded', containerStatuses: [{ state: { terminated: { reason: 'Completed' } } }] },
    },
    {
      name: 'done badly',
      given: { pod: never, complete: true, runtime: runtime([exited('main', 3)]) },
      want: { phase: 'Failed' },
    },
    {
      name: 'refused',
      given: { verdict: { reason: 'OutOfcpu', message: 'no' }, runtime: { sandboxes: [], containers: [] } },
      want: { phase: 'Failed', reason: 'OutOfcpu', message: 'no' },
    },
    {
      name: 'Failed stays Failed',
      given: { before: { phase: 'Failed' }, runtime: runtime([running()]) },
      want: { phase: 'Failed' },
    },
    {
      name: 'being deleted, ended well',
      given: {
        pod: pod({}, { metadata: { name: 'p', uid: 'u1', deletionTimestamp: 'x' } }),
        runtime: runtime([exited('main', 0)]),
      },
      want: { phase: 'Succeeded' },
    },
    {
      name: 'ended with an error, and the container itself must not start again',
      given: {
        pod: pod({ containers: [container('main', { restartPolicy: 'Never' })] }),
        runtime: runtime([exited('main', 1)]),
        complete: true,
      },
      want: { phase: 'Failed' },
    },
    {
      name: 'host network',
      given: { pod: pod({ hostNetwork: true }), runtime: runtime([running()]) },
      want: { podIP: '192.0.2.1' },
    },
    {
      name: 'init container first',
      given: { pod: pod({ initContainers: [container('i')] }), runtime: runtime([running('i')]) },
      want: {
        phase: 'Pending',
        initContainerStatuses: [{ ready: false }],
        containerStatuses: [{ state: { waiting: { reason: 'PodInitializing' } } }],
      },
    },
  ];
  for (const { name, given, want } of cases) t.match(podStatus(view(given)), want, name);
});

t.test('conditions', async (t) => {
  const cases: readonly {
    readonly name: string;
    readonly given: Partial<StatusView>;
    readonly want: readonly unknown[];
  }[] = [
    {
      name: 'ready',
      given: { runtime: runtime([running()]) },
      want: [
        True('PodReadyToStartContainers'),
        True('Initialized'),
        True('Ready'),
        True('ContainersReady'),
        True('PodScheduled'),
      ],
    },
    {
      name: 'not ready names the containers',
      given: {},
      want: [
        True('PodReadyToStartContainers'),
        True('Initialized'),
        False('Ready', { reason: 'ContainersNotReady', message: 'containers with unready status: [main]' }),
        False('ContainersReady'),
        True('PodScheduled'),
      ],
    },
    {
      name: 'not initialized',
      given: { pod: pod({ initContainers: [container('a'), container('b')] }), runtime: runtime([exited('a', 0)]) },
      want: [
        {},
        False('Initialized', { reason: 'ContainersNotInitialized', message: 'containers with incomplete status: [b]' }),
      ],
    },
    {
      name: 'completed',
      given: { complete: true, runtime: runtime([exited('main', 0)]), pod: pod({ restartPolicy: 'Never' }) },
      want: [{}, True('Initialized'), False('Ready', { reason: 'PodCompleted' })],
    },
    {
      name: 'a readiness gate of somebody else',
      given: { pod: pod({ readinessGates: [{ conditionType: 'lb/up' }] }), runtime: runtime([running()]) },
      want: [{}, {}, False('Ready', { reason: 'ReadinessGatesNotReady' }), True('ContainersReady')],
    },
    {
      name: 'conditions of others are kept',
      given: { pod: pod({}, { status: { conditions: [{ type: 'DisruptionTarget', status: 'True' }] } }) },
      want: [{}, {}, {}, {}, {}, True('DisruptionTarget')],
    },
  ];
  for (const { name, given, want } of cases) t.match(podStatus(view(given)).conditions, want, name);
});

t.test('a condition keeps its transition time until it changes', async (t) => {
  const first = podStatus(view({ runtime: runtime([running()]) }));
  const second = podStatus(view({ runtime: runtime([running()]), before: first, now: 120_000 }));
  t.same(second, first);
  const third = podStatus(view({ runtime: runtime([exited('main', 1)]), before: second, now: 180_000 }));
  const timeOf = (status: typeof first, type: string) =>
    status.conditions?.find((one) => one.type === type)?.lastTransitionTime;
  t.equal(timeOf(third, 'Ready'), '1970-01-01T00:03:00Z');
  t.equal(timeOf(third, 'Initialized'), timeOf(first, 'Initialized'));
});
