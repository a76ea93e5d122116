// The door: both protocols, bounds, discovery, health, metrics, and how it closes.

import { once } from 'node:events';
import { connect as http2Connect } from 'node:http2';
import t from 'tap';
import { createMetrics } from '../../src/apiserver/health/index.ts';
import { at, configMap, configMaps, type Json, startTestServer } from './harness.ts';

const api = await startTestServer({ bodyLimit: 10_000 });
t.teardown(() => api.stop());

t.test('HTTP/2 says the same as HTTP/1.1, watches too', async (t) => {
  await api.call('POST', configMaps, configMap('h2'));
  const session = http2Connect(api.server.url, { ca: api.ca });
  t.teardown(() => session.close());
  const request = (headers: Record<string, string>, body?: string): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const stream = session.request(headers);
      let status = 0;
      let text = '';
      stream.on('response', (answer) => {
        status = Number(answer[':status']);
      });
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      stream.on('end', () => resolve({ status, text }));
      stream.on('error', reject);
      stream.end(body);
    });
  const read = await request({ ':path': `${configMaps}/h2` });
  t.equal(read.text, (await api.call('GET', `${configMaps}/h2`)).text);
  const created = await request({ ':path': configMaps, ':method': 'POST' }, JSON.stringify(configMap('by-h2')));
  t.equal(created.status, 201);
  const watched = await request({ ':path': `${configMaps}?watch=1&timeoutSeconds=1` });
  t.equal(watched.status, 200);
  t.equal(watched.text.trim().split('\n').length, 2);
});

t.test('a body over HTTP/2 is asked for when it is wanted', async (t) => {
  const session = http2Connect(api.server.url, { ca: api.ca });
  t.teardown(() => session.close());
  for (const { path, want } of [
    { path: configMaps, want: [100, 201] },
    { path: '/apis/nothing/v1/x', want: [404] },
  ]) {
    const stream = session.request({ ':method': 'POST', ':path': path, expect: '100-continue' });
    const seen: number[] = [];
    stream.on('headers', (headers) => {
      seen.push(Number(headers[':status']));
      stream.end(JSON.stringify(configMap('asked-for')));
    });
    stream.on('response', (headers) => seen.push(Number(headers[':status'])));
    stream.resume();
    await once(stream, 'end');
    stream.close();
    t.same(seen, want, path);
  }
});

