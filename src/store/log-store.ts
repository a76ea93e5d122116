// The Store contract over a Log. All decisions are made synchronously in memory, in one order, and the log makes them
// durable in the same order:
//
//   write() ── compare with newest (committed + pending) ── next revision, stamp ── pending ──┐
//                                                                                             │ one batch per tick, two on
//                                                                                             │ their way, others wait
//   promise resolves ◄── watchers called ◄── committed ◄── log.append resolved ◄──────────────┘
//
// Reads and watches see committed state only; write() and newest() see pending state too, so that a burst of changes to
// one key does not wait for the disk between them. All live values are kept in memory once: the API server's watch cache
// holds the same Entry objects. Refused: a reader thread for SQLite; every read is served from memory anyway.

import type { Log, LogRecord } from './log.ts';
import {
  CompactedError,
  type Entry,
  type RangeOptions,
  type RangeResult,
  type Revision,
  type Store,
  type StoreEvent,
  type StoreWatcher,
  type Value,
  type Write,
  type WriteResult,
} from './store.ts';
import { createWatchers } from './watchers.ts';

interface Pending {
  readonly record: LogRecord;
  readonly entry: Entry;
  readonly resolve: (result: WriteResult) => void;
  readonly reject: (error: Error) => void;
}

/** One is committed while the next one waits at the log; more would only be more messages for the same fsyncs. */
const batchesInFlight = 2;

export async function openLogStore(log: Log): Promise<Store> {
  const loaded = await log.load();
  const committed = new Map<string, Entry>(loaded.entries.map((entry) => [entry.key, entry]));
  /** Newest state of keys with writes on their way; `entry` undefined: deleted. */
  const pending = new Map<string, { readonly revision: Revision; readonly entry: Entry | undefined }>();
  const watchers = createWatchers(log);
  let committedRevision: Revision = loaded.revision;
  let lastRevision: Revision = loaded.revision;
  let compacted: Revision = loaded.compacted;
  let batch: Pending[] = [];
  const inFlight = new Set<readonly Pending[]>();
  let closed = false;

  const newest = (key: string): Entry | undefined => {
    const waiting = pending.get(key);
    return waiting === undefined ? committed.get(key) : waiting.entry;
  };

  function write(wanted: Write): Promise<WriteResult> {
    if (closed) return Promise.reject(new Error('the store is closed'));
    const current = newest(wanted.key);
    const stale = wanted.expect !== undefined && (current?.modRevision ?? 0) !== wanted.expect;
    if (stale || (wanted.op === 'delete' && current === undefined)) return Promise.resolve({ ok: false, current });

    lastRevision += 1;
    const record = recordOf(wanted, current, lastRevision);
    const entry: Entry = {
      key: record.key,
      bytes: record.bytes,
      createRevision: record.createRevision,
      modRevision: record.revision,
    };
    pending.set(wanted.key, { revision: lastRevision, entry: record.deleted ? undefined : entry });
    return new Promise((resolve, reject) => {
      if (batch.length === 0) setImmediate(flush);
      batch.push({ record, entry, resolve, reject });
    });
  }

  function flush(): void {
    const group = batch;
    if (group.length === 0 || (inFlight.size >= batchesInFlight && !closed)) return;
    batch = [];
    inFlight.add(group);
    log.append(group.map((item) => item.record)).then(
      () => commit(group),
      (error: unknown) => fail(group, error instanceof Error ? error : new Error(String(error))),
    );
  }

  function commit(group: readonly Pending[]): void {
    inFlight.delete(group);
    const events: StoreEvent[] = [];
    for (const item of group) {
      const event = apply(item);
      if (event !== undefined) events.push(event);
    }
    committedRevision = group.at(-1)?.record.revision ?? committedRevision;
    watchers.publish(events);
    for (const { record, entry, resolve } of group) resolve({ ok: true, revision: record.revision, entry });
    flush();
  }

  function apply({ record, entry }: Pending): StoreEvent | undefined {
    const { key, deleted } = record;
    const previous = committed.get(key);
    if (pending.get(key)?.revision === record.revision) pending.delete(key);
    if (!deleted) {
      committed.set(key, entry);
      return { type: 'put', entry, previous };
    }
    committed.delete(key);
    return previous === undefined ? undefined : { type: 'delete', entry, previous };
  }

  /** The disk refused a group: it and everything that was decided on top of it never happened. */
  function fail(group: readonly Pending[], error: Error): void {
    if (!inFlight.has(group)) return; // went down with an earlier group
    const lost = [...inFlight, batch].flat();
    inFlight.clear();
    batch = [];
    pending.clear();
    for (const { reject } of lost) reject(error);
  }

  async function range(options: RangeOptions): Promise<RangeResult> {
    const { from, to, limit = Number.POSITIVE_INFINITY, revision = committedRevision } = options;
    if (revision < compacted) throw new CompactedError(compacted);
    if (revision > committedRevision) throw new Error(`revision ${revision} is in the future of ${committedRevision}`);
    const entries =
      revision === committedRevision
        ? [...committed.values()].filter(({ key }) => key >= from && key < to).sort(byKey)
        : await log.rangeAt({ from, to, limit: limit + 1, revision });
    return { revision, entries: entries.slice(0, limit), more: entries.length > limit };
  }

  function watch(options: { from: string; to: string; after: Revision }, watcher: StoreWatcher): { close(): void } {
    return watchers.add({ ...options, committed: committedRevision, compacted }, watcher);
  }

  return {
    get revision() {
      return committedRevision;
    },
    write,
    newest,
    range,
    watch,
    async compact(revision) {
      const upTo = Math.min(revision, committedRevision);
      if (upTo <= compacted) return;
      compacted = upTo;
      await log.compact(upTo);
    },
    async close() {
      if (closed) return;
      closed = true;
      flush();
      await log.close();
      watchers.end(new Error('the store is closed'));
    },
  };
}

function recordOf(wanted: Write, current: Entry | undefined, revision: Revision): LogRecord {
  const createRevision = current?.createRevision ?? revision;
  if (wanted.op === 'put') {
    return { revision, key: wanted.key, createRevision, deleted: false, bytes: stamp(wanted.value, revision) };
  }
  const bytes = wanted.value === undefined ? (current?.bytes ?? new Uint8Array()) : stamp(wanted.value, revision);
  return { revision, key: wanted.key, createRevision, deleted: true, bytes };
}

/** A new buffer of its own (no pool, so that one value does not keep its neighbours alive). */
function stamp({ bytes, stampAt }: Value, revision: Revision): Uint8Array {
  if (stampAt < 0) return bytes;
  const digits = String(revision);
  const stamped = Buffer.allocUnsafeSlow(bytes.length + digits.length);
  stamped.set(bytes.subarray(0, stampAt), 0);
  stamped.write(digits, stampAt, 'latin1');
  stamped.set(bytes.subarray(stampAt), stampAt + digits.length);
  return stamped;
}

function byKey(a: Entry, b: Entry): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}
