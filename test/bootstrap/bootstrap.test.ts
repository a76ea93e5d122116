import t from 'tap';
import { type CertificateSigningRequest, type ConfigMap, kinds, type Node } from '../../src/api/index.ts';
import {
  ensureObject,
  waitForApi,
  waitForReady,
  whyNoCertificate,
  whyNodeNotReady,
} from '../../src/bootstrap/index.ts';
import { createCsr, createKeyPair } from '../../src/certs/index.ts';
import { ApiStatusError, createFakeClient } from '../../src/client/index.ts';
import type { ServiceStatus, Services } from '../../src/host/index.ts';

const signal = new AbortController().signal;
const map = (data: Record<string, string>): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'm', namespace: 'kube-system' },
  data,
});

t.test('an object is created, left alone when it is right, and changed when it is not', async (t) => {
  const client = createFakeClient();
  const verbs = (): string[] => client.requests.map(({ verb }) => verb);
  await ensureObject(client, kinds.configMap, map({ a: '1' }), signal);
  await ensureObject(client, kinds.configMap, map({ a: '1' }), signal);
  t.strictSame(verbs(), ['create', 'create', 'get']);
  await ensureObject(client, kinds.configMap, map({ a: '2' }), signal);
  t.strictSame((await client.get(kinds.configMap, { namespace: 'kube-system', name: 'm' })).data, { a: '2' });
});

t.test('a write that collides with a controller is tried again, other errors are not', async (t) => {
  const client = createFakeClient([map({ a: '1' })]);
  client.failNext(({ verb }) => verb === 'update', new ApiStatusError(409, 'Conflict', 'changed meanwhile'));
  await ensureObject(client, kinds.configMap, map({ a: '2' }), signal);
  t.equal(client.requests.filter(({ verb }) => verb === 'update').length, 2);
  client.failNext(({ verb }) => verb === 'create', new ApiStatusError(403, 'Forbidden', 'no'));
  await t.rejects(ensureObject(client, kinds.configMap, map({ a: '3' }), signal), { message: 'no' });
});

function setup(status: ServiceStatus, objects: readonly Node[] = []) {
  const reports: string[] = [];
  const services = {
    kind: 'supervisor',
    status: async () => status,
    logs: async () => 'line 1\nline 2',
  } as unknown as Services;
  const client = createFakeClient(objects);
  const progress = { signal, report: (line: string) => void reports.push(line) };
  return { reports, client, options: { client, services, progress, service: 'k8ts-agent', node: 'n1', deadline: 100 } };
}

const node = (conditions: NonNullable<Node['status']>['conditions']): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n1' },
  status: { ...(conditions === undefined ? {} : { conditions }) },
});

t.test('a service that keeps ending stops the wait, with its log in the error', async (t) => {
  const { options } = setup({ state: 'failed', restarts: 3, reason: 'exit code 1' });
  await t.rejects(waitForReady({ ...options, deadline: 60_000 }), {
    code: 'NODE_NOT_READY',
    message: /ended 4 times \(exit code 1\)\nlast lines of k8ts-agent:\n {2}\| line 1\n {2}\| line 2/,
    hint: /\/var\/log\/k8ts\/k8ts-agent.log/,
  });
});

t.test('the reason is said while waiting, and again when time is up', async (t) => {
  const notReady = node([
    { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: 'cni config uninitialized' },
  ]);
  const { options, reports } = setup({ state: 'running', restarts: 0 }, [notReady]);
  await t.rejects(waitForReady(options), { message: /not after 0.1 s: KubeletNotReady: cni config uninitialized/ });
  t.equal(reports[0], 'KubeletNotReady: cni config uninitialized');
});

t.test('a ready node and a ready API server end the wait', async (t) => {
  const { options } = setup({ state: 'running', restarts: 0 }, [node([{ type: 'Ready', status: 'True' }])]);
  await t.resolves(waitForReady(options));
  await t.resolves(waitForApi(options));
});

t.test('what a node said before it left does not count', async (t) => {
  const readyAt = (time: string) => node([{ type: 'Ready', status: 'True', lastHeartbeatTime: time }]);
  const since = Date.parse('2030-01-01T00:00:05.700Z');
  const left = setup({ state: 'running', restarts: 0 }, [readyAt('2030-01-01T00:00:04Z')]);
  await t.rejects(waitForReady({ ...left.options, since }), { message: /the agent has not registered/ });
  const back = setup({ state: 'running', restarts: 0 }, [readyAt('2030-01-01T00:00:05Z')]);
  await t.resolves(waitForReady({ ...back.options, since }));
});

t.test('an API server that is not ready names the checks it waits for', async (t) => {
  const { options, reports } = setup({ state: 'starting', restarts: 0 });
  const raw = async () => ({ status: 500, body: Buffer.from('[+]ping ok\n[-]informer-sync failed\n') });
  await t.rejects(waitForApi({ ...options, client: { ...options.client, raw } }), { code: 'CONTROL_PLANE_NOT_READY' });
  t.match(reports, ['the API server waits for informer-sync']);
  const refused = async () => {
    throw Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  };
  await t.rejects(waitForApi({ ...options, client: { ...options.client, raw: refused } }), {
    message: /does not listen yet/,
  });
});

t.test('why a node is not ready', async (t) => {
  t.match(whyNodeNotReady({}), /not reported/);
  t.equal(whyNodeNotReady(node([{ type: 'Ready', status: 'True' }])), undefined);
});

t.test('why a node has no certificate', async (t) => {
  const { privateKeyPem } = await createKeyPair('ECDSA-P256');
  const subject = { commonName: 'system:node:n1', organizations: ['system:nodes'] };
  const request = Buffer.from(createCsr({ subject, keyPem: privateKeyPem })).toString('base64');
  const csr = (name: string, status: CertificateSigningRequest['status'], at = '2026-01-01T00:00:00Z') =>
    ({
      metadata: { name, creationTimestamp: at },
      spec: { request, signerName: 'kubernetes.io/kube-apiserver-client-kubelet', usages: [] },
      ...(status === undefined ? {} : { status }),
    }) satisfies CertificateSigningRequest;
  const approved = { type: 'Approved', status: 'True' };
  const cases = [
    { given: [], want: /nor asked for a certificate/ },
    { given: [csr('a', undefined)], want: /request a is not approved yet .*kubectl certificate approve a/ },
    { given: [csr('a', { conditions: [approved] })], want: /not signed yet/ },
    { given: [csr('a', { conditions: [{ type: 'Denied', status: 'True', message: 'no' }] })], want: /denied: no/ },
    { given: [csr('a', { conditions: [approved], certificate: 'x' })], want: /register the node/ },
    {
      given: [csr('old', { conditions: [approved], certificate: 'x' }), csr('new', undefined, '2026-02-01T00:00:00Z')],
      want: /new/,
    },
  ];
  for (const { given, want } of cases) t.match(whyNoCertificate(given, 'n1'), want);
  t.match(whyNoCertificate([csr('a', undefined)], 'n2'), /nor asked for a certificate/);
});
