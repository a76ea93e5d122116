import t from 'tap';
import { kinds, type Node, type Pod, type Stored } from '../../src/api/index.ts';
import { createFakeClock } from '../../src/base/index.ts';
import {
  ApiStatusError,
  createEventRecorder,
  createFakeClient,
  createInformerFactory,
} from '../../src/client/index.ts';
import { startScheduler } from '../../src/scheduler/index.ts';
import { node, pod } from './objects.ts';

type Given = Stored<Node> | Stored<Pod>;

async function run(objects: readonly Given[], test: (cluster: Awaited<ReturnType<typeof start>>) => Promise<void>) {
  const cluster = await start(objects);
  try {
    await test(cluster);
  } finally {
    await cluster.stop();
  }
}

async function start(objects: readonly Given[]) {
  const stop = new AbortController();
  const clock = createFakeClock(Date.parse('2026-01-01T00:00:00Z'));
  const client = createFakeClient(objects);
  const informers = createInformerFactory(client);
  const recorder = createEventRecorder(client, 'default-scheduler', { clock });
  const done = startScheduler({ client, informers, recorder, clock }, stop.signal);
  await informers.start(stop.signal);
  return {
    client,
    clock,
    nodeOf: async (name: string) => (await client.get(kinds.pod, { namespace: 'default', name })).spec?.nodeName,
    conditionOf: async (name: string) =>
      (await client.get(kinds.pod, { namespace: 'default', name })).status?.conditions?.[0],
    events: async () => {
      await recorder.flush();
      return (await client.list(kinds.event)).items.map(({ type, reason, message }) => `${type} ${reason} ${message}`);
    },
    bindings: () => client.requests.filter(({ verb }) => verb === 'post').length,
    stop: async () => {
      stop.abort();
      await done;
    },
  };
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    if (await what()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('what the test waits for did not happen');
}

async function settle(): Promise<void> {
  for (let turns = 0; turns < 30; turns += 1) await new Promise((resolve) => setImmediate(resolve));
}

t.test('pods are bound, with an event each, and share the nodes', async (t) => {
  const pods = ['p1', 'p2', 'p3', 'p4'].map((name) => pod(name, { owner: 'rs', requests: { cpu: '100m' } }));
  await run([node('a'), node('b'), ...pods], async ({ client, nodeOf, events }) => {
    await until(async () => (await client.list(kinds.pod)).items.every(({ spec }) => spec?.nodeName !== undefined));
    const nodes = await Promise.all(pods.map(({ metadata }) => nodeOf(metadata.name)));
    t.same(nodes.toSorted(), ['a', 'a', 'b', 'b']);
    await until(async () => (await events()).length === 4);
    t.ok((await events()).includes(`Normal Scheduled Successfully assigned default/p1 to ${nodes[0]}`));
  });
});

t.test('decisions count what was decided before, not only what the watch has told', async (t) => {
  const pods = ['p1', 'p2', 'p3'].map((name) => pod(name, { requests: { cpu: '2' } }));
  await run([node('a'), ...pods], async ({ bindings, conditionOf, client }) => {
    await until(() => bindings() === 2);
    await settle();
    t.equal(bindings(), 2, 'the third does not fit');
    const left = (await client.list(kinds.pod)).items.find(({ spec }) => spec?.nodeName === undefined);
    await until(async () => (await conditionOf(left?.metadata.name ?? '')) !== undefined);
    t.match(await conditionOf(left?.metadata.name ?? ''), {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message: '0/1 nodes are available: 1 Insufficient cpu.',
    });
  });
});

t.test('a pod that nobody can take says why, and is bound when a deletion makes room', async (t) => {
  await run(
    [node('a'), pod('big', { requests: { cpu: '4' }, spec: { nodeName: 'a' } }), pod('p', { requests: { cpu: '1' } })],
    async (c) => {
      await until(async () => (await c.events()).length === 1);
      t.same(await c.events(), ['Warning FailedScheduling 0/1 nodes are available: 1 Insufficient cpu.']);
      await c.clock.advance(2_000);
      await settle();
      t.equal(c.bindings(), 0, 'time alone does not help');
      await c.client.delete(kinds.pod, { namespace: 'default', name: 'big' });
      await until(async () => (await c.nodeOf('p')) === 'a');
      t.pass();
    },
  );
});

t.test('only changes that could help wake a pod, and not before its backoff is over', async (t) => {
  const taints = [{ key: 'k', effect: 'NoSchedule' }];
  await run([node('a', { taints }), pod('p')], async ({ client, clock, events, nodeOf, bindings }) => {
    await until(async () => (await events()).length === 1);
    await client.patch(kinds.node, { name: 'a' }, 'merge', {
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    });
    await client.patch(kinds.node, { name: 'a' }, 'merge', { spec: { taints: null } });
    await settle();
    t.equal(bindings(), 0, 'still in its backoff');
    await clock.advance(1_000);
    await until(async () => (await nodeOf('p')) === 'a');
    t.pass();
  });
});

t.test('what cannot help does not wake a pod', async (t) => {
  const taints = [{ key: 'k', effect: 'NoSchedule' }];
  const running = pod('r', { spec: { nodeName: 'a' } });
  await run([node('a', { taints }), running, pod('p')], async ({ client, clock, events }) => {
    await until(async () => (await events()).length === 1);
    await clock.advance(2_000);
    await client.delete(kinds.pod, { namespace: 'default', name: 'r' });
    await settle();
    await events();
    t.match((await client.list(kinds.event)).items, [{ reason: 'FailedScheduling', count: 1 }], 'not judged again');
  });
});

t.test('a new node is tried by every pod that waits', async (t) => {
  await run([pod('p')], async ({ client, clock, events, nodeOf }) => {
    await until(async () => (await events()).length === 1);
    t.same(await events(), ['Warning FailedScheduling no nodes available to schedule pods']);
    await clock.advance(1_000);
    await client.create(kinds.node, node('late'));
    await until(async () => (await nodeOf('p')) === 'late');
    t.pass();
  });
});

t.test('a binding that fails is taken back and tried again later', async (t) => {
  const cluster = await start([pod('p', { requests: { cpu: '3' } })]);
  cluster.client.failNext(({ verb }) => verb === 'post', new ApiStatusError(500, 'InternalError', 'disk full'));
  await until(async () => (await cluster.events()).length === 1);
  await cluster.clock.advance(1_000);
  await cluster.client.create(kinds.node, node('a'));
  await until(() => cluster.bindings() === 1);
  await settle();
  t.equal(cluster.bindings(), 1);
  for (let seconds = 0; seconds < 12; seconds += 1) await cluster.clock.advance(1_000);
  await until(async () => (await cluster.nodeOf('p')) === 'a');
  t.equal(cluster.bindings(), 2);
  t.ok((await cluster.events()).some((event) => event.includes('binding rejected: disk full')));
  await cluster.stop();
});

t.test('higher priority first', async (t) => {
  const low = pod('low', { requests: { cpu: '3' } });
  const high = pod('high', { requests: { cpu: '3' }, spec: { priority: 1000 } });
  await run([low, high, node('a')], async ({ bindings, nodeOf }) => {
    await until(() => bindings() === 1);
    await until(async () => (await nodeOf('high')) === 'a');
    t.equal(await nodeOf('low'), undefined);
  });
});

t.test('pods of other schedulers, gated and dying ones are left alone', async (t) => {
  const dying = pod('dying');
  const given = [
    node('a'),
    pod('other', { spec: { schedulerName: 'mine' } }),
    pod('gated', { spec: { schedulingGates: [{ name: 'wait' }] } }),
    { ...dying, metadata: { ...dying.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } },
  ];
  await run(given, async ({ bindings, client, nodeOf }) => {
    await settle();
    t.equal(bindings(), 0);
    await client.patch(kinds.pod, { namespace: 'default', name: 'gated' }, 'merge', {
      spec: { schedulingGates: null },
    });
    await until(async () => (await nodeOf('gated')) === 'a');
    t.equal(bindings(), 1);
  });
});

t.test('a finished pod holds nothing', async (t) => {
  const finished = {
    ...pod('job', { requests: { cpu: '4' }, spec: { nodeName: 'a' } }),
    status: { phase: 'Succeeded' },
  };
  await run([node('a'), finished, pod('p', { requests: { cpu: '4' } })], async ({ nodeOf }) => {
    await until(async () => (await nodeOf('p')) === 'a');
    t.pass();
  });
});

t.test('a pod of higher priority gets the room of one of lower, and is told where', async (t) => {
  const low = pod('low', { requests: { cpu: '4' }, spec: { priority: 1, nodeName: 'a' } });
  const high = pod('high', { requests: { cpu: '4' }, spec: { priority: 10 } });
  await run([node('a'), low, high], async ({ client, clock, nodeOf, events }) => {
    await until(async () => (await client.list(kinds.pod)).items.every(({ metadata }) => metadata.name !== 'low'));
    const nominated = async () =>
      (await client.get(kinds.pod, { namespace: 'default', name: 'high' })).status?.nominatedNodeName;
    await until(async () => (await nominated()) === 'a');
    t.ok((await events()).includes('Normal Preempted Preempted by pod uid-high on node a'));
    await settle();
    await clock.advance(2000);
    await until(async () => (await nodeOf('high')) === 'a');
    t.match(
      client.requests.filter(({ name }) => name === 'low').map(({ verb }) => verb),
      ['patch', 'delete'],
      'first why, then the end',
    );
  });
});
