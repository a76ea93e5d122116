// ComponentStatus: what the components say, asked each time, in every form of answer.

import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { answerOf, type ComponentCheck, checkOfStore, checkOnLoopback } from '../../src/apiserver/health/index.ts';
import { createMemoryStore } from '../../src/store/index.ts';
import { type Json, startTestServer } from './harness.ts';
import { kubectlFor } from './kubectl.ts';
import { createTestPki } from './pki.ts';
import { noKubectl } from './proxy/cluster.ts';

const path = '/api/v1/componentstatuses';
let ill: string | undefined;
const components: readonly ComponentCheck[] = [
  { name: 'controller-manager', whyNot: async () => undefined },
  { name: 'scheduler', whyNot: async () => ill },
];
const server = await startTestServer({ components });
t.teardown(() => server.stop());

const healthy = (status: string, message: string): Json => ({ conditions: [{ type: 'Healthy', status, message }] });

t.test('all of them, each asked anew', async (t) => {
  const named = (name: string): Json => ({ metadata: { name }, ...healthy('True', 'ok') });
  const { body, headers } = await server.call('GET', path);
  t.match(body, {
    kind: 'ComponentStatusList',
    apiVersion: 'v1',
    items: [named('controller-manager'), named('scheduler'), named('etcd-0')],
  });
  t.match(headers['warning'], /v1 ComponentStatus is deprecated in v1\.19\+/);
  ill = 'lost its mind';
  t.match((await server.call('GET', `${path}/scheduler`)).body, healthy('False', 'lost its mind'));
  ill = undefined;
  t.match((await server.call('GET', `${path}/scheduler`)).body, healthy('True', 'ok'));
});

t.test('by name, by selector, as a table, and nothing else', async (t) => {
  t.match((await server.call('GET', `${path}/nobody`)).body, { code: 404, reason: 'NotFound' });
  const one = await server.call('GET', `${path}?fieldSelector=metadata.name%3Detcd-0`);
  t.match(one.body, { items: [{ metadata: { name: 'etcd-0' } }] });
  t.strictSame((await server.call('GET', `${path}?labelSelector=a%3Db`)).body['items'], []);
  const table = await server.call('GET', path, undefined, { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' });
  t.match(table.body, {
    columnDefinitions: [{ name: 'Name' }, { name: 'Status' }, { name: 'Message' }, { name: 'Error' }],
    rows: [{ cells: ['controller-manager', 'Healthy', 'ok', ''] }, {}, {}],
  });
  for (const [method, below] of [
    ['GET', '?watch=true'],
    ['POST', ''],
    ['PUT', '/scheduler'],
    ['DELETE', '/scheduler'],
  ] as const) {
    t.equal((await server.call(method, path + below, method === 'GET' ? undefined : {})).status, 405, method);
  }
});

t.test('kubectl get cs', { skip: noKubectl }, async (t) => {
  const kubectl = await kubectlFor(server);
  t.teardown(() => kubectl.close());
  ill = 'gone fishing';
  const { out } = await kubectl.run(['get', 'cs']);
  t.match(
    out,
    /^NAME +STATUS +MESSAGE +ERROR\ncontroller-manager +Healthy +ok +\nscheduler +Unhealthy +gone fishing +\n/,
  );
});

t.test('a program of its own is asked for its /healthz', async (t) => {
  const pki = await createTestPki();
  let code = 200;
  const program = createServer(pki.server, (request, response) => {
    response.statusCode = request.url === '/healthz' ? code : 404;
    response.end(code === 200 ? 'ok' : 'informers are not synced');
  });
  await new Promise<void>((resolve) => program.listen(0, '127.0.0.1', resolve));
  const { port } = program.address() as AddressInfo;
  const check = checkOnLoopback('scheduler', port);
  t.equal(await answerOf(check), undefined);
  code = 500;
  t.equal(await answerOf(check), 'informers are not synced');
  await new Promise((resolve) => program.close(resolve));
  const refused = `Get "https://127.0.0.1:${port}/healthz": dial tcp 127.0.0.1:${port}: connect: connection refused`;
  t.equal(await answerOf(check), refused);
});

t.test('who rejects or never answers is not well', async (t) => {
  const deaf: ComponentCheck = { name: 'deaf', whyNot: () => new Promise(() => undefined) };
  t.equal(await answerOf(deaf, 10), 'deaf did not answer within 0.01 s');
  t.equal(await answerOf({ name: 'x', whyNot: () => Promise.reject(new Error('broken')) }), 'broken');
});

t.test('the datastore is asked itself', async (t) => {
  const store = await createMemoryStore();
  await store.write({ op: 'put', key: 'a', value: { bytes: Buffer.from('{}'), stampAt: -1 } });
  t.equal(await answerOf(checkOfStore(store, () => undefined)), undefined);
  t.equal(await answerOf(checkOfStore(store, () => 'the disk is full')), 'the disk is full');
  await store.compact(store.revision);
  t.equal(await answerOf(checkOfStore(store, () => undefined)), undefined, 'with nothing of the past left');
  const failing = { ...store, revision: 5, range: () => Promise.reject(new Error('disk I/O error')) };
  t.equal(await answerOf(checkOfStore(failing, () => undefined)), 'disk I/O error');
  await store.close();
});
