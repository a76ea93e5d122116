// The engine without a disk: for tests and for control planes inside a test process. Same contract, nothing durable.

import type { HistoryRecord, Log, LogRecord } from './log.ts';
import { openLogStore } from './log-store.ts';
import type { Entry, Revision, Store } from './store.ts';

export function createMemoryStore(): Promise<Store> {
  return openLogStore(createMemoryLog());
}

function createMemoryLog(): Log {
  let records: LogRecord[] = [];

  const before = (key: string, revision: Revision): LogRecord | undefined =>
    records.findLast((record) => record.key === key && record.revision < revision);

  return {
    load: async () => ({ revision: 0, compacted: 0, entries: [] }),
    append: async (batch) => void records.push(...batch),
    async history(after, upTo, limit) {
      const wanted = records.filter(({ revision }) => revision > after && revision <= upTo).slice(0, limit);
      return wanted.map((record): HistoryRecord => {
        const previous = before(record.key, record.revision);
        return { record, previous: previous === undefined || previous.deleted ? undefined : entryOf(previous) };
      });
    },
    async rangeAt({ from, to, limit, revision }) {
      const latest = new Map<string, LogRecord>();
      for (const record of records) {
        if (record.revision <= revision && record.key >= from && record.key < to) latest.set(record.key, record);
      }
      const live = [...latest.values()].filter(({ deleted }) => !deleted);
      return live
        .sort((a, b) => (a.key < b.key ? -1 : 1))
        .slice(0, limit)
        .map(entryOf);
    },
    async compact(upTo) {
      const latest = new Map<string, Revision>();
      for (const { key, revision } of records) if (revision <= upTo) latest.set(key, revision);
      records = records.filter(
        ({ key, revision, deleted }) => revision > upTo || (latest.get(key) === revision && !deleted),
      );
    },
    close: async () => undefined,
  };
}

function entryOf({ key, bytes, createRevision, revision }: LogRecord): Entry {
  return { key, bytes, createRevision, modRevision: revision };
}
