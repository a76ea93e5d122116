// Events are forgotten some time after they were last written; without that they would be most of what a cluster stores.
// Upstream gives each of them a lease in etcd (kube-apiserver's --event-ttl). Here they stand in the order in which they are
// due, which is that of their last writes, and one sleeper waits for the first of them.

import { type Clock, type Logger, longestTimer, messageOf } from '../../base/index.ts';
import type { Store } from '../../store/index.ts';
import { type CachedObject, type ResourceCache, unstamped } from '../cache/index.ts';

export interface ExpiryOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** ms after the last write. */
  readonly ttlMs: number;
  readonly logger: Logger;
}

interface Due {
  readonly revision: number;
  /** ms since the epoch. */
  readonly at: number;
}

/** What is due within that time goes together, ms. */
const together = 1000;
const batchMax = 500;
const retryAfter = 60_000;

/** Removes the objects of `cache` when their time has come, those that were there before included, until the answer is called. */
export function startExpiry(cache: ResourceCache, { store, clock, ttlMs, logger }: ExpiryOptions): () => void {
  const stopped = new AbortController();
  const { signal } = stopped;
  const queue = new Map<string, Due>();
  let wake: () => void = () => undefined;

  const now = clock.now();
  const known = cache.list().map((object) => ({ object, at: Math.min(now, lastWriteOf(object) ?? now) + ttlMs }));
  known.sort((a, b) => a.at - b.at);
  for (const { object, at } of known) queue.set(object.key, { revision: object.revision, at });
  const unlisten = cache.listen((events) => {
    const at = clock.now() + ttlMs;
    for (const { object, deleted } of events) {
      // A later write goes to the end of the row.
      queue.delete(object.key);
      if (!deleted) queue.set(object.key, { revision: object.revision, at });
    }
    wake();
  });

  /** Answers how many. */
  async function removeDue(): Promise<number> {
    const due: [string, Due][] = [];
    for (const one of queue) {
      if (one[1].at > clock.now() || due.length >= batchMax) break;
      due.push(one);
    }
    await Promise.all(
      due.map(async ([key, { revision }]) => {
        const object = cache.byKey(key);
        // Somebody else's write that came first is told by the cache, and is in the row then.
        if (object?.revision === revision) {
          await store.write({ op: 'delete', key, expect: revision, value: unstamped(object.bytes) });
        }
        if (queue.get(key)?.revision === revision) queue.delete(key);
      }),
    );
    return due.length;
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      const [first] = queue.values();
      if (first === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      try {
        await clock.sleep(Math.min(Math.max(first.at - clock.now(), together), longestTimer), signal);
        while ((await removeDue()) === batchMax);
      } catch (error) {
        if (signal.aborted) return;
        logger.warn('what has expired could not be removed, trying again', { error: messageOf(error) });
        await clock.sleep(retryAfter, signal).catch(() => undefined);
      }
    }
  }
  void run();

  return () => {
    unlisten();
    stopped.abort();
    wake();
  };
}

/** ms since the epoch, as far as the object tells. */
function lastWriteOf(object: CachedObject): number | undefined {
  const { creationTimestamp, managedFields = [] } = object.parsed().metadata ?? {};
  const times = [creationTimestamp, ...managedFields.map(({ time }) => time)].flatMap((text) => {
    const ms = Date.parse(text ?? '');
    return Number.isNaN(ms) ? [] : [ms];
  });
  return times.length === 0 ? undefined : Math.max(...times);
}
