// Events are forgotten an hour after they were last written.

import t from 'tap';
import { createFakeClock } from '../../src/base/index.ts';
import { createMemoryStore } from '../../src/store/index.ts';
import { at, startTestServer, type TestServer } from './harness.ts';

const minute = 60_000;
const events = '/api/v1/namespaces/default/events';
const newer = '/apis/events.k8s.io/v1/namespaces/default/events';

const event = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name, namespace: 'default' },
  involvedObject: { kind: 'Pod', namespace: 'default', name: 'p' },
  type: 'Normal',
  count: 1,
});

const namesIn = async (api: TestServer): Promise<readonly string[]> => {
  const { body } = await api.call('GET', events);
  return (body['items'] as readonly { readonly metadata: { readonly name: string } }[]).map(
    ({ metadata }) => metadata.name,
  );
};

/** Looks until what is asked for is so. */
async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 5));
}

t.test('an hour after the last write', async (t) => {
  const clock = createFakeClock(Date.now());
  const api = await startTestServer({ clock });
  t.teardown(() => api.stop());
  const watch = await api.watch(`${newer}?watch=1`);
  t.teardown(() => watch.close());
  await api.call('POST', events, event('first'));
  await api.call('POST', events, event('counted'));
  await clock.advance(30 * minute);
  await api.patch(`${events}/counted`, { count: 2 });
  await api.call('POST', events, event('last'));
  await api.call('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'stays' } });
  await clock.advance(29 * minute);
  t.strictSame(await namesIn(api), ['counted', 'first', 'last']);

  await clock.advance(minute);
  await until(async () => (await namesIn(api)).length === 2);
  t.strictSame(await namesIn(api), ['counted', 'last']);
  const seen = [];
  for (let type = ''; type !== 'DELETED'; seen.push(type)) {
    const line = await watch.next();
    type = line.type;
    if (type === 'DELETED') t.equal(at(line.object, 'metadata.name'), 'first');
  }
  t.strictSame(seen, ['ADDED', 'ADDED', 'MODIFIED', 'ADDED', 'DELETED'], 'watchers are told');

  await clock.advance(30 * minute);
  await until(async () => (await namesIn(api)).length === 0);
  await clock.advance(600 * minute);
  t.equal((await api.call('GET', '/api/v1/namespaces/default/configmaps/stays')).status, 200);
});

t.test('a restart does not make them live longer', async (t) => {
  const clock = createFakeClock(Date.now());
  const store = await createMemoryStore();
  const before = await startTestServer({ clock, store });
  await before.call('POST', events, event('early'));
  await clock.advance(20 * minute);
  await before.patch(`${events}/early`, { count: 2 });
  await before.call('POST', events, event('late'));
  await before.server.stop(0);
  await clock.advance(50 * minute);

  const after = await startTestServer({ clock, store });
  t.teardown(() => after.stop());
  await after.call('POST', events, event('new'));
  await clock.advance(9 * minute);
  t.strictSame(await namesIn(after), ['early', 'late', 'new']);
  await clock.advance(minute + 1000);
  await until(async () => (await namesIn(after)).length === 1);
  t.strictSame(await namesIn(after), ['new']);
});

t.test('a disk that fails is asked again', async (t) => {
  const clock = createFakeClock(Date.now());
  const store = await createMemoryStore();
  let isBroken = false;
  const api = await startTestServer({
    clock,
    store: new Proxy(store, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (name === 'write' && isBroken) return () => Promise.reject(new Error('disk full'));
        return typeof value === 'function' ? value.bind(target) : value;
      },
    }),
    eventTtlMs: minute,
  });
  t.teardown(() => api.stop());
  await api.call('POST', events, event('kept'));
  isBroken = true;
  await clock.advance(minute);
  await clock.advance(minute);
  isBroken = false;
  t.strictSame(await namesIn(api), ['kept']);
  await until(async () => {
    await clock.advance(minute);
    return (await namesIn(api)).length === 0;
  });
});
