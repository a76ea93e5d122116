import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createRecord, type PodRecord } from '../../src/agent/pods/record.ts';
import { createAccessControl } from '../../src/agent/server/access.ts';
import { createProbeRoute } from '../../src/agent/server/probe-route.ts';
import { createRoutes } from '../../src/agent/server/routes.ts';
import { startAgentServer } from '../../src/agent/server/server.ts';
import { silentLogger, systemClock } from '../../src/base/index.ts';
import { createCsr, createKeyPair } from '../../src/certs/index.ts';
import { createFakeClient } from '../../src/client/index.ts';
import { createFakeCri } from '../../src/cri/index.ts';
import { createFakeHost } from '../../src/host/index.ts';
import { exited, pod, running, runtime } from './builders.ts';
import { createTestCa } from './tls.ts';

const dir = mkdtempSync(join(tmpdir(), 'k8ts-server-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));
const time = (second: number): string => `2026-01-01T00:00:0${second}.000000000Z`;
const logFile = (name: string, lines: readonly string[]): string => {
  const path = join(dir, name);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
};

const ca = await createTestCa();
const { privateKeyPem } = await createKeyPair();
const csr = createCsr({
  keyPem: privateKeyPem,
  subject: { commonName: 'system:node:n1', organizations: ['system:nodes'] },
  altNames: ['localhost', '127.0.0.1'],
});
const serving = { cert: ca.sign(csr, 'server auth'), key: privateKeyPem };
const admin = await ca.client('admin', ['system:masters']);
const viewer = await ca.client('viewer', ['viewers']);
const stranger = await (await createTestCa()).client('admin', ['system:masters']);

const reviews: string[] = [];
const client = {
  ...createFakeClient(),
  async raw(_method: string, path: string, body?: unknown) {
    const { spec } = body as {
      spec: { token?: string; user?: string; resourceAttributes?: { verb: string; subresource: string } };
    };
    const { user, resourceAttributes: asked } = spec;
    reviews.push(asked === undefined ? 'token' : `${user} ${asked.verb} ${asked.subresource}`);
    const status = path.includes('tokenreviews')
      ? { authenticated: spec.token === 'good', user: { username: 'viewer', groups: ['viewers'] } }
      : { allowed: user === 'admin' || asked?.subresource === 'metrics' };
    return { status: 201, body: Buffer.from(JSON.stringify({ status })) };
  },
};

const record: PodRecord = createRecord(
  pod({
    containers: [
      { name: 'main', image: 'x' },
      { name: 'late', image: 'x' },
    ],
  }),
  { now: 0, inCluster: true, stale: false },
);
const lines = [
  `${time(1)} stdout F one`,
  `${time(2)} stderr F two`,
  `${time(3)} stdout P thr`,
  `${time(3)} stdout F ee`,
  `${time(4)} stdout F four`,
];
record.runtime = runtime([
  running('main', { restartCount: 1, logPath: logFile('1.log', lines) }),
  exited('main', 1, { logPath: logFile('0.log', [`${time(0)} stdout F before`]) }),
]);

const ipOutput = JSON.stringify([
  { ifname: 'eth0', mtu: 1500, addr_info: [{ local: '192.0.2.1' }] },
  { ifname: 'k8ts.1', mtu: 1400, linkinfo: { info_kind: 'vxlan', info_data: { id: 1 } } },
]);
const server = await startAgentServer({
  bindAddress: '127.0.0.1',
  port: 0,
  ca: ca.certPem,
  access: createAccessControl({ client, clock: systemClock, nodeName: 'n1' }),
  routes: createRoutes({
    cri: createFakeCri(),
    pods: {
      list: () => [record],
      find: (namespace, name) => (namespace === 'ns' && name === 'p' ? record : undefined),
    },
    stats: { cri: createFakeCri(), nodeName: 'n1', now: () => Date.now(), bootTime: 0 },
    metrics: () => 'up 1\n',
    probe: createProbeRoute(createFakeHost({ onRun: () => ({ stdout: ipOutput }) }), {
      ...{ nodeName: 'n1', nodeIp: '192.0.2.1', clusterDns: '127.0.0.1', clusterDomain: 'cluster.local' },
      ...{ dns: 'off', overlay: { vni: 1 } },
    }),
  }),
  logger: silentLogger,
});
server.useIdentity(serving);
t.teardown(() => server.close());

interface Asked {
  readonly identity?: { readonly cert: string; readonly key: string } | undefined;
  readonly token?: string;
  readonly method?: string;
}

async function ask(
  path: string,
  { identity = admin, token, method = 'GET' }: Asked = {},
): Promise<{ status: number; body: string }> {
  const auth = token === undefined ? identity : {};
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return await new Promise((resolve, reject) => {
    const request = https.request(
      { host: '127.0.0.1', port: server.port, path, method, ca: ca.certPem, headers, agent: false, ...auth },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      },
    );
    request.on('error', reject);
    request.end();
  });
}

t.test('who may ask what', async (t) => {
  const cases: readonly { readonly name: string; readonly path: string; readonly as: Asked; readonly want: object }[] =
    [
      { name: 'an administrator', path: '/healthz', as: {}, want: { status: 200, body: 'ok' } },
      { name: 'nobody', path: '/healthz', as: { token: '' }, want: { status: 401 } },
      { name: 'a certificate of another CA', path: '/healthz', as: { identity: stranger }, want: { status: 401 } },
      { name: 'a wrong token', path: '/metrics', as: { token: 'bad' }, want: { status: 401 } },
      { name: 'a token for metrics', path: '/metrics', as: { token: 'good' }, want: { status: 200, body: 'up 1\n' } },
      {
        name: 'a token for more',
        path: '/pods',
        as: { token: 'good' },
        want: { status: 403, body: /user=viewer, verb=get, resource=nodes, subresource\(s\)=\[pods\]/ },
      },
      {
        name: 'a certificate without rights',
        path: '/containerLogs/ns/p/main',
        as: { identity: viewer },
        want: { status: 403 },
      },
    ];
  for (const { name, path, as, want } of cases) t.match(await ask(path, as), want, name);
  const before = reviews.length;
  await ask('/metrics', { token: 'good' });
  t.equal(reviews.length, before, 'answers are kept for a while');
});

t.test('logs', async (t) => {
  const all = 'one\ntwo\nthree\nfour\n';
  const cases = [
    { query: '', want: all },
    { query: '?tailLines=1', want: 'four\n' },
    { query: '?tailLines=0', want: '' },
    { query: '?tailLines=100', want: all },
    { query: '?limitBytes=6', want: 'one\ntw' },
    { query: '?sinceTime=2026-01-01T00:00:03Z', want: 'three\nfour\n' },
    { query: '?stream=Stderr', want: 'two\n' },
    { query: '?previous=true', want: 'before\n' },
    { query: '?timestamps=true&tailLines=1', want: `${time(4)} four\n` },
  ];
  for (const { query, want } of cases) t.equal((await ask(`/containerLogs/ns/p/main${query}`)).body, want, query);
});

t.test('what is refused', async (t) => {
  const cases = [
    { name: 'no such pod', path: '/containerLogs/ns/no/main', want: { status: 404, body: /pod "no" not found/ } },
    {
      name: 'no such container',
      path: '/containerLogs/ns/p/no',
      want: { status: 404, body: /container "no" not found in pod "p"/ },
    },
    {
      name: 'a container that has not started',
      path: '/containerLogs/ns/p/late',
      want: { status: 400, body: /container "late" in pod "p" is waiting to start: ContainerCreating/ },
    },
    {
      name: 'no previous one',
      path: '/containerLogs/ns/p/late?previous=true',
      want: { status: 400, body: /previous terminated container "late"/ },
    },
    { name: 'no number', path: '/containerLogs/ns/p/main?tailLines=x', want: { status: 400, body: /tailLines/ } },
    { name: 'no time', path: '/containerLogs/ns/p/main?sinceTime=x', want: { status: 400, body: /sinceTime/ } },
    {
      name: 'exec without upgrade',
      path: '/exec/ns/p/main',
      method: 'POST',
      want: { status: 400, body: /Upgrade request required/ },
    },
    { name: 'another method', path: '/pods', method: 'DELETE', want: { status: 405 } },
    { name: 'another path', path: '/elsewhere', want: { status: 404 } },
  ];
  for (const { name, path, method = 'GET', want } of cases) t.match(await ask(path, { method }), want, name);
});

t.test('pods and statistics', async (t) => {
  t.match(JSON.parse((await ask('/pods')).body), { kind: 'PodList', items: [{ metadata: { name: 'p' } }] });
  t.match(JSON.parse((await ask('/stats/summary')).body), { node: { nodeName: 'n1', cpu: {}, memory: {} }, pods: [] });
  t.match((await ask('/metrics/resource')).body, /node_cpu_usage_seconds_total \d/);
});

t.test('a probe tells what the node sees, to whoever may use the node', async (t) => {
  const target = `127.0.0.1:${server.port}`;
  const { status, body } = await ask(`/k8ts/probe?target=${target}&target=127.0.0.1:1`);
  t.equal(status, 200, body);
  t.match(JSON.parse(body), {
    node: 'n1',
    reached: [
      { target, outcome: 'ok', certificateEnds: /^\d{4}-/ },
      { target: '127.0.0.1:1', outcome: 'refused' },
    ],
    underlay: { device: 'eth0', mtu: 1500 },
    overlay: { device: 'k8ts.1', mtu: 1400 },
    disks: [{ path: '/var/lib', freeBytes: Number, sizeBytes: Number }],
  });
  t.match(await ask('/k8ts/probe', { identity: viewer }), { status: 403, body: /subresource\(s\)=\[proxy\]/ });
  t.match(await ask('/k8ts/probe', { token: '' }), { status: 401 });
  for (const bad of ['target=example.org:80', 'target=127.0.0.1', 'target=127.0.0.1:99999']) {
    t.match(await ask(`/k8ts/probe?${bad}`), { status: 400, body: /it must be ADDRESS:PORT/ }, bad);
  }
  const many = Array.from({ length: 65 }, () => 'target=127.0.0.1:1').join('&');
  t.match(await ask(`/k8ts/probe?${many}`), { status: 400, body: /at most 64/ });
});

t.test('examinations queue up, and not without end', async (t) => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const host = createFakeHost({ onRun: () => released.then(() => ({ stdout: ipOutput })) });
  const setup = { nodeName: 'n1', nodeIp: '192.0.2.1', clusterDns: '127.0.0.1', clusterDomain: 'cluster.local' };
  const probe = createProbeRoute(host, { ...setup, dns: 'off', overlay: { vni: 1 } });
  const ask = () => probe(new URLSearchParams(), AbortSignal.timeout(10_000));
  const taken = Array.from({ length: 9 }, ask);
  await t.rejects(ask(), { status: 429, message: /ask again later/ });
  release();
  t.equal((await Promise.all(taken)).length, 9);
  t.match(await ask(), { node: 'n1' });
});
