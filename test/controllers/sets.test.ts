// DaemonSets and StatefulSets in tables: where daemons go, which pods an update replaces, in which order replicas come and go.

import t from 'tap';
import {
  type DaemonSet,
  kinds,
  type Node,
  type Pod,
  type StatefulSet,
  type Stored,
  type Taint,
} from '../../src/api/index.ts';
import type { Action } from '../../src/controllers/controller.ts';
import { daemonPod, nodeOf, tolerant } from '../../src/controllers/daemonset-pod.ts';
import { rolloutOf } from '../../src/controllers/daemonset-update.ts';
import { fitOn } from '../../src/controllers/node-fit.ts';
import { expiredRevisions, planHistory, templateIn } from '../../src/controllers/revisions.ts';
import { planPods } from '../../src/controllers/statefulset-plan.ts';
import { node, now, pod } from './objects.ts';

const taint = (key: string, effect: string): Taint => ({ key, effect }) as Taint;
const labelled = (labels: Readonly<Record<string, string>>, taints: readonly Taint[] = []): Stored<Node> => {
  const made = node({ taints });
  return { ...made, metadata: { ...made.metadata, labels } };
};
const required = (...matchExpressions: readonly object[]): object => ({
  affinity: {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] } },
  },
});

const fits: readonly {
  readonly name: string;
  readonly spec: object;
  readonly on: Stored<Node>;
  readonly start: boolean;
  readonly stay?: boolean;
}[] = [
  { name: 'any node', spec: {}, on: node(), start: true },
  { name: 'nodeSelector', spec: { nodeSelector: { disk: 'ssd' } }, on: labelled({ disk: 'hdd' }), start: false },
  { name: 'nodeName', spec: { nodeName: 'n2' }, on: node(), start: false },
  {
    name: 'In',
    spec: required({ key: 'a', operator: 'In', values: ['1', '2'] }),
    on: labelled({ a: '2' }),
    start: true,
  },
  {
    name: 'NotIn, absent',
    spec: required({ key: 'a', operator: 'NotIn', values: ['1'] }),
    on: labelled({}),
    start: true,
  },
  { name: 'Exists', spec: required({ key: 'a', operator: 'Exists' }), on: labelled({}), start: false },
  { name: 'Gt', spec: required({ key: 'a', operator: 'Gt', values: ['9'] }), on: labelled({ a: '10' }), start: true },
  {
    name: 'Lt of a word',
    spec: required({ key: 'a', operator: 'Lt', values: ['9'] }),
    on: labelled({ a: 'x' }),
    start: false,
  },
  { name: 'an empty term', spec: required(), on: node(), start: false },
  {
    name: 'NoSchedule keeps newcomers away',
    spec: {},
    on: labelled({}, [taint('t', 'NoSchedule')]),
    start: false,
    stay: true,
  },
  { name: 'NoExecute sends away', spec: {}, on: labelled({}, [taint('t', 'NoExecute')]), start: false },
  {
    name: 'daemons bear sick nodes',
    spec: tolerant({ containers: [] }),
    on: labelled({}, [
      taint('node.kubernetes.io/not-ready', 'NoExecute'),
      taint('node.kubernetes.io/unschedulable', 'NoSchedule'),
    ]),
    start: true,
  },
];
for (const { name, spec, on, start, stay = start } of fits) {
  t.test(`fit: ${name}`, async (t) => {
    t.same(fitOn(on, spec as NonNullable<Pod['spec']>), { start, stay });
  });
}

const template = (image: string): NonNullable<DaemonSet['spec']>['template'] => ({
  metadata: { labels: { app: 'x' } },
  spec: { containers: [{ name: 'c', image }] },
});

function daemonSet(rollingUpdate: object = {}): Stored<DaemonSet> {
  return {
    metadata: { name: 'ds', namespace: 'default', uid: 'ds', resourceVersion: '1' },
    spec: {
      selector: { matchLabels: { app: 'x' } },
      template: template('1'),
      updateStrategy: { type: 'RollingUpdate', rollingUpdate },
    },
  } as unknown as Stored<DaemonSet>;
}

t.test('a daemon is pinned to its node, and is known by it before it is scheduled', async (t) => {
  t.equal(nodeOf(daemonPod(daemonSet(), 'n7', 'h')), 'n7');
  t.equal(nodeOf(pod({ node: 'n1' })), 'n1');
  t.equal(nodeOf(pod()), undefined);
});