t.test('documents are not sent again to who has them', async (t) => {
  const aggregated = { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' };
  for (const [path, headers] of [
    ['/apis', aggregated],
    ['/api', aggregated],
    ['/openapi/v2', {}],
    ['/openapi/v3', {}],
    ['/openapi/v3/apis/apps/v1', {}],
  ] as const) {
    const first = await api.call('GET', path, undefined, headers);
    const etag = String(first.headers['etag']);
    t.match(etag, /^"[0-9A-F]{128}"$/, path);
    const again = await api.call('GET', path, undefined, { ...headers, 'if-none-match': etag });
    t.match([again.status, again.text, again.headers['content-length']], [304, '', undefined], path);
    const other = await api.call('GET', path, undefined, { ...headers, 'if-none-match': '"x"' });
    t.equal(other.status, 200, path);
  }
});

t.test('an OpenAPI document by its hash may be kept for good', async (t) => {
  const apps = '/openapi/v3/apis/apps/v1';
  const index = (await api.call('GET', '/openapi/v3')).body;
  const { serverRelativeURL: url } = (index['paths'] as Record<string, { readonly serverRelativeURL: string }>)[
    'apis/apps/v1'
  ] ?? { serverRelativeURL: '' };
  const kept = await api.call('GET', url);
  t.match(kept.headers, { 'cache-control': 'public, immutable', expires: /GMT$/ });
  const old = await api.call('GET', `${apps}?hash=OLD`);
  t.match([old.status, old.headers['location']], [301, url]);
});

t.test('bodies are bounded', async (t) => {
  const answer = await api.call('POST', configMaps, configMap('fat', {}, { x: 'y'.repeat(20_000) }));
  t.match(answer.body, { code: 413, reason: 'RequestEntityTooLarge' });
  t.equal((await api.call('GET', `${configMaps}/fat`)).status, 404);
});

t.test('hostile bodies leave nothing behind', async (t) => {
  const bodies = [
    { name: 'not UTF-8', body: Buffer.from([0x7b, 0xff, 0xfe, 0x7d]) },
    { name: 'deep nesting', body: `{"kind":"ConfigMap","data":${'['.repeat(4000)}${']'.repeat(4000)}}` },
    { name: 'a list', body: '[]' },
    { name: 'another kind', body: '{"kind":"Secret","apiVersion":"v1","metadata":{"name":"x"}}' },
    { name: 'no object in metadata', body: '{"kind":"ConfigMap","apiVersion":"v1","metadata":"x"}' },
  ];
  for (const { name, body } of bodies) {
    const answer = await api.call('POST', configMaps, body.toString('latin1' as never));
    t.equal(answer.status, 400, name);
    t.match(answer.body, { kind: 'Status', reason: 'BadRequest' }, name);
  }
});

t.test('discovery', async (t) => {
  const core = (await api.call('GET', '/api/v1')).body;
  t.match(core, { kind: 'APIResourceList', groupVersion: 'v1' });
  const pods = (at(core, 'resources') as Json[]).find(({ name }) => name === 'pods');
  t.match(pods, { kind: 'Pod', namespaced: true, singularName: 'pod', shortNames: ['po'] });
  const groups = (await api.call('GET', '/apis')).body;
  t.match(groups, { kind: 'APIGroupList' });
  t.match(
    (at(groups, 'groups') as Json[]).find(({ name }) => name === 'apps'),
    { preferredVersion: { groupVersion: 'apps/v1', version: 'v1' } },
  );
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
  const whole = await api.call('GET', '/apis', undefined, { accept });
  t.match(whole.headers['content-type'], /as=APIGroupDiscoveryList/);
  const apps = (at(whole.body, 'items') as Json[]).find((item) => at(item, 'metadata.name') === 'apps');
  t.equal(at(apps, 'versions.0.resources.0.scope'), 'Namespaced');
  const beta = await api.call('GET', '/apis', undefined, { accept: accept.replace('v=v2', 'v=v2beta1') });
  t.match(beta.headers['content-type'], /v=v2beta1/);
  t.same({ ...beta.body, apiVersion: 'apidiscovery.k8s.io/v2' }, whole.body);
  t.equal((await api.call('GET', '/apis/nothing.example')).status, 404);
  t.match((await api.call('GET', '/version')).body, { major: '1', minor: '35', gitVersion: /^v1\.35\.0\+k8ts-/ });
});

t.test('OpenAPI version 2 as protobuf, for clients that ask for nothing else', async (t) => {
  for (const name of ['v2@v1.0', 'v2.v1.0']) {
    const accept = `application/com.github.proto-openapi.spec.${name}+protobuf`;
    const { status, headers } = await api.call('GET', '/openapi/v2', undefined, { accept });
    t.equal(status, 200);
    t.equal(headers['content-type'], 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf');
  }
});

t.test('health and metrics', async (t) => {
  for (const path of ['/livez', '/readyz', '/healthz']) t.equal((await api.call('GET', path)).text, 'ok', path);
  t.match((await api.call('GET', '/readyz?verbose')).text, /\[\+\]etcd ok\n[\s\S]*readyz check passed/);
  t.equal((await api.call('GET', '/readyz/etcd')).text, 'ok');
  t.equal((await api.call('GET', '/livez/ping')).text, 'ok');
  t.equal((await api.call('GET', '/readyz/nothing')).status, 404);
  const { text } = await api.call('GET', '/metrics');
  t.match(text, /apiserver_request_total\{verb="CREATE",[^}]*resource="configmaps"[^}]*code="201"\} \d+/);
  t.match(text, /apiserver_current_inflight_requests\{request_kind="mutating"\} 0/);
});

t.test('requests for what is not there do not make metrics grow for ever', async (t) => {
  const metrics = createMetrics();
  for (let n = 0; n < 7000; n += 1) {
    const labels = {
      verb: 'GET',
      group: '',
      version: 'v1',
      resource: `r${n}`,
      subresource: '',
      scope: 'cluster',
    } as const;
    metrics.observe(labels, 404, undefined);
  }
  const counted = metrics.text([]).match(/^apiserver_request_total\{.*/gm) ?? [];
  t.equal(counted.length, 5001);
  t.ok(counted.some((line) => line.includes('resource="other"') && line.endsWith(' 2000')));
});

t.test('stopping ends watches and refuses new connections', async (t) => {
  const own = await startTestServer();
  const watch = await own.watch(`${configMaps}?watch=1`);
  await own.server.stop(1000);
  await watch.ended;
  await t.rejects(own.call('GET', '/version'));
  await own.stop();
});

t.test('a port that is taken is named', async (t) => {
  await t.rejects(startTestServer({ port: api.server.port }), { code: 'PORT_IN_USE', hint: /ss -ltnp/ });
});
