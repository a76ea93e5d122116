// The parts of the watch cache by themselves: byte layout, ring, label index, sorted objects, deletion plans.

import t from 'tap';
import type { KubeObject } from '../../src/api/index.ts';
import { createEventRing } from '../../src/apiserver/cache/event-ring.ts';
import { CacheEvent } from '../../src/apiserver/cache/events.ts';
import { CachedObject, isSame, layOut, lowerBound, stamped, unstamped } from '../../src/apiserver/cache/index.ts';
import { createLabelIndex } from '../../src/apiserver/cache/label-index.ts';
import { createResourceCache } from '../../src/apiserver/cache/resource-cache.ts';
import { createSortedObjects } from '../../src/apiserver/cache/sorted-objects.ts';
import { planDeletion } from '../../src/apiserver/registry/deletion.ts';
import { createServiceAllocator } from '../../src/apiserver/registry/service-allocation.ts';
import { pods } from '../../src/apiserver/registry/strategies/pods.ts';

const prefix = '/registry/core/things/';

function cached(name: string, revision: number, labels: Record<string, string> = {}): CachedObject {
  const object = { metadata: { name, labels, resourceVersion: 'ignored' }, data: { '"labels":{': 'x' } } as KubeObject;
  const bytes = stamped(layOut(object, 'Thing', 'v1'), String(revision));
  return new CachedObject(prefix + name, bytes, revision, prefix.length);
}

t.test('the stamp has the same place in every object of a kind', async (t) => {
  const one = layOut({ metadata: { name: 'a' } }, 'Thing', 'v1');
  const two = layOut({ metadata: { labels: { x: 'y' }, name: 'b' } }, 'Thing', 'v1');
  t.equal(one.stampAt, two.stampAt);
  t.equal(one.bytes.toString(), '{"kind":"Thing","apiVersion":"v1","metadata":{"resourceVersion":"","name":"a"}}\n');
  t.equal(stamped(one, '17').toString().includes('"resourceVersion":"17"'), true);
  t.same(unstamped(stamped(two, '123')), two);
  t.equal(isSame(stamped(one, '5'), one), true);
  t.equal(isSame(stamped(two, '5'), one), false);
});

t.test('a field that JavaScript would put first is laid out behind the others', (t) => {
  const odd = { 7: 'seven', metadata: { labels: { x: 'y' }, name: 'a' }, spec: {} } as KubeObject;
  const { bytes, stampAt } = layOut(odd, 'Thing', 'v1');
  t.equal(
    bytes.toString(),
    '{"kind":"Thing","apiVersion":"v1","metadata":{"resourceVersion":"","labels":{"x":"y"},"name":"a"},"7":"seven","spec":{}}\n',
  );
  t.equal(bytes.subarray(0, stampAt).toString().endsWith('"resourceVersion":"'), true);
  t.end();
});

t.test('labels are read from the bytes, and only labels', async (t) => {
  t.same(cached('a', 1, { app: 'web', 'x.example/y': '' }).labels(), { app: 'web', 'x.example/y': '' });
  t.same(cached('a', 1).labels(), {});
  const odd = new CachedObject(
    `${prefix}odd`,
    Buffer.from('{"metadata":{"name":"odd","labels":{"a":"b"}}}\n'),
    1,
    prefix.length,
  );
  t.same(odd.labels(), { a: 'b' }, 'bytes of another layout are parsed');
});

t.test('objects stay in key order', async (t) => {
  const sorted = createSortedObjects();
  for (const name of ['c', 'a', 'b', 'a']) sorted.put(cached(name, 1));
  t.same(
    sorted.slice(prefix, `${prefix}~`).map(({ name }) => name),
    ['a', 'b', 'c'],
  );
  sorted.remove(`${prefix}b`);
  sorted.remove(`${prefix}absent`);
  t.same(
    sorted.slice(`${prefix}a`, `${prefix}c`).map(({ name }) => name),
    ['a'],
  );
  t.equal(lowerBound(sorted.slice(prefix, `${prefix}~`), `${prefix}b`), 1);
});

t.test('the ring forgets the oldest, and says so', async (t) => {
  const ring = createEventRing({ events: 3, bytes: 1 << 20 }, 10);
  t.same(ring.after(10), []);
  t.equal(ring.after(9), undefined);
  let previous: CachedObject | undefined;
  for (let revision = 11; revision <= 15; revision += 1) {
    const object = cached('x', revision);
    ring.push(new CacheEvent(object, previous, false));
    previous = object;
  }
  t.equal(ring.floor, 12);
  t.same(
    ring.after(13)?.map(({ revision }) => revision),
    [14, 15],
  );
  t.equal(ring.after(11), undefined);
  t.equal(ring.stateBefore(13)?.get(`${prefix}x`)?.revision, 13);
  t.equal(ring.stateBefore(15)?.size, 0);
  const narrow = createEventRing({ events: 100, bytes: 1000 }, 0);
  for (let revision = 1; revision <= 50; revision += 1)
    narrow.push(new CacheEvent(cached('x', revision), undefined, false));
  t.ok(narrow.floor > 40, 'bounded by bytes as well');
});

