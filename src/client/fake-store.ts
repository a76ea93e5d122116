// What the fake client keeps: objects by kind and key, and the log of every change, numbered. A watch is a replay of the
// log from a number on, as in the real server, so informers meet the same semantics (410 after compact, no gaps).

import type { KindSpec, KubeObject, Stored } from '../api/index.ts';
import { ApiStatusError, type ObjectKey } from './client.ts';

export type AnyStored = Stored<KubeObject>;

export interface LogEntry {
  readonly revision: number;
  readonly kindId: string;
  /** undefined: it was deleted. */
  readonly object: AnyStored | undefined;
  readonly previous: AnyStored | undefined;
}

interface FakeStore {
  readonly revision: number;
  get(kind: KindSpec, key: ObjectKey): AnyStored | undefined;
  list(kind: KindSpec): readonly AnyStored[];
  /** Stores with the next revision as its resourceVersion. */
  put(kind: KindSpec, key: ObjectKey, object: KubeObject): AnyStored;
  remove(kind: KindSpec, key: ObjectKey): AnyStored;
  /** Entries after `revision`, then live ones; ends when `signal` or `dropWatches` says so. Throws 410 when compacted. */
  follow(kind: KindSpec, revision: number, signal: AbortSignal | undefined): AsyncGenerator<LogEntry>;
  /** Forgets the log so far: a watch from before now gets 410 Expired. */
  compact(): void;
  /** Ends every open watch, as a server that restarts does. */
  dropWatches(): void;
}

export function createFakeStore(): FakeStore {
  const objects = new Map<string, Map<ObjectKey, AnyStored>>();
  let log: LogEntry[] = [];
  let revision = 100;
  let compacted = 0;
  let generation = 0;
  const wakers = new Set<() => void>();

  return {
    get revision() {
      return revision;
    },
    get: (kind, key) => objects.get(idOf(kind))?.get(key),
    list: (kind) => [...(objects.get(idOf(kind))?.values() ?? [])],
    put(kind, key, object) {
      const kindId = idOf(kind);
      const bucket = objects.get(kindId) ?? new Map<ObjectKey, AnyStored>();
      objects.set(kindId, bucket);
      const previous = bucket.get(key);
      revision += 1;
      const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } } as AnyStored;
      bucket.set(key, stored);
      append({ revision, kindId, object: stored, previous });
      return stored;
    },
    remove(kind, key) {
      const kindId = idOf(kind);
      const held = objects.get(kindId)?.get(key);
      if (held === undefined) throw new ApiStatusError(404, 'NotFound', `${kind.plural} "${key}" not found`);
      revision += 1;
      objects.get(kindId)?.delete(key);
      const last = { ...held, metadata: { ...held.metadata, resourceVersion: String(revision) } };
      append({ revision, kindId, object: undefined, previous: last });
      return last;
    },
    follow,
    compact() {
      compacted = revision;
      log = [];
    },
    dropWatches() {
      generation += 1;
      wake();
    },
  };

  async function* follow(kind: KindSpec, from: number, signal: AbortSignal | undefined): AsyncGenerator<LogEntry> {
    const kindId = idOf(kind);
    const bornIn = generation;
    let seen = from;
    while (bornIn === generation) {
      if (seen < compacted)
        throw new ApiStatusError(410, 'Expired', `too old resource version: ${seen} (${compacted})`);
      // Changes made while a reader holds an entry are in the next round.
      const upTo = revision;
      for (const entry of log.filter((one) => one.revision > seen)) {
        if (entry.kindId === kindId) yield entry;
      }
      seen = Math.max(seen, upTo);
      if (revision > seen) continue;
      signal?.throwIfAborted();
      await nextChange(signal);
    }
  }

  function append(entry: LogEntry): void {
    log.push(entry);
    wake();
  }

  function wake(): void {
    for (const waker of [...wakers]) waker();
  }

  function nextChange(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        wakers.delete(settle);
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        wakers.delete(settle);
        reject(signal?.reason);
      };
      wakers.add(settle);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

function idOf(kind: KindSpec): string {
  return `${kind.group}/${kind.plural}`;
}
