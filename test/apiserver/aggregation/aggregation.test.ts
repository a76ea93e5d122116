// APIServices: those of this server come with it and with custom kinds; a remote one is asked over verified TLS, in the name
// of the front proxy, with the identity of who asked.

import { once } from 'node:events';
import t from 'tap';
import type { KubeObject } from '../../../src/api/index.ts';
import { createDialer } from '../../../src/apiserver/aggregation/dial.ts';
import { dialUpgrade } from '../../../src/streams/index.ts';
import { at, type Json, startTestServer, type TestServer } from '../harness.ts';
import { kubectlFor } from '../kubectl.ts';
import { createTestPki } from '../pki.ts';
import { type ExtensionServer, group, openApi, startExtensionServer } from './extension-server.ts';

const services = '/apis/apiregistration.k8s.io/v1/apiservices';
const circles = `/apis/${group}/v1/namespaces/default/circles`;
const dnsName = 'shapes.default.svc';

const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'birds.example.org' },
  spec: {
    group: 'example.org',
    scope: 'Namespaced',
    names: { plural: 'birds', singular: 'bird', kind: 'Bird', listKind: 'BirdList' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
  },
};

async function until(what: string, look: () => Promise<boolean>): Promise<void> {
  for (let round = 0; round < 200; round += 1) {
    if (await look()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`never happened: ${what}`);
}

function conditionOf(body: Json): unknown {
  return at(body, 'status.conditions.0');
}

function reasonIs({ call }: TestServer, reason: string): Promise<void> {
  return until(reason, async () => {
    const { body } = await call('GET', `${services}/v1.${group}`);
    return at(conditionOf(body), 'reason') === reason;
  });
}

function remoteService({ ca }: Pick<ExtensionServer, 'ca'>, spec: object = {}): Json {
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: `v1.${group}` },
    spec: {
      group,
      version: 'v1',
      groupPriorityMinimum: 1000,
      versionPriority: 15,
      service: { name: 'shapes', namespace: 'default' },
      caBundle: Buffer.from(ca).toString('base64'),
      ...spec,
    },
  };
}

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'shapes', namespace: 'default' },
  spec: { ports: [{ name: 'https', port: 443, targetPort: 8443 }] },
};

function slice(port: number, ready = true): KubeObject & Json {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'shapes-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'shapes' } },
    addressType: 'IPv4',
    ports: [{ name: 'https', port, protocol: 'TCP' }],
    endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready } }],
  };
}