const old = (ready = true): Stored<Pod> => pod({ name: 'old', labels: { 'controller-revision-hash': 'a' }, ready });
const fresh = (ready = true): Stored<Pod> => pod({ name: 'new', labels: { 'controller-revision-hash': 'b' }, ready });

const rollouts: readonly {
  readonly name: string;
  readonly bounds: object;
  readonly nodes: readonly (readonly Stored<Pod>[])[];
  readonly remove?: number;
  readonly create?: readonly string[];
}[] = [
  { name: 'one by one', bounds: { maxUnavailable: 1 }, nodes: [[old()], [old()], [old()]], remove: 1 },
  {
    name: 'a percentage of the nodes',
    bounds: { maxUnavailable: '50%' },
    nodes: [[old()], [old()], [old()]],
    remove: 2,
  },
  {
    name: 'not while another is not available',
    bounds: { maxUnavailable: 1 },
    nodes: [[fresh(false)], [old()]],
    remove: 0,
  },
  { name: 'nor while one is missing', bounds: { maxUnavailable: 1 }, nodes: [[], [old()]], remove: 0 },
  {
    name: 'what does not work anyway goes at once',
    bounds: { maxUnavailable: 1 },
    nodes: [[old(false)], [old(false)], [old()]],
    remove: 2,
  },
  {
    name: 'surge: the new one comes first',
    bounds: { maxSurge: 1, maxUnavailable: 0 },
    nodes: [[old()], [old()]],
    create: ['n0'],
  },
  {
    name: 'surge: and the old one goes when it works',
    bounds: { maxSurge: 1, maxUnavailable: 0 },
    nodes: [[old(), fresh()], [old()]],
    remove: 1,
    create: ['n1'],
  },
  { name: 'surge: not before', bounds: { maxSurge: 1, maxUnavailable: 0 }, nodes: [[old(), fresh(false)], [old()]] },
];
for (const { name, bounds, nodes, remove = 0, create = [] } of rollouts) {
  t.test(`rollout: ${name}`, async (t) => {
    const rollout = rolloutOf({
      set: daemonSet(bounds),
      hash: 'b',
      nodes: nodes.map((pods, at) => ({ node: `n${at}`, pods })),
      now,
    });
    t.same([rollout.remove.length, rollout.createOn], [remove, create]);
  });
}

t.test('revisions: one for each template, renumbered when one comes back, dropped past the limit', async (t) => {
  const set = daemonSet();
  const first = planHistory(kinds.daemonSet, set, []);
  t.equal(first.isStored, false);
  t.match(first.actions, [{ do: 'create', object: { revision: 1 } }]);
  t.same(templateIn(first.current), set.spec?.template);
  const stored = (name: string, revision: number, image: string) =>
    ({
      metadata: { name, namespace: 'default', uid: name, resourceVersion: '1' },
      data: { spec: { template: { ...template(image), $patch: 'replace' } } },
      revision,
    }) as never;
  const back = planHistory(kinds.daemonSet, set, [stored('a', 1, '1'), stored('b', 2, '2')]);
  t.match(back.actions, [{ do: 'update', object: { metadata: { name: 'a' }, revision: 3 } }]);
  const limited = { ...set, spec: { ...set.spec, revisionHistoryLimit: 1 } } as Stored<DaemonSet>;
  const history = planHistory(kinds.daemonSet, limited, [
    stored('a', 4, '1'),
    stored('b', 2, '2'),
    stored('c', 3, '3'),
    stored('d', 1, '4'),
  ]);
  const expired = (inUse: readonly string[]) =>
    expiredRevisions(limited, history, new Set(inUse)).map((one) =>
      one.do === 'delete' ? one.object.metadata.name : '',
    );
  t.same(expired([]), ['d', 'b']);
  t.same(expired(['d']), ['b'], 'what a pod has is kept beyond the limit');
});

interface SetLike {
  readonly replicas?: number;
  readonly start?: number;
  readonly policy?: string;
  readonly update?: object;
}

function statefulSet({ replicas = 3, start = 0, policy = 'OrderedReady', update = {} }: SetLike): Stored<StatefulSet> {
  return {
    metadata: { name: 's', namespace: 'default', uid: 's', resourceVersion: '1' },
    spec: {
      serviceName: 's',
      replicas,
      ordinals: { start },
      podManagementPolicy: policy,
      selector: { matchLabels: { app: 'x' } },
      template: template('2'),
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 }, ...update },
    },
  } as unknown as Stored<StatefulSet>;
}

