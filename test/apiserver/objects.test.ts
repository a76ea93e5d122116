// Create, read, update, patch and delete as clients see them: bodies, codes and the words of every refusal.

import t from 'tap';
import { at, configMap, configMaps, type Json, startTestServer } from './harness.ts';

const api = await startTestServer();
t.teardown(() => api.stop());

t.test('what was created is what is read, byte for byte', async (t) => {
  const created = await api.call('POST', configMaps, configMap('one', { app: 'x' }, { key: 'välue' }));
  t.equal(created.status, 201);
  t.match(created.body, { kind: 'ConfigMap', apiVersion: 'v1', data: { key: 'välue' } });
  t.match(at(created.body, 'metadata.uid'), /^[0-9a-f-]{36}$/);
  t.match(at(created.body, 'metadata.creationTimestamp'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  t.match(at(created.body, 'metadata.resourceVersion'), /^\d+$/);
  t.equal(at(created.body, 'metadata.namespace'), 'default');
  const read = await api.call('GET', `${configMaps}/one`);
  t.equal(read.text, created.text);
  const listed = await api.call('GET', `${configMaps}?fieldSelector=metadata.name%3Done`);
  t.same(at(listed.body, 'items'), [created.body]);
  t.match(listed.body, { kind: 'ConfigMapList', apiVersion: 'v1' });
});

t.test('refusals', async (t) => {
  await api.call('POST', configMaps, configMap('taken'));
  const cases = [
    {
      name: 'a name that is taken',
      send: ['POST', configMaps, configMap('taken')],
      want: {
        code: 409,
        reason: 'AlreadyExists',
        message: 'configmaps "taken" already exists',
        details: { name: 'taken', kind: 'configmaps' },
      },
    },
    {
      name: 'a name that is not there',
      send: ['GET', '/apis/apps/v1/namespaces/default/deployments/gone'],
      want: {
        code: 404,
        reason: 'NotFound',
        message: 'deployments.apps "gone" not found',
        details: { name: 'gone', group: 'apps', kind: 'deployments' },
      },
    },
    {
      name: 'a resource that is not served',
      send: ['GET', '/apis/apps/v1/namespaces/default/gadgets'],
      want: { code: 404, reason: 'NotFound', message: 'the server could not find the requested resource' },
    },
    {
      name: 'another namespace in the body than in the path',
      send: ['POST', configMaps, { ...configMap('x'), metadata: { name: 'x', namespace: 'other' } }],
      want: {
        code: 400,
        reason: 'BadRequest',
        message: 'the namespace of the provided object does not match the namespace sent on the request',
      },
    },
    {
      name: 'another name in the body than in the path',
      send: ['PUT', `${configMaps}/taken`, configMap('other')],
      want: {
        code: 400,
        message: 'the name of the object (other) does not match the name on the URL (taken)',
      },
    },
    {
      name: 'no name at all',
      send: ['POST', configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} }],
      want: {
        code: 422,
        reason: 'Invalid',
        message: 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
      },
    },
    { name: 'a body that is no JSON', send: ['POST', configMaps, '{"kind":'], want: { code: 400 } },
    {
      name: 'a collection as the place of an object',
      send: ['PUT', configMaps, configMap('x')],
      want: { code: 405, reason: 'MethodNotAllowed' },
    },
    {
      name: 'a selector that can not be understood',
      send: ['GET', `${configMaps}?labelSelector=a%20b%20c`],
      want: { code: 400, reason: 'BadRequest' },
    },
    {
      name: 'a field that can not be selected by',
      send: ['GET', `${configMaps}?fieldSelector=data.x%3D1`],
      want: {
        code: 400,
        message: '"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
      },
    },
  ] as const;
  for (const { name, send, want } of cases) {
    const [method, path, body] = send;
    const answer = await api.call(method, path, body);
    t.equal(answer.status, want.code, name);
    t.match(answer.body, { kind: 'Status', apiVersion: 'v1', status: 'Failure', ...want }, name);
  }
});

t.test('generated names differ and keep their base', async (t) => {
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'gen-' } };
  const names = await Promise.all(
    [1, 2, 3].map(async () => at((await api.call('POST', configMaps, body)).body, 'metadata.name')),
  );
  t.equal(new Set(names).size, 3);
  for (const name of names) t.match(name, /^gen-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
});

