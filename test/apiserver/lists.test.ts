// Lists: selectors, pages of one snapshot, versions, and the other forms of a list.

import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { Agent } from 'undici';
import { at, configMap, configMaps, type Json, startTestServer } from './harness.ts';

const api = await startTestServer();
t.teardown(() => api.stop());

const itemNames = (body: Json): unknown[] => (at(body, 'items') as Json[]).map((item) => at(item, 'metadata.name'));
const letters = ['a', 'b', 'c', 'd', 'e', 'f'];
for (const [n, name] of letters.entries()) {
  await api.call('POST', configMaps, configMap(name, { parity: n % 2 === 0 ? 'even' : 'odd', name }));
}
await api.call('POST', '/api/v1/namespaces/kube-system/configmaps', configMap('a', { parity: 'even' }));

t.test('label selectors', async (t) => {
  const cases = [
    { selector: 'parity=even', want: ['a', 'c', 'e'] },
    { selector: 'parity=even,name in (a,e)', want: ['a', 'e'] },
    { selector: 'parity!=even', want: ['b', 'd', 'f'] },
    { selector: 'name notin (a,b,c)', want: ['d', 'e', 'f'] },
    { selector: 'name,!absent,name in (f)', want: ['f'] },
    { selector: 'parity=neither', want: [] },
  ];
  for (const { selector, want } of cases) {
    const { body } = await api.call('GET', `${configMaps}?labelSelector=${encodeURIComponent(selector)}`);
    t.same(itemNames(body), want, selector);
  }
});

t.test('an index follows writes', async (t) => {
  const listed = async () => itemNames((await api.call('GET', `${configMaps}?labelSelector=team%3Dred`)).body);
  t.same(await listed(), []);
  await api.patch(`${configMaps}/b`, { metadata: { labels: { team: 'red' } } });
  await api.patch(`${configMaps}/a`, { metadata: { labels: { team: 'red' } } });
  t.same(await listed(), ['a', 'b']);
  await api.patch(`${configMaps}/b`, { metadata: { labels: { team: null } } });
  t.same(await listed(), ['a']);
  await api.call('POST', configMaps, configMap('temporary', { team: 'red' }));
  await api.call('DELETE', `${configMaps}/temporary`);
  t.same(await listed(), ['a']);
});

t.test('all namespaces, ordered by namespace and name', async (t) => {
  const { body } = await api.call('GET', '/api/v1/configmaps?labelSelector=parity%3Deven');
  const items = at(body, 'items') as Json[];
  t.same(
    items.map((item) => `${at(item, 'metadata.namespace')}/${at(item, 'metadata.name')}`),
    ['default/a', 'default/c', 'default/e', 'kube-system/a'],
  );
});

t.test('pages are of one snapshot, whatever is written meanwhile', async (t) => {
  const first = (await api.call('GET', `${configMaps}?limit=2`)).body;
  t.same(itemNames(first), ['a', 'b']);
  t.equal(at(first, 'metadata.remainingItemCount'), 4);
  const before = at((await api.call('GET', `${configMaps}/c`)).body, 'metadata.resourceVersion');
  await api.patch(`${configMaps}/c`, { data: { changed: 'yes' } });
  await api.call('DELETE', `${configMaps}/d`);
  await api.call('POST', configMaps, configMap('cc'));
  const next = encodeURIComponent(String(at(first, 'metadata.continue')));
  const second = (await api.call('GET', `${configMaps}?limit=2&continue=${next}`)).body;
  t.same(itemNames(second), ['c', 'd']);
  t.equal(at(second, 'items.0.metadata.resourceVersion'), before);
  t.equal(at(second, 'metadata.resourceVersion'), at(first, 'metadata.resourceVersion'));
  const last = encodeURIComponent(String(at(second, 'metadata.continue')));
  const third = (await api.call('GET', `${configMaps}?limit=2&continue=${last}`)).body;
  t.same(itemNames(third), ['e', 'f']);
  t.equal(at(third, 'metadata.continue'), undefined);
  await api.call('DELETE', `${configMaps}/cc`);
  await api.call('POST', configMaps, configMap('d', { parity: 'odd', name: 'd' }));
});

