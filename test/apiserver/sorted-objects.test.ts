// Objects in key order through many blocks, against a plain sorted array.

import t from 'tap';
import { CachedObject } from '../../src/apiserver/cache/cached-object.ts';
import { createSortedObjects } from '../../src/apiserver/cache/sorted-objects.ts';

const object = (key: string, revision = 1): CachedObject => new CachedObject(key, Buffer.from('{}'), revision, 0);
const keyOf = (number: number): string => `/k/${String(number).padStart(5, '0')}`;

/** The same numbers in the same order every time. */
function* shuffled(count: number): Generator<number> {
  for (let step = 0, at = 0; step < count; step += 1, at = (at + 2741) % count) yield at;
}

for (const { name, order } of [
  { name: 'growing keys', order: (count: number) => Array.from({ length: count }, (_, n) => n) },
  { name: 'falling keys', order: (count: number) => Array.from({ length: count }, (_, n) => count - 1 - n) },
  { name: 'keys in any order', order: (count: number) => [...shuffled(count)] },
]) {
  t.test(name, async (t) => {
    const count = 3000;
    const sorted = createSortedObjects();
    for (const number of order(count)) sorted.put(object(keyOf(number)));
    const keys = (from: string, to: string): string[] => sorted.slice(from, to).map(({ key }) => key);
    const want = Array.from({ length: count }, (_, n) => keyOf(n));
    t.equal(sorted.size, count);
    t.same(keys('/', '0'), want);
    t.same(keys(keyOf(700), keyOf(2100)), want.slice(700, 2100));
    t.same(keys(keyOf(9000), '0'), []);

    sorted.put(object(keyOf(1234), 2));
    t.equal(sorted.size, count, 'replaced');
    t.equal(sorted.get(keyOf(1234))?.revision, 2);
    t.equal(sorted.slice(keyOf(1234), keyOf(1235))[0]?.revision, 2);

    for (const number of shuffled(count)) if (number % 3 !== 0) sorted.remove(keyOf(number));
    sorted.remove('/nobody');
    t.same(
      keys('/', '0'),
      want.filter((_, n) => n % 3 === 0),
    );
    for (const key of want) sorted.remove(key);
    t.same(keys('/', '0'), []);
    sorted.put(object('/k/again'));
    t.same(keys('/', '0'), ['/k/again']);
  });
}