t.test('a dry run answers as if, and writes nothing', async (t) => {
  const before = api.store.revision;
  const created = await api.call('POST', `${configMaps}?dryRun=All`, configMap('dry'));
  t.equal(created.status, 201);
  t.equal(at(created.body, 'metadata.resourceVersion'), undefined);
  t.equal((await api.call('GET', `${configMaps}/dry`)).status, 404);
  t.equal((await api.call('POST', `${configMaps}?dryRun=All`, configMap('taken'))).status, 409);
  t.equal((await api.call('DELETE', `${configMaps}/taken?dryRun=All`)).status, 200);
  t.equal((await api.call('GET', `${configMaps}/taken`)).status, 200);
  t.equal(api.store.revision, before);
  t.match((await api.call('POST', `${configMaps}?dryRun=Some`, configMap('dry'))).body, { code: 422 });
});

t.test('an update needs the newest version when it names one', async (t) => {
  const first = (await api.call('POST', configMaps, configMap('put', {}, { n: '1' }))).body;
  const second = await api.call('PUT', `${configMaps}/put`, { ...first, data: { n: '2' } });
  t.equal(second.status, 200);
  t.equal(at(second.body, 'metadata.uid'), at(first, 'metadata.uid'));
  const stale = await api.call('PUT', `${configMaps}/put`, { ...first, data: { n: '3' } });
  t.equal(stale.status, 409);
  t.match(stale.body, {
    reason: 'Conflict',
    message:
      'Operation cannot be fulfilled on configmaps "put": the object has been modified; please apply your changes to the latest version and try again',
  });
  const unconditional = await api.call('PUT', `${configMaps}/put`, configMap('put', {}, { n: '4' }));
  t.match(unconditional.body, { data: { n: '4' } });
  t.equal((await api.call('PUT', `${configMaps}/absent`, configMap('absent'))).status, 404);
});

t.test('an update that changes nothing is no new revision', async (t) => {
  const first = (await api.call('POST', configMaps, configMap('same', { a: 'b' }))).body;
  const again = await api.call('PUT', `${configMaps}/same`, first);
  t.equal(at(again.body, 'metadata.resourceVersion'), at(first, 'metadata.resourceVersion'));
  const patched = await api.patch(`${configMaps}/same`, { metadata: { labels: { a: 'b' } } });
  t.equal(at(patched.body, 'metadata.resourceVersion'), at(first, 'metadata.resourceVersion'));
});

t.test('patches of one object at the same time all count', async (t) => {
  await api.call('POST', configMaps, configMap('patched'));
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) => api.patch(`${configMaps}/patched`, { data: { [`k${n}`]: 'v' } })),
  );
  t.ok(answers.every(({ status }) => status === 200));
  const { body } = await api.call('GET', `${configMaps}/patched`);
  t.equal(Object.keys(at(body, 'data') as object).length, 20);
  const json = await api.patch(`${configMaps}/patched`, [{ op: 'remove', path: '/data/k0' }], 'json');
  t.equal(at(json.body, 'data.k0'), undefined);
  t.equal(
    (await api.patch(`${configMaps}/patched`, [{ op: 'test', path: '/data/k1', value: 'no' }], 'json')).status,
    422,
  );
  t.equal((await api.call('PATCH', `${configMaps}/patched`, {}, { 'content-type': 'text/plain' })).status, 415);
  t.equal((await api.patch(`${configMaps}/absent`, {})).status, 404);
});

t.test('a patch that leaves no object of the kind is refused with what it was', async (t) => {
  await api.call('POST', configMaps, configMap('misshapen'));
  for (const [body, type] of [
    [{ data: { a: 1 } }, 'merge'],
    [{ data: { a: 1 } }, 'strategic-merge'],
    [[{ op: 'add', path: '/data', value: { a: 1 } }], 'json'],
  ] as const) {
    const { status, body: answer } = await api.patch(`${configMaps}/misshapen`, body, type);
    t.equal(status, 422, type);
    t.match(answer, { reason: 'Invalid', details: { causes: [{ field: 'patch', reason: 'FieldValueInvalid' }] } });
    t.match(answer['message'], /patch: Invalid value: .*cannot unmarshal number into Go struct field ConfigMap.data.a/);
  }
});

t.test('options of a delete that are of the wrong type do not count as none', async (t) => {
  await api.call('POST', configMaps, configMap('kept'));
  for (const options of [
    { preconditions: 'x' },
    { preconditions: { uid: 5 } },
    { dryRun: 'All' },
    { gracePeriodSeconds: 1.5 },
    { orphanDependents: 'x' },
    { propagationPolicy: 5 },
  ]) {
    const { status, body } = await api.call('DELETE', `${configMaps}/kept`, options);
    t.equal(status, 400, JSON.stringify(options));
    t.match(body['message'], /cannot be handled as a DeleteOptions: json: cannot unmarshal/);
  }
  t.equal((await api.call('GET', `${configMaps}/kept`)).status, 200);
});

