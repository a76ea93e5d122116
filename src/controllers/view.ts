// The informers' caches with this process's own writes laid over them, until the caches have caught up.
//
// Why: after a create is answered, the watch may show it milliseconds or minutes later. A reconciler that read the bare
// cache would create it again. So the answer of each write is kept and read in place of the cache's older version:
//
//   create, update, patch answered ──► assumed object: dropped when the informer shows this revision or any later one of
//                                      the same kind (then it has passed the write, whether or not the object is there)
//   delete answered ──► assumed as being deleted: dropped when the informer shows it deleting, gone or replaced, because
//                       the answer to a delete does not name the revision that it made
//
// Upstream keeps counters ("expectations") per controller for the same end; this way every controller is protected and
// none has to count. Revisions are one order for the whole store (KEP-5504: resourceVersions are comparable), which is
// what makes "later" decidable. A last resort drops entries after five minutes, as upstream's expectations expire: a
// relist that skipped both an object's creation and its deletion tells nobody.

import { type KindOf, type KindSpec, type KubeObject, type Stored, timestamp } from '../api/index.ts';
import { type Informer, type InformerFactory, keyOf, type ObjectKey } from '../client/index.ts';
import type { Change, Index, IndexTarget, View, WatchSource } from './controller.ts';

const assumptionLife = 5 * 60_000;
/** Uids of deleted objects that are remembered, the latest of all kinds. */
const rememberedDeletions = 20_000;

export interface AssumingView extends View, IndexTarget, WatchSource {
  /** Makes a kind readable; before the informers start, or at run time. */
  use(kind: KindSpec): void;
  /** A kind of a CustomResourceDefinition is there, or another version of it. Tells those who asked with `onCustomKind`. */
  addCustomKind(kind: KindSpec): void;
  /** `gone`: its objects are deleted; else they are only not served any more. */
  removeCustomKind(kind: KindSpec, why: 'gone' | 'unserved'): void;
  /** Called with each custom kind from now on. */
  onCustomKind(handler: (kind: KindSpec) => void): void;
  /** The server answered a write with `object`. */
  assume(kind: KindSpec, object: Stored<KubeObject>): void;
  /** The server accepted the deletion of `object`; until the watch shows more, it reads as being deleted. */
  assumeDeleted(kind: KindSpec, object: Stored<KubeObject>): void;
  /** Writes that the caches do not show yet. */
  readonly assumptions: number;
}

interface Assumption {
  readonly object: Stored<KubeObject>;
  /** The revision that the write made; undefined for deletions. */
  readonly revision: number | undefined;
  readonly until: number;
}

interface Source {
  readonly informer: Informer<KubeObject>;
  readonly indexes: Map<string, (object: Stored<KubeObject>) => readonly string[]>;
  readonly assumed: Map<ObjectKey, Assumption>;
  readonly handlers: ((change: Change<KubeObject>) => void)[];
  /** The newest revision of this kind that the informer showed. */
  seen: number;
}

