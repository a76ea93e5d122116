import t from 'tap';
import { kinds, type Pod, type Stored } from '../../src/api/index.ts';
import { createFakeClient, createInformerFactory, keyOf } from '../../src/client/index.ts';
import { createObjectCache } from '../../src/client/object-cache.ts';

function pod(name: string, labels: Record<string, string> = {}, nodeName?: string): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels },
    spec: { containers: [{ name: 'c', image: 'i' }], ...(nodeName === undefined ? {} : { nodeName }) },
  };
}

async function started(objects: Pod[], stop: AbortController) {
  const client = createFakeClient(objects);
  const factory = createInformerFactory(client);
  const pods = factory.informer(kinds.pod);
  const heard: string[] = [];
  pods.addHandler({
    added: (object) => heard.push(`+${object.metadata.name}`),
    updated: (object) => heard.push(`~${object.metadata.name}`),
    deleted: (object) => heard.push(`-${object.metadata.name}`),
  });
  await factory.start(stop.signal);
  return { client, factory, pods, heard };
}

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (what()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('what the test waits for did not happen');
}

t.test('an informer fills its cache from one list and follows one watch', async (t) => {
  const stop = new AbortController();
  const { client, pods, heard } = await started([pod('a'), pod('b')], stop);
  t.same(heard, ['+a', '+b']);
  await client.create(kinds.pod, pod('c'));
  await client.patch(kinds.pod, { namespace: 'default', name: 'a' }, 'merge', { metadata: { labels: { x: 'y' } } });
  await client.delete(kinds.pod, { namespace: 'default', name: 'b' });
  await until(() => heard.length === 5);
  t.same(heard.slice(2), ['+c', '~a', '-b']);
  t.same(pods.list('default').map(keyOf).sort(), ['default/a', 'default/c']);
  t.equal(client.requests.filter(({ verb }) => verb === 'list').length, 1);
  t.equal(client.requests.filter(({ verb }) => verb === 'watch').length, 1);
  stop.abort();
});

t.test('a late handler hears of what is there already', async (t) => {
  const stop = new AbortController();
  const { pods } = await started([pod('a')], stop);
  const heard: string[] = [];
  pods.addHandler({ added: (object) => heard.push(object.metadata.name) });
  t.same(heard, ['a']);
  stop.abort();
});

t.test('a watch that ends is resumed where it was, without a second list', async (t) => {
  const stop = new AbortController();
  const { client, heard } = await started([], stop);
  await until(() => client.requests.some(({ verb }) => verb === 'watch'));
  client.dropWatches();
  await client.create(kinds.pod, pod('while-away'));
  await until(() => heard.length === 1);
  t.same(heard, ['+while-away']);
  t.equal(client.requests.filter(({ verb }) => verb === 'list').length, 1);
  stop.abort();
});

t.test('after 410 the new list tells what was missed, deletions included', async (t) => {
  const stop = new AbortController();
  const { client, heard } = await started([pod('stays'), pod('goes')], stop);
  await until(() => client.requests.some(({ verb }) => verb === 'watch'));
  client.dropWatches();
  await client.delete(kinds.pod, { namespace: 'default', name: 'goes' });
  await client.create(kinds.pod, pod('new'));
  client.compact();
  await until(() => heard.length === 4);
  t.same(heard.slice(2), ['-goes', '+new']);
  t.equal(client.requests.filter(({ verb }) => verb === 'list').length, 2);
  stop.abort();
});

t.test('a handler that throws does not keep the change from the others', async (t) => {
  const stop = new AbortController();
  const client = createFakeClient([pod('a')]);
  const factory = createInformerFactory(client);
  const heard: string[] = [];
  const pods = factory.informer(kinds.pod);
  pods.addHandler({
    added: () => {
      throw new Error('bug');
    },
  });
  pods.addHandler({ added: (object) => heard.push(object.metadata.name) });
  await factory.start(stop.signal);
  t.same(heard, ['a']);
  stop.abort();
});

t.test('the first list is repeated until it succeeds', async (t) => {
  const stop = new AbortController();
  const client = createFakeClient([pod('a')]);
  client.failNext(({ verb }) => verb === 'list', new Error('no server yet'));
  const factory = createInformerFactory(client);
  const pods = factory.informer(kinds.pod);
  await factory.start(stop.signal);
  t.equal(pods.list().length, 1);
  stop.abort();
});

t.test('indexes follow updates and deletions', async (t) => {
  const stop = new AbortController();
  const { client, pods } = await started([pod('a', {}, 'n1'), pod('b', {}, 'n1')], stop);
  pods.addIndex('node', ({ spec }) => (spec?.nodeName === undefined ? [] : [spec.nodeName]));
  t.equal(pods.byIndex('node', 'n1').length, 2);
  await client.patch(kinds.pod, { namespace: 'default', name: 'a' }, 'merge', { spec: { nodeName: 'n2' } });
  await client.delete(kinds.pod, { namespace: 'default', name: 'b' });
  await until(() => pods.list().length === 1);
  t.same(pods.byIndex('node', 'n1'), []);
  t.same(pods.byIndex('node', 'n2').map(keyOf), ['default/a']);
  t.throws(() => pods.byIndex('nobody', 'x'), /no index "nobody"/);
  stop.abort();
});

t.test('starting twice runs each informer once; one asked for after the start begins at once', async (t) => {
  const stop = new AbortController();
  const { client, factory, heard } = await started([pod('a')], stop);
  await factory.start(stop.signal);
  const nodes = factory.informer(kinds.node);
  await nodes.synced();
  await factory.start(stop.signal);
  await client.create(kinds.pod, pod('b'));
  await until(() => heard.length === 2);
  t.same(heard, ['+a', '+b']);
  t.equal(client.requests.filter(({ verb, resource }) => verb === 'list' && resource === 'pods').length, 1);
  t.equal(client.requests.filter(({ verb, resource }) => verb === 'list' && resource === 'nodes').length, 1);
  stop.abort();
});

t.test('one informer per kind and selector', async (t) => {
  const factory = createInformerFactory(createFakeClient());
  t.equal(factory.informer(kinds.pod), factory.informer(kinds.pod));
  t.not(factory.informer(kinds.pod), factory.informer(kinds.pod, { labelSelector: 'a=b' }));
});

t.test('an object that ceases to match the selector is deleted from the cache', async (t) => {
  const stop = new AbortController();
  const client = createFakeClient([pod('a', { app: 'web' })]);
  const factory = createInformerFactory(client);
  const pods = factory.informer(kinds.pod, { labelSelector: 'app=web' });
  await factory.start(stop.signal);
  await client.patch(kinds.pod, { namespace: 'default', name: 'a' }, 'merge', { metadata: { labels: { app: 'x' } } });
  await until(() => pods.list().length === 0);
  t.pass();
  stop.abort();
});

t.test('what is asked of an index and not there is not remembered', (t) => {
  const cache = createObjectCache<Pod>();
  cache.addIndex('node', ({ spec }) => (spec?.nodeName === undefined ? [] : [spec.nodeName]));
  cache.put({
    ...pod('a', {}, 'n1'),
    metadata: { name: 'a', namespace: 'default', resourceVersion: '1' },
  } as Stored<Pod>);
  t.equal(cache.byIndex('node', 'n1'), cache.byIndex('node', 'n1'), 'an answer with objects is kept');
  t.not(cache.byIndex('node', 'n2'), cache.byIndex('node', 'n2'), 'an empty one is not');
  t.end();
});
