// Watches: what is sent first, what follows, in which order, and how a watch ends.

import t from 'tap';
import type { Store } from '../../src/store/index.ts';
import { at, configMap, configMaps, type OpenWatch, startTestServer, type WatchLine } from './harness.ts';

const api = await startTestServer();
t.teardown(() => api.stop());

const names = async (watch: OpenWatch, count: number): Promise<string[]> => {
  const found: string[] = [];
  for (let n = 0; n < count; n += 1) found.push(shown(await watch.next()));
  return found;
};
const shown = ({ type, object }: WatchLine): string => `${type} ${String(at(object, 'metadata.name'))}`;

await api.call('POST', configMaps, configMap('a', { app: 'x' }));
await api.call('POST', configMaps, configMap('b', { app: 'y' }));
const start = String(at((await api.call('GET', configMaps)).body, 'metadata.resourceVersion'));

t.test('without a version it begins with what is there, then goes on', async (t) => {
  const watch = await api.watch(`${configMaps}?watch=1`);
  t.same(await names(watch, 2), ['ADDED a', 'ADDED b']);
  await api.patch(`${configMaps}/a`, { data: { n: '1' } });
  const { type, object } = await watch.next();
  t.equal(type, 'MODIFIED');
  t.same(object, (await api.call('GET', `${configMaps}/a`)).body);
  watch.close();
});

t.test('from a version it replays what came after, in the order of revisions', async (t) => {
  await api.call('POST', configMaps, configMap('c'));
  const deleted = (await api.call('GET', `${configMaps}/c`)).body;
  await api.call('DELETE', `${configMaps}/c`);
  const watch = await api.watch(`${configMaps}?watch=true&resourceVersion=${start}`);
  t.same(await names(watch, 2), ['MODIFIED a', 'ADDED c']);
  const last = await watch.next();
  t.equal(shown(last), 'DELETED c');
  t.ok(Number(at(last.object, 'metadata.resourceVersion')) > Number(at(deleted, 'metadata.resourceVersion')));
  watch.close();
});

t.test('two watchers see the same bytes', async (t) => {
  const both = await Promise.all([1, 2].map(() => api.watch(`${configMaps}?watch=1&resourceVersion=${start}`)));
  for (let n = 0; n < 10; n += 1) await api.patch(`${configMaps}/a`, { data: { n: String(n + 10) } });
  const [one, two] = await Promise.all(both.map(async (watch) => (await names(watch, 13)).join()));
  t.equal(one, two);
  for (const watch of both) watch.close();
});

t.test('what enters or leaves a selection is added or deleted', async (t) => {
  const watch = await api.watch(`${configMaps}?watch=1&labelSelector=app%3Dx&resourceVersion=${api.store.revision}`);
  await api.patch(`${configMaps}/b`, { metadata: { labels: { app: 'x' } } });
  t.equal(shown(await watch.next()), 'ADDED b');
  await api.patch(`${configMaps}/b`, { data: { k: 'v' } });
  t.equal(shown(await watch.next()), 'MODIFIED b');
  const left = await api.patch(`${configMaps}/b`, { metadata: { labels: { app: 'y' } } });
  const gone = await watch.next();
  t.equal(shown(gone), 'DELETED b');
  t.equal(at(gone.object, 'metadata.labels.app'), 'x', 'its last selected state');
  t.equal(at(gone.object, 'metadata.resourceVersion'), at(left.body, 'metadata.resourceVersion'));
  await api.patch(`${configMaps}/b`, { data: { k: 'w' } });
  await api.patch(`${configMaps}/a`, { data: { k: 'w' } });
  t.equal(shown(await watch.next()), 'MODIFIED a', 'nothing of what is not selected');
  watch.close();
});

t.test('one name by field selector', async (t) => {
  const watch = await api.watch(`${configMaps}?watch=1&fieldSelector=metadata.name%3Db`);
  t.equal(shown(await watch.next()), 'ADDED b');
  await api.patch(`${configMaps}/a`, { data: { k: 'x' } });
  await api.patch(`${configMaps}/b`, { data: { k: 'x' } });
  t.equal(shown(await watch.next()), 'MODIFIED b');
  watch.close();
});

t.test('a streamed list ends with its bookmark', async (t) => {
  const query = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
  const watch = await api.watch(`${configMaps}?${query}`);
  t.same(await names(watch, 2), ['ADDED a', 'ADDED b']);
  const mark = await watch.next();
  t.equal(mark.type, 'BOOKMARK');
  t.match(mark.object, { kind: 'ConfigMap', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } });
  t.equal(at(mark.object, 'metadata.resourceVersion'), String(api.store.revision));
  watch.close();
  const refused = await api.call('GET', `${configMaps}?watch=1&sendInitialEvents=true`);
  t.match(refused.body, { code: 422, reason: 'Invalid' });
});

t.test('a time-out ends it, with a bookmark for who wants one', async (t) => {
  const watch = await api.watch(
    `${configMaps}?watch=1&timeoutSeconds=1&allowWatchBookmarks=1&resourceVersion=${api.store.revision}`,
  );
  t.equal((await watch.next()).type, 'BOOKMARK');
  await watch.ended;
});

t.test('rows of a table instead of objects', async (t) => {
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  const watch = await api.watch(`${configMaps}?watch=1`, { accept });
  const first = await watch.next();
  t.match(first.object, {
    kind: 'Table',
    rows: [{ object: { kind: 'PartialObjectMetadata', metadata: { name: 'a' } } }],
  });
  t.ok(Array.isArray(at(first.object, 'columnDefinitions')));
  watch.close();
});

t.test('a version from the future is refused', async (t) => {
  const answer = await api.call('GET', `${configMaps}?watch=1&resourceVersion=99999999`);
  t.match(answer.body, { code: 504, reason: 'Timeout', details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } });
});

t.test('after a restart a watch resumes from the log, or gets 410 when that was compacted', async (t) => {
  const { store } = api;
  const later = await startTestServer({ store: storeView(store) });
  t.teardown(() => later.stop());
  const watch = await later.watch(`${configMaps}?watch=1&resourceVersion=${start}`);
  t.equal(shown(await watch.next()), 'MODIFIED a');
  watch.close();
  await store.compact(store.revision);
  const last = await startTestServer({ store: storeView(store) });
  t.teardown(() => last.stop());
  const tooLate = await last.watch(`${configMaps}?watch=1&resourceVersion=${start}`);
  const { type, object } = await tooLate.next();
  t.equal(type, 'ERROR');
  t.match(object, { kind: 'Status', code: 410, reason: 'Expired' });
  await tooLate.ended;
});

t.test('paths of before watch was a query', async (t) => {
  for (const path of ['/watch/namespaces/default/configmaps', '/watch/namespaces/default/configmaps/old-1']) {
    const name = path.endsWith('old-1') ? 'old-1' : 'old-0';
    const watch = await api.watch(`/api/v1${path}?resourceVersion=${api.store.revision}`);
    await api.call('POST', configMaps, configMap(name));
    t.match(await watch.next(), { type: 'ADDED', object: { metadata: { name } } });
    watch.close();
  }
});

/** The same store for a second server, which may not close it. */
function storeView(store: Store): Store {
  return {
    get revision() {
      return store.revision;
    },
    write: store.write,
    newest: store.newest,
    range: store.range,
    watch: store.watch,
    compact: store.compact,
    close: async () => undefined,
  };
}
