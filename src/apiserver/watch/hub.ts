// All watches of the server. One listener per resource hands each committed group to the resource's watchers; watchers
// without selectors share one buffer per namespace, so that the cost of a hundred of them is a hundred socket writes.

import { CompactedError, prefixEnd, type Store } from '../../store/index.ts';
import { CachedObject, CacheEvent, type ResourceCache, registryRoot, type WatchCache } from '../cache/index.ts';
import { ApiError } from '../contracts.ts';
import { SharedChunk } from '../http/exchange.ts';
import { type Selection, select } from '../registry/selection.ts';
import { isIn, Watcher, type WatcherOptions } from './watcher.ts';

export interface WatchStart {
  readonly resource: ResourceCache;
  /** Events after this revision; undefined: begin with the current objects as ADDED. */
  readonly after: number | undefined;
  /** Send the bookmark that ends a streamed list. */
  readonly initialEventsEnd: boolean;
  /** Neither past nor current objects: only what happens from now on. */
  readonly onlyNew: boolean;
  readonly timeoutMs: number;
}

export interface WatchHub {
  readonly size: number;
  start(options: Omit<WatcherOptions, 'onClosed'>, start: WatchStart): Watcher;
  /** Ends the watches of a resource that is not served any more. */
  end(resource: ResourceCache): void;
  /** Ends all watches, so that clients reconnect elsewhere. */
  stop(): void;
}

const bookmarkEveryMs = 60_000;

export function createWatchHub({ cache, store }: { readonly cache: WatchCache; readonly store: Store }): WatchHub {
  const watchers = new Map<ResourceCache, Set<Watcher>>();
  let size = 0;
  let bookmarkTimer: NodeJS.Timeout | undefined;

  function publish(of: ReadonlySet<Watcher>, events: readonly CacheEvent[]): void {
    const shared = new Map<string | undefined, SharedChunk | undefined>();
    let scope: string | undefined;
    let chunk: SharedChunk | undefined;
    for (const watcher of of) {
      if (!watcher.isPlain || !watcher.isLive) {
        watcher.deliver(events);
        continue;
      }
      // Neighbours mostly watch the same namespace.
      if (shared.size === 0 || watcher.namespace !== scope) {
        scope = watcher.namespace;
        if (!shared.has(scope)) shared.set(scope, framesIn(events, scope));
        chunk = shared.get(scope);
      }
      if (chunk !== undefined) watcher.send(chunk);
    }
  }

  function watchersOf(resource: ResourceCache): Set<Watcher> {
    const known = watchers.get(resource);
    if (known !== undefined) return known;
    const made = new Set<Watcher>();
    watchers.set(resource, made);
    resource.listen((events) => publish(made, events));
    return made;
  }

  function sendBookmarks(): void {
    for (const group of watchers.values()) {
      for (const watcher of group) if (watcher.bookmarks && watcher.isLive) watcher.bookmark(cache.revision);
    }
  }

  function removed(group: Set<Watcher>, watcher: Watcher, timer: NodeJS.Timeout): void {
    clearTimeout(timer);
    if (group.delete(watcher)) size -= 1;
    if (size > 0) return;
    clearInterval(bookmarkTimer);
    bookmarkTimer = undefined;
  }

  async function begin(watcher: Watcher, start: WatchStart, selection: Selection): Promise<void> {
    const { resource } = start;
    const at = cache.revision;
    if (start.after !== undefined) {
      const near = resource.ring.after(start.after);
      if (near !== undefined) await watcher.writeHistory(near);
      else await replay(watcher, start.after, at, resource);
    } else if (!start.onlyNew) {
      await watcher.writeInitial(select(resource, selection));
      if (start.initialEventsEnd) watcher.bookmark(at, true);
    }
    watcher.goLive(at);
  }

  /** History that the ring has forgotten, out of the store's log: everything up to `upTo`, of which one resource counts. */
  function replay(watcher: Watcher, after: number, upTo: number, { prefix }: ResourceCache): Promise<void> {
    return new Promise((resolve, reject) => {
      let writing = Promise.resolve();
      const finish = (error?: Error): void => {
        watching.close();
        if (error === undefined) writing.then(resolve, reject);
        else reject(error instanceof CompactedError ? tooOld(after, error.compacted) : error);
      };
      const watching = store.watch(
        { from: registryRoot, to: prefixEnd(registryRoot), after },
        {
          onEvents(events) {
            const mine = events.filter(({ entry }) => entry.key.startsWith(prefix) && entry.modRevision <= upTo);
            const past = mine.map(({ type, entry, previous }) => {
              const before =
                previous && new CachedObject(entry.key, previous.bytes, previous.modRevision, prefix.length);
              const object = new CachedObject(entry.key, entry.bytes, entry.modRevision, prefix.length);
              return new CacheEvent(object, before, type === 'delete');
            });
            writing = writing.then(() => watcher.writeHistory(past));
            if (watcher.closed || (events.at(-1)?.entry.modRevision ?? 0) >= upTo) finish();
          },
          onEnd: finish,
        },
      );
    });
  }

  return {
    get size() {
      return size;
    },
    start(options, start) {
      const group = watchersOf(start.resource);
      const timer = setTimeout(() => {
        if (watcher.bookmarks && watcher.isLive) watcher.bookmark(cache.revision);
        watcher.close();
      }, start.timeoutMs);
      const watcher = new Watcher({ ...options, onClosed: () => removed(group, watcher, timer) });
      group.add(watcher);
      size += 1;
      bookmarkTimer ??= setInterval(sendBookmarks, bookmarkEveryMs).unref();
      begin(watcher, start, options.selection).catch((error: unknown) => {
        watcher.fail(error instanceof ApiError ? error : new ApiError('InternalError', 'the watch could not begin'));
      });
      return watcher;
    },
    end(resource) {
      for (const watcher of [...(watchers.get(resource) ?? [])]) watcher.close();
    },
    stop() {
      clearInterval(bookmarkTimer);
      for (const group of watchers.values()) for (const watcher of [...group]) watcher.close();
    },
  };
}

function framesIn(events: readonly CacheEvent[], namespace: string | undefined): SharedChunk | undefined {
  const frames = events.flatMap((event) => (isIn(event.object, namespace) ? [event.frame()] : []));
  const [only] = frames;
  if (only === undefined) return undefined;
  return new SharedChunk(frames.length === 1 ? only : Buffer.concat(frames));
}

/** Source: apiserver storage errors, NewTooLargeResourceVersion's counterpart in the watch cache. */
function tooOld(wanted: number, oldest: number): ApiError {
  return new ApiError('Expired', `too old resource version: ${wanted} (${oldest})`);
}