t.test('versions', async (t) => {
  const now = at((await api.call('GET', configMaps)).body, 'metadata.resourceVersion');
  await api.call('POST', configMaps, configMap('later'));
  const exact = await api.call('GET', `${configMaps}?resourceVersion=${now}&resourceVersionMatch=Exact`);
  t.same(itemNames(exact.body), letters);
  t.equal(at(exact.body, 'metadata.resourceVersion'), now);
  const atLeast = await api.call('GET', `${configMaps}?resourceVersion=${now}&resourceVersionMatch=NotOlderThan`);
  t.same(itemNames(atLeast.body), [...letters, 'later']);
  await api.call('DELETE', `${configMaps}/later`);
  t.match((await api.call('GET', `${configMaps}?continue=nonsense`)).body, { code: 400 });
  t.match((await api.call('GET', `${configMaps}?resourceVersionMatch=Exact`)).body, { code: 422 });
  t.match((await api.call('GET', `${configMaps}?resourceVersion=x`)).body, { code: 400 });
});

t.test('a table', async (t) => {
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
  const { body } = await api.call('GET', `${configMaps}?limit=1`, undefined, { accept });
  t.match(body, { kind: 'Table', apiVersion: 'meta.k8s.io/v1', rows: [{ object: { kind: 'PartialObjectMetadata' } }] });
  t.equal(at(body, 'columnDefinitions.0.name'), 'Name');
  t.equal(at(body, 'rows.0.cells.0'), 'a');
  t.type(at(body, 'metadata.continue'), 'string');
  const whole = await api.call('GET', `${configMaps}/a?includeObject=Object`, undefined, { accept });
  t.match(whole.body, { rows: [{ object: { kind: 'ConfigMap', metadata: { name: 'a' } } }] });
  const wrong = await api.call('GET', `${configMaps}?includeObject=Some`, undefined, { accept });
  t.equal(wrong.status, 400);
});

t.test('metadata alone', async (t) => {
  const accept = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';
  const { body } = await api.call('GET', configMaps, undefined, { accept });
  t.match(body, {
    kind: 'PartialObjectMetadataList',
    items: [{ kind: 'PartialObjectMetadata', metadata: { name: 'a' } }],
  });
  t.equal(at(body, 'items.0.data'), undefined);
});

t.test('YAML in, YAML out; what can not be spoken is refused', async (t) => {
  const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml\ndata:\n  k: v\n';
  const created = await api.call('POST', configMaps, yaml, { 'content-type': 'application/yaml' });
  t.equal(created.status, 201);
  const read = await api.call('GET', `${configMaps}/yaml`, undefined, { accept: 'application/yaml' });
  t.match(read.text, /^kind: ConfigMap\napiVersion: v1\n/);
  const cbor = 'application/cbor';
  t.equal((await api.call('GET', configMaps, undefined, { accept: cbor })).status, 406);
  t.equal((await api.call('GET', configMaps, undefined, { accept: `${cbor},application/json` })).status, 200);
  t.equal((await api.call('POST', configMaps, 'x', { 'content-type': cbor })).status, 415);
  await api.call('DELETE', `${configMaps}/yaml`);
});

