import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { planImageCollection } from '../../src/agent/images/collect.ts';
import { credentials, withTag } from '../../src/agent/images/pull.ts';
import { readBootTime, readNodeFacts } from '../../src/agent/node/node-facts.ts';
import { keepNode } from '../../src/agent/node/node-keeper.ts';
import { nodeConditions } from '../../src/agent/node/node-object.ts';
import { kinds, type Lease, type Node } from '../../src/api/index.ts';
import { createFakeClock, silentLogger } from '../../src/base/index.ts';
import { createFakeClient, type FakeClient } from '../../src/client/index.ts';
import { createFakeCri, type Image } from '../../src/cri/index.ts';
import { createFakeHost } from '../../src/host/index.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'k8ts-node-'));
t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));

const well = [
  { type: 'RuntimeReady', status: true, reason: '', message: '' },
  { type: 'NetworkReady', status: true, reason: '', message: '' },
];
const noNetwork = {
  type: 'NetworkReady',
  status: false,
  reason: 'NetworkPluginNotReady',
  message: 'cni plugin not initialized',
};
const calm = { memory: false, disk: false, pid: false };

t.test('conditions', async (t) => {
  const of = (more: object) =>
    nodeConditions({ runtimeConditions: well, runtimeError: '', pressure: calm, ...more }, 1000);
  t.match(of({}), [
    { type: 'MemoryPressure', status: 'False', reason: 'KubeletHasSufficientMemory' },
    { type: 'DiskPressure', status: 'False', reason: 'KubeletHasNoDiskPressure' },
    { type: 'PIDPressure', status: 'False', reason: 'KubeletHasSufficientPID' },
    { type: 'Ready', status: 'True', reason: 'KubeletReady', lastTransitionTime: '1970-01-01T00:00:01Z' },
  ]);
  t.match(of({ runtimeConditions: [well[0], noNetwork] }).at(-1), {
    status: 'False',
    reason: 'KubeletNotReady',
    message:
      'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:cni plugin not initialized',
  });
  t.match(of({ runtimeConditions: undefined, runtimeError: 'no socket' }).at(-1), {
    status: 'False',
    message: 'container runtime is down: no socket',
  });
  t.match(of({ pressure: { memory: true, disk: true, pid: false } }), [
    { status: 'True' },
    { status: 'True' },
    { status: 'False' },
  ]);
  const later = nodeConditions({ runtimeConditions: well, runtimeError: '', pressure: calm }, 9000, [
    ...of({}),
    { type: 'NetworkUnavailable', status: 'False' },
  ]);
  t.match(later.at(-2), { lastHeartbeatTime: '1970-01-01T00:00:09Z', lastTransitionTime: '1970-01-01T00:00:01Z' });
  t.match(later.at(-1), { type: 'NetworkUnavailable' }, 'conditions of others are kept');
});

async function start(t: Test, client: FakeClient, cri = createFakeCri()) {
  const clock = createFakeClock(Date.UTC(2026, 0, 1));
  const stop = new AbortController();
  const events: string[] = [];
  const host = createFakeHost({
    files: {
      '/proc/sys/kernel/random/boot_id': 'boot\n',
    },
  });
  const options = {
    nodeName: 'n1',
    nodeIp: '192.0.2.7',
    caFile: '',
    certDir: '',
    dataDir,
    clusterDns: '',
    clusterDomain: '',
    dns: 'on' as const,
    overlay: { vni: 1 },
    bindAddress: '',
    port: 0,
    taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }],
    labels: { 'node-role.kubernetes.io/control-plane': '' },
    maxPods: 110,
  };
  const facts = await readNodeFacts({ host, cri, dataDir, version: 'v1.35.0+k8ts-test', signal: stop.signal });
  const keeping = keepNode({
    client,
    cri,
    host,
    clock,
    logger: silentLogger,
    events: { record: (_about, _type, reason) => void events.push(reason) },
    options,
    facts,
    port: 10250,
    signal: stop.signal,
  });
  t.teardown(async () => {
    stop.abort();
    await keeping;
  });
  const until = async (
    what: string,
    is: (node: Node | undefined, lease: Lease | undefined) => boolean,
  ): Promise<Node | undefined> => {
    for (let tries = 0; tries < 400; tries += 1) {
      const node = (await client.list(kinds.node)).items[0];
      if (is(node, (await client.list(kinds.lease)).items[0])) return node;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    t.fail(what);
    return undefined;
  };
  return { clock, cri, events, until };
}

const isReady = (node: Node | undefined): boolean =>
  node?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;

