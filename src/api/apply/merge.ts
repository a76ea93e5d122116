// Lays an applied configuration over the live object: named fields win, lists with keys are merged item by item, atomic
// parts are replaced. Source: structured-merge-diff typed.Merge.

import { type ApplyType, anyType, type KeyedType, type StructType } from './apply-type.ts';
import { elementOf, isFields } from './items.ts';

/** Answers a new object that shares with both what was not merged. */
export function merge(type: ApplyType, live: object, config: object): object {
  return mergeValues(type, live, config) as object;
}

function mergeValues(type: ApplyType, live: unknown, config: unknown): unknown {
  if (config === undefined) return live;
  if (live === undefined || live === null) return config;
  switch (type.form) {
    case 'scalar':
    case 'atomic':
      return config;
    case 'struct':
      return mergeFields(live, config, type.fields, anyType);
    case 'map':
      return mergeFields(live, config, undefined, type.values);
    case 'any':
      return isFields(live) && isFields(config) ? mergeFields(live, config, undefined, anyType) : config;
    case 'keyed':
    case 'set':
      return mergeLists(type, asList(live), asList(config), config);
  }
}

function mergeFields(
  live: unknown,
  config: unknown,
  fields: StructType['fields'] | undefined,
  values: ApplyType,
): unknown {
  if (!isFields(live)) return config;
  // null names no field, so it takes none away.
  if (!isFields(config)) return Object.keys(live).length === 0 ? config : live;
  const out: Record<string, unknown> = { ...live };
  for (const name in config) {
    const type = fields?.get(name)?.type ?? values;
    out[name] = mergeValues(type, Object.hasOwn(live, name) ? live[name] : undefined, config[name]);
  }
  return out;
}

/**
 * Items of the configuration in its order; the live object's other items stay where they stood among those both have.
 */
function mergeLists(
  type: KeyedType | { readonly form: 'set' },
  live: readonly unknown[],
  config: readonly unknown[],
  given: unknown,
): unknown {
  if (live.length === 0) return given;
  if (config.length === 0) return live;
  const items = type.form === 'set' ? anyType : type.items;
  const lives = live.map((item) => ({ element: elementOf(type, item), item }));
  const configs = new Map(config.map((item) => [elementOf(type, item), item]));
  const known = new Map(lives.map(({ element, item }) => [element, item]));
  const rights = [...configs.keys()];
  const shared = rights.filter((element) => known.has(element));
  const done = new Set<string>();
  const out: unknown[] = [];
  let left = 0;
  let right = 0;
  let nextShared = 0;
  const take = (element: string): void => {
    done.add(element);
    out.push(mergeValues(items, known.get(element), configs.get(element)));
    if (shared[nextShared] === element) nextShared += 1;
    right += 1;
  };

  while (left < lives.length || right < rights.length) {
    const have = lives[left];
    const want = rights[right];
    if (have !== undefined && have.element === want) {
      take(want);
      left += 1;
    } else if (have !== undefined && !configs.has(have.element)) {
      out.push(have.item);
      left += 1;
    } else if (
      have !== undefined &&
      want !== undefined &&
      shared[nextShared] !== have.element &&
      nextShared < shared.length
    ) {
      // Both have it, but it is not its turn: the configuration's order puts it elsewhere.
      left += 1;
    } else {
      if (have !== undefined && done.has(have.element)) left += 1;
      if (want !== undefined) take(want);
      else if (have !== undefined && !done.has(have.element)) left += 1;
    }
  }
  return out;
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