t.test('errors in the encoding that the client takes, and JSON when it takes none', async (t) => {
  const yaml = { accept: 'application/yaml' };
  const json = 'application/json';
  const cbor = 'application/cbor';
  for (const { name, method = 'GET', path = configMaps, headers, code, type } of [
    { name: 'not found', path: `${configMaps}/nobody`, headers: yaml, code: 404 },
    { name: 'no such resource', path: '/apis/apps/v1/nothing', headers: yaml, code: 404 },
    { name: 'no such method', method: 'PUT', headers: yaml, code: 405 },
    { name: 'a type of body', method: 'POST', headers: { ...yaml, 'content-type': cbor }, code: 415 },
    { name: 'a broken path', path: '/api/v1/%zz', headers: yaml, code: 400 },
    { name: 'nothing of it is taken', headers: { accept: cbor }, code: 406, type: json },
    { name: 'a table alone', path: `${configMaps}/nobody`, headers: { accept: tables('yaml') }, code: 404, type: json },
  ]) {
    const answer = await api.call(method, path, method === 'POST' ? 'x' : undefined, headers);
    t.match([answer.status, answer.headers['content-type']], [code, type ?? 'application/yaml'], name);
    const wanted = type === json ? /^{"kind":"Status",.*"code":\d+}\n$/ : /^kind: Status\napiVersion: v1\n/;
    t.match(answer.text, wanted, name);
    if (headers.accept === cbor) t.notMatch(answer.text, /cbor/, 'it is not among what would be taken');
  }
  t.equal((await api.call('GET', '/version', undefined, yaml)).headers['content-type'], json, 'always JSON');
  t.match((await api.call('GET', '/api/v1', undefined, yaml)).text, /^kind: APIResourceList\n/);
});

function tables(format: string): string {
  return `application/${format};as=Table;v=v1;g=meta.k8s.io`;
}

t.test('preferences count, and a watch is never YAML', async (t) => {
  const typeOf = async (accept: string, query = ''): Promise<unknown> => {
    const answer = await api.call('GET', `${configMaps}${query}`, undefined, { accept });
    return answer.status === 200 ? answer.headers['content-type'] : answer.status;
  };
  t.equal(await typeOf('application/json;q=0.1,application/yaml'), 'application/yaml');
  t.equal(await typeOf('application/yaml;q=0.1, application/json;q=0.2'), 'application/json');
  const watch = '?watch=true&timeoutSeconds=1';
  t.equal(await typeOf('application/yaml', watch), 406);
  t.equal(await typeOf('application/yaml, application/json', watch), 'application/json');
  t.equal((await api.call('POST', configMaps, {}, { 'content-type': ';' })).status, 415);
});

t.test('what is a watch, and what only looks like one', async (t) => {
  t.match((await api.call('GET', `${configMaps}?watch=False`)).body, { kind: 'ConfigMapList' });
  t.match((await api.call('GET', `${configMaps}/a?watch=true`)).body, { kind: 'ConfigMap', metadata: { name: 'a' } });
  t.equal((await api.call('HEAD', `${configMaps}/a`)).status, 405);
});

t.test('big lists are compressed when asked for, and whole', async (t) => {
  const big = 'x'.repeat(100_000);
  for (const n of [1, 2, 3, 4, 5, 6, 7])
    await api.call('POST', '/api/v1/namespaces/big/configmaps', configMap(`big-${n}`, {}, { big }));
  const plain = await api.call('GET', '/api/v1/namespaces/big/configmaps');
  t.equal(itemNames(plain.body).length, 7);
  t.equal(Number(plain.headers['content-length']), Buffer.byteLength(plain.text));
  const agent = new Agent({ connect: { ca: api.ca } });
  t.teardown(() => agent.destroy());
  const answer = await agent.request({
    origin: api.server.url,
    path: '/api/v1/namespaces/big/configmaps',
    method: 'GET',
    headers: { 'accept-encoding': 'gzip' },
  });
  t.equal(answer.headers['content-encoding'], 'gzip');
  t.equal(gunzipSync(Buffer.from(await answer.body.arrayBuffer())).toString(), plain.text);
});

t.test('a collection is deleted by selector', async (t) => {
  const deleted = await api.call('DELETE', `${configMaps}?labelSelector=parity%3Dodd`);
  t.match(deleted.body, { kind: 'ConfigMapList' });
  t.same(itemNames(deleted.body), ['b', 'd', 'f']);
  t.same(itemNames((await api.call('GET', configMaps)).body), ['a', 'c', 'e']);
});