t.test('what the store has forgotten is forgotten here, but for the newest hundred', async (t) => {
  const ring = createEventRing({ events: 1000, bytes: 1 << 20 }, 0);
  for (let revision = 1; revision <= 250; revision += 1)
    ring.push(new CacheEvent(cached('x', revision), undefined, false));
  ring.trim(120);
  t.equal(ring.floor, 120);
  t.equal(ring.after(120)?.length, 130);
  t.equal(ring.after(119), undefined);
  ring.trim(240);
  t.equal(ring.floor, 150);
  ring.trim(1000);
  t.equal(ring.after(150)?.length, 100);
});

t.test('a label index knows what changed after it was made, and does not grow without end', async (t) => {
  const index = createLabelIndex();
  const [a, b] = [cached('a', 1, { app: 'x' }), cached('b', 2, { app: 'y' })];
  const find = (...values: string[]): string[] => index.find('app', values, () => [a, b]).map(({ name }) => name);
  t.same(find('x'), ['a']);
  const moved = cached('b', 3, { app: 'x' });
  index.replace(b, moved);
  t.same(find('x'), ['a', 'b']);
  t.same(find('y'), []);
  index.replace(a, undefined);
  t.same(find('x', 'y'), ['b']);
  for (let n = 0; n < 40; n += 1) index.find(`key${n}`, ['v'], () => []);
  t.same(
    index.find('app', ['x'], () => [moved]).map(({ name }) => name),
    ['b'],
    'made again after it was given up',
  );
});

t.test('what a deletion does', async (t) => {
  const now = Date.parse('2030-01-01T00:00:00Z');
  const bound = { metadata: { name: 'p' }, spec: { nodeName: 'n', containers: [], terminationGracePeriodSeconds: 7 } };
  const cases = [
    { name: 'nothing holds it', object: { metadata: {} }, want: { action: 'remove' } },
    {
      name: 'a finalizer holds it',
      object: { metadata: { finalizers: ['x'], generation: 1 } },
      want: { action: 'mark', object: { metadata: { deletionTimestamp: '2030-01-01T00:00:00Z', generation: 2 } } },
    },
    {
      name: 'marked before, still held',
      object: { metadata: { finalizers: ['x'], deletionTimestamp: 'then', deletionGracePeriodSeconds: 0 } },
      want: { action: 'nothing' },
    },
    {
      name: 'marked before, another policy',
      object: { metadata: { finalizers: ['x'], deletionTimestamp: 'then', deletionGracePeriodSeconds: 0 } },
      options: { propagationPolicy: 'Orphan' },
      want: { action: 'mark', object: { metadata: { finalizers: ['x', 'orphan'], deletionTimestamp: 'then' } } },
    },
    {
      name: 'a pod with its own grace',
      object: bound,
      strategy: pods,
      want: {
        action: 'mark',
        object: { metadata: { deletionTimestamp: '2030-01-01T00:00:07Z', deletionGracePeriodSeconds: 7 } },
      },
    },
    {
      name: 'a pod, at once',
      object: bound,
      strategy: pods,
      options: { gracePeriodSeconds: 0 },
      want: { action: 'remove' },
    },
    {
      name: 'a negative grace means one second',
      object: bound,
      strategy: pods,
      options: { gracePeriodSeconds: -1 },
      want: { action: 'mark', object: { metadata: { deletionGracePeriodSeconds: 1 } } },
    },
  ] as const;
  for (const { name, object, want, ...rest } of cases) {
    const { options = {}, strategy = {} } = rest as { options?: object; strategy?: object };
    t.match(planDeletion(object as unknown as KubeObject, options, { strategy, now }), want, name);
  }
});

t.test('a Service range that is none is refused', async (t) => {
  const cache = createResourceCache({ prefix, floor: 0, ring: { events: 1, bytes: 1 } });
  for (const serviceCidr of ['10.96.0.0', '10.96.0.0/31', 'fd00::/64', '10.0.0.0/4']) {
    const make = (): unknown => createServiceAllocator(cache, { serviceCidr, nodePorts: [1, 2] });
    t.throws(make, { code: 'SERVICE_CIDR_INVALID', hint: /--service-cidr/ }, serviceCidr);
  }
});
