// Conversion webhooks: a real server on loopback turns v1 (hostPort) into v2 (host, port) and back.

import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { at, type Json, startTestServer, type TestServer } from '../harness.ts';
import { definitionsPath, establish, version } from './definitions.ts';

const v1 = '/apis/stable.example.com/v1/namespaces/default/targets';
const v2 = '/apis/stable.example.com/v2/namespaces/default/targets';
const text = { type: 'string' };
const schemaOf = (properties: object): object => ({
  type: 'object',
  properties: { spec: { type: 'object', properties }, status: { type: 'object', properties: { seen: text } } },
});
const versions = (storage: string): readonly Json[] => [
  version('v1', { storage: storage === 'v1', subresources: { status: {} } }, schemaOf({ hostPort: text })),
  version(
    'v2',
    { storage: storage === 'v2', subresources: { status: {} }, selectableFields: [{ jsonPath: '.spec.host' }] },
    schemaOf({ host: text, port: text, zone: { ...text, default: 'a' } }),
  ),
];

interface Target {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Json;
  readonly spec?: { readonly hostPort?: string; readonly host?: string; readonly port?: string };
}

function converted(object: Target, apiVersion: string): object {
  const { spec = {} } = object;
  const [host, port] = (spec.hostPort ?? '').split(':');
  const next = apiVersion.endsWith('v2') ? { host, port } : { hostPort: `${spec.host}:${spec.port}` };
  const metadata = { ...object.metadata, annotations: { 'converted-to': apiVersion }, generation: 99 };
  return { ...object, apiVersion, metadata, spec: next };
}

/** What a test may have the webhook do instead. */
type Misdeed = (request: { readonly uid: string; readonly objects: readonly Target[] }) => object | undefined;

async function start(t: Test, storage = 'v1') {
  const server = await startTestServer();
  let misdeed: Misdeed | undefined;
  let calls = 0;
  const hook = createServer(server.pki.server, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      calls += 1;
      const { request: asked } = JSON.parse(Buffer.concat(chunks).toString()) as {
        readonly request: {
          readonly uid: string;
          readonly desiredAPIVersion: string;
          readonly objects: readonly Target[];
        };
      };
      const convertedObjects = asked.objects.map((object) => converted(object, asked.desiredAPIVersion));
      const usual = { uid: asked.uid, convertedObjects, result: { status: 'Success' } };
      const answer = {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'ConversionReview',
        response: { ...usual, ...misdeed?.(asked) },
      };
      response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  t.teardown(async () => {
    await server.stop();
    hook.closeAllConnections();
    hook.close();
  });
  const url = `https://127.0.0.1:${(hook.address() as AddressInfo).port}/convert`;
  const definition = (stored: string): Json => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'targets.stable.example.com' },
    spec: {
      group: 'stable.example.com',
      scope: 'Namespaced',
      names: { plural: 'targets', kind: 'Target' },
      versions: versions(stored),
      conversion: {
        strategy: 'Webhook',
        webhook: {
          conversionReviewVersions: ['v1'],
          clientConfig: { url, caBundle: Buffer.from(server.pki.ca).toString('base64') },
        },
      },
    },
  });
  await establish(server, definition(storage));
  return {
    server,
    url,
    storeIn: (stored: string) =>
      server.patch(`${definitionsPath}/targets.stable.example.com`, { spec: { versions: versions(stored) } }),
    misbehave: (how: Misdeed | undefined): void => {
      misdeed = how;
    },
    calls: () => calls,
  };
}

const target = (name: string, spec: object, apiVersion = 'stable.example.com/v1'): Json => ({
  apiVersion,
  kind: 'Target',
  metadata: { name },
  spec,
});
const old = (name: string, hostPort = 'h:1'): Json => target(name, { hostPort });
const specs = (body: Json): unknown => (body['items'] as Json[]).map(({ spec }) => spec);

