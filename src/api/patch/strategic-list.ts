// How strategic merge patch merges lists: objects on a key, scalars as a set, and both into the order that the client asks
// for. Order rule (upstream's): items named by $setElementOrder, or without it by the patch, come in that order; items that
// only the server has keep their place relative to those, as far as the old list tells. So a new item comes first.

import { PatchError } from './patch-error.ts';

export type Fields = Record<string, unknown>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export interface KeyedList {
  /** The list's field name, for messages. */
  readonly key: string;
  readonly mergeKey: string;
  readonly original: readonly unknown[];
  readonly patch: readonly unknown[];
  /** Value of $setElementOrder/<key>: objects that hold the merge key. */
  readonly order: readonly unknown[] | undefined;
  merge(have: Fields, change: Fields): Fields;
  add(change: Fields): Fields;
}

export function mergeKeyedList(list: KeyedList): unknown[] {
  const { mergeKey, key, patch } = list;
  const result: Fields[] = list.original.map((item) => asFields(item, key));
  const changes = patch.map((item) => asFields(item, key));
  // `$patch: replace` as an item of its own: the rest of the patch list is the new list.
  if (changes.some((change) => change['$patch'] === 'replace')) {
    return changes.filter((change) => change['$patch'] === undefined).map((change) => list.add(change));
  }
  for (const change of changes) {
    const value = keyOf(change, mergeKey, key);
    const what = change['$patch'];
    const matches = (item: Fields): boolean => item[mergeKey] === value;
    if (what === 'delete') {
      for (let at = result.findIndex(matches); at >= 0; at = result.findIndex(matches)) result.splice(at, 1);
      continue;
    }
    if (what !== undefined && what !== 'merge') {
      throw new PatchError('BadRequest', `unknown patch type found: ${String(what)}`);
    }
    const at = result.findIndex(matches);
    const have = result[at];
    const next = have === undefined ? list.add(change) : list.merge(have, change);
    if (have === undefined) result.push(next);
    else result[at] = next;
  }
  const order = list.order === undefined ? changes : list.order.map((item) => asFields(item, key));
  return inOrder({
    items: result,
    order: order.map((item) => keyOf(item, mergeKey, key)),
    original: list.original.map((item) => (item as Fields)[mergeKey]),
    keyOf: (item) => item[mergeKey],
  });
}

export function mergeScalarList(list: {
  readonly original: readonly unknown[];
  readonly patch: readonly unknown[];
  readonly deleted: readonly unknown[];
  readonly order: readonly unknown[] | undefined;
}): unknown[] {
  const kept = list.original.filter((item) => !list.deleted.includes(item));
  const result = [...new Set([...kept, ...list.patch])];
  return inOrder({ items: result, order: list.order ?? list.patch, original: list.original, keyOf: (item) => item });
}

/** Items named by `order` in that order; the others (the server's own) placed by where they stood in `original`. */
function inOrder<Item>(given: {
  readonly items: readonly Item[];
  readonly order: readonly unknown[];
  readonly original: readonly unknown[];
  keyOf(item: Item): unknown;
}): Item[] {
  const { items, order, original, keyOf } = given;
  const rank = new Map(order.map((key, index) => [key, index]));
  const place = new Map(original.map((key, index) => [key, index]));
  const listed = items
    .filter((item) => rank.has(keyOf(item)))
    .sort((a, b) => (rank.get(keyOf(a)) ?? 0) - (rank.get(keyOf(b)) ?? 0));
  const others = items.filter((item) => !rank.has(keyOf(item)));
  const result: Item[] = [];
  let at = 0;
  // A merge of two sorted runs: a server-only item goes before the first listed item that stood behind it.
  for (const item of listed) {
    const stood = place.get(keyOf(item));
    for (let other = others[at]; other !== undefined && stood !== undefined; other = others[at]) {
      if ((place.get(keyOf(other)) ?? original.length) > stood) break;
      result.push(other);
      at += 1;
    }
    result.push(item);
  }
  return [...result, ...others.slice(at)];
}

function asFields(item: unknown, key: string): Fields {
  if (isFields(item)) return item;
  throw new PatchError('BadRequest', `invalid patch: the items of ${key} must be objects`);
}

function keyOf(item: Fields, mergeKey: string, list: string): unknown {
  const value = item[mergeKey];
  if (value !== undefined && value !== null) return value;
  throw new PatchError(
    'BadRequest',
    `map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey} (in ${list})`,
  );
}
