// Protobuf at the HTTP edge: bodies of clients that send it, answers for clients that take nothing else, and the typed
// commands of stock kubectl, which sends objects that way.

import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { Agent } from 'undici';
import { decodeProtobuf, encodeProtobuf, type KubeObject, protobufMediaType as protobuf } from '../../src/api/index.ts';
import { at, configMap, configMaps, type Json, startTestServer } from './harness.ts';
import { kubectlFor } from './kubectl.ts';
import { noKubectl } from './proxy/cluster.ts';

const server = await startTestServer();
t.teardown(() => server.stop());
const agent = new Agent({ connect: { ca: server.ca } });
t.teardown(() => agent.destroy());

interface BinaryAnswer {
  readonly status: number;
  readonly type: string;
  readonly bytes: Buffer;
  /** What the bytes say, when they are protobuf. */
  readonly object: Json;
}

async function send(
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  { body, accept = protobuf }: { readonly body?: KubeObject | Buffer; readonly accept?: string } = {},
): Promise<BinaryAnswer> {
  const answer = await agent.request({
    origin: server.server.url,
    path,
    method,
    headers: { accept, 'content-type': protobuf },
    ...(body === undefined ? {} : { body: Buffer.isBuffer(body) ? body : encodeProtobuf(body) }),
  });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  const type = String(answer.headers['content-type']);
  const object = type === protobuf ? (decodeProtobuf(bytes) as Json) : {};
  return { status: answer.statusCode, type, bytes, object };
}

t.test('an object is created, replaced, read and deleted without any JSON', async (t) => {
  const created = await send('POST', configMaps, { body: configMap('a', {}, { k: 'v' }) });
  t.match(created, { status: 201, type: protobuf, object: { kind: 'ConfigMap', apiVersion: 'v1', data: { k: 'v' } } });
  const stored = (await server.call('GET', `${configMaps}/a`)).body;
  t.strictSame(created.object, stored);
  const replaced = await send('PUT', `${configMaps}/a`, { body: { ...stored, data: { k: 'w' } } as KubeObject });
  t.match(replaced, { status: 200, object: { data: { k: 'w' } } });
  t.match(await send('GET', `${configMaps}/a`), { status: 200, object: { data: { k: 'w' } } });
  const options = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: 'another' } };
  t.match(await send('DELETE', `${configMaps}/a`, { body: options }), {
    status: 409,
    object: { kind: 'Status', reason: 'Conflict' },
  });
  t.match(await send('DELETE', `${configMaps}/a`, { body: { apiVersion: 'v1', kind: 'DeleteOptions' } }), {
    status: 200,
    object: { kind: 'Status', status: 'Success', details: { name: 'a' } },
  });
  t.match(await send('GET', `${configMaps}/a`), { status: 404, type: protobuf, object: { kind: 'Status', code: 404 } });
});

t.test('defaults and validation are those of JSON bodies', async (t) => {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  };
  const path = '/api/v1/namespaces/default/pods?dryRun=All';
  const [binary, json] = await Promise.all([send('POST', path, { body: pod }), server.call('POST', path, pod)]);
  t.strictSame(withoutIdentity(binary.object), withoutIdentity(json.body));
  const bad = { ...pod, spec: { containers: [{ name: 'C C' }] } };
  const [refused, same] = await Promise.all([send('POST', path, { body: bad }), server.call('POST', path, bad)]);
  t.equal(refused.status, 422);
  t.strictSame(at(refused.object, 'details'), at(same.body, 'details'));
});

/** Nor the times, which may be those of two seconds. */
function withoutIdentity(object: Json): Json {
  const { uid: _uid, creationTimestamp: _time, managedFields, ...metadata } = object['metadata'] as Json;
  const owners = (managedFields as readonly Json[]).map(({ time: _at, ...owner }) => owner);
  return { ...object, metadata: { ...metadata, managedFields: owners } };
}

t.test('who takes JSON as well gets the stored bytes', async (t) => {
  await server.call('POST', configMaps, configMap('both'));
  const { text } = await server.call('GET', `${configMaps}/both`);
  for (const accept of [`${protobuf},application/json`, `${protobuf}, */*`]) {
    const answer = await send('GET', `${configMaps}/both`, { accept });
    t.match(answer, { status: 200, type: 'application/json' });
    t.equal(answer.bytes.toString(), text);
  }
});

