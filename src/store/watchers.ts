// Who watches the store. A watcher that starts in the past first gets the log's history in pages, while live events wait
// in a bounded queue behind it; one that can't keep up with that bound is ended, and its owner starts anew.

import type { HistoryRecord, Log } from './log.ts';
import { CompactedError, type Entry, type Revision, type StoreEvent, type StoreWatcher } from './store.ts';

const historyPage = 1000;
const waitingEventsMax = 100_000;

export interface WatchRange {
  readonly from: string;
  readonly to: string;
  readonly after: Revision;
  /** The newest committed revision when the watch begins. */
  readonly committed: Revision;
  readonly compacted: Revision;
}

export interface Watchers {
  add(range: WatchRange, watcher: StoreWatcher): { close(): void };
  /** One committed group. */
  publish(events: readonly StoreEvent[]): void;
  end(reason: Error): void;
}

interface Watching {
  readonly range: WatchRange;
  readonly watcher: StoreWatcher;
  /** Live events behind the history; undefined once caught up. */
  waiting: StoreEvent[] | undefined;
}

export function createWatchers(log: Log): Watchers {
  const all = new Set<Watching>();

  const end = (watching: Watching, reason: Error): void => {
    if (all.delete(watching)) watching.watcher.onEnd(reason);
  };

  async function catchUp(watching: Watching): Promise<void> {
    const { after, committed } = watching.range;
    for (let from = after; from < committed && all.has(watching); ) {
      const page = await log.history(from, committed, historyPage);
      deliver(watching, page.map(eventOf).filter(isEvent));
      const last = page.at(-1);
      if (last === undefined) break;
      from = last.record.revision;
    }
    const waiting = watching.waiting ?? [];
    watching.waiting = undefined;
    if (all.has(watching)) deliver(watching, waiting);
  }

  return {
    add(range, watcher) {
      const watching: Watching = { range, watcher, waiting: range.after < range.committed ? [] : undefined };
      all.add(watching);
      if (range.after < range.compacted) {
        queueMicrotask(() => end(watching, new CompactedError(range.compacted)));
      } else if (watching.waiting !== undefined) {
        catchUp(watching).catch((error: unknown) =>
          end(watching, error instanceof Error ? error : new Error(String(error))),
        );
      }
      return { close: () => void all.delete(watching) };
    },
    publish(events) {
      for (const watching of all) {
        if (watching.waiting === undefined) {
          deliver(watching, events);
          continue;
        }
        if (watching.waiting.length + events.length > waitingEventsMax) {
          end(watching, new Error('the watch fell too far behind while it read history'));
        } else {
          watching.waiting.push(...events);
        }
      }
    },
    end(reason) {
      for (const watching of [...all]) end(watching, reason);
    },
  };
}

function deliver({ range, watcher }: Watching, events: readonly StoreEvent[]): void {
  const { from, to } = range;
  const mine = events.filter(({ entry }) => entry.key >= from && entry.key < to);
  if (mine.length > 0) watcher.onEvents(mine);
}

function eventOf({ record, previous }: HistoryRecord): StoreEvent | undefined {
  const entry: Entry = {
    key: record.key,
    bytes: record.bytes,
    createRevision: record.createRevision,
    modRevision: record.revision,
  };
  if (!record.deleted) return { type: 'put', entry, previous };
  // A delete whose earlier value was compacted still has that value itself.
  return { type: 'delete', entry, previous: previous ?? entry };
}

function isEvent(event: StoreEvent | undefined): event is StoreEvent {
  return event !== undefined;
}
