// Everything the cache knows of one resource: live objects in key order, recent events, label index, and who listens.

import { CachedObject } from './cached-object.ts';
import { createEventRing, type EventRing, type RingBounds } from './event-ring.ts';
import { CacheEvent } from './events.ts';
import { createLabelIndex } from './label-index.ts';
import { createSortedObjects, lowerBound } from './sorted-objects.ts';

/** Called once per committed group with the events of this resource, in order. Must not throw. */
export type EventListener = (events: readonly CacheEvent[]) => void;

export interface ResourceCache {
  /** `/registry/<group>/<plural>/` */
  readonly prefix: string;
  readonly size: number;
  readonly ring: EventRing;
  get(namespace: string | undefined, name: string): CachedObject | undefined;
  byKey(key: string): CachedObject | undefined;
  /** Live objects of a namespace, or all, in key order; a copy. */
  list(namespace?: string): CachedObject[];
  /** The same, at an earlier revision; undefined when that is no longer known here. */
  listAt(revision: number, namespace?: string): CachedObject[] | undefined;
  /** Live objects with one of `values` for label `key`, in key order, through the index. */
  listByLabel(key: string, values: readonly string[], namespace?: string): CachedObject[];
  listen(listener: EventListener): () => void;
  /** For the watch cache alone. */
  load(key: string, bytes: Uint8Array, revision: number): void;
  /** For the watch cache alone: `live` is false for events from before the load, which only fill the ring. */
  apply(change: Change, live: boolean): CacheEvent;
  publish(events: readonly CacheEvent[]): void;
}

export interface Change {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly revision: number;
  readonly deleted: boolean;
  readonly previous: { readonly bytes: Uint8Array; readonly modRevision: number } | undefined;
}

export interface ResourceCacheOptions {
  readonly prefix: string;
  readonly floor: number;
  readonly ring: RingBounds;
}

export function createResourceCache(options: ResourceCacheOptions): ResourceCache {
  const { prefix } = options;
  const objects = createSortedObjects();
  const ring = createEventRing(options.ring, options.floor);
  const index = createLabelIndex();
  const listeners = new Set<EventListener>();

  const scope = (namespace: string | undefined): readonly [string, string] =>
    namespace === undefined || namespace === ''
      ? [prefix, `${prefix.slice(0, -1)}0`]
      : [`${prefix}${namespace}/`, `${prefix}${namespace}0`]; // '0' follows '/'

  const list = (namespace?: string): CachedObject[] => objects.slice(...scope(namespace));

  return {
    prefix,
    ring,
    get size() {
      return objects.size;
    },
    get: (namespace, name) =>
      objects.get(namespace === undefined || namespace === '' ? prefix + name : `${prefix}${namespace}/${name}`),
    byKey: (key) => objects.get(key),
    list,
    listAt(revision, namespace) {
      const before = ring.stateBefore(revision);
      if (before === undefined) return undefined;
      const now = list(namespace);
      if (before.size === 0) return now;
      const [from, to] = scope(namespace);
      const kept = now.filter((object) => !before.has(object.key));
      for (const [key, object] of before) {
        if (object !== undefined && key >= from && key < to) kept.splice(lowerBound(kept, key), 0, object);
      }
      return kept;
    },
    listByLabel(key, values, namespace) {
      const [from, to] = scope(namespace);
      return index
        .find(key, values, () => list())
        .filter((object) => object.key >= from && object.key < to)
        .sort((a, b) => (a.key < b.key ? -1 : 1));
    },
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    load(key, bytes, revision) {
      objects.put(new CachedObject(key, bytes, revision, prefix.length));
    },
    apply(change, live) {
      const { key } = change;
      const object = new CachedObject(key, change.bytes, change.revision, prefix.length);
      const previous = live ? objects.get(key) : earlier(change, prefix.length);
      const event = new CacheEvent(object, previous, change.deleted);
      if (live) {
        if (change.deleted) objects.remove(key);
        else objects.put(object);
        index.replace(previous, change.deleted ? undefined : object);
      }
      ring.push(event);
      return event;
    },
    publish(events) {
      for (const listener of listeners) listener(events);
      for (const event of events) event.forgetFrame();
    },
  };
}

function earlier({ key, previous }: Change, prefixLength: number): CachedObject | undefined {
  return previous === undefined ? undefined : new CachedObject(key, previous.bytes, previous.modRevision, prefixLength);
}
