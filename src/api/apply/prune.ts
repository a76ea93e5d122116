// Takes out of a merged object what its applier named last time and names no more, unless somebody else owns it.
// An object or list that somebody names as such stays when all it held goes: `emptyDir: {}` says something, and so does
// `queuing: {}` whose defaults were the applier's until now. Upstream makes null of it, which loses what was said.
// Source: structured-merge-diff merge (prune, addBackOwnedItems, addBackDanglingItems) and typed (RemoveItems).

import { type ApplyType, anyType } from './apply-type.ts';
import {
  type Draft,
  difference,
  emptySet,
  type FieldSet,
  intersection,
  isEmpty,
  isMember,
  member,
  union,
} from './field-set.ts';
import { fieldSetOf, withNamedFields } from './field-set-of.ts';
import { elementOf, isFields, itemsByElement } from './items.ts';
import { fieldElement, self } from './path-element.ts';

export interface Pruning {
  readonly type: ApplyType;
  /** What the applier named last time. */
  readonly last: FieldSet;
  /** What anyone owns now, the applier's new set included. */
  readonly owned: FieldSet;
  /** Objects and lists that stay even if nothing is left in them. */
  readonly held: FieldSet;
}

/** Three steps, each of which may take an object with all it holds: remove, then find out what has to come back. */
export function prune(merged: object, { type, last, owned, held }: Pruning): object {
  if (isEmpty(last)) return merged;
  const lastNamed = withNamedFields(type, last);
  const present = withNamedFields(type, fieldSetOf(type, merged));
  const kept = (object: object): FieldSet => withNamedFields(type, fieldSetOf(type, object));

  const without = (set: FieldSet): object =>
    (isEmpty(set) ? merged : (removed(type, merged, { set, held }) ?? {})) as object;
  const bare = without(lastNamed);
  const needed = union(union(kept(bare), withNamedFields(type, owned)), held);
  const withOwned = without(difference(present, needed));
  // What nobody owns and the applier never named (a server's default) stays.
  return without(intersection(difference(present, union(kept(withOwned), held)), lastNamed));
}

/** Every object and list that a configuration names, whatever is in it. */
export function heldBy(type: ApplyType, config: object): FieldSet {
  return heldBelow(type, config) ?? emptySet;
}

function heldBelow(type: ApplyType, value: unknown): FieldSet | undefined {
  const out: Draft = {};
  if (isFields(value) && type.form !== 'atomic') {
    for (const name in value) {
      const below = heldBelow(typeOfField(type, name), value[name]);
      if (below !== undefined) out[fieldElement(name)] = { [self]: member, ...below };
    }
    return out;
  }
  if (!Array.isArray(value) || (type.form !== 'keyed' && type.form !== 'set')) return undefined;
  for (const [element, [item]] of itemsByElement(type, value)) {
    const below = type.form === 'set' ? undefined : heldBelow(type.items, item);
    if (below !== undefined) out[element] = below;
  }
  return out;
}

interface Removal {
  /** Goes, with all that is below. */
  readonly set: FieldSet;
  readonly held: FieldSet | undefined;
}

/** What becomes empty by it is left out, unless it is held. */
function removed(type: ApplyType, value: unknown, { set, held }: Removal): unknown {
  const isHeld = held !== undefined && isMember(held);
  switch (type.form) {
    case 'scalar':
      return value;
    case 'atomic':
      return undefined;
    case 'keyed':
    case 'set': {
      if (!Array.isArray(value)) return undefined;
      const items = (value as readonly unknown[]).flatMap((item) => {
        const element = elementOf(type, item);
        const node = set[element];
        if (node === undefined) return [item];
        if (isMember(node)) return [];
        return [removed(type.form === 'set' ? anyType : type.items, item, { set: node, held: held?.[element] })];
      });
      return items.length === 0 && !isHeld ? undefined : items;
    }
    default: {
      if (!isFields(value)) return Array.isArray(value) ? undefined : value;
      const out: Record<string, unknown> = {};
      for (const name in value) {
        const element = fieldElement(name);
        const node = set[element];
        if (node !== undefined && isMember(node)) continue;
        const below = { set: node ?? emptySet, held: held?.[element] };
        const rest = node === undefined ? value[name] : removed(typeOfField(type, name), value[name], below);
        if (rest !== undefined) out[name] = rest;
      }
      return Object.keys(out).length === 0 && !isHeld ? undefined : out;
    }
  }
}

function typeOfField(type: ApplyType, name: string): ApplyType {
  if (type.form === 'map') return type.values;
  return (type.form === 'struct' ? type.fields.get(name)?.type : undefined) ?? anyType;
}
