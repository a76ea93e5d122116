import t from 'tap';
import { kinds, type Node, type Pod, type Stored } from '../../src/api/index.ts';
import { formatCidr, overlaps, parseCidr } from '../../src/controllers/cidr.ts';
import type { Action } from '../../src/controllers/controller.ts';
import { reconcileNodeCidrs } from '../../src/controllers/node-ipam.ts';
import { reconcileNode } from '../../src/controllers/node-lifecycle.ts';
import { planTaints } from '../../src/controllers/node-taints.ts';
import { defaultControllerOptions as options } from '../../src/controllers/options.ts';
import { eventually, startCluster } from './cluster.ts';
import { ago, type NodeLike, node, now, pod } from './objects.ts';

const limits = { evictionInterval: 10_000, secondaryEvictionInterval: 100_000 };

function taintsOf(given: Stored<Node>, others: readonly Stored<Node>[]): readonly string[] {
  return planTaints(given, [given, ...others], limits, now).taints.map(
    ({ key, effect }) => `${key.split('/')[1] ?? key}:${effect}`,
  );
}

t.test('which taints a node has', async (t) => {
  const healthy = node({ name: 'n2' });
  const custom = { key: 'gpu', effect: 'NoSchedule' };
  const cases: readonly { name: string; given: NodeLike; others: readonly Stored<Node>[]; want: readonly string[] }[] =
    [
      { name: 'ready', given: {}, others: [healthy], want: [] },
      {
        name: 'not ready',
        given: { ready: 'False' },
        others: [healthy],
        want: ['not-ready:NoSchedule', 'not-ready:NoExecute'],
      },
      {
        name: 'unreachable',
        given: { ready: 'Unknown' },
        others: [healthy],
        want: ['unreachable:NoSchedule', 'unreachable:NoExecute'],
      },
      { name: 'cordoned', given: { unschedulable: true }, others: [], want: ['unschedulable:NoSchedule'] },
      {
        name: 'back again: its own taints go, those of others stay',
        given: { taints: [custom, { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }] },
        others: [],
        want: ['gpu:NoSchedule'],
      },
      {
        name: 'no node is ready: nobody is evicted',
        given: { ready: 'Unknown' },
        others: [],
        want: ['unreachable:NoSchedule'],
      },
      {
        name: 'most of a small zone is not ready: nobody more is evicted',
        given: { ready: 'Unknown' },
        others: [node({ name: 'n3', ready: 'Unknown' }), node({ name: 'n4', ready: 'Unknown' }), healthy],
        want: ['unreachable:NoSchedule'],
      },
      {
        name: 'one node at a time',
        given: { ready: 'Unknown' },
        others: [
          healthy,
          node({ name: 'n5' }),
          node({
            name: 'n3',
            ready: 'Unknown',
            taints: [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: ago(4) as never }],
          }),
        ],
        want: ['unreachable:NoSchedule'],
      },
    ];
  for (const { name, given, others, want } of cases) t.same(taintsOf(node(given), others), want, name);
});

function look(given: Stored<Node>, silentFor: number, pods: readonly Stored<Pod>[] = []): readonly Action[] {
  const nodes = [given, node({ name: 'n2' })];
  return reconcileNode({ node: given, nodes, pods, silentSince: now - silentFor, options, now });
}

t.test('a node that speaks is looked at again when its grace would be over', async (t) => {
  t.same(look(node(), 10_000), [{ do: 'later', ms: 30_001 }]);
});