t.test('group-versions of this server are registered', async (t) => {
  const api = await startTestServer();
  t.teardown(() => api.stop());
  const core = (await api.call('GET', `${services}/v1.`)).body;
  t.equal(at(conditionOf(core), 'reason'), 'Local');
  t.same((core['metadata'] as Json)['labels'], { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' });
  t.equal(at(core, 'spec.groupPriorityMinimum'), 18000);
  t.equal((await api.call('GET', `${services}/v2.autoscaling`)).status, 200);
  t.equal((await api.call('GET', `${services}/v1.apiregistration.k8s.io`)).status, 404, 'not with itself');

  await api.call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
  const bird = `${services}/v1.example.org`;
  await until('registered', async () => (await api.call('GET', bird)).status === 200);
  const { body } = await api.call('GET', bird);
  t.match(body, { spec: { group: 'example.org', version: 'v1', groupPriorityMinimum: 1000, versionPriority: 100 } });
  const label = { 'kube-aggregator.kubernetes.io/automanaged': 'true' };
  t.match(body, { metadata: { labels: label } });
  const uid = at(body, 'metadata.uid');
  await api.call('DELETE', bird);
  await until(
    'made again',
    async () => ![uid, undefined].includes(at((await api.call('GET', bird)).body, 'metadata.uid') as string),
  );
  await api.call('DELETE', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/birds.example.org');
  await until('removed', async () => (await api.call('GET', bird)).status === 404);
});

t.test('a remote group-version', async (t) => {
  const front = await createTestPki();
  const frontProxy = await front.client('front-proxy-client', []);
  const api = await startTestServer({ frontProxy, clientGroups: ['system:masters'] });
  t.teardown(() => api.stop());
  const extension = await startExtensionServer(api.pki, front.ca, dnsName);
  t.teardown(() => extension.close());

  await api.call('POST', services, remoteService(extension));
  await reasonIs(api, 'ServiceNotFound');
  const refused = await api.call('GET', circles);
  t.equal(refused.status, 503);
  t.match(refused.text, 'service unavailable');
  await api.call('POST', '/api/v1/namespaces/default/services', service);
  await reasonIs(api, 'EndpointsNotFound');
  const sliceKey = '/registry/discovery.k8s.io/endpointslices/default/shapes-1';
  await api.plant(sliceKey, slice(extension.port, false));
  await reasonIs(api, 'MissingEndpoints');
  await api.plant(sliceKey, slice(extension.port));
  await reasonIs(api, 'Passed');

  const documents = (await api.call('GET', '/openapi/v3')).body['paths'] as Json;
  t.match(documents[`apis/${group}/v1`], { serverRelativeURL: `/openapi/v3/apis/${group}/v1?hash=ABC123` });
  t.ok(documents['apis/apps/v1'], 'beside our own');
  t.strictSame((await api.call('GET', `/openapi/v3/apis/${group}/v1?hash=ABC123`)).body, openApi);

  t.test('is in the OpenAPI version 2 document', async (t) => {
    const { body, headers } = await api.call('GET', '/openapi/v2');
    const paths = body['paths'] as Json;
    const types = body['definitions'] as Json;
    t.match(paths[`/apis/${group}/v1/circles`], {
      get: {
        parameters: [{ name: 'pretty', in: 'query', type: 'string' }],
        responses: { 200: { schema: { $ref: '#/definitions/com.example.Circle' } } },
      },
    });
    t.ok(paths['/api/v1/namespaces/{namespace}/pods'], 'beside our own');
    t.notOk(paths['/apis/other.example.com/v1/squares'], 'nothing that was not registered');
    t.notOk(types['com.example.Square']);
    const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
    t.strictSame(at(Object.values(types['com.example.Circle'] as Json)[1], 'metadata'), {
      $ref: `#/definitions/${meta}_v2`,
    });
    t.match(types[`${meta}_v2`], { description: 'another release' });
    t.ok(((types[meta] as Json)['properties'] as Json)['ownerReferences'], 'ours is ours');
    const again = await api.call('GET', '/openapi/v2', undefined, { 'if-none-match': String(headers['etag']) });
    t.equal(again.status, 304);
    const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
    t.match((await api.call('GET', '/openapi/v2', undefined, { accept })).text, 'com.example.Circle');
  });

  t.test('is asked as who asks', async (t) => {
    const spoofed = {
      'x-remote-user': 'root',
      'x-remote-group': 'x',
      'x-remote-extra-a': 'b',
      authorization: 'Basic eA==',
    };
    const answer = await api.call('GET', `${circles}?limit=5`, undefined, spoofed);
    t.equal(answer.status, 200, answer.text);
    t.equal(answer.body['kind'], 'CircleList');
    const { target, headers } = extension.seen.at(-1) ?? {
      target: '',
      headers: {} as ExtensionServer['seen'][number]['headers'],
    };
    t.equal(target, `${circles}?limit=5`);
    t.match(headers, { 'x-remote-user': 'system:admin', 'x-remote-group': 'system:masters, system:authenticated' });
    t.notOk(headers['authorization']);
    t.notOk(headers['x-remote-extra-a']);
  });

  t.test('takes bodies up to the limit, and streams', async (t) => {
    t.match((await api.call('POST', circles, { kind: 'Circle' })).body, { kind: 'Circle' });
    t.equal((await api.call('POST', circles, { text: 'x'.repeat(4 << 20) })).status, 413);
    const watch = await api.watch(`${circles}?watch=1`);
    t.equal((await watch.next()).type, 'ADDED');
    watch.close();
  });

  t.test('says uid and extra fields of who asks', async (t) => {
    const spec = remoteService(extension)['spec'] as Parameters<typeof createDialer>[0];
    const dialer = createDialer(spec, frontProxy);
    t.teardown(() => dialer.close());
    const user = { name: 'ada', uid: 'u1', groups: ['a', 'b'], extra: { 'example.org/Scopes': ['x', 'y'] } };
    const { signal } = new AbortController();
    const from = { method: 'GET', target: circles, headers: {}, user, signal, bodyLimit: 0 };
    const answer = await dialer.request(`127.0.0.1:${extension.port}`, from);
    answer.body.resume();
    t.match(extension.seen.at(-1)?.headers, {
      'x-remote-user': 'ada',
      'x-remote-uid': 'u1',
      'x-remote-group': 'a, b',
      'x-remote-extra-example.org%2fscopes': 'x, y',
    });
  });

  t.test('takes upgrades', async (t) => {
    const answer = await dialUpgrade({
      url: new URL(`${api.server.url}${circles}/round/talk`),
      method: 'GET',
      headers: { connection: 'Upgrade', upgrade: 'echo', 'x-remote-user': 'root' },
      tls: { ca: api.ca },
    });
    if (!answer.upgraded) throw new Error(answer.body.toString());
    answer.socket.write('hello');
    const [bytes] = (await once(answer.socket, 'data')) as [Buffer];
    t.equal(bytes.toString(), 'hello');
    t.equal(extension.seen.at(-1)?.headers['x-remote-user'], 'system:admin');
    answer.socket.destroy();
  });

  t.test('is found by kubectl', async (t) => {
    const kubectl = await kubectlFor(api);
    t.teardown(() => kubectl.close());
    t.match((await kubectl.run(['get', 'apiservices'])).out, /v1\.shapes\.example\.com\s+default\/shapes\s+True/);
    t.match((await kubectl.run(['api-resources'])).out, /circles\s+ci\s+shapes\.example\.com\/v1\s+true\s+Circle/);
    t.match((await kubectl.run(['get', 'circles', '-o', 'name'])).out, 'circle.shapes.example.com/round');
    t.match((await kubectl.run(['get', '--raw', `/apis/${group}/v1`])).out, 'APIResourceList');
    t.match((await kubectl.run(['get', '--raw', `/apis/${group}`])).out, 'APIGroup');
  });

  t.test('is unavailable when its server does not prove itself', async (t) => {
    const other = await startExtensionServer(api.pki, front.ca, 'somebody.else.svc');
    t.teardown(() => other.close());
    await api.plant(sliceKey, slice(other.port));
    await reasonIs(api, 'FailedDiscoveryCheck');
    t.equal((await api.call('GET', circles)).status, 503);
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    const { body } = await api.call('GET', '/apis', undefined, { accept });
    const item = (body['items'] as Json[]).find((one) => at(one, 'metadata.name') === group);
    t.equal(at(item, 'versions.0.freshness'), 'Stale');
    await api.patch(`${services}/v1.${group}`, { spec: { insecureSkipTLSVerify: true, caBundle: null } });
    await reasonIs(api, 'Passed');
    t.equal((await api.call('GET', circles)).status, 200);
    await api.call('DELETE', `${services}/v1.${group}`);
    await until('gone', async () => (await api.call('GET', circles)).status === 404);
    const { paths } = (await api.call('GET', '/openapi/v2')).body;
    t.notOk((paths as Json)[`/apis/${group}/v1/circles`], 'nor in OpenAPI');
  });
});
