import t from 'tap';
import { kinds } from '../../src/api/index.ts';
import { type CertContext, ensureCertificates, ensureKubeconfigs } from '../../src/certs/index.ts';
import { type ApiClient, ApiStatusError, createFakeClient } from '../../src/client/index.ts';
import { apiRows, certificateRows, nodeRows, type StatusRow, serviceRows } from '../../src/commands/status-rows.ts';
import { createFakeHost, type ServiceStatus, type Services } from '../../src/host/index.ts';

const day = 86_400_000;
const { signal } = new AbortController();
const brief = (rows: readonly StatusRow[]): readonly string[] =>
  rows.map(
    ({ name, state, ready, reason }) =>
      `${ready ? '+' : '-'} ${name} ${state}${reason === undefined ? '' : `: ${reason}`}`,
  );

function servicesOf(states: Readonly<Record<string, ServiceStatus>>): Services {
  const refuse = async (): Promise<never> => Promise.reject(new Error('status changes nothing'));
  return {
    kind: 'supervisor',
    install: refuse,
    start: refuse,
    stop: refuse,
    restart: refuse,
    remove: refuse,
    status: async (name) => states[name] ?? { state: 'absent', restarts: 0 },
    logs: async () => '',
  };
}

t.test('services: of a master, of a worker, of neither, and one that does not stay up', async (t) => {
  const running: ServiceStatus = { state: 'running', restarts: 0, pid: 7 };
  const cases = [
    {
      name: 'master',
      given: { 'k8ts-server': running, 'k8ts-agent': running },
      want: ['+ k8ts-server running', '+ k8ts-agent running'],
    },
    { name: 'worker', given: { 'k8ts-agent': running }, want: ['+ k8ts-agent running'] },
    {
      name: 'neither',
      given: {},
      want: [
        '- k8ts-server absent: k8ts init or k8ts join sets this machine up',
        '- k8ts-agent absent: k8ts init or k8ts join sets this machine up',
      ],
    },
    {
      name: 'failing',
      given: { 'k8ts-agent': { state: 'failed', restarts: 3, reason: 'exit code 1, next try in 2 s' } as const },
      want: ['- k8ts-agent failed: exit code 1, next try in 2 s'],
    },
    {
      name: 'stopped',
      given: { 'k8ts-agent': { state: 'stopped', restarts: 0 } as const },
      want: ['- k8ts-agent stopped: it was stopped'],
    },
  ];
  for (const { name, given, want } of cases) t.same(brief(await serviceRows(servicesOf(given))), want, name);
});

t.test('API server: ready with its components, not ready, refusing, unreachable', async (t) => {
  const answering = (answers: Readonly<Record<string, readonly [number, string]>>): ApiClient => ({
    ...createFakeClient(),
    raw: async (_method, path) => {
      const [status, text] = answers[path] ?? [404, ''];
      return { status, body: Buffer.from(text) };
    },
  });
  const up = (value: number): string =>
    `k8ts_component_up{name="controllers-and-scheduler"} ${value}\nk8ts_component_restarts_total{name="controllers-and-scheduler"} 2\n`;
  const cases = [
    {
      name: 'ready',
      given: answering({ '/readyz?verbose': [200, '[+]datastore ok\n'], '/metrics': [200, up(1)] }),
      want: ['+ API server ready', '+ controllers-and-scheduler running'],
    },
    {
      name: 'controllers that are being started',
      given: answering({ '/readyz?verbose': [200, ''], '/metrics': [200, up(0)] }),
      want: [
        '+ API server ready',
        '- controllers-and-scheduler starting: starting; if this stays so, the log of k8ts-server says why',
      ],
    },
    { name: 'of another make', given: answering({ '/readyz?verbose': [200, ''] }), want: ['+ API server ready'] },
    {
      name: 'not ready',
      given: answering({
        '/readyz?verbose': [500, '[+]watch-cache ok\n[-]datastore failed: disk full\nreadyz check failed'],
      }),
      want: ['- API server not ready: datastore: disk full'],
    },
    {
      name: 'refusing',
      given: answering({ '/readyz?verbose': [401, ''] }),
      want: ['- API server refusing: HTTP 401: the kubeconfig is not accepted'],
    },
    {
      name: 'down',
      given: { ...createFakeClient(), raw: () => Promise.reject(new Error('connect ECONNREFUSED 192.0.2.10:6443')) },
      want: ['- API server unreachable: connect ECONNREFUSED 192.0.2.10:6443'],
    },
  ];
  for (const { name, given, want } of cases) t.same(brief(await apiRows(given, signal)), want, name);
});

