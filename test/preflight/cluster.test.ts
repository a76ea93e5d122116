// The checks that need the cluster: each provoked by a change of a sound one, and the facts as join has them gathered.

import t from 'tap';
import { createFakeHost } from '../../src/host/index.ts';
import { type ClusterFacts, clusterChecks, gatherClusterFacts, judge } from '../../src/preflight/index.ts';
import { joining } from './sound.ts';

const other = (name: string, machineID: string, ready = 'True', address = '192.0.2.99') => ({
  metadata: { name },
  status: {
    addresses: [{ type: 'InternalIP', address }],
    conditions: [{ type: 'Ready', status: ready }],
    nodeInfo: { machineID } as never,
  },
});

const provoked: readonly {
  readonly id: string;
  readonly given: Partial<ClusterFacts>;
  readonly says: RegExp;
  readonly fix: RegExp;
  readonly severity: 'error' | 'warning';
}[] = [
  {
    id: 'ClockSkew',
    given: { clockSkew: 95_400 },
    says: /clock is 95 s behind the API server's/,
    fix: /timedatectl/,
    severity: 'warning',
  },
  { id: 'ClockSkew', given: { clockSkew: -40_000 }, says: /40 s ahead of/, fix: /date -u/, severity: 'warning' },
  {
    id: 'DuplicateMachineID',
    given: { nodes: [other('clone', 'aaaa')] },
    says: /node clone of the cluster has this machine's id aaaa/,
    fix: /systemd-machine-id-setup/,
    severity: 'error',
  },
  {
    id: 'DuplicateHostname',
    given: { nodes: [other('n1', 'cccc')] },
    says: /a node n1 already, which is another machine \(192\.0\.2\.99\)/,
    fix: /--node-name.*kubectl delete node n1/,
    severity: 'error',
  },
  {
    id: 'DuplicateHostname',
    given: { nodes: [other('n1', 'aaaa')] }, // a clone
    says: /another machine \(192\.0\.2\.99\)/,
    fix: /--node-name/,
    severity: 'error',
  },
  {
    id: 'DuplicateHostname',
    given: { nodes: [other('n1', 'cccc', 'Unknown')] },
    says: /another machine/,
    fix: /kubectl delete node n1/,
    severity: 'warning',
  },
  {
    id: 'KubeletVersion',
    given: { serverVersion: 'v1.34.2' },
    says: /API server is v1\.34\.2, this agent of release 1\.35/,
    fix: /upgrade the older/,
    severity: 'warning',
  },
  { id: 'KubeletVersion', given: { serverVersion: 'v1.39.0' }, says: /v1\.39\.0/, fix: /upgrade/, severity: 'warning' },
  {
    id: 'CIDROverlap',
    given: { routes: [{ range: '10.244.9.0/24', device: 'tun0' }] },
    says: /pod range 10\.244\.0\.0\/16 overlaps 10\.244\.9\.0\/24.*tun0/,
    fix: /another --pod-network-cidr/,
    severity: 'error',
  },
  {
    id: 'OverlayUDP',
    given: { overlayAnswer: { node: 'master', address: '192.0.2.10', came: false } },
    says: /no answer from node master \(192\.0\.2\.10\) through the overlay, UDP 8472/,
    fix: /open UDP port 8472/,
    severity: 'warning',
  },
];

t.test('a sound machine may join', async (t) => {
  t.strictSame(judge(joining, [], clusterChecks), []);
});

t.test('every check has a case that provokes it', async (t) => {
  const provokedIds = new Set(provoked.map(({ id }) => id));
  t.strictSame(
    clusterChecks.map(({ id }) => id).filter((id) => !provokedIds.has(id)),
    [],
  );
});

for (const { id, given, says, fix, severity } of provoked) {
  t.test(`${id}: ${says}`, async (t) => {
    t.match(judge({ ...joining, ...given }, [], clusterChecks), [{ id, message: says, fix, severity }]);
  });
}

t.test('what is not known is not held against anybody', async (t) => {
  const unknown = { clockSkew: undefined, serverVersion: undefined, nodes: undefined, overlayAnswer: undefined };
  t.strictSame(judge({ ...joining, ...unknown }, [], clusterChecks), []);
});

t.test('a machine that joins again is not its own double', async (t) => {
  for (const same of [other('n1', 'aaaa', 'True', '192.0.2.11'), other('n1', 'aaaa', 'False', '192.0.2.7')]) {
    t.strictSame(judge({ ...joining, nodes: [same] }, [], clusterChecks), []);
  }
  const registered = { metadata: { name: 'n1' } }; // it has not told its machine id yet
  t.strictSame(judge({ ...joining, nodes: [registered] }, [], clusterChecks), []);
});

t.test('a machine id that cannot be read is no double', async (t) => {
  t.strictSame(judge({ ...joining, machineId: '', nodes: [other('x', '')] }, [], clusterChecks), []);
});

t.test('without a master that has an overlay nobody is asked', async (t) => {
  const host = createFakeHost({ facts: { machineId: 'aaaa' }, onRun: () => ({ stdout: '[]' }) });
  const { overlayAnswer: _answer, role: _role, machineId: _id, routes: _routes, ...cluster } = joining;
  const facts = await gatherClusterFacts(host, cluster, AbortSignal.timeout(5000));
  t.match(facts, { role: 'worker', machineId: 'aaaa', routes: [], overlayAnswer: undefined });
});