t.test('each version is written and read as itself', async (t) => {
  const { server } = await start(t);
  t.match(await server.call('POST', v1, old('a')), { status: 201, body: { spec: { hostPort: 'h:1' } } });
  const seen = await server.call('GET', `${v2}/a`);
  t.match(seen, {
    status: 200,
    body: { apiVersion: 'stable.example.com/v2', spec: { host: 'h', port: '1' } },
  });
  t.equal(at(seen.body, 'spec.zone'), undefined, "only the storage version's defaults apply to what is stored");
  t.match(seen.body['metadata'], { annotations: { 'converted-to': 'stable.example.com/v2' }, generation: 1 });
  t.ok(at(seen.body, 'metadata.uid'));

  const made = await server.call('POST', v2, target('b', { host: 'i', port: '2' }, 'stable.example.com/v2'));
  t.match(made, { status: 201, body: { apiVersion: 'stable.example.com/v2', spec: { host: 'i', port: '2' } } });
  t.match((await server.call('GET', `${v1}/b`)).body, { spec: { hostPort: 'i:2' } });
  t.strictSame(specs((await server.call('GET', v1)).body), [{ hostPort: 'h:1' }, { hostPort: 'i:2' }]);
  t.match(specs((await server.call('GET', v2)).body), [{ host: 'h' }, { host: 'i' }]);
  t.match(specs((await server.call('GET', `${v2}?fieldSelector=spec.host%3Di`)).body), [{ port: '2' }]);

  t.match((await server.patch(`${v2}/b`, { spec: { port: '3' } })).body, { spec: { host: 'i', port: '3' } });
  t.match((await server.call('GET', `${v1}/b`)).body, { spec: { hostPort: 'i:3' } });
  const put = { ...(await server.call('GET', `${v2}/b`)).body, spec: { host: 'j', port: '4' } };
  t.match((await server.call('PUT', `${v2}/b`, put)).body, { spec: { host: 'j', port: '4' } });
  t.match((await server.patch(`${v2}/b/status`, { status: { seen: 'yes' } })).body, { status: { seen: 'yes' } });
  const apply = { 'content-type': 'application/apply-patch+yaml' };
  const applied = target('c', { host: 'k', port: '5' }, 'stable.example.com/v2');
  t.match(await server.call('PATCH', `${v2}/c?fieldManager=t`, applied, apply), {
    status: 201,
    body: { spec: { host: 'k' } },
  });
  t.match(await server.call('PATCH', `${v2}/c?fieldManager=t`, { ...applied, spec: { host: 'l', port: '5' } }, apply), {
    status: 200,
    body: { spec: { host: 'l' } },
  });
  t.match(await server.call('PATCH', `${v1}/c?fieldManager=t`, old('c', 'm:6'), apply), {
    status: 200,
    body: { spec: { hostPort: 'm:6' } },
  });
  t.match(await server.call('DELETE', `${v2}/c`), { status: 200 });
  t.equal((await server.call('GET', `${v1}/c`)).status, 404);
});

