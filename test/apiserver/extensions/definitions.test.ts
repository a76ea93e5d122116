// CustomResourceDefinitions: from the definition to its resources, and back.

import t, { type Test } from 'tap';
import { createMemoryStore } from '../../../src/store/index.ts';
import { at, type Json, startTestServer, type TestServer } from '../harness.ts';
import {
  cronTab,
  cronTabDefinition,
  cronTabSchema,
  cronTabs,
  definitionsPath,
  establish,
  version,
} from './definitions.ts';

const name = 'crontabs.stable.example.com';
const table = { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' };

async function start(t: Test, options: Parameters<typeof startTestServer>[0] = {}): Promise<TestServer> {
  const server = await startTestServer(options);
  t.teardown(() => server.stop());
  return server;
}

const subresources = {
  status: {},
  scale: {
    specReplicasPath: '.spec.replicas',
    statusReplicasPath: '.status.replicas',
    labelSelectorPath: '.status.labelSelector',
  },
};

t.test('a definition is established and says which names it has', async (t) => {
  const server = await start(t);
  await establish(server, cronTabDefinition());
  const { body } = await server.call('GET', `${definitionsPath}/${name}`);
  t.match(body['status'], {
    acceptedNames: {
      plural: 'crontabs',
      singular: 'crontab',
      kind: 'CronTab',
      listKind: 'CronTabList',
      shortNames: ['ct'],
    },
    storedVersions: ['v1'],
    conditions: [
      { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts' },
      { type: 'Established', status: 'True', reason: 'InitialNamesAccepted' },
    ],
  });
  t.equal(at(body, 'spec.conversion.strategy'), 'None');
});

t.test('objects are created, read, changed, watched and deleted', async (t) => {
  const server = await start(t);
  await establish(server, cronTabDefinition());
  const watch = await server.watch(`${cronTabs}?watch=true`);
  const created = await server.call('POST', cronTabs, cronTab('a', { image: 'one' }));
  t.equal(created.status, 201);
  t.match(created.body, { kind: 'CronTab', apiVersion: 'stable.example.com/v1', spec: { replicas: 1, image: 'one' } });
  t.equal(at(created.body, 'metadata.generation'), 1);
  const patched = await server.patch(`${cronTabs}/a`, { spec: { replicas: 2 } });
  t.match(patched.body, { spec: { replicas: 2 }, metadata: { generation: 2 } });
  const jsonPatch = [{ op: 'replace', path: '/spec/image', value: 'two' }];
  t.equal(at((await server.patch(`${cronTabs}/a`, jsonPatch, 'json')).body, 'spec.image'), 'two');
  t.equal((await server.patch(`${cronTabs}/a`, {}, 'strategic-merge')).status, 415);
  const stale = await server.call('PUT', `${cronTabs}/a`, created.body);
  t.equal(stale.status, 409);
  t.match((await server.call('PUT', `${cronTabs}/a`, cronTab('a'))).body['message'], /metadata.resourceVersion/);
  const list = await server.call('GET', cronTabs);
  t.match(list.body, { kind: 'CronTabList', items: [{ metadata: { name: 'a' } }] });
  t.equal((await server.call('DELETE', `${cronTabs}/a`)).status, 200);
  const types = [];
  for (let seen = 0; seen < 4; seen += 1) types.push((await watch.next()).type);
  t.strictSame(types, ['ADDED', 'MODIFIED', 'MODIFIED', 'DELETED']);
  watch.close();
});

t.test('unknown fields are told, refused or dropped as fieldValidation says', async (t) => {
  const server = await start(t);
  await establish(server, cronTabDefinition());
  const warned = await server.call('POST', cronTabs, cronTab('a', { nope: 1 }));
  t.equal(warned.status, 201);
  t.match(warned.headers['warning'], /unknown field \\"spec.nope\\"/);
  t.notOk(warned.text.includes('"nope"'));
  const strict = await server.call('POST', `${cronTabs}?fieldValidation=Strict`, cronTab('b', { nope: 1 }));
  t.equal(strict.status, 400);
  t.match(strict.body['message'], /strict decoding error: unknown field "spec.nope"/);
  const ignored = await server.call('POST', `${cronTabs}?fieldValidation=Ignore`, cronTab('c', { nope: 1 }));
  t.equal(ignored.status, 201);
  t.equal(ignored.headers['warning'], undefined);
});

t.test('what the schema forbids is refused with a cause for each field', async (t) => {
  const server = await start(t);
  await establish(server, cronTabDefinition());
  const { status, body } = await server.call('POST', cronTabs, cronTab('a', { cronSpec: 'x', replicas: 11 }));
  t.equal(status, 422);
  t.match(body['message'], /^CronTab.stable.example.com "a" is invalid: \[spec.cronSpec: Invalid value: "x": /);
  t.match(at(body, 'details.causes'), [
    { field: 'spec.cronSpec' },
    { field: 'spec.replicas', reason: 'FieldValueInvalid' },
  ]);
  t.match((await server.call('POST', cronTabs, cronTab('Not_A_Name'))).body['message'], /metadata.name: Invalid value/);
  const labels = { metadata: { name: 'a', labels: { a: 1 } } };
  t.equal((await server.call('POST', cronTabs, cronTab('a', {}, labels))).status, 400);
});

t.test('rules may look at indices and keys', async (t) => {
  const server = await start(t);
  const text = { type: 'string' };
  const rules = [
    { rule: 'self.steps.all(i, s, i == 0 || s != self.steps[i - 1])', message: 'a step stands twice' },
    { rule: '!self.env.exists(k, v, k == v)', messageExpression: 'self.env.transformList(k, v, k == v, k)[0] + "?"' },
  ];
  const properties = {
    steps: { type: 'array', items: text },
    env: { type: 'object', additionalProperties: text },
  };
  const spec = { type: 'object', properties, 'x-kubernetes-validations': rules };
  await establish(server, cronTabDefinition([version('v1', {}, { type: 'object', properties: { spec } })]));
  const post = async (steps: readonly string[], env: object) => {
    const object = { apiVersion: 'stable.example.com/v1', kind: 'CronTab', metadata: { name: 'a' } };
    return server.call('POST', `${cronTabs}?dryRun=All`, { ...object, spec: { steps, env } });
  };
  t.equal((await post(['a', 'b', 'a'], { A: 'a' })).status, 201);
  t.match((await post(['a', 'b', 'b'], {})).body, { code: 422, message: /spec: Invalid value: .*a step stands twice/ });
  t.match((await post([], { A: 'a', B: 'B' })).body, { code: 422, message: /spec: Invalid value: .*: B\?/ });
});

t.test('status and scale are subresources of their own', async (t) => {
  const server = await start(t);
  await establish(server, cronTabDefinition([version('v1', { subresources })]));
  const created = await server.call('POST', cronTabs, cronTab('a', {}, { status: { replicas: 7 } }));
  t.equal(created.body['status'], undefined);
  const status = {
    status: { replicas: 3, labelSelector: 'a=b' },
    spec: { replicas: 9 },
    metadata: { labels: { x: 'y' } },
  };
  const changed = await server.patch(`${cronTabs}/a/status`, status);
  t.match(changed.body, { spec: { replicas: 1 }, status: { replicas: 3 }, metadata: { generation: 1 } });
  t.equal(at(changed.body, 'metadata.labels'), undefined);
  t.match((await server.call('GET', `${cronTabs}/a/scale`)).body, {
    kind: 'Scale',
    spec: { replicas: 1 },
    status: { replicas: 3, selector: 'a=b' },
  });
  t.match((await server.patch(`${cronTabs}/a/scale`, { spec: { replicas: 5 } })).body, { spec: { replicas: 5 } });
  const mistyped = { ...cronTab('a', { image: 7 }), metadata: { name: 'a', labels: { x: 1 } } };
  const apply = { 'content-type': 'application/apply-patch+yaml' };
  t.match((await server.call('PATCH', `${cronTabs}/a?fieldManager=f`, mistyped, apply)).body, {
    code: 400,
    message:
      /: errors:\n {2}\.metadata\.labels\.x: expected string, got .*\n {2}\.spec\.image: expected string, got &value\.valueUnstructured{Value:7}$/,
  });
  const taken = 'application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml';
  const message = `the body of the request was in an unknown format - accepted media types include: ${taken}`;
  for (const path of ['a/scale', 'a/status', 'a', 'nobody']) {
    const strategic = await server.patch(`${cronTabs}/${path}`, { spec: { replicas: 6 } }, 'strategic-merge');
    t.match(strategic.body, { code: 415, reason: 'UnsupportedMediaType', message }, path);
  }
  t.match((await server.call('GET', `${cronTabs}/a`)).body, { spec: { replicas: 5 }, metadata: { generation: 2 } });
});

t.test('columns, field selectors and discovery come from the definition', async (t) => {
  const server = await start(t);
  const additionalPrinterColumns = [
    { name: 'Spec', type: 'string', jsonPath: '.spec.cronSpec' },
    { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas', priority: 1 },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ];
  const selectableFields = [{ jsonPath: '.spec.image' }];
  await establish(
    server,
    cronTabDefinition([version('v1', { additionalPrinterColumns, selectableFields, subresources })]),
  );
  await server.call('POST', cronTabs, cronTab('a', { image: 'x' }));
  await server.call('POST', cronTabs, cronTab('b', { image: 'y' }));
  const shown = await server.call('GET', cronTabs, undefined, table);
  const columns = at(shown.body, 'columnDefinitions') as readonly Json[];
  t.strictSame(
    columns.map((column) => [column['name'], column['type'], column['priority']]),
    [
      ['Name', 'string', 0],
      ['Spec', 'string', 0],
      ['Replicas', 'integer', 1],
      ['Ready', 'string', 0],
      ['Age', 'date', 0],
    ],
  );
  t.match(at(shown.body, 'rows.0.cells'), ['a', '* * * * */5', 1, null, /^\d+s$/]);
  const selected = await server.call('GET', `${cronTabs}?fieldSelector=spec.image%3Dy`);
  t.match(selected.body['items'], [{ metadata: { name: 'b' } }]);
  t.equal((await server.call('GET', `${cronTabs}?fieldSelector=spec.cronSpec%3Dy`)).status, 400);
  const resources = (await server.call('GET', '/apis/stable.example.com/v1')).body['resources'] as readonly Json[];
  t.match(resources, [
    { name: 'crontabs', shortNames: ['ct'] },
    { name: 'crontabs/scale' },
    { name: 'crontabs/status' },
  ]);
});

t.test('kubectl finds descriptions and types in both OpenAPI versions', async (t) => {
  const server = await start(t);
  const before = (await server.call('GET', '/openapi/v2')).headers['etag'];
  const described = { ...cronTabSchema, description: 'CronTab runs things' };
  await establish(server, cronTabDefinition([version('v1', {}, described)]));
  const index = await server.call('GET', '/openapi/v3');
  const groupVersions = index.body['paths'] as Record<string, { serverRelativeURL: string }>;
  const { serverRelativeURL = '' } = groupVersions['apis/stable.example.com/v1'] ?? {};
  const document = await server.call('GET', serverRelativeURL);
  const schemas = at(document.body, 'components.schemas') as Record<string, Json>;
  t.match(schemas['com.example.stable.v1.CronTab'], {
    description: 'CronTab runs things',
    properties: { spec: { properties: { replicas: { type: 'integer' } } } },
  });
  t.ok(schemas['io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta']);
  const same = await server.call('GET', serverRelativeURL, undefined, {
    'if-none-match': String(document.headers['etag']),
  });
  t.equal(same.status, 304);
  const old = await server.call('GET', '/openapi/v2');
  t.not(old.headers['etag'], before);
  const definitions = old.body['definitions'] as Record<string, Json>;
  t.equal(definitions['com.example.stable.v1.CronTab']?.['description'], 'CronTab runs things');
  t.ok(
    (old.body['paths'] as Record<string, Json>)['/apis/stable.example.com/v1/namespaces/{namespace}/crontabs/{name}'],
  );
  await server.call('DELETE', `${definitionsPath}/${name}`);
  await untilGone(server);
  t.equal((await server.call('GET', '/openapi/v2')).headers['etag'], before);
});

t.test('a kind that keeps everything has no properties in OpenAPI version 2', async (t) => {
  const server = await start(t);
  const anything = { type: 'object', description: 'd', 'x-kubernetes-preserve-unknown-fields': true };
  await establish(server, cronTabDefinition([version('v1', {}, anything)]));
  const definitions = (await server.call('GET', '/openapi/v2')).body['definitions'] as Record<string, Json>;
  t.strictSame(definitions['com.example.stable.v1.CronTab'], {
    type: 'object',
    'x-kubernetes-group-version-kind': [{ group: 'stable.example.com', version: 'v1', kind: 'CronTab' }],
  });
});

async function untilGone(server: TestServer): Promise<void> {
  for (let waited = 0; waited < 500; waited += 1) {
    if ((await server.call('GET', `${definitionsPath}/${name}`)).status === 404) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('the definition stays');
}

t.test('several versions show the same objects', async (t) => {
  const server = await start(t);
  await establish(server, cronTabDefinition([version('v1beta1'), version('v1'), version('v2', { served: false })]));
  const beta = cronTabs.replace('/v1/', '/v1beta1/');
  const object = { ...cronTab('a'), apiVersion: 'stable.example.com/v1beta1' };
  t.match((await server.call('POST', beta, object)).body, { apiVersion: 'stable.example.com/v1beta1' });
  t.match((await server.call('GET', `${cronTabs}/a`)).body, { apiVersion: 'stable.example.com/v1' });
  t.match((await server.call('GET', beta)).body, { items: [{ apiVersion: 'stable.example.com/v1beta1' }] });
  const watch = await server.watch(`${beta}?watch=true`);
  t.match((await watch.next()).object, { apiVersion: 'stable.example.com/v1beta1', metadata: { name: 'a' } });
  watch.close();
  t.equal((await server.call('GET', cronTabs.replace('/v1/', '/v2/'))).status, 404);
  const group = await server.call('GET', '/apis/stable.example.com');
  t.equal(at(group.body, 'preferredVersion.version'), 'v1');
  t.match(group.body['versions'], [{ version: 'v1' }, { version: 'v1beta1' }]);
});

t.test('requests for a deprecated version are warned', async (t) => {
  const server = await start(t);
  const deprecated = { deprecated: true, deprecationWarning: 'use v1' };
  await establish(
    server,
    cronTabDefinition([version('v1'), version('v1beta1', deprecated), version('v1beta2', { deprecated: true })]),
  );
  const warningOf = async (of: string): Promise<unknown> =>
    (await server.call('GET', cronTabs.replace('/v1/', `/${of}/`))).headers['warning'];
  t.equal(await warningOf('v1'), undefined);
  t.equal(await warningOf('v1beta1'), '299 - "use v1"');
  t.equal(await warningOf('v1beta2'), '299 - "stable.example.com/v1beta2 CronTab is deprecated"');
});

t.test('a default that is added later shows in objects that are stored already', async (t) => {
  const server = await start(t);
  await establish(server, cronTabDefinition());
  await server.call('POST', cronTabs, cronTab('a'));
  const schema = structuredClone(cronTabSchema) as { properties: { spec: { properties: Record<string, object> } } };
  schema.properties.spec.properties['added'] = { type: 'string', default: 'later' };
  const spec = { spec: { versions: [version('v1', {}, schema)] } };
  t.equal((await server.patch(`${definitionsPath}/${name}`, spec)).status, 200);
  t.equal(at((await server.call('GET', `${cronTabs}/a`)).body, 'spec.added'), 'later');
  t.equal(at((await server.call('GET', cronTabs)).body, 'items.0.spec.added'), 'later');
  t.equal(at((await server.patch(`${cronTabs}/a`, { spec: { replicas: 2 } })).body, 'spec.added'), 'later');
});

t.test('a change of the storage version brings objects with it', async (t) => {
  const server = await start(t);
  await establish(server, cronTabDefinition());
  await server.call('POST', cronTabs, cronTab('a'));
  const versions = [version('v1', { storage: false }), version('v2', { storage: true })];
  const changed = await server.patch(`${definitionsPath}/${name}`, { spec: { versions } });
  t.strictSame(at(changed.body, 'status.storedVersions'), ['v1', 'v2']);
  const second = cronTabs.replace('/v1/', '/v2/');
  t.match((await server.call('GET', `${second}/a`)).body, { apiVersion: 'stable.example.com/v2' });
  t.match((await server.call('GET', `${cronTabs}/a`)).body, { apiVersion: 'stable.example.com/v1' });
  t.equal((await server.patch(`${cronTabs}/a`, { spec: { replicas: 4 } })).status, 200);
  t.match((await server.call('GET', `${second}/a`)).body, {
    apiVersion: 'stable.example.com/v2',
    spec: { replicas: 4 },
  });
  const removed = await server.patch(`${definitionsPath}/${name}`, { spec: { versions: versions.slice(1) } });
  t.equal(removed.status, 422);
  t.match(removed.body['message'], /status.storedVersions\[0\]: Invalid value: "v1": missing from spec.versions/);
});

t.test('a definition that goes takes its objects with it, those with finalizers last', async (t) => {
  const server = await start(t);
  await establish(server, cronTabDefinition());
  await server.call('POST', cronTabs, cronTab('a'));
  await server.call(
    'POST',
    cronTabs,
    cronTab('held', {}, { metadata: { name: 'held', finalizers: ['example.com/held'] } }),
  );
  const watch = await server.watch(`${cronTabs}?watch=true`);
  const deleted = await server.call('DELETE', `${definitionsPath}/${name}`);
  t.match(at(deleted.body, 'metadata.finalizers'), ['customresourcecleanup.apiextensions.k8s.io']);
  const refused = await server.call('POST', cronTabs, cronTab('new'));
  t.equal(refused.status, 405);
  t.match(refused.body['message'], /create not allowed while custom resource definition is terminating/);
  for (;;) {
    const { body } = await server.call('GET', cronTabs);
    const items = body['items'] as readonly Json[];
    if (items.length === 1) break;
  }
  const { body } = await server.call('GET', `${definitionsPath}/${name}`);
  t.match(at(body, 'status.conditions'), [{}, {}, { type: 'Terminating', status: 'True' }]);
  await server.patch(`${cronTabs}/held`, { metadata: { finalizers: null } });
  await untilGone(server);
  t.equal((await server.call('GET', cronTabs)).status, 404);
  await watch.ended;
  await establish(server, cronTabDefinition());
  t.strictSame((await server.call('GET', cronTabs)).body['items'], []);
});

t.test('names that another definition has are not accepted until they are free', async (t) => {
  const server = await start(t);
  await establish(server, cronTabDefinition());
  const other = cronTabDefinition([version('v1')], {
    names: { plural: 'others', singular: 'other', kind: 'CronTab', shortNames: ['ct'] },
  });
  const path = `${definitionsPath}/others.stable.example.com`;
  await server.call('POST', definitionsPath, { ...other, metadata: { name: 'others.stable.example.com' } });
  const watch = await server.watch(
    `${definitionsPath}?watch=true&fieldSelector=metadata.name%3Dothers.stable.example.com`,
  );
  let status: unknown;
  while (at(status, 'conditions.0') === undefined) status = (await watch.next()).object['status'];
  t.match(at(status, 'conditions'), [
    { type: 'NamesAccepted', status: 'False', message: /"(CronTab|ct)" is already in use/ },
    { type: 'Established', status: 'False', reason: 'NotAccepted' },
  ]);
  t.equal((await server.call('GET', '/apis/stable.example.com/v1/others')).status, 404);
  await server.call('DELETE', `${definitionsPath}/${name}`);
  while (at(status, 'conditions.1.status') !== 'True') status = (await watch.next()).object['status'];
  watch.close();
  t.match((await server.call('GET', path)).body, { status: { acceptedNames: { kind: 'CronTab' } } });
});

t.test('definitions are served again after a restart', async (t) => {
  const store = await createMemoryStore();
  const first = await startTestServer({ store });
  await establish(first, cronTabDefinition());
  await first.call('POST', cronTabs, cronTab('a'));
  await first.server.stop(0);
  const second = await start(t, { store, defaultObjects: false });
  t.match((await second.call('GET', `${cronTabs}/a`)).body, { spec: { replicas: 1 } });
});
