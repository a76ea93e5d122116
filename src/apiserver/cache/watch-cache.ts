// The watch cache: every object in memory, fed by one watch of the store. Reads, lists, watches, authorization and
// admission are answered from here; only writes, and a look further back than the rings reach, go to the store.
//
//   store.range (all, once) ──► per-resource caches ◄── store.watch (each committed group) ──► listeners
//
// The watch begins a little before the load, so that the rings already hold recent history after a restart and informers
// that come back resume instead of listing again.
//
// Because the store calls its watchers before the writer's promise resolves, a client that was told of its write finds it
// here: lists are consistent without asking the store. An engine with other writers (etcd) is asked for its newest revision.

import { CompactedError, prefixEnd, type Store, type StoreEvent } from '../../store/index.ts';
import type { RingBounds } from './event-ring.ts';
import type { CacheEvent } from './events.ts';
import { createResourceCache, type ResourceCache } from './resource-cache.ts';

export const registryRoot = '/registry/';

export interface WatchCache {
  /** The newest revision that every reader of the cache can see. */
  readonly revision: number;
  /** The cache of `/registry/<group>/<plural>/`; made empty when nothing of it is stored. */
  resource(prefix: string): ResourceCache;
  /** Resolves true once `revision` is visible, false when `timeoutMs` went by. */
  waitFor(revision: number, timeoutMs: number): Promise<boolean>;
  /** Gives up the memory of events that the store has forgotten as well; see EventRing.trim. */
  trim(revision: number): void;
  /** Called when the store's watch ends for good; the server can't serve any more. */
  readonly failed: Promise<Error>;
  stop(): void;
}

export interface WatchCacheOptions {
  readonly store: Store;
  readonly ring?: RingBounds;
  /** How many revisions before the load the rings are filled from; default 1000. */
  readonly replay?: number;
}

const loadPage = 20_000;
const defaultRing: RingBounds = { events: 4096, bytes: 8 << 20 };

export async function startWatchCache(options: WatchCacheOptions): Promise<WatchCache> {
  const { store, ring = defaultRing, replay = 1000 } = options;
  const resources = new Map<string, ResourceCache>();
  const waiting = new Set<{ readonly revision: number; readonly wake: () => void }>();
  let revision = 0;
  let floor = 0;
  let reportFailure: (error: Error) => void = () => undefined;
  const failed = new Promise<Error>((resolve) => {
    reportFailure = resolve;
  });

  const resource = (prefix: string): ResourceCache => {
    const known = resources.get(prefix);
    if (known !== undefined) return known;
    const made = createResourceCache({ prefix, floor, ring });
    resources.set(prefix, made);
    return made;
  };

  async function load(): Promise<void> {
    let from = registryRoot;
    let at: number | undefined;
    for (;;) {
      const page = await store.range({
        from,
        to: prefixEnd(registryRoot),
        limit: loadPage,
        ...(at === undefined ? {} : { revision: at }),
      });
      at = page.revision;
      for (const entry of page.entries) resource(prefixOf(entry.key)).load(entry.key, entry.bytes, entry.modRevision);
      const last = page.entries.at(-1);
      if (!page.more || last === undefined) break;
      from = `${last.key}\0`;
    }
    revision = at;
  }

  function onEvents(events: readonly StoreEvent[]): void {
    const groups = new Map<ResourceCache, CacheEvent[]>();
    for (const { type, entry, previous } of events) {
      const { key, bytes, modRevision } = entry;
      const live = modRevision > revision;
      const target = resource(prefixOf(key));
      const event = target.apply({ key, bytes, revision: modRevision, deleted: type === 'delete', previous }, live);
      if (!live) continue;
      const group = groups.get(target);
      if (group === undefined) groups.set(target, [event]);
      else group.push(event);
      revision = modRevision;
    }
    for (const [target, group] of groups) target.publish(group);
    for (const waiter of waiting) if (waiter.revision <= revision) waiter.wake();
  }

  /** Opens the watch `replay` revisions back, or as far as the log reaches; resolves when the past has been read. */
  async function follow(): Promise<{ close(): void }> {
    const loaded = revision;
    let after = Math.max(0, loaded - replay);
    for (;;) {
      floor = after;
      for (const known of resources.values()) known.ring.raiseFloor(after);
      const outcome = await openWatch(after, loaded);
      if (!(outcome instanceof Error)) return outcome;
      if (!(outcome instanceof CompactedError) || outcome.compacted <= after) throw outcome;
      after = outcome.compacted;
    }
  }

  function openWatch(after: number, loaded: number): Promise<{ close(): void } | Error> {
    return new Promise((resolve) => {
      let settled = false;
      const caughtUp = (): void => {
        settled = true;
        resolve(watching);
      };
      const watching = store.watch(
        { from: registryRoot, to: prefixEnd(registryRoot), after },
        {
          onEvents(events) {
            onEvents(events);
            if (!settled && (events.at(-1)?.entry.modRevision ?? 0) >= loaded) caughtUp();
          },
          onEnd(reason) {
            if (settled) reportFailure(reason);
            else resolve(reason);
          },
        },
      );
      if (after >= loaded) caughtUp();
    });
  }

  await load();
  const watching = await follow();
  return {
    get revision() {
      return revision;
    },
    resource,
    waitFor(wanted, timeoutMs) {
      if (wanted <= revision) return Promise.resolve(true);
      return new Promise((resolve) => {
        const finish = (seen: boolean): void => {
          clearTimeout(timer);
          waiting.delete(waiter);
          resolve(seen);
        };
        const waiter = { revision: wanted, wake: () => finish(true) };
        const timer = setTimeout(() => finish(false), timeoutMs);
        waiting.add(waiter);
      });
    },
    trim(upTo) {
      for (const { ring } of resources.values()) ring.trim(upTo);
    },
    failed,
    stop: () => watching.close(),
  };
}

/** `/registry/<group>/<plural>/` of a storage key. */
function prefixOf(key: string): string {
  const group = key.indexOf('/', registryRoot.length);
  return key.slice(0, key.indexOf('/', group + 1) + 1);
}
