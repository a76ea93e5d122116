// What differs between two states of an object, as sets of paths. One walk; parts that are the same cost a comparison and
// no memory, which is what most of a heartbeat is. The server's own fields are passed over.
// Source: structured-merge-diff typed.Compare. Upstream tells modified from added; every use takes both together.

import type { ApplyField, ApplyType, KeyedType, StructType } from './apply-type.ts';
import { anyType } from './apply-type.ts';
import { type Draft, emptySet, type FieldSet, inOrder, member } from './field-set.ts';
import { type Fields, isFields, itemsByElement } from './items.ts';
import { fieldElement, self, valueElement } from './path-element.ts';

export interface Comparison {
  /** Added or modified. */
  readonly changed: FieldSet;
  readonly removed: FieldSet;
}

interface Diff {
  readonly changed: FieldSet | undefined;
  readonly removed: FieldSet | undefined;
}

/** Throws TypedError for a list item without its key. */
export function compare(type: ApplyType, from: object, to: object): Comparison {
  const diff = compareValues(type, from, to);
  return { changed: diff?.changed ?? emptySet, removed: diff?.removed ?? emptySet };
}

const changedLeaf: Diff = { changed: member, removed: undefined };
const removedLeaf: Diff = { changed: undefined, removed: member };

/** undefined: the same. At most one of both may be undefined, which is "absent". */
function compareValues(type: ApplyType, from: unknown, to: unknown): Diff | undefined {
  if (from === to) return undefined;
  if (from === undefined) return { changed: everythingOf(type, to), removed: undefined };
  if (to === undefined) return { changed: undefined, removed: everythingOf(type, from) };
  switch (type.form) {
    case 'scalar':
    case 'atomic':
      return sameValue(from, to) ? undefined : changedLeaf;
    case 'struct':
      return hasItems(from) || hasItems(to) ? compareStructs(type, asFields(from), asFields(to)) : leafDiff(from, to);
    case 'map':
      return hasItems(from) || hasItems(to)
        ? compareMaps(type.values, asFields(from), asFields(to))
        : leafDiff(from, to);
    case 'keyed':
      return hasItems(from) || hasItems(to) ? compareKeyed(type, from, to) : leafDiff(from, to);
    case 'set':
      return hasItems(from) || hasItems(to) ? compareSets(from, to) : leafDiff(from, to);
    case 'any':
      return isFields(from) && isFields(to) && (hasItems(from) || hasItems(to))
        ? compareMaps(anyType, from, to)
        : leafDiff(from, to);
  }
}

function leafDiff(from: unknown, to: unknown): Diff | undefined {
  return sameValue(from, to) ? undefined : changedLeaf;
}

function compareStructs(type: StructType, from: Fields, to: Fields): Diff | undefined {
  const out = new DiffDraft();
  for (const name in to) {
    const left = from[name];
    const right = to[name];
    if (left === right || right === undefined) continue;
    const field = type.fields.get(name);
    if (field?.untracked !== true) out.add(field?.element ?? fieldElement(name), compareFields(field, left, right));
  }
  for (const name in from) {
    if (to[name] !== undefined || from[name] === undefined) continue;
    const field = type.fields.get(name);
    if (field?.untracked !== true) {
      out.add(field?.element ?? fieldElement(name), compareFields(field, from[name], undefined));
    }
  }
  return out.done();
}

function compareFields(field: ApplyField | undefined, from: unknown, to: unknown): Diff | undefined {
  return compareValues(field?.type ?? anyType, from ?? field?.implied, to ?? field?.implied);
}

function compareMaps(values: ApplyType, from: Fields, to: Fields): Diff | undefined {
  const out = new DiffDraft();
  for (const key in to) {
    if (to[key] !== undefined) out.add(fieldElement(key), compareValues(values, from[key], to[key]));
  }
  for (const key in from) {
    if (to[key] === undefined && from[key] !== undefined) {
      out.add(fieldElement(key), compareValues(values, from[key], undefined));
    }
  }
  return out.done();
}