t.test('a delete tells what it deleted', async (t) => {
  const created = await api.call('POST', configMaps, configMap('bye'));
  const uid = at(created.body, 'metadata.uid');
  const wrong = await api.call('DELETE', `${configMaps}/bye`, { preconditions: { uid: 'another' } });
  t.match(wrong.body, { code: 409, reason: 'Conflict' });
  const deleted = await api.call('DELETE', `${configMaps}/bye`, { preconditions: { uid } });
  t.match(deleted.body, { kind: 'Status', status: 'Success', details: { name: 'bye', kind: 'configmaps', uid } });
  t.equal((await api.call('DELETE', `${configMaps}/bye`)).status, 404);
});

t.test('status belongs to its subresource, and spec to the object', async (t) => {
  const deployments = '/apis/apps/v1/namespaces/default/deployments';
  const labels = { app: 'web' };
  const created = await api.call('POST', deployments, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } },
    },
    status: { replicas: 9 },
  });
  t.equal(created.status, 201);
  t.equal(at(created.body, 'status.replicas'), undefined);
  t.equal(at(created.body, 'metadata.generation'), 1);
  const main = await api.patch(`${deployments}/web`, { spec: { replicas: 2 }, status: { replicas: 9 } });
  t.equal(at(main.body, 'status.replicas'), undefined);
  t.equal(at(main.body, 'metadata.generation'), 2);
  const status = await api.patch(`${deployments}/web/status`, { spec: { replicas: 7 }, status: { replicas: 2 } });
  t.equal(at(status.body, 'spec.replicas'), 2);
  t.equal(at(status.body, 'status.replicas'), 2);
  t.equal(at(status.body, 'metadata.generation'), 2);

  const scale = await api.call('GET', `${deployments}/web/scale`);
  t.match(scale.body, {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    spec: { replicas: 2 },
    status: { selector: 'app=web' },
  });
  const scaled = await api.call('PUT', `${deployments}/web/scale`, { ...scale.body, spec: { replicas: 5 } });
  t.match(scaled.body, { kind: 'Scale', spec: { replicas: 5 } });
  t.match((await api.patch(`${deployments}/web/scale`, { spec: { replicas: 6 } })).body, { spec: { replicas: 6 } });
  t.match((await api.call('PUT', `${deployments}/web/scale`, scale.body)).body, { code: 409 });
  t.match((await api.patch(`${deployments}/web/scale`, { spec: { replicas: -1 } })).body, { code: 422 });
  t.match((await api.call('GET', `${deployments}/web`)).body, { spec: { replicas: 6 }, metadata: { generation: 4 } });
  t.equal((await api.call('GET', `${deployments}/web/nothing`)).status, 404);
});

t.test('metadata of every kind is judged', async (t) => {
  const cases = [
    { given: { name: 'Upper' }, want: /metadata\.name: Invalid value: "Upper": a lowercase RFC 1123 subdomain/ },
    { given: { name: 'x', labels: { 'a b': 'c' } }, want: /metadata\.labels: Invalid value: "a b"/ },
    { given: { name: 'x', annotations: { '/x': 'c' } }, want: /metadata\.annotations: Invalid value: "\/x"/ },
    { given: { name: 'x', finalizers: ['?'] }, want: /metadata\.finalizers/ },
    {
      given: { name: 'x', ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: '', uid: 'u' }] },
      want: /metadata\.ownerReferences/,
    },
  ];
  for (const { given, want } of cases) {
    const answer = await api.call('POST', configMaps, { ...configMap('x'), metadata: given });
    t.match(answer.body, { code: 422, message: want }, JSON.stringify(given));
  }
  await api.call('POST', configMaps, configMap('judged'));
  const changed = await api.patch(`${configMaps}/judged`, { metadata: { labels: { ok: 'not ok' } } });
  t.match(changed.body, { code: 422, message: /metadata\.labels: Invalid value: "not ok"/ });
});

t.test('a namespace is labelled with the name that was generated for it', async (t) => {
  const { body } = await api.call('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { generateName: 'made-' },
  });
  t.match(at(body, 'metadata.name'), /^made-.{5}$/);
  t.equal((at(body, 'metadata.labels') as Json)['kubernetes.io/metadata.name'], at(body, 'metadata.name'));
});
