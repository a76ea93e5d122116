// The objects of one informer with their indexes. Pure: it answers what changed, the informer tells the handlers.
// Index values are kept per object beside it, so that an update touches only the values that differ. Lists are built on
// demand and kept until the next change: reconcilers list far more often than objects change.

import type { KubeObject, Stored } from '../api/index.ts';
import type { ObjectKey } from './client.ts';

export type Change<T extends KubeObject> =
  | { readonly type: 'added'; readonly object: Stored<T> }
  | { readonly type: 'updated'; readonly object: Stored<T>; readonly previous: Stored<T> }
  | { readonly type: 'deleted'; readonly object: Stored<T> };

interface ObjectCache<T extends KubeObject> {
  readonly size: number;
  get(key: ObjectKey): Stored<T> | undefined;
  list(namespace?: string): readonly Stored<T>[];
  byIndex(index: string, value: string): readonly Stored<T>[];
  addIndex(name: string, valuesOf: (object: Stored<T>) => readonly string[]): void;
  /** undefined when the cache holds this very version already. */
  put(object: Stored<T>): Change<T> | undefined;
  /** `object` is the last state, when the event carried one. */
  remove(key: ObjectKey, object?: Stored<T>): Change<T> | undefined;
  /** Makes the cache hold exactly `objects`. Deletions come first, so that a name that changed hands is not seen twice. */
  replace(objects: readonly Stored<T>[]): Change<T>[];
}

interface Index<T extends KubeObject> {
  readonly valuesOf: (object: Stored<T>) => readonly string[];
  readonly buckets: Map<string, Map<ObjectKey, Stored<T>>>;
}

/** `namespace/name`, or `name` for cluster-scoped objects. */
export function keyOf(object: KubeObject): ObjectKey {
  const { namespace, name = '' } = object.metadata ?? {};
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

/** The two halves of a key. */
export function splitKey(key: ObjectKey): { readonly namespace: string | undefined; readonly name: string } {
  const slash = key.indexOf('/');
  return slash === -1
    ? { namespace: undefined, name: key }
    : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

const namespaceIndex = 'k8ts:namespace';

export function createObjectCache<T extends KubeObject>(): ObjectCache<T> {
  const objects = new Map<ObjectKey, Stored<T>>();
  const indexes = new Map<string, Index<T>>();
  let lists = new Map<string, readonly Stored<T>[]>();
  addIndex(namespaceIndex, (object) => (object.metadata.namespace === undefined ? [] : [object.metadata.namespace]));
  return {
    get size() {
      return objects.size;
    },
    get: (key) => objects.get(key),
    list: (namespace) => (namespace === undefined ? listed('', objects) : byIndex(namespaceIndex, namespace)),
    byIndex,
    addIndex,
    put,
    remove,
    replace(next) {
      const keys = new Set(next.map(keyOf));
      const gone = [...objects.keys()].filter((key) => !keys.has(key));
      return [...gone.map((key) => remove(key)), ...next.map(put)].filter((change) => change !== undefined);
    },
  };

  function put(object: Stored<T>): Change<T> | undefined {
    const key = keyOf(object);
    const previous = objects.get(key);
    if (previous?.metadata.resourceVersion === object.metadata.resourceVersion) return undefined;
    objects.set(key, object);
    lists = new Map();
    for (const index of indexes.values()) {
      if (previous !== undefined) unindex(index, key, previous);
      enter(index, key, object);
    }
    return previous === undefined ? { type: 'added', object } : { type: 'updated', object, previous };
  }

  function remove(key: ObjectKey, last?: Stored<T>): Change<T> | undefined {
    const held = objects.get(key);
    if (held === undefined) return undefined;
    objects.delete(key);
    lists = new Map();
    for (const index of indexes.values()) unindex(index, key, held);
    return { type: 'deleted', object: last ?? held };
  }

  function addIndex(name: string, valuesOf: (object: Stored<T>) => readonly string[]): void {
    if (indexes.has(name)) return;
    const index: Index<T> = { valuesOf, buckets: new Map() };
    indexes.set(name, index);
    for (const [key, object] of objects) enter(index, key, object);
  }

  function byIndex(name: string, value: string): readonly Stored<T>[] {
    const index = indexes.get(name);
    if (index === undefined) throw new Error(`there is no index "${name}"`);
    // Only what is there is remembered: values are asked for by anyone, as addresses are by DNS clients.
    const bucket = index.buckets.get(value);
    return bucket === undefined ? [] : listed(`${name}\n${value}`, bucket);
  }

  function listed(id: string, source: ReadonlyMap<ObjectKey, Stored<T>>): readonly Stored<T>[] {
    const made = lists.get(id);
    if (made !== undefined) return made;
    const fresh = [...source.values()];
    lists.set(id, fresh);
    return fresh;
  }
}

function enter<T extends KubeObject>({ valuesOf, buckets }: Index<T>, key: ObjectKey, object: Stored<T>): void {
  for (const value of valuesOf(object)) {
    const bucket = buckets.get(value);
    if (bucket === undefined) buckets.set(value, new Map([[key, object]]));
    else bucket.set(key, object);
  }
}

function unindex<T extends KubeObject>({ valuesOf, buckets }: Index<T>, key: ObjectKey, object: Stored<T>): void {
  for (const value of valuesOf(object)) {
    const bucket = buckets.get(value);
    bucket?.delete(key);
    if (bucket?.size === 0) buckets.delete(value);
  }
}
