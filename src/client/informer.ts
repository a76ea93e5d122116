// Keeps a cache of one kind equal to the API server's: LIST once, then WATCH from the list's resourceVersion for ever.
//
//   list ──► watch ──ended / connection lost──► watch again from the last resourceVersion (backoff)
//     ▲        └──410 Expired──► list again; the difference to the cache is told to the handlers, deletions included
//     └──error: backoff
//
// A handler that throws is a bug in the handler; it is logged and the others still hear of the change, because one
// broken reader must not freeze everybody's view of the cluster.

import type { KindOf, KubeObject } from '../api/index.ts';
import { type Clock, createBackoff, type Logger, messageOf, silentLogger, systemClock } from '../base/index.ts';
import { type ApiClient, ApiStatusError, type Informer, type InformerFactory, type InformerHandler } from './client.ts';
import { type Change, createObjectCache, keyOf } from './object-cache.ts';

export interface InformerOptions {
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** Shortest life of a watch in seconds as asked of the server; the longest is twice that. Default 300, as client-go. */
  readonly watchSeconds?: number;
}

export interface InformerSelector {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

interface RunningInformer<T extends KubeObject> extends Informer<T> {
  run(signal: AbortSignal): Promise<void>;
}

/** One informer per kind and selector for a whole process; informers asked for after `start` begin at once. */
export function createInformerFactory(client: ApiClient, options: InformerOptions = {}): InformerFactory {
  const informers = new Map<string, RunningInformer<KubeObject>>();
  const begun = new WeakMap<object, AbortController>();
  let running: AbortSignal | undefined;
  return {
    informer<T extends KubeObject>(kind: KindOf<T>, selector: InformerSelector = {}): Informer<T> {
      const { namespace = '', labelSelector = '', fieldSelector = '' } = selector;
      const id = [kind.group, kind.plural, namespace, labelSelector, fieldSelector].join('\n');
      const existing = informers.get(id);
      // The id names the kind, so what was stored under it has this kind's type.
      if (existing !== undefined) return existing as unknown as Informer<T>;
      const made = createInformer(client, kind, selector, options);
      informers.set(id, made as unknown as RunningInformer<KubeObject>);
      if (running !== undefined) begin(made, running);
      return made;
    },
    forget({ group, plural }) {
      for (const [id, informer] of informers) {
        if (informer.kind.group !== group || informer.kind.plural !== plural) continue;
        informers.delete(id);
        begun.get(informer)?.abort();
      }
    },
    async start(signal) {
      running = signal;
      const all = [...informers.values()];
      for (const informer of all) begin(informer, signal);
      // Called again, it only waits: every informer runs once.
      await Promise.all(all.map((informer) => informer.synced(signal)));
    },
  };

  function begin<T extends KubeObject>(informer: RunningInformer<T>, signal: AbortSignal): void {
    if (begun.has(informer)) return;
    const own = new AbortController();
    begun.set(informer, own);
    const either = AbortSignal.any([signal, own.signal]);
    informer.run(either).catch((error: unknown) => {
      if (either.aborted) return;
      (options.logger ?? silentLogger).error('informer stopped', { kind: informer.kind.kind, error });
    });
  }
}

function createInformer<T extends KubeObject>(
  client: ApiClient,
  kind: KindOf<T>,
  selector: InformerSelector,
  options: InformerOptions,
): RunningInformer<T> {
  const { clock = systemClock, watchSeconds = 300 } = options;
  const logger = (options.logger ?? silentLogger).with({ kind: kind.kind });
  const cache = createObjectCache<T>();
  const handlers: InformerHandler<T>[] = [];
  const filled = Promise.withResolvers<void>();
  return {
    kind,
    get: (key) => cache.get(key),
    list: (namespace) => cache.list(namespace),
    byIndex: (index, value) => cache.byIndex(index, value),
    addIndex: (name, valuesOf) => cache.addIndex(name, valuesOf),
    addHandler(handler) {
      handlers.push(handler);
      for (const object of cache.list()) tellOne(handler, { type: 'added', object });
    },
    synced: (signal) => (signal === undefined ? filled.promise : Promise.race([filled.promise, rejectOnAbort(signal)])),
    run,
  };

  async function run(signal: AbortSignal): Promise<void> {
    const backoff = createBackoff({ initial: 200, max: 30_000, jitter: 0.5 });
    let version: string | undefined;
    // The first list may come from the server's cache; one after 410 must be newer than what was compacted.
    let listFrom: string | undefined = '0';
    while (!signal.aborted) {
      const began = clock.now();
      try {
        if (version === undefined) {
          version = await relist(listFrom, signal);
          listFrom = undefined;
          backoff.reset();
        }
        version = await follow(version, signal, (seen) => {
          version = seen;
          backoff.reset();
        });
        // A server that ends watches at once must not be asked without a pause.
        if (clock.now() - began < 1_000) await clock.sleep(backoff.next(), signal);
      } catch (error) {
        if (signal.aborted) return;
        if (isExpired(error)) {
          version = undefined;
          if (backoff.attempts === 0) {
            backoff.next();
            continue;
          }
        }
        const wait = backoff.next();
        logger.warn('informer lost its watch, trying again', { error: messageOf(error), wait });
        await clock.sleep(wait, signal).catch(() => undefined);
      }
    }
  }

  async function relist(resourceVersion: string | undefined, signal: AbortSignal): Promise<string> {
    const list = await client.list(kind, {
      ...selector,
      signal,
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    });
    for (const change of cache.replace(list.items)) tell(change);
    filled.resolve();
    return list.metadata.resourceVersion ?? '';
  }

  /** Applies one watch's events; answers the resourceVersion to resume at. */
  async function follow(from: string, signal: AbortSignal, onProgress: (version: string) => void): Promise<string> {
    let version = from;
    const timeoutSeconds = Math.round(watchSeconds * (1 + Math.random()));
    const events = client.watch(kind, {
      ...selector,
      resourceVersion: from,
      allowWatchBookmarks: true,
      timeoutSeconds,
      signal,
    });
    for await (const event of events) {
      if (event.type === 'BOOKMARK') {
        version = event.resourceVersion;
      } else {
        version = event.object.metadata.resourceVersion;
        const { object } = event;
        const change = event.type === 'DELETED' ? cache.remove(keyOf(object), object) : cache.put(object);
        if (change !== undefined) tell(change);
      }
      onProgress(version);
    }
    return version;
  }

  function tell(change: Change<T>): void {
    for (const handler of handlers) tellOne(handler, change);
  }

  function tellOne(handler: InformerHandler<T>, change: Change<T>): void {
    try {
      if (change.type === 'added') handler.added?.(change.object);
      else if (change.type === 'updated') handler.updated?.(change.object, change.previous);
      else handler.deleted?.(change.object);
    } catch (error) {
      logger.error('an informer handler failed', { key: keyOf(change.object), error });
    }
  }
}

function isExpired(error: unknown): boolean {
  return (
    error instanceof ApiStatusError && (error.code === 410 || error.reason === 'Expired' || error.reason === 'Gone')
  );
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
