// The client and its informers against the API server itself: verbs, a restart, a compaction.
import t from 'tap';
import { type ConfigMap, kinds } from '../../src/api/index.ts';
import { startApiServer } from '../../src/apiserver/index.ts';
import { createClient, createInformerFactory } from '../../src/client/index.ts';
import { createMemoryStore, type Store } from '../../src/store/index.ts';
import { createTestPki } from '../apiserver/pki.ts';

type Pki = Awaited<ReturnType<typeof createTestPki>>;

async function serve(store: Store, pki: Pki, port = 0) {
  const server = await startApiServer({
    store,
    host: '127.0.0.1',
    port,
    serviceCidr: '10.96.0.0/24',
    security: { mode: 'allow-all' },
    tls: { ...pki.server, clientCa: pki.ca },
  });
  await server.ready;
  return server;
}

function configMap(name: string, data: Record<string, string> = {}): ConfigMap {
  return { metadata: { name, namespace: 'default' }, data };
}

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000; tries += 1) {
    if (what()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('what the test waits for did not happen');
}

t.test('every verb means the same to both sides', async (t) => {
  const pki = await createTestPki();
  const store = await createMemoryStore();
  const server = await serve(store, pki);
  const client = createClient({ server: server.url, ca: pki.ca });
  const at = { namespace: 'default', name: 'a' };
  const made = await client.create(kinds.configMap, configMap('a', { k: '1' }));
  t.match(made, { kind: 'ConfigMap', metadata: { name: 'a', uid: /.+/, resourceVersion: /^\d+$/ } });
  await t.rejects(client.create(kinds.configMap, configMap('a')), { code: 409, reason: 'AlreadyExists' });
  const updated = await client.update(kinds.configMap, { ...made, data: { k: '2' } });
  await t.rejects(client.update(kinds.configMap, { ...made, data: { k: '3' } }), { code: 409, reason: 'Conflict' });
  t.same((await client.patch(kinds.configMap, at, 'merge', { data: { l: '4' } })).data, { k: '2', l: '4' });
  t.not(updated.metadata.resourceVersion, made.metadata.resourceVersion);
  const list = await client.list(kinds.configMap, { namespace: 'default', fieldSelector: 'metadata.name=a' });
  t.match(list.items, [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }]);
  await client.delete(kinds.configMap, at);
  await t.rejects(client.get(kinds.configMap, at), { code: 404, reason: 'NotFound' });
  t.equal((await client.raw('GET', '/readyz')).status, 200);
  await client.close();
  await server.stop(0);
  await store.close();
});

t.test('an informer stays right through a restart and a compaction', async (t) => {
  const pki = await createTestPki();
  const store = await createMemoryStore();
  let server = await serve(store, pki);
  const client = createClient({ server: server.url, ca: pki.ca });
  const stop = new AbortController();
  const factory = createInformerFactory(client);
  const informer = factory.informer(kinds.configMap, { namespace: 'default' });
  const names = (): string[] =>
    informer
      .list()
      .map(({ metadata }) => metadata.name)
      .sort();
  const heard: string[] = [];
  await client.create(kinds.configMap, configMap('stays'));
  await client.create(kinds.configMap, configMap('goes'));
  await factory.start(stop.signal);
  informer.addHandler({
    added: ({ metadata }) => heard.push(`+${metadata.name}`),
    deleted: ({ metadata }) => heard.push(`-${metadata.name}`),
  });
  await client.create(kinds.configMap, configMap('live'));
  await until(() => names().includes('live'));
  const { port } = server;
  await server.stop(0);
  server = await serve(store, pki, port);
  await client.delete(kinds.configMap, { namespace: 'default', name: 'goes' });
  await client.create(kinds.configMap, configMap('while-away'));
  await store.compact(store.revision);
  await until(() => names().includes('while-away'));
  t.same(names(), ['live', 'stays', 'while-away']);
  t.same(heard.toSorted(), ['+goes', '+live', '+stays', '+while-away', '-goes'], 'nothing twice, nothing missed');
  await client.patch(kinds.configMap, { namespace: 'default', name: 'live' }, 'merge', { data: { new: 'value' } });
  await until(() => informer.get('default/live')?.data?.['new'] === 'value');
  stop.abort();
  await client.close();
  await server.stop(0);
  await store.close();
});