function replica(
  ordinal: number,
  like: { revision?: string; ready?: boolean; deleting?: boolean; phase?: string } = {},
): Stored<Pod> {
  const { revision = 'r2', ready = true, deleting = false, phase = 'Running' } = like;
  return pod({ name: `s-${ordinal}`, labels: { 'controller-revision-hash': revision }, ready, deleting, phase });
}

function steps(actions: readonly Action[]): readonly string[] {
  return actions.flatMap((one) => {
    if (one.do === 'create')
      return [`+${one.object.metadata?.name} ${one.object.metadata?.labels?.['controller-revision-hash']}`];
    return one.do === 'delete' ? [`-${one.object.metadata.name}`] : [];
  });
}

const plans: readonly {
  readonly name: string;
  readonly set: SetLike;
  readonly pods: readonly Stored<Pod>[];
  readonly want: readonly string[];
}[] = [
  { name: 'the first', set: {}, pods: [], want: ['+s-0 r2'] },
  { name: 'the next when the first is ready', set: {}, pods: [replica(0)], want: ['+s-1 r2'] },
  { name: 'not before', set: {}, pods: [replica(0, { ready: false })], want: [] },
  {
    name: 'all at once in parallel',
    set: { policy: 'Parallel' },
    pods: [replica(0, { ready: false })],
    want: ['+s-1 r2', '+s-2 r2'],
  },
  { name: 'numbers from a start', set: { start: 5 }, pods: [replica(5)], want: ['+s-6 r2'] },
  { name: 'a gap first', set: {}, pods: [replica(0), replica(2)], want: ['+s-1 r2'] },
  {
    name: 'a failed one is made again',
    set: {},
    pods: [replica(0, { phase: 'Failed', ready: false })],
    want: ['-s-0'],
  },
  { name: 'the highest goes first', set: { replicas: 1 }, pods: [replica(0), replica(1), replica(2)], want: ['-s-2'] },
  {
    name: 'one at a time',
    set: { replicas: 1 },
    pods: [replica(0), replica(1), replica(2, { deleting: true })],
    want: [],
  },
  {
    name: 'below the start too',
    set: { replicas: 1, start: 2 },
    pods: [replica(0), replica(1), replica(2)],
    want: ['-s-1'],
  },
  {
    name: 'nothing goes while a lower one is not ready',
    set: { replicas: 1 },
    pods: [replica(0, { ready: false }), replica(1)],
    want: [],
  },
  {
    name: 'all at once in parallel',
    set: { replicas: 1, policy: 'Parallel' },
    pods: [replica(0), replica(1), replica(2)],
    want: ['-s-2', '-s-1'],
  },
  {
    name: 'an update from the top',
    set: {},
    pods: [replica(0, { revision: 'r1' }), replica(1, { revision: 'r1' }), replica(2, { revision: 'r1' })],
    want: ['-s-2'],
  },
  {
    name: 'down to the partition',
    set: { update: { rollingUpdate: { partition: 2 } } },
    pods: [replica(0, { revision: 'r1' }), replica(1, { revision: 'r1' }), replica(2)],
    want: [],
  },
  {
    name: 'below the partition the old template comes back',
    set: { update: { rollingUpdate: { partition: 2 } } },
    pods: [replica(0, { revision: 'r1' })],
    want: ['+s-1 r1'],
  },
  {
    name: 'several at a time',
    set: { update: { rollingUpdate: { partition: 0, maxUnavailable: 2 } } },
    pods: [replica(0, { revision: 'r1' }), replica(1, { revision: 'r1' }), replica(2, { revision: 'r1' })],
    want: ['-s-2', '-s-1'],
  },
  {
    name: 'OnDelete leaves it to people',
    set: { update: { type: 'OnDelete' } },
    pods: [replica(0, { revision: 'r1' }), replica(1), replica(2)],
    want: [],
  },
];
for (const { name, set, pods, want } of plans) {
  t.test(`replicas: ${name}`, async (t) => {
    const current = { name: 'r1', template: template('1') };
    const next = { name: 'r2', template: template('2') };
    t.same(steps(planPods({ set: statefulSet(set), pods, current, next, claims: () => [], now })), want);
  });
}
