// Resizes as they are judged and carried out, with a runtime in memory.

import t from 'tap';
import { planPod } from '../../src/agent/pods/plan.ts';
import { createRecord, type PodRecord } from '../../src/agent/pods/record.ts';
import { allocatedPod, mustRestart } from '../../src/agent/pods/resize.ts';
import { applyResizes, judgeResize } from '../../src/agent/pods/resize-act.ts';
import { podLimits } from '../../src/agent/pods/resources.ts';
import type { PodWorld } from '../../src/agent/pods/world.ts';
import type { Container, Pod } from '../../src/api/index.ts';
import { silentLogger, systemClock } from '../../src/base/index.ts';
import type { ContainerStats } from '../../src/cri/index.ts';
import { container, pod, running, runtime, view } from './builders.ts';

type Resources = NonNullable<Container['resources']>;

const sized = (cpu: string, memory = '64Mi'): Resources => ({
  requests: { cpu, memory: '16Mi' },
  limits: { cpu: '4', memory },
});
const podOf = (resources: Resources, more: Partial<Container> = {}): Pod =>
  pod({ containers: [container('main', { resources, ...more })] });

/** What a resize needs of the agent, and what it did. */
function setUp(options: { readonly usage?: number; readonly update?: () => Promise<void> } = {}) {
  const did: string[] = [];
  const world = {
    allocatable: { cpu: '2', memory: '1Gi' },
    kernel: { memoryBytes: 1024 ** 3, isUnified: false },
    clock: systemClock,
    logger: silentLogger,
    events: { record: (_about: unknown, _type: string, reason: string) => void did.push(reason) },
    cgroups: { ensure: async (one: Pod) => void did.push(`pod ${podLimits(one).memory}`) },
    cri: {
      containerStats: async () => ({ memory: { workingSetBytes: { value: options.usage ?? 0 } } }) as ContainerStats,
      updateContainerResources: async (
        id: string,
        { memoryLimitInBytes }: { readonly memoryLimitInBytes?: number },
      ) => {
        did.push(`${id} ${memoryLimitInBytes}`);
        await options.update?.();
      },
    },
  } as unknown as PodWorld;
  return { world, did };
}

function recordOf(resources: Resources, more: Partial<Container> = {}): PodRecord {
  const record = createRecord(podOf(resources, more), { now: 0, inCluster: true, stale: false });
  record.runtime = runtime([running()]);
  return record;
}

function plan(record: PodRecord) {
  const { runtime, resize } = record;
  return planPod(view({ pod: allocatedPod(record), runtime, applied: (id) => resize.applied.get(id) }));
}

const signal = new AbortController().signal;
const wish = (world: PodWorld, record: PodRecord, next: Pod, others: readonly Pod[] = []): void => {
  judgeResize(world, record, () => others);
  record.pod = next;
  judgeResize(world, record, () => others);
};
const mebi = 1024 ** 2;

t.test('the pod grows before its container, and shrinks after it', async (t) => {
  const { world, did } = setUp();
  const record = recordOf(sized('1'));
  for (const [memory, first, then] of [
    ['128Mi', 128, 128],
    ['96Mi', 128, 96],
  ] as const) {
    wish(world, record, podOf(sized('1', memory)));
    const { resizes, stops } = plan(record);
    t.same(stops, []);
    t.match(resizes, [{ id: 'main-0', container: { resources: { limits: { memory } } } }]);
    did.length = 0;
    await applyResizes(world, record, resizes, signal);
    t.same(did, [`pod ${first * mebi}`, `main-0 ${then * mebi}`, `pod ${then * mebi}`, 'ResizeCompleted']);
    t.same(plan(record).resizes, []);
  }
});

t.test('what there is no room for is refused or waits, and the container keeps what it has', async (t) => {
  const cases = [
    { cpu: '3', others: [], want: { reason: 'Infeasible', message: /capacity: cpu, requested: 3000, capacity: 2000/ } },
    {
      cpu: '1500m',
      others: [podOf(sized('1'))],
      want: { reason: 'Deferred', message: /resource: cpu, requested: 1500, used: 1000, capacity: 2000/ },
    },
    { cpu: '500m', others: [podOf(sized('2'))], want: undefined },
  ];
  for (const { cpu, others, want } of cases) {
    const { world, did } = setUp();
    const record = recordOf(sized('1'));
    wish(world, record, podOf(sized(cpu)), others);
    t.match(record.resize.pending, want);
    t.equal(plan(record).resizes.length, want === undefined ? 1 : 0, cpu);
    judgeResize(world, record, () => others);
    t.same(did, want === undefined ? [] : [`Resize${want.reason}`], 'told once');
    judgeResize(world, record, () => []);
    t.equal(record.resize.pending?.reason, cpu === '3' ? 'Infeasible' : undefined, 'when the others are gone');
  }
});

t.test('a container is restarted for the resources that it says so of, and for no others', async (t) => {
  const resizePolicy = [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }];
  const { world } = setUp();
  const record = recordOf(sized('1'), { resizePolicy });
  wish(world, record, podOf(sized('500m'), { resizePolicy }));
  t.match(plan(record), { stops: [], resizes: [{ id: 'main-0' }] });
  wish(world, record, podOf(sized('500m', '128Mi'), { resizePolicy }));
  t.match(plan(record), { stops: [{ message: 'Container main resize requires restart' }], resizes: [] });
  t.notOk(mustRestart(container('main', { resources: sized('1000m') }), sized('1')), 'written otherwise, no change');
});

t.test('a resize that fails is told once and tried again', async (t) => {
  const { world, did } = setUp({ update: () => Promise.reject(new Error('runtime says no')) });
  const record = recordOf(sized('1'));
  wish(world, record, podOf(sized('500m')));
  await applyResizes(world, record, plan(record).resizes, signal);
  await applyResizes(world, record, plan(record).resizes, signal);
  t.match(record.resize, { failure: 'runtime says no', working: false });
  t.ok(record.resize.retryAt > 0);
  t.equal(did.filter((one) => one === 'ResizeError').length, 1);
  t.equal(plan(record).resizes.length, 1);
});

t.test('a memory limit below what is used is not set', async (t) => {
  const { world, did } = setUp({ usage: 50 * mebi });
  const record = recordOf(sized('1'));
  wish(world, record, podOf(sized('1', '32Mi')));
  await applyResizes(world, record, plan(record).resizes, signal);
  t.match(record.resize.failure, /attempting to set memory limit \(33554432\) of container main below current usage/);
  t.same(did, ['ResizeError']);
});

t.test('an agent that starts again goes on where the last one was', async (t) => {
  const status = { name: 'main', image: '', imageID: '', ready: true, restartCount: 0, containerID: 'x://main-0' };
  const told = podOf(sized('500m'));
  const record = createRecord(
    { ...told, status: { containerStatuses: [{ ...status, resources: sized('1') }] } },
    { now: 0, inCluster: true, stale: true },
  );
  record.runtime = runtime([running()]);
  judgeResize(setUp().world, record, () => []);
  t.match(plan(record).resizes, [{ id: 'main-0', container: { resources: { requests: { cpu: '500m' } } } }]);
});