t.test('lists, whole and as metadata', async (t) => {
  await server.call('POST', configMaps, configMap('l1', { of: 'list' }, { k: '1' }));
  await server.call('POST', configMaps, configMap('l2', { of: 'list' }, { k: '2' }));
  const query = '?labelSelector=of%3Dlist';
  const list = await send('GET', `${configMaps}${query}&limit=1`);
  t.match(list.object, {
    kind: 'ConfigMapList',
    apiVersion: 'v1',
    items: [{ metadata: { name: 'l1' }, data: { k: '1' } }],
  });
  t.match(at(list.object, 'metadata.continue'), /./);
  t.equal((at(list.object, 'items') as unknown[]).length, 1);
  const accept = (what: string) => `${protobuf};as=${what};g=meta.k8s.io;v=v1`;
  const metadata = await send('GET', `${configMaps}${query}`, { accept: accept('PartialObjectMetadataList') });
  t.equal(metadata.type, protobuf);
  t.match(metadata.object, {
    kind: 'PartialObjectMetadataList',
    apiVersion: 'meta.k8s.io/v1',
    items: [{ metadata: { name: 'l1' } }, { metadata: { name: 'l2' } }],
  });
  t.notMatch(metadata.object, { items: [{ data: {} }] });
  const one = await send('GET', `${configMaps}/l1`, { accept: accept('PartialObjectMetadata') });
  t.match(one.object, { kind: 'PartialObjectMetadata', metadata: { name: 'l1', labels: { of: 'list' } } });
  t.equal((await send('GET', configMaps, { accept: accept('Table') })).status, 406);
});

t.test('a watch is frames of events, bookmark included', async (t) => {
  await server.call('POST', configMaps, configMap('w1', { of: 'watch' }));
  const query = 'watch=1&labelSelector=of%3Dwatch&allowWatchBookmarks=true&sendInitialEvents=true';
  const { headers, body } = await agent.request({
    origin: server.server.url,
    path: `${configMaps}?${query}&resourceVersionMatch=NotOlderThan&timeoutSeconds=60`,
    method: 'GET',
    headers: { accept: protobuf },
  });
  t.equal(headers['content-type'], `${protobuf};stream=watch`);
  const events = frames(body);
  t.match(await events.next(), { value: { type: 'ADDED', object: { kind: 'ConfigMap', metadata: { name: 'w1' } } } });
  t.match(await events.next(), {
    value: { type: 'BOOKMARK', object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } } },
  });
  await server.patch(`${configMaps}/w1`, { data: { k: 'v' } });
  t.match(await events.next(), { value: { type: 'MODIFIED', object: { data: { k: 'v' } } } });
  await server.call('DELETE', `${configMaps}/w1`);
  t.match(await events.next(), { value: { type: 'DELETED', object: { metadata: { name: 'w1' } } } });
  await events.return(undefined);
});

t.test('custom resources have no protobuf form, their metadata has', async (t) => {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
  const created = await send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', { body: definition });
  t.match(created, { status: 201, object: { spec: { versions: [{ schema }] } } });
  const widgets = '/apis/example.com/v1/namespaces/default/widgets';
  const widget = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' } };
  await untilServed(widgets);
  t.equal((await server.call('POST', widgets, widget)).status, 201);
  const json = { accept: 'application/json' };
  t.equal((await send('POST', widgets, { ...json, body: Buffer.from('6b387300', 'hex') })).status, 415);
  t.match(await send('GET', `${widgets}/w`), { status: 406, object: { kind: 'Status', reason: 'NotAcceptable' } });
  const accept = `${protobuf};as=PartialObjectMetadata;g=meta.k8s.io;v=v1`;
  t.match(await send('GET', `${widgets}/w`, { accept }), { status: 200, object: { metadata: { name: 'w' } } });
  const query = 'watch=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
  for (const type of ['application/json', protobuf]) {
    const { body } = await agent.request({
      origin: server.server.url,
      path: `${widgets}?${query}&timeoutSeconds=60`,
      method: 'GET',
      headers: { accept: accept.replace(protobuf, type) },
    });
    const events = type === protobuf ? frames(body) : lines(body);
    const partial = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' };
    t.match(await events.next(), { value: { type: 'ADDED', object: { ...partial, metadata: { name: 'w' } } } });
    t.match(await events.next(), { value: { type: 'BOOKMARK', object: partial } });
    await events.return(undefined);
  }
});