t.test('nodes: each with its reason; only the own one for whom others are forbidden', async (t) => {
  const condition = (type: string, status: string, reason = '', message = '') => ({ type, status, reason, message });
  const client = createFakeClient();
  const node = (name: string, conditions: readonly object[], spec = {}) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    spec,
    status: { conditions, addresses: [{ type: 'InternalIP', address: '192.0.2.7' }] },
  });
  await client.create(kinds.node, node('a', [condition('Ready', 'True')]) as never);
  await client.create(
    kinds.node,
    node('b', [condition('Ready', 'False', 'KubeletNotReady', 'no network')], { unschedulable: true }) as never,
  );
  await client.create(
    kinds.node,
    node('c', [condition('Ready', 'True'), condition('DiskPressure', 'True', '', 'full')]) as never,
  );
  const rows = await nodeRows(client, undefined, signal);
  t.same(brief(rows), [
    '+ a Ready',
    '- b NotReady,SchedulingDisabled: KubeletNotReady: no network',
    '+ c Ready: DiskPressure: full',
  ]);
  t.equal(rows[0]?.detail, '192.0.2.7');
  const modest: ApiClient = { ...client, list: () => Promise.reject(new ApiStatusError(403, 'Forbidden', 'not you')) };
  t.match(brief(await nodeRows(modest, undefined, signal)), [/^- nodes Unknown/]);
  t.same(brief(await nodeRows(modest, 'a', signal)), ['+ a Ready']);
  t.match(brief(await nodeRows(modest, 'gone', signal)), [/^- gone Unknown/]);
});

t.test('certificates: valid, expiring, expired, of the future, missing, unusable', async (t) => {
  const host = createFakeHost();
  const [certDir, kubeconfigDir] = ['/etc/kubernetes/pki', '/etc/kubernetes'];
  const context: CertContext = {
    nodeName: 'n1',
    advertiseAddress: '192.0.2.10',
    controlPlaneEndpoint: '192.0.2.10:6443',
    serviceCidr: '10.96.0.0/12',
    clusterDomain: 'cluster.local',
  };
  await ensureCertificates(host, { context, certDir });
  await ensureKubeconfigs(host, { context, certDir, kubeconfigDir });
  const now = Date.now();
  const names = (rows: readonly StatusRow[], want: (row: StatusRow) => boolean) =>
    rows.filter(want).map(({ name }) => name);
  const all = await certificateRows(host, now);
  t.ok(all.every(({ state, ready }) => state === 'valid' && ready));
  t.equal(all.length, 9);
  t.match(all.find(({ name }) => name === 'apiserver')?.detail, /^until 20\d\d-/);
  const soon = await certificateRows(host, now + 340 * day);
  t.match(
    brief(soon).find((line) => line.includes(' apiserver ')),
    /^\+ apiserver expiring: in 24d; it should have been/,
  );
  t.same(
    names(soon, ({ state }) => state === 'valid'),
    ['ca', 'front-proxy-ca'],
  );
  const late = await certificateRows(host, now + 366 * day);
  t.match(
    brief(late).find((line) => line.includes(' admin.conf ')),
    /^- admin.conf expired: since 20/,
  );
  const early = await certificateRows(host, now - day);
  t.match(brief(early)[0], /^- ca not valid yet: from .*is the clock right\?/);
  const old = await certificateRows(host, now + 3600 * day);
  t.match(brief(old)[0], /^\+ ca expiring: in 49d; k8ts certs rotate-ca$/);

  await host.remove(`${kubeconfigDir}/super-admin.conf`);
  await host.remove(`${kubeconfigDir}/scheduler.conf`);
  await host.writeFile(
    `${certDir}/apiserver-kubelet-client.crt`,
    await host.readFile(`${certDir}/front-proxy-client.crt`),
  );
  const broken = brief(await certificateRows(host, now)).filter((line) => line.startsWith('-'));
  t.same(broken, [
    '- apiserver-kubelet-client unusable: the key is not the certificate’s; k8ts certs renew apiserver-kubelet-client',
    '- scheduler.conf missing: k8ts init makes what is missing',
  ]);

  const agentPki = '/var/lib/k8ts/agent/pki';
  const worker = createFakeHost({
    files: { [`${agentPki}/kubelet-client-current.pem`]: (await host.readFile(`${certDir}/apiserver.crt`)).toString() },
  });
  t.same(brief(await certificateRows(worker, now)), ['+ kubelet-client valid']);
});