t.test('a node registers, renews its lease, and tells changes', async (t) => {
  const client = createFakeClient();
  const { clock, cri, events, until } = await start(t, client);
  const node = await until('ready', (one, lease) => isReady(one) && lease !== undefined);
  t.match(node, {
    metadata: {
      labels: {
        'kubernetes.io/hostname': 'n1',
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'node-role.kubernetes.io/control-plane': '',
      },
    },
    spec: { taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] },
    status: {
      addresses: [
        { type: 'InternalIP', address: '192.0.2.7' },
        { type: 'Hostname', address: 'n1' },
      ],
      capacity: { cpu: '2', memory: '4194304Ki', pods: '110' },
      allocatable: { memory: '4091904Ki' },
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
      nodeInfo: {
        kubeletVersion: 'v1.35.0+k8ts-test',
        osImage: 'Debian GNU/Linux 12',
        bootID: 'boot',
        containerRuntimeVersion: 'fake://1.0.0',
      },
    },
  });
  t.match((await client.list(kinds.lease)).items, [
    {
      metadata: { name: 'n1', namespace: 'kube-node-lease', ownerReferences: [{ kind: 'Node', name: 'n1' }] },
      spec: { holderIdentity: 'n1', leaseDurationSeconds: 40 },
    },
  ]);
  const statusPatches = (): number => client.requests.filter(({ resource }) => resource === 'nodes/status').length;
  const told = statusPatches();
  await clock.advance(10_000);
  await until('lease renewed', (_node, lease) => lease?.spec?.renewTime === '2026-01-01T00:00:10.000000Z');
  t.equal(statusPatches(), told, 'nothing changed, nothing is told');

  cri.setConditions([well[0] ?? noNetwork, noNetwork]);
  await clock.advance(10_000);
  await until('not ready', (one) => !isReady(one));
  cri.setConditions(well);
  await clock.advance(500);
  await until('ready again soon', isReady);
  t.match(events, [
    'Starting',
    'KubeletHasSufficientMemory',
    'KubeletHasNoDiskPressure',
    'KubeletHasSufficientPID',
    'NodeReady',
    'NodeNotReady',
    'NodeReady',
  ]);
});

t.test('a node that is there already gets its labels, and one that was deleted registers again', async (t) => {
  const client = createFakeClient([
    { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', labels: { keep: 'me' } } },
  ]);
  const { clock, until } = await start(t, client);
  const node = await until('ready', isReady);
  t.match(node?.metadata?.labels, { keep: 'me', 'kubernetes.io/hostname': 'n1' });
  await client.delete(kinds.node, { name: 'n1' });
  await clock.advance(300_000);
  await until('registered again', (one) => one !== undefined);
});

t.test('images: tags, pull secrets, collection', async (t) => {
  t.equal(withTag('nginx'), 'nginx:latest');
  t.equal(withTag('host:5000/nginx'), 'host:5000/nginx:latest');
  t.equal(withTag('nginx@sha256:1'), 'nginx@sha256:1');
  const config = {
    auths: {
      'https://index.docker.io/v1/': { auth: Buffer.from('u:p:q').toString('base64') },
      'reg.io/team': { username: 'a', password: 'b' },
      'reg.io': { username: 'c', password: 'd' },
    },
  };
  const secret = { data: { '.dockerconfigjson': Buffer.from(JSON.stringify(config)).toString('base64') } };
  t.match(credentials('nginx:1', [secret]), [{ username: 'u', password: 'p:q' }]);
  t.match(credentials('reg.io/team/x:1', [secret]), [{ username: 'a' }, { username: 'c' }]);
  t.same(credentials('other.io/x', [secret]), []);

  const image = (id: string, size: number, more: Partial<Image> = {}): Image => ({
    id,
    size,
    repoTags: [`${id}:1`],
    repoDigests: [],
    uid: undefined,
    username: '',
    pinned: false,
    ...more,
  });
  const images = [
    image('small', 5),
    image('big', 20),
    image('used', 30),
    image('pinned', 40, { pinned: true }),
    image('x', 50, { repoTags: ['registry.k8s.io/pause:3.9'] }),
  ];
  const container = {
    id: 'c',
    podSandboxId: 's',
    metadata: undefined,
    image: undefined,
    imageRef: 'used',
    state: 'running' as const,
    createdAt: 0,
    labels: {},
    annotations: {},
  };
  const plan = (usedBytes: number) => planImageCollection(images, [container], { sizeBytes: 100, usedBytes });
  t.same(plan(85), []);
  t.same(plan(90), ['big']);
  t.same(plan(101), ['big', 'small']);
});

t.test("the boot time is the machine's, not the agent's", async (t) => {
  const saying = (text: string | undefined) => ({
    readFileIfExists: async () => (text === undefined ? undefined : Buffer.from(text)),
  });
  t.equal(await readBootTime(saying('cpu 1 2 3\nbtime 1700000000\nprocesses 5\n')), 1_700_000_000_000);
  t.equal(await readBootTime(saying(undefined)), undefined);
});
