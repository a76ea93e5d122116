// Who makes room for a pod of higher priority.

import t from 'tap';
import type { Node, Pod, PodDisruptionBudget, Stored } from '../../src/api/index.ts';
import { createClusterState } from '../../src/scheduler/cluster-state.ts';
import { createNominations } from '../../src/scheduler/nominations.ts';
import { place } from '../../src/scheduler/place.ts';
import { podNeeds } from '../../src/scheduler/pod-needs.ts';
import { planPreemption } from '../../src/scheduler/preemption.ts';
import { node, type PodOptions, pod } from './objects.ts';

const of = (name: string, priority: number, cpu: string, more: PodOptions = {}): Stored<Pod> =>
  pod(name, { requests: { cpu }, ...more, spec: { priority, ...more.spec } });

type Running = readonly (readonly [Stored<Pod>, string])[];

function clusterOf(nodes: readonly Stored<Node>[], running: Running) {
  const cluster = createClusterState();
  for (const one of nodes) cluster.putNode(one);
  for (const [there, on] of running) cluster.placePod(podNeeds(there), on);
  return cluster;
}

function planned(
  wanting: Stored<Pod>,
  nodes: readonly Stored<Node>[],
  { running, budgets = [] }: { readonly running: Running; readonly budgets?: readonly PodDisruptionBudget[] },
): string {
  const cluster = clusterOf(nodes, running);
  const before = cluster.nodes.map(({ name, pods, used }) => [name, [...pods.keys()].sort(), used.milliCpu]);
  const plan = planPreemption(podNeeds(wanting), cluster, budgets);
  t.strictSame(
    cluster.nodes.map(({ name, pods, used }) => [name, [...pods.keys()].sort(), used.milliCpu]),
    before,
    'the cluster is as it was',
  );
  return plan === undefined
    ? 'none'
    : `${plan.node.name}: ${plan.victims.map((one) => one.pod.metadata.name).join(' ')}`;
}

const started = (one: Stored<Pod>, startTime: string): Stored<Pod> => ({ ...one, status: { startTime } });
const budget = (allowed: number): PodDisruptionBudget => ({
  metadata: { name: 'b', namespace: 'default' },
  spec: { selector: { matchLabels: { app: 'kept' } } },
  status: { disruptionsAllowed: allowed, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
});
const kept = { labels: { app: 'kept' } };

t.test('plans', async (t) => {
  const cases = [
    {
      name: 'only as many as it takes, the least important',
      wanting: of('p', 10, '2'),
      nodes: [node('a')],
      running: [
        [of('low', 1, '2'), 'a'],
        [of('mid', 5, '2'), 'a'],
      ],
      want: 'a: low',
    },
    {
      name: 'nobody of the same priority',
      wanting: of('p', 5, '2'),
      nodes: [node('a')],
      running: [[of('low', 5, '4'), 'a']],
      want: 'none',
    },
    {
      name: 'nobody when it does not help',
      wanting: of('p', 10, '5'),
      nodes: [node('a')],
      running: [[of('low', 1, '4'), 'a']],
      want: 'none',
    },
    {
      name: 'nobody on a node that it may not go to',
      wanting: of('p', 10, '2'),
      nodes: [node('a', { taints: [{ key: 'k', effect: 'NoSchedule' }] })],
      running: [[of('low', 1, '4'), 'a']],
      want: 'none',
    },
    {
      name: 'not with preemptionPolicy Never',
      wanting: of('p', 10, '2', { spec: { preemptionPolicy: 'Never' } }),
      nodes: [node('a')],
      running: [[of('low', 1, '4'), 'a']],
      want: 'none',
    },
    {
      name: 'the node with the least important victim',
      wanting: of('p', 10, '4'),
      nodes: [node('a'), node('b')],
      running: [
        [of('mid', 5, '4'), 'a'],
        [of('low', 1, '4'), 'b'],
      ],
      want: 'b: low',
    },
    {
      name: 'the node with fewer victims',
      wanting: of('p', 10, '4'),
      nodes: [node('a'), node('b')],
      running: [
        [of('a1', 1, '2'), 'a'],
        [of('a2', 1, '2'), 'a'],
        [of('b1', 1, '4'), 'b'],
      ],
      want: 'b: b1',
    },
    {
      name: 'the youngest',
      wanting: of('p', 10, '4'),
      nodes: [node('a'), node('b')],
      running: [
        [started(of('old', 1, '4'), '2026-01-01T00:00:00Z'), 'a'],
        [started(of('new', 1, '4'), '2026-01-02T00:00:00Z'), 'b'],
      ],
      want: 'b: new',
    },
    {
      name: 'who no budget keeps, even if more important',
      wanting: of('p', 10, '4'),
      nodes: [node('a'), node('b')],
      running: [
        [of('low', 1, '4', kept), 'a'],
        [of('mid', 5, '4'), 'b'],
      ],
      budgets: [budget(0)],
      want: 'b: mid',
    },
    {
      name: 'who a budget keeps, when there is no other way',
      wanting: of('p', 10, '4'),
      nodes: [node('a')],
      running: [[of('low', 1, '4', kept), 'a']],
      budgets: [budget(0)],
      want: 'a: low',
    },
    {
      name: 'for a host port',
      wanting: of('p', 10, '1', {
        spec: { containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80 }] }] },
      }),
      nodes: [node('a')],
      running: [
        [
          of('port', 1, '1', { spec: { containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80 }] }] } }),
          'a',
        ],
        [of('other', 1, '1'), 'a'],
      ],
      want: 'a: port',
    },
  ] as const satisfies readonly (Parameters<typeof planned>[2] & {
    readonly name: string;
    readonly wanting: Stored<Pod>;
    readonly nodes: readonly Stored<Node>[];
    readonly want: string;
  })[];
  for (const { name, wanting, nodes, want, ...cluster } of cases) t.equal(planned(wanting, nodes, cluster), want, name);
});

t.test('who waits for victims that are on their way out does not take more', async (t) => {
  const leaving = of('low', 1, '2');
  const gone = { ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
  const wanting: Stored<Pod> = { ...of('p', 10, '4'), status: { nominatedNodeName: 'a' } };
  t.equal(
    planned(wanting, [node('a')], {
      running: [
        [gone, 'a'],
        [of('mid', 5, '2'), 'a'],
      ],
    }),
    'none',
  );
});

t.test('promised room is kept from those who are not more important', async (t) => {
  const cluster = clusterOf([node('a')], []);
  const nominations = createNominations();
  nominations.set(podNeeds(of('p', 10, '4')), 'a');
  const placed = (one: Stored<Pod>): string | undefined =>
    nominations.respecting(podNeeds(one), cluster, () => place(podNeeds(one), cluster)).node?.name;
  t.equal(placed(of('low', 1, '1')), undefined);
  t.equal(placed(of('high', 11, '1')), 'a');
  t.equal(placed(of('p', 10, '4')), 'a', 'it is its own room');
  t.match(nominations.below(11, 'a'), [{ key: 'default/p' }]);
  nominations.delete('default/p');
  t.equal(placed(of('low', 1, '1')), 'a');
});
