import t from 'tap';
import type { Node } from '../../src/api/index.ts';
import { type NodeRecord, planNode, recordAnnotation } from '../../src/up/node-record.ts';
import { type DesiredHost, describePlan, describeStrays, type ObservedHost, planUp } from '../../src/up/plan.ts';

const ca = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const otherCa = ca.replace('AAAA', 'BBBB');

const place = (name: string) => ({ address: `${name}.example`, port: 22, user: 'root' });
const host = (id: string, more: Partial<DesiredHost> = {}): DesiredHost => ({
  id,
  name: id,
  role: 'worker',
  node: { ssh: place(id), labels: {}, taints: undefined },
  ...more,
});
const master = host('m', { role: 'control-plane' });
const fresh: ObservedHost = {
  hostName: 'Debian',
  installed: undefined,
  available: 'v1',
  isMaster: false,
  nodeName: undefined,
  caPem: undefined,
};
const member = (nodeName: string): ObservedHost => ({ ...fresh, installed: 'v1', nodeName, caPem: ca });
const record = (name: string, more: Partial<NodeRecord> = {}): string =>
  JSON.stringify({ ssh: place(name), labels: [], taints: [], ...more });
const node = (name: string, more: { annotation?: string | null; ready?: string } = {}): Node => ({
  metadata: {
    name,
    ...(more.annotation === null ? {} : { annotations: { [recordAnnotation]: more.annotation ?? record(name) } }),
  },
  status: { conditions: [{ type: 'Ready', status: more.ready ?? 'True', message: 'no network' }] },
});
const cluster = (...nodes: Node[]) => ({ caPem: ca, nodes });
const masterSeen = { ...member('m'), isMaster: true };

const cases = [
  {
    name: 'two bare machines',
    desired: [host('a'), master],
    hosts: { m: fresh, a: fresh },
    want: [
      'm: install k8ts v1',
      'm: k8ts init (it is no control plane yet)',
      'm: set labels and taints of its node',
      'a: install k8ts v1',
      'a: k8ts join (it is no node yet)',
      'a: set labels and taints of its node',
    ],
  },
  {
    name: 'everything as it shall be',
    desired: [master, host('a')],
    hosts: { m: masterSeen, a: member('a') },
    cluster: cluster(node('m'), node('a')),
    want: [],
  },
  {
    name: 'an older version',
    desired: [master],
    hosts: { m: { ...masterSeen, installed: 'v0' } },
    cluster: cluster(node('m')),
    want: ['m: install k8ts v1 (has v0)', 'm: k8ts init (another version is installed)'],
  },
  {
    name: 'other settings of the cluster',
    desired: [
      host('m', { role: 'control-plane', node: { ssh: place('m'), labels: {}, taints: undefined, settings: 's2' } }),
    ],
    hosts: { m: masterSeen },
    cluster: cluster(node('m', { annotation: record('m', { settings: 's1' }) })),
    want: ['m: k8ts init (what the file says of the cluster has changed)', /m: .*labels/],
  },
  {
    name: 'a node that is not Ready',
    desired: [master, host('a')],
    hosts: { m: masterSeen, a: member('a') },
    cluster: cluster(node('m'), node('a', { ready: 'False' })),
    want: ['a: k8ts join (its node is not Ready: no network)'],
  },
  {
    name: 'a node that somebody deleted',
    desired: [master, host('a')],
    hosts: { m: masterSeen, a: member('a') },
    cluster: cluster(node('m')),
    want: ['a: k8ts join (the cluster does not have its node)', 'a: set labels and taints of its node'],
  },
  {
    name: 'a machine without a name in the file is called as it calls itself',
    desired: [master, host('192.0.2.2', { name: undefined })],
    hosts: { m: masterSeen, '192.0.2.2': { ...member('x'), nodeName: undefined, hostName: 'Node-X' } },
    cluster: cluster(node('m'), node('node-x')),
    want: ['192.0.2.2: k8ts join (it is no node yet)', /192.0.2.2: .*labels/],
  },
  {
    name: 'members of other clusters',
    desired: [master, host('a')],
    hosts: { m: masterSeen, a: { ...member('a'), caPem: otherCa } },
    cluster: cluster(node('m')),
    want: [/a: refused: it belongs to another cluster/],
  },
  {
    name: 'a CA that is being replaced: one certificate in common is enough',
    desired: [master, host('a')],
    hosts: { m: masterSeen, a: { ...member('a'), caPem: `${otherCa}${ca}` } },
    cluster: cluster(node('m'), node('a')),
    want: [],
  },
  {
    name: 'other roles and names than before',
    desired: [host('m', { role: 'worker' }), host('b', { role: 'control-plane' }), host('c', { name: 'new' })],
    hosts: { m: masterSeen, b: member('b'), c: member('old') },
    want: [/b: refused: .*worker/, /m: refused: .*control plane/, /c: refused: it is node old/],
  },
];
for (const { name, desired, hosts, want, ...rest } of cases) {
  t.test(`plan: ${name}`, async (t) => {
    const observed = { hosts: new Map<string, ObservedHost>(Object.entries(hosts)), cluster: rest.cluster };
    const lines = describePlan(planUp(desired, observed), { removes: true });
    t.equal(lines.length, want.length, lines.join('\n'));
    t.match(lines, want);
  });
}

