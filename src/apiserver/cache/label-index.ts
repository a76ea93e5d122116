// Which objects of one resource carry which label value. A label key is indexed when a selector first asks for it and kept
// up to date from then on; keys nobody selects by cost nothing. Bounded: past the limit the key unused longest goes.

import type { CachedObject } from './cached-object.ts';

const keysMax = 16;

type Values = Map<string, Set<CachedObject>>;

export interface LabelIndex {
  /** Objects whose label `key` has one of `values`; `all` is read only when the key was not indexed yet. */
  find(key: string, values: readonly string[], all: () => readonly CachedObject[]): CachedObject[];
  replace(previous: CachedObject | undefined, next: CachedObject | undefined): void;
}

export function createLabelIndex(): LabelIndex {
  /** Least recently used first. */
  const keys = new Map<string, Values>();

  function add(object: CachedObject, labels: Readonly<Record<string, string>>): void {
    for (const [key, values] of keys) {
      const value = labels[key];
      if (value === undefined) continue;
      const objects = values.get(value);
      if (objects === undefined) values.set(value, new Set([object]));
      else objects.add(object);
    }
  }

  function remove(object: CachedObject, labels: Readonly<Record<string, string>>): void {
    for (const [key, values] of keys) {
      const value = labels[key];
      const objects = value === undefined ? undefined : values.get(value);
      if (value === undefined || objects === undefined) continue;
      objects.delete(object);
      if (objects.size === 0) values.delete(value);
    }
  }

  function indexed(key: string, all: () => readonly CachedObject[]): Values {
    const known = keys.get(key);
    const values: Values = known ?? new Map();
    keys.delete(key);
    keys.set(key, values);
    if (known !== undefined) return values;
    const oldest = keys.keys().next();
    if (keys.size > keysMax && oldest.done !== true) keys.delete(oldest.value);
    for (const object of all()) {
      const value = object.labels()[key];
      if (value === undefined) continue;
      const objects = values.get(value);
      if (objects === undefined) values.set(value, new Set([object]));
      else objects.add(object);
    }
    return values;
  }

  return {
    find: (key, values, all) => {
      const index = indexed(key, all);
      return values.flatMap((value) => [...(index.get(value) ?? [])]);
    },
    replace(previous, next) {
      if (keys.size === 0) return;
      if (previous !== undefined) remove(previous, previous.labels());
      if (next !== undefined) add(next, next.labels());
    },
  };
}