t.test('a silent node becomes Unknown, its pods unready, and it is tainted at the next look', async (t) => {
  const ready = pod({ name: 'a', node: 'n1', ready: true });
  const actions = look(node(), 40_001, [ready, pod({ name: 'b', node: 'n1' })]);
  t.match(actions, [
    {
      do: 'patch',
      subresource: 'status',
      body: {
        status: {
          conditions: [
            { type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown', lastHeartbeatTime: ago(600) },
            { type: 'MemoryPressure', status: 'Unknown', reason: 'NodeStatusNeverUpdated' },
            { type: 'DiskPressure' },
            { type: 'PIDPressure' },
          ],
        },
      },
    },
    { do: 'event', reason: 'NodeNotReady', message: 'Node n1 status is now: NodeNotReady' },
    {
      do: 'batch',
      actions: [
        { at: { name: 'a' }, body: { status: { conditions: [{ type: 'Ready', status: 'False' }] } } },
        { do: 'event' },
      ],
    },
    { do: 'enqueue', keys: ['n1'] },
  ]);
});

t.test('what a pod reports after its node fell silent counts', async (t) => {
  const later = pod({ name: 'a', node: 'n1', ready: true, readySince: ago(5) });
  const actions = look(node({ ready: 'Unknown' }), 90_000, [later]);
  t.notOk(actions.some((action) => action.do === 'batch'));
});

t.test('node shares of the pod CIDR', async (t) => {
  const cases: readonly { name: string; nodes: readonly NodeLike[]; podCidr?: string; want: Record<string, string> }[] =
    [
      {
        name: 'in the order of creation',
        nodes: [
          { name: 'b', created: ago(5) },
          { name: 'a', created: ago(1) },
        ],
        want: { b: '10.244.0.0/24', a: '10.244.1.0/24' },
      },
      {
        name: 'what is there is honoured, gaps are used',
        nodes: [{ name: 'a', podCidr: '10.244.0.0/24' }, { name: 'b', podCidr: '10.244.2.0/24' }, { name: 'c' }],
        want: { c: '10.244.1.0/24' },
      },
      {
        name: 'a bigger foreign share blocks all it covers',
        nodes: [{ name: 'a', podCidr: '10.244.0.0/23' }, { name: 'c' }],
        want: { c: '10.244.2.0/24' },
      },
      {
        name: 'exhausted',
        podCidr: '10.244.0.0/24',
        nodes: [{ name: 'a', podCidr: '10.244.0.0/24' }, { name: 'c' }],
        want: { c: 'CIDRNotAvailable' },
      },
      {
        name: 'both families',
        podCidr: '10.244.0.0/16,fd00:10::/56',
        nodes: [{ name: 'c' }],
        want: { c: '10.244.0.0/24,fd00:10::/64' },
      },
    ];
  for (const { name, nodes, podCidr = '10.244.0.0/16', want } of cases) {
    const actions = reconcileNodeCidrs(nodes.map(node), { ...options, podCidr });
    const got = actions.map((action) => {
      if (action.do === 'event') return [action.about.metadata?.name, action.reason];
      if (action.do !== 'patch') return [action.do, ''];
      return [action.at.name, (action.body as { spec: { podCIDRs: string[] } }).spec.podCIDRs.join()];
    });
    t.same(Object.fromEntries(got), want, name);
  }
});

t.test('CIDR arithmetic', async (t) => {
  t.equal(formatCidr(parseCidr('10.244.3.7/24')), '10.244.3.0/24');
  t.ok(overlaps(parseCidr('10.0.0.0/8'), parseCidr('10.9.0.0/16')));
  t.notOk(overlaps(parseCidr('10.0.0.0/24'), parseCidr('10.0.1.0/24')));
  t.notOk(overlaps(parseCidr('10.0.0.0/8'), parseCidr('fd00::/8')));
  t.throws(() => parseCidr('10.244.0.0'), { code: 'BAD_CIDR' });
});

t.test('people are told when a node comes and when it goes', async (t) => {
  const { client, events } = await startCluster(t, {
    names: ['node-lifecycle-controller'],
    objects: [node({ name: 'n1' })],
  });
  const told = (reason: string) => events.filter((event) => event.about === 'n1' && event.reason === reason).length;
  await eventually(() => (told('RegisteredNode') === 1 ? true : undefined), 'RegisteredNode');
  await client.delete(kinds.node, { name: 'n1' });
  await eventually(() => (told('RemovingNode') === 1 ? true : undefined), 'RemovingNode');
  t.equal(told('RegisteredNode'), 1);
});