t.test('plan: nodes that the file does not have', async (t) => {
  const nodes = [node('m'), node('gone'), node('by-hand', { annotation: null }), node('unseen')];
  const desired = [master, host('unseen', { name: undefined })];
  const plan = planUp(desired, { hosts: new Map([['m', masterSeen]]), cluster: cluster(...nodes) });
  t.strictSame(plan.removals, [{ nodeName: 'gone', ssh: place('gone') }]);
  t.match(describePlan(plan, { removes: true }), [/^gone: drain the node, reset root@gone.example, delete/]);
  t.strictSame(describePlan(plan, { removes: false }), []);
  t.match(describeStrays(plan, { removes: false }), [/^gone .*--prune/, /^by-hand .*left alone/]);
});

const wanted = { ssh: place('a'), labels: { disk: 'ssd' }, taints: undefined };
const noSchedule = { key: 'dedicated', value: 'db', effect: 'NoSchedule' } as const;
const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' } as const;
const controlPlane = { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' } as const;

t.test('a node gets labels and its record, and keeps what others gave it', async (t) => {
  const change = planNode(wanted, { metadata: { name: 'a', labels: { own: '1' } }, spec: { taints: [controlPlane] } });
  t.strictSame(change?.lines, ['label disk=ssd']);
  t.match(change?.patch, { metadata: { labels: { disk: 'ssd' } } });
  t.notMatch(change?.patch, { spec: {} }, 'taints that the file does not name stay');
  const annotations = { [recordAnnotation]: record('a', { labels: ['disk'] }) };
  t.equal(planNode(wanted, { metadata: { labels: { disk: 'ssd', own: '1' }, annotations } }), undefined);
});

t.test('labels that leave the file leave the node; those of others stay', async (t) => {
  const annotations = { [recordAnnotation]: record('a', { labels: ['disk', 'zone'] }) };
  const have = { metadata: { labels: { disk: 'hdd', zone: 'a', own: '1' }, annotations } };
  const change = planNode(wanted, have);
  t.strictSame(change?.lines, ['label disk=ssd', 'label zone removed']);
  t.match(change?.patch, { metadata: { labels: { disk: 'ssd', zone: null } } });
});

t.test('taints', async (t) => {
  const cases = [
    {
      name: 'set beside the cluster’s own',
      before: [],
      have: [notReady],
      want: [noSchedule],
      all: [notReady, noSchedule],
    },
    { name: 'an empty list frees a new control plane', have: [controlPlane, notReady], want: [], all: [notReady] },
    {
      name: 'another value',
      before: ['dedicated:NoSchedule'],
      have: [{ ...noSchedule, value: 'web' }],
      want: [noSchedule],
      all: [noSchedule],
    },
    {
      name: 'one that left the file',
      before: ['dedicated:NoSchedule'],
      have: [noSchedule, notReady],
      want: [],
      all: [notReady],
    },
    {
      name: 'the file names none any more',
      before: ['dedicated:NoSchedule'],
      have: [noSchedule],
      want: undefined,
      all: [],
    },
    { name: 'one that somebody else set', before: [], have: [noSchedule], want: [], all: undefined },
  ];
  for (const { name, before, have, want, all } of cases) {
    const annotations = before === undefined ? {} : { [recordAnnotation]: record('a', { taints: before }) };
    const change = planNode(
      { ...wanted, labels: {}, taints: want },
      { metadata: { annotations }, spec: { taints: [...have] } },
    );
    const patched = (change?.patch as { spec?: { taints: unknown } } | undefined)?.spec?.taints;
    t.strictSame(patched, all, name);
  }
});

t.test('a record that cannot be read counts as none', async (t) => {
  const change = planNode(wanted, { metadata: { labels: { disk: 'ssd' }, annotations: { [recordAnnotation]: '{' } } });
  t.strictSame(change?.lines, []);
});