export function createView(informers: InformerFactory, now: () => number): AssumingView {
  const sources = new Map<string, Source>();
  const deleted = new Set<string>();
  const custom = new Map<string, KindSpec>();
  const customHandlers: ((kind: KindSpec) => void)[] = [];

  return {
    use: (kind) => void sourceOf(kind, true),
    customKinds: () => [...custom.values()],
    addCustomKind(kind) {
      if (custom.has(sourceId(kind))) this.removeCustomKind(kind, 'unserved');
      custom.set(sourceId(kind), kind);
      sourceOf(kind, true);
      for (const handler of customHandlers) handler(kind);
    },
    removeCustomKind(kind, why) {
      const source = sources.get(sourceId(kind));
      custom.delete(sourceId(kind));
      sources.delete(sourceId(kind));
      informers.forget(kind);
      // The deletions of the last objects may not have been shown yet, and nobody will show them now.
      for (const object of why === 'gone' ? (source?.informer.list() ?? []) : []) {
        remember(object.metadata.uid);
        for (const handler of source?.handlers ?? []) handler({ type: 'deleted', object, previous: undefined });
      }
    },
    onCustomKind: (handler) => void customHandlers.push(handler),
    get<T extends KubeObject>(kind: KindOf<T>, key: ObjectKey) {
      const source = sourceOf(kind);
      return (assumed(source, key) ?? source.informer.get(key)) as Stored<T> | undefined;
    },
    list<T extends KubeObject>(kind: KindOf<T>, namespace?: string) {
      const source = sourceOf(kind);
      const inScope = (object: Stored<KubeObject>): boolean =>
        namespace === undefined || object.metadata.namespace === namespace;
      return overlay(source, source.informer.list(namespace), inScope) as readonly Stored<T>[];
    },
    byIndex<T extends KubeObject>(index: Index<T>, value: string) {
      const source = sourceOf(index.kind);
      const valuesOf = source.indexes.get(index.name);
      if (valuesOf === undefined) throw new Error(`index ${index.name} of ${index.kind.kind} is read but not declared`);
      const has = (object: Stored<KubeObject>): boolean => valuesOf(object).includes(value);
      return overlay(source, source.informer.byIndex(index.name, value), has) as readonly Stored<T>[];
    },
    wasDeleted: (uid) => deleted.has(uid),
    addIndex<T extends KubeObject>(index: Index<T>) {
      const source = sourceOf(index.kind, true);
      const valuesOf = index.valuesOf as (object: Stored<KubeObject>) => readonly string[];
      source.indexes.set(index.name, valuesOf);
      source.informer.addIndex(index.name, valuesOf);
    },
    onChange<T extends KubeObject>(kind: KindOf<T>, handler: (change: Change<T>) => void) {
      const source = sourceOf(kind, true);
      source.handlers.push(handler as unknown as (change: Change<KubeObject>) => void);
      const informer = source.informer as unknown as Informer<T>;
      informer.addHandler({
        added: (object) => handler({ type: 'added', object, previous: undefined }),
        updated: (object, previous) => handler({ type: 'updated', object, previous }),
        deleted: (object) => handler({ type: 'deleted', object, previous: undefined }),
      });
    },
    assume(kind, object) {
      const source = sourceOf(kind);
      if (source.seen >= revisionOf(object)) return;
      source.assumed.set(keyOf(object), { object, revision: revisionOf(object), until: now() + assumptionLife });
    },
    assumeDeleted(kind, object) {
      const source = sourceOf(kind);
      const key = keyOf(object);
      const newest = assumed(source, key) ?? source.informer.get(key);
      if (newest?.metadata.uid !== object.metadata.uid || newest.metadata.deletionTimestamp !== undefined) return;
      const deletionTimestamp = timestamp(now());
      const deleting = { ...newest, metadata: { ...newest.metadata, deletionTimestamp } };
      source.assumed.set(key, { object: deleting, revision: undefined, until: now() + assumptionLife });
    },
    get assumptions() {
      return [...sources.values()].reduce((sum, source) => sum + source.assumed.size, 0);
    },
  };

  function sourceOf(kind: KindSpec, make = false): Source {
    const id = sourceId(kind);
    const existing = sources.get(id);
    if (existing !== undefined) return existing;
    if (!make) throw new Error(`${kind.kind} is read by a controller that does not declare it`);
    const source: Source = {
      informer: informers.informer<KubeObject>(kind),
      indexes: new Map(),
      assumed: new Map(),
      handlers: [],
      seen: 0,
    };
    source.informer.addHandler({
      added: (object) => settle(source, object),
      updated: (object) => settle(source, object),
      deleted: (object) => {
        source.assumed.delete(keyOf(object));
        settle(source, object);
        remember(object.metadata.uid);
      },
    });
    sources.set(id, source);
    return source;
  }

  function remember(uid: string): void {
    deleted.add(uid);
    const [oldest] = deleted;
    if (deleted.size > rememberedDeletions && oldest !== undefined) deleted.delete(oldest);
  }

  function settle(source: Source, shown: Stored<KubeObject>): void {
    source.seen = Math.max(source.seen, revisionOf(shown));
    for (const [key, { revision }] of source.assumed) {
      if (revision !== undefined && revision <= source.seen) source.assumed.delete(key);
    }
    const own = source.assumed.get(keyOf(shown));
    if (own === undefined) return;
    const { uid, deletionTimestamp } = shown.metadata;
    if (deletionTimestamp !== undefined || uid !== own.object.metadata.uid) source.assumed.delete(keyOf(shown));
  }

  function assumed(source: Source, key: ObjectKey): Stored<KubeObject> | undefined {
    const entry = source.assumed.get(key);
    if (entry === undefined) return undefined;
    if (entry.until > now()) return entry.object;
    source.assumed.delete(key);
    return undefined;
  }

  function overlay(
    source: Source,
    cached: readonly Stored<KubeObject>[],
    belongs: (object: Stored<KubeObject>) => boolean,
  ): readonly Stored<KubeObject>[] {
    if (source.assumed.size === 0) return cached;
    const rest = cached.filter((object) => assumed(source, keyOf(object)) === undefined);
    const own = [...source.assumed.values()].map((entry) => entry.object).filter(belongs);
    return [...rest, ...own];
  }
}

function sourceId({ group, plural }: KindSpec): string {
  return `${group}/${plural}`;
}

function revisionOf(object: Stored<KubeObject>): number {
  return Number(object.metadata.resourceVersion);
}
