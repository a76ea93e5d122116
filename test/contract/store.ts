// The contract suite of the datastore: every engine runs it (test/store/*.test.ts). Each case gets a fresh store.

import type { Test } from 'tap';
import {
  CompactedError,
  type Entry,
  prefixEnd,
  type Store,
  type StoreEvent,
  type Value,
} from '../../src/store/index.ts';

const text = (entry: Entry | undefined): string | undefined =>
  entry === undefined ? undefined : Buffer.from(entry.bytes).toString();
const value = (body: string, stampAt = -1): Value => ({ bytes: Buffer.from(body), stampAt });
const all = { from: '/a/', to: prefixEnd('/a/') };

interface Seen {
  readonly events: string[];
  readonly ended: Error[];
  readonly close: () => void;
}

function record(store: Store, after: number, range = all): Seen {
  const events: string[] = [];
  const ended: Error[] = [];
  const describe = ({ type, entry, previous }: StoreEvent): string =>
    `${type} ${entry.key}@${entry.modRevision}=${text(entry)}${previous === undefined ? '' : ` was ${text(previous)}`}`;
  const { close } = store.watch(
    { ...range, after },
    { onEvents: (group) => void events.push(...group.map(describe)), onEnd: (reason) => void ended.push(reason) },
  );
  return { events, ended, close };
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

type Case = (t: Test, store: Store) => Promise<void>;

const cases: Readonly<Record<string, Case>> = {
  'a put gets the next revision, stamped into its bytes': async (t, store) => {
    const first = await store.write({ op: 'put', key: '/a/x', value: value('{"rv":""}', 7) });
    t.equal(first.ok && text(first.entry), '{"rv":"1"}');
    const second = await store.write({ op: 'put', key: '/a/x', value: value('{"rv":""}', 7) });
    t.match(second, { ok: true, revision: 2, entry: { createRevision: 1, modRevision: 2 } });
    t.equal(store.revision, 2);
  },

  'compare-and-swap refuses a stale expectation and tells what is there': async (t, store) => {
    t.match(await store.write({ op: 'put', key: '/a/x', value: value('1'), expect: 0 }), { ok: true, revision: 1 });
    const again = await store.write({ op: 'put', key: '/a/x', value: value('2'), expect: 0 });
    t.equal(again.ok, false);
    t.equal(!again.ok && text(again.current), '1');
    t.match(await store.write({ op: 'put', key: '/a/x', value: value('2'), expect: 1 }), { ok: true, revision: 2 });
    t.equal((await store.write({ op: 'delete', key: '/a/x', expect: 1 })).ok, false);
    t.match(await store.write({ op: 'delete', key: '/a/x', expect: 2 }), { ok: true, revision: 3 });
    t.same(await store.write({ op: 'delete', key: '/a/x' }), { ok: false, current: undefined });
  },

  'of many writers with one expectation exactly one wins': async (t, store) => {
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, i) => store.write({ op: 'put', key: '/a/x', value: value(`${i}`), expect: 0 })),
    );
    t.equal(results.filter(({ ok }) => ok).length, 1);
    t.equal(store.revision, 1);
  },

  'newest sees writes on their way; range sees committed ones': async (t, store) => {
    const writing = store.write({ op: 'put', key: '/a/x', value: value('1') });
    t.equal(text(await store.newest('/a/x')), '1');
    await writing;
    const deleting = store.write({ op: 'delete', key: '/a/x' });
    t.equal(await store.newest('/a/x'), undefined);
    await deleting;
    t.same((await store.range(all)).entries, []);
  },

  'a chain of writes to one key needs no wait between them': async (t, store) => {
    const results = [];
    for (let i = 0; i < 20; i++) results.push(store.write({ op: 'put', key: '/a/x', value: value(`${i}`), expect: i }));
    t.ok((await Promise.all(results)).every(({ ok }) => ok));
    t.equal(text(await store.newest('/a/x')), '19');
  },

  'range is in key order, bounded, and can read the past': async (t, store) => {
    for (const key of ['/a/c', '/a/a', '/b/x', '/a/b']) await store.write({ op: 'put', key, value: value(key) });
    await store.write({ op: 'put', key: '/a/a', value: value('new') });
    await store.write({ op: 'delete', key: '/a/b' });
    const now = await store.range(all);
    t.same(
      now.entries.map(({ key }) => key),
      ['/a/a', '/a/c'],
    );
    t.equal(now.revision, 6);
    const past = await store.range({ ...all, revision: 4, limit: 2 });
    t.same(past.entries.map(text), ['/a/a', '/a/b']);
    t.equal(past.more, true);
    t.equal(past.revision, 4);
    await t.rejects(store.range({ ...all, revision: 99 }));
  },

  'a watch gets every change of its range once, in order, before the writer has its answer': async (t, store) => {
    const seen = record(store, 0);
    await store.write({ op: 'put', key: '/a/x', value: value('1') });
    t.same(seen.events, ['put /a/x@1=1']);
    await store.write({ op: 'put', key: '/b/y', value: value('1') });
    await store.write({ op: 'put', key: '/a/x', value: value('2') });
    await store.write({ op: 'delete', key: '/a/x', value: value('bye', 3) });
    t.same(seen.events.slice(1), ['put /a/x@3=2 was 1', 'delete /a/x@4=bye4 was 2']);
    seen.close();
    await store.write({ op: 'put', key: '/a/x', value: value('3') });
    t.equal(seen.events.length, 3);
  },

  'a watch from the past sees the same as one that was there, while writes go on': async (t, store) => {
    const live = record(store, 0);
    for (let i = 0; i < 30; i++) await store.write({ op: 'put', key: `/a/${i % 7}`, value: value(`${i}`) });
    const late = record(store, 0);
    const middle = record(store, 17);
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        store.write(
          i % 5 === 4 ? { op: 'delete', key: `/a/${i % 7}` } : { op: 'put', key: `/a/${i % 7}`, value: value(`n${i}`) },
        ),
      ),
    );
    await settle();
    t.equal(live.events.length, 50);
    t.same(late.events, live.events);
    t.same(middle.events, live.events.slice(17));
  },

  'compaction ends old reads and watches with CompactedError and keeps current values': async (t, store) => {
    for (let i = 0; i < 10; i++) await store.write({ op: 'put', key: `/a/${i % 3}`, value: value(`${i}`) });
    await store.write({ op: 'delete', key: '/a/0' });
    await store.compact(8);
    await t.rejects(store.range({ ...all, revision: 7 }), CompactedError);
    t.same((await store.range({ ...all, revision: 8 })).entries.map(text), ['6', '7', '5']);
    t.same((await store.range(all)).entries.map(text), ['7', '8']);
    const late = record(store, 3);
    const fine = record(store, 8);
    await settle();
    t.match(late.ended, [CompactedError]);
    t.same(fine.events, ['put /a/2@9=8 was 5', 'put /a/0@10=9 was 6', 'delete /a/0@11=9 was 9']);
    await store.compact(11);
    await store.write({ op: 'put', key: '/a/0', value: value('again'), expect: 0 });
    t.equal(text(await store.newest('/a/0')), 'again');
  },

  'close waits for writes, ends watches and refuses what comes later': async (t, store) => {
    const seen = record(store, 0);
    const writing = store.write({ op: 'put', key: '/a/x', value: value('1') });
    await store.close();
    t.match(await writing, { ok: true, revision: 1 });
    t.equal(seen.ended.length, 1);
    await t.rejects(store.write({ op: 'put', key: '/a/x', value: value('2') }));
  },
};

export function storeContract(t: Test, open: (t: Test) => Promise<Store>): void {
  for (const [name, run] of Object.entries(cases)) {
    t.test(name, async (t) => {
      const store = await open(t);
      t.teardown(() => store.close());
      await run(t, store);
    });
  }
}