t.test('a watch tells everything in its own version, in order', async (t) => {
  const { server } = await start(t);
  await server.call('POST', v1, old('a'));
  const watch = await server.watch(
    `${v2}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
  );
  t.match(await watch.next(), { type: 'ADDED', object: { apiVersion: 'stable.example.com/v2', spec: { host: 'h' } } });
  t.match(await watch.next(), { type: 'BOOKMARK' });
  await Promise.all(['b', 'c', 'd'].map((name) => server.call('POST', v1, old(name, `${name}:1`))));
  await server.patch(`${v1}/b`, { spec: { hostPort: 'z:9' } });
  await server.call('DELETE', `${v1}/b`);
  const seen = [];
  for (let count = 0; count < 5; count += 1) seen.push(await watch.next());
  t.strictSame(
    seen
      .slice(0, 3)
      .map(({ object }) => at(object, 'spec.host'))
      .sort(),
    ['b', 'c', 'd'],
  );
  t.match(seen.slice(3), [
    { type: 'MODIFIED', object: { spec: { host: 'z' } } },
    { type: 'DELETED', object: { spec: { host: 'z' } } },
  ]);
  watch.close();
});

t.test('a list is one call, and what was answered is remembered', async (t) => {
  const { server, calls } = await start(t);
  for (const name of ['a', 'b', 'c']) await server.call('POST', v1, old(name, `${name}:1`));
  const before = calls();
  await server.call('GET', v2);
  t.equal(calls(), before + 1);
  await server.call('GET', v2);
  await server.call('GET', `${v2}/a`);
  t.equal(calls(), before + 1);
});

t.test('objects of an earlier storage version are converted when they are read', async (t) => {
  const { server, storeIn } = await start(t);
  await server.call('POST', v1, old('a'));
  const { body } = await storeIn('v2');
  t.strictSame(at(body, 'status.storedVersions'), ['v1', 'v2']);
  t.match((await server.call('GET', `${v2}/a`)).body, { spec: { host: 'h' } });
  t.match((await server.call('GET', `${v1}/a`)).body, { spec: { hostPort: 'h:1' } });
  t.match((await server.patch(`${v2}/a`, { spec: { port: '8' } })).body, { spec: { host: 'h', port: '8' } });
  t.match(specs((await server.call('GET', v1)).body), [{ hostPort: 'h:8' }]);
});

t.test('what a webhook does wrong is told in upstream\u2019s words', async (t) => {
  const { server, misbehave } = await start(t);
  const subject = 'conversion webhook for stable.example.com/v1, Kind=Target';
  const cases: readonly { readonly name: string; readonly misdeed: Misdeed; readonly says: string }[] = [
    {
      name: 'refused',
      misdeed: () => ({ result: { status: 'Failed', message: 'no way' } }),
      says: `${subject} failed: no way`,
    },
    {
      name: 'silent',
      misdeed: () => ({ result: { status: 'Failure' } }),
      says: `${subject} failed: response.result.status was 'Failure', not 'Success'`,
    },
    { name: 'uid', misdeed: () => ({ uid: 'x' }), says: ', got "x"' },
    { name: 'lost', misdeed: () => ({ convertedObjects: [] }), says: `${subject} returned 0 objects, expected 1` },
    {
      name: 'version',
      misdeed: ({ objects }) => ({ convertedObjects: objects }),
      says: `${subject} returned invalid converted object at index 0: invalid groupVersion (expected stable.example.com/v2, received stable.example.com/v1)`,
    },
    {
      name: 'renamed',
      misdeed: ({ objects }) => ({
        convertedObjects: objects.map((one) => ({
          ...converted(one, 'stable.example.com/v2'),
          metadata: { name: 'y' },
        })),
      }),
      says: 'must have the same name: "renamed" != "y"',
    },
  ];
  for (const { name, misdeed, says } of cases) {
    misbehave(undefined);
    t.equal((await server.call('POST', v1, old(name))).status, 201);
    misbehave(misdeed);
    const answer = await server.call('GET', `${v2}/${name}`);
    t.equal(answer.status, 500);
    t.ok(String(answer.body['message']).includes(says), `${name}: ${answer.body['message']}`);
  }
  t.equal((await server.call('POST', v2, target('n', { host: 'i' }, 'stable.example.com/v2'))).status, 500);
  t.equal((await server.call('GET', `${v1}/n`)).status, 404, 'nothing was stored');
  t.equal((await server.call('GET', `${v1}/uid`)).status, 200, 'its own version needs no webhook');
  misbehave(undefined);
  t.equal((await server.call('GET', `${v2}/refused`)).status, 200, 'a failure is not remembered');
});

t.test('a webhook that is not there is named, and ends a watch with an error', async (t) => {
  const { server } = await start(t);
  await server.call('POST', v1, old('a'));
  await gone(server);
  const { status, body } = await server.call('GET', `${v2}/a`);
  t.equal(status, 500);
  t.match(
    body['message'],
    /^conversion webhook for stable.example.com\/v1, Kind=Target failed: Post "https:\/\/127.0.0.1:1\/convert\?timeout=30s": /,
  );
  const watch = await server.watch(`${v2}?watch=true`);
  t.match(await watch.next(), { type: 'ERROR', object: { code: 500 } });
  watch.close();
});

async function gone(server: TestServer): Promise<void> {
  const webhook = { clientConfig: { url: 'https://127.0.0.1:1/convert' } };
  await server.patch(`${definitionsPath}/targets.stable.example.com`, { spec: { conversion: { webhook } } });
}