function compareKeyed(type: KeyedType, from: unknown, to: unknown): Diff | undefined {
  // Most lists did not change, and finding that out is much cheaper than the keys of their items.
  if (sameValue(from, to)) return undefined;
  const left = itemsByElement(type, from);
  const right = itemsByElement(type, to);
  const out = new DiffDraft();
  for (const element of new Set([...left.keys(), ...right.keys()])) {
    const [before = [], after = []] = [left.get(element), right.get(element)];
    if (before.length <= 1 && after.length <= 1) {
      out.add(element, compareValues(type.items, before[0], after[0]));
      continue;
    }
    // Duplicates (old data) are compared as one value.
    if (before.length > 1 && after.length > 1) {
      if (!sameValue(before, after)) out.add(element, changedLeaf);
    } else if (before.length > 1) {
      if (after.length === 1) out.add(element, { changed: everythingOf(type.items, after[0]), removed: undefined });
      else out.add(element, removedLeaf);
    } else if (before.length === 1) {
      out.add(element, { changed: member, removed: everythingOf(type.items, before[0]) });
    } else {
      out.add(element, changedLeaf);
    }
  }
  return out.done();
}

function compareSets(from: unknown, to: unknown): Diff | undefined {
  const left = new Set((Array.isArray(from) ? from : []).map(valueElement));
  const right = new Set((Array.isArray(to) ? to : []).map(valueElement));
  const out = new DiffDraft();
  for (const element of right) if (!left.has(element)) out.add(element, changedLeaf);
  for (const element of left) if (!right.has(element)) out.add(element, removedLeaf);
  return out.done();
}

class DiffDraft {
  #changed: Draft | undefined = undefined;
  #removed: Draft | undefined = undefined;

  add(element: string, diff: Diff | undefined): void {
    if (diff === undefined) return;
    if (diff.changed !== undefined) {
      this.#changed ??= {};
      this.#changed[element] = diff.changed;
    }
    if (diff.removed !== undefined) {
      this.#removed ??= {};
      this.#removed[element] = diff.removed;
    }
  }

  done(): Diff | undefined {
    if (this.#changed === undefined && this.#removed === undefined) return undefined;
    return {
      changed: this.#changed && inOrder(this.#changed),
      removed: this.#removed && inOrder(this.#removed),
    };
  }
}

/** The node of a value that was not there before: its own path and all below. */
function everythingOf(type: ApplyType, value: unknown): FieldSet {
  if (!hasItems(value)) return member;
  switch (type.form) {
    case 'scalar':
    case 'atomic':
      return member;
    case 'struct':
      return everyField(type.fields, anyType, asFields(value));
    case 'map':
      return everyField(undefined, type.values, asFields(value));
    case 'any':
      return isFields(value) ? everyField(undefined, anyType, value) : member;
    case 'keyed':
    case 'set': {
      const out: Draft = { [self]: member };
      for (const [element, items] of itemsByElement(type, value)) {
        out[element] = type.form === 'set' || items.length > 1 ? member : everythingOf(type.items, items[0]);
      }
      return inOrder(out);
    }
  }
}

function everyField(fields: StructType['fields'] | undefined, values: ApplyType, object: Fields): FieldSet {
  const out: Draft = { [self]: member };
  for (const name of sortedKeys(object)) {
    const value = object[name];
    if (value === undefined) continue;
    const field = fields?.get(name);
    if (field?.untracked === true) continue;
    out[field?.element ?? fieldElement(name)] = everythingOf(field?.type ?? values, value);
  }
  return out;
}

/** Which is the order of their elements. */
function sortedKeys(object: Fields): readonly string[] {
  const keys = Object.keys(object);
  for (let at = 1; at < keys.length; at += 1) {
    if ((keys[at - 1] as string) > (keys[at] as string)) return keys.sort();
  }
  return keys;
}

/** Neither a scalar nor empty. */
function hasItems(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.length > 0;
  for (const _key in value) return true;
  return false;
}

function asFields(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** Deep equality of JSON values; a field that is undefined is absent. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let at = 0; at < a.length; at += 1) if (!sameValue(a[at], b[at])) return false;
    return true;
  }
  if (Array.isArray(b)) return false;
  const left = a as Fields;
  const right = b as Fields;
  for (const key in left) if (!sameValue(left[key], right[key])) return false;
  for (const key in right) if (left[key] === undefined && right[key] !== undefined) return false;
  return true;
}