async function untilServed(path: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if ((await server.call('GET', path)).status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${path} is not served`);
}

async function* lines(body: AsyncIterable<Buffer>): AsyncGenerator<{ type: string; object: Json }, void> {
  for await (const chunk of body) {
    for (const line of chunk.toString().split('\n')) if (line !== '') yield JSON.parse(line);
  }
}

/** Events of a watch: 4 bytes of length, then {type = 1, object = 2 {raw = 1}}, read as a client would. */
async function* frames(body: AsyncIterable<Buffer>): AsyncGenerator<{ type: string; object: Json }, void> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of body) {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const event = rest.subarray(4, 4 + rest.readUInt32BE(0));
      rest = rest.subarray(4 + event.length);
      const magic = event.indexOf('k8s\0');
      const typeLength = event[1] ?? 0;
      yield {
        type: event.toString('utf8', 2, 2 + typeLength),
        object: decodeProtobuf(event.subarray(magic)) as Json,
      };
    }
  }
}

t.test('scale, evictions and reviews', async (t) => {
  const deployments = '/apis/apps/v1/namespaces/default/deployments';
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const spec = { replicas: 1, selector: { matchLabels: { a: 'b' } }, template };
  await send('POST', deployments, {
    body: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec } as KubeObject,
  });
  const scale = {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name: 'd', namespace: 'default' },
    spec: { replicas: 4 },
  };
  t.match(await send('PUT', `${deployments}/d/scale`, { body: scale as KubeObject }), {
    status: 200,
    object: { kind: 'Scale', spec: { replicas: 4 } },
  });
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'gone', namespace: 'default' } };
  t.match(await send('POST', '/api/v1/namespaces/default/pods/gone/eviction', { body: eviction }), {
    status: 404,
    object: { message: 'pods "gone" not found' },
  });
});

t.test('what cannot be read is 400 with the reason, what has no protobuf form 415 and 406', async (t) => {
  const broken = await send('POST', configMaps, { body: Buffer.from('6b3873000aff', 'hex') });
  t.match(broken, { status: 400, object: { reason: 'BadRequest', message: /unexpected EOF/ } });
  const json = await send('POST', configMaps, { body: Buffer.from('{}') });
  t.match(json, { status: 400, object: { message: /does not appear to be a protobuf message/ } });
  const options = await send('DELETE', `${configMaps}/x`, { body: Buffer.from('{}') });
  t.match(options, { status: 400, object: { message: /does not appear to be a protobuf message/ } });
  const other = await send('POST', '/api/v1/namespaces/default/pods', { body: configMap('x') });
  t.match(other, { status: 400, object: { message: /ConfigMap in version "v1" cannot be handled as a Pod/ } });
  const patch = await server.call('PATCH', `${configMaps}/both`, '{}', { 'content-type': protobuf });
  t.equal(patch.status, 415);
});

t.test('a body past the limit', async (t) => {
  const { status, object } = await send('POST', configMaps, { body: Buffer.alloc(4 << 20) });
  t.match({ status, object }, { status: 413, object: { kind: 'Status', code: 413 } });
});

t.test('kubectl: typed commands', { skip: noKubectl }, async (t) => {
  const kubectl = await kubectlFor(server);
  t.teardown(() => kubectl.close());
  const made: readonly (readonly [string, RegExp])[] = [
    ['create namespace team', /^namespace\/team created/],
    ['create deployment web --image=nginx --replicas=2 --port=80', /^deployment.apps\/web created/],
    ['create configmap settings --from-literal=a=b', /^configmap\/settings created/],
    ['create secret generic key --from-literal=password=s3cret', /^secret\/key created/],
    ['create job once --image=busybox -- true', /^job.batch\/once created/],
    ['create cronjob daily --image=busybox --schedule=@daily -- true', /^cronjob.batch\/daily created/],
    ['create serviceaccount robot', /^serviceaccount\/robot created/],
    ['create role reader --verb=get --resource=pods', /^role.rbac.authorization.k8s.io\/reader created/],
    ['create rolebinding readers --role=reader --user=me', /^rolebinding.rbac.authorization.k8s.io\/readers created/],
    ['create quota few --hard=pods=3,requests.cpu=500m', /^resourcequota\/few created/],
    ['create service clusterip web --tcp=80:8080', /^service\/web created/],
    ['create ingress site --rule=example.com/=web:80', /^ingress.networking.k8s.io\/site created/],
    ['create poddisruptionbudget web --selector=app=web --min-available=1', /^poddisruptionbudget.policy\/web created/],
    ['create priorityclass high --value=1000', /^priorityclass.scheduling.k8s.io\/high created/],
    ['run one --image=nginx --env=A=b', /^pod\/one created/],
    ['scale deployment web --replicas=3', /^deployment.apps\/web scaled/],
    ['delete configmap settings', /^configmap "settings" deleted/],
  ];
  for (const [command, said] of made) {
    const { out, err } = await kubectl.run(command.split(' '));
    t.match(out, said, `kubectl ${command}: ${err}`);
  }
  const { err } = await kubectl.run(['create', 'namespace', 'shown', '-v=8']);
  t.match(err, /Content-Type: application\/vnd\.kubernetes\.protobuf/i, 'kubectl did send protobuf');
  const { body } = await server.call('GET', '/apis/apps/v1/namespaces/default/deployments/web');
  t.match(body['spec'], {
    replicas: 3,
    template: { spec: { containers: [{ image: 'nginx', ports: [{ containerPort: 80 }] }] } },
  });
  const secret = await server.call('GET', '/api/v1/namespaces/default/secrets/key');
  t.same(secret.body['data'], { password: Buffer.from('s3cret').toString('base64') });
  const quota = await server.call('GET', '/api/v1/namespaces/default/resourcequotas/few');
  t.same(at(quota.body, 'spec.hard'), { pods: '3', 'requests.cpu': '500m' });
});

t.test('kubectl: tokens and evictions', { skip: noKubectl }, async (t) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signingKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const guarded = await startTestServer({
    security: { mode: 'rbac', serviceAccounts: { signingKeyPem, issuer: 'https://kubernetes.default.svc' } },
    clientGroups: ['system:masters'],
  });
  t.teardown(() => guarded.stop());
  const kubectl = await kubectlFor(guarded);
  t.teardown(() => kubectl.close());
  const ok = async (command: string, said: RegExp): Promise<void> => {
    const { out, err } = await kubectl.run(command.split(' '));
    t.match(out, said, `kubectl ${command}: ${err}`);
  };
  await ok('create serviceaccount default', /created/);
  await ok('create token default --duration=10m', /^ey[\w-]+\.[\w-]+\.[\w-]+\s*$/);
  const asked = { audiences: null, boundObjectRef: null, expirationSeconds: 600 };
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: asked };
  const token = await guarded.call('POST', '/api/v1/namespaces/default/serviceaccounts/default/token', request);
  t.equal(token.status, 201, 'the nulls of a typed client in JSON');
  await ok('auth can-i create pods', /^yes/);
  await ok('auth whoami', /system:masters/);

  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } };
  t.equal((await guarded.call('POST', '/api/v1/nodes', node)).status, 201);
  const spec = { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }] };
  const pods = '/api/v1/namespaces/default/pods';
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec };
  t.equal((await guarded.call('POST', pods, pod)).status, 201);
  await ok('drain n1 --force --dry-run=server', /pod default\/p|evicting pod|node\/n1 drained \(server dry run\)/);
  t.equal((await guarded.call('GET', `${pods}/p`)).status, 200);
  await ok('drain n1 --force --grace-period=0', /node\/n1 drained/);
  t.equal((await guarded.call('GET', `${pods}/p`)).status, 404);
});
