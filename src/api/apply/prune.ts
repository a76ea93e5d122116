// Takes out of a merged object what its applier named last time and names no more, unless somebody else owns it.
// Source: structured-merge-diff merge (prune, addBackOwnedItems, addBackDanglingItems) and typed (RemoveItems).

import { type ApplyType, anyType } from './apply-type.ts';
import { difference, type FieldSet, intersection, isEmpty, isMember, union } from './field-set.ts';
import { fieldSetOf, withNamedFields } from './field-set-of.ts';
import { elementOf, isFields } from './items.ts';
import { fieldElement } from './path-element.ts';

export interface Pruning {
  readonly type: ApplyType;
  /** What the applier named last time. */
  readonly last: FieldSet;
  /** What anyone owns now, the applier's new set included. */
  readonly owned: FieldSet;
}

/** Three steps, each of which may take an object with all it holds: remove, then find out what has to come back. */
export function prune(merged: object, { type, last, owned }: Pruning): object {
  if (isEmpty(last)) return merged;
  const lastNamed = withNamedFields(type, last);
  const present = withNamedFields(type, fieldSetOf(type, merged));
  const kept = (object: object): FieldSet => withNamedFields(type, fieldSetOf(type, object));

  const bare = removeItems(type, merged, lastNamed);
  const needed = union(kept(bare), withNamedFields(type, owned));
  const withOwned = removeItems(type, merged, difference(present, needed));
  // What nobody owns and the applier never named (a server's default) stays.
  return removeItems(type, merged, intersection(difference(present, kept(withOwned)), lastNamed));
}

/** The object without the paths of `set` and what is below them; what becomes empty by it is left out. */
function removeItems(type: ApplyType, object: object, set: FieldSet): object {
  return (isEmpty(set) ? object : (removed(type, object, set) ?? {})) as object;
}

function removed(type: ApplyType, value: unknown, set: FieldSet): unknown {
  switch (type.form) {
    case 'scalar':
      return value;
    case 'atomic':
      return undefined;
    case 'keyed':
    case 'set': {
      if (!Array.isArray(value)) return undefined;
      const items = (value as readonly unknown[]).flatMap((item) => {
        const node = set[elementOf(type, item)];
        if (node === undefined) return [item];
        if (isMember(node)) return [];
        return [removed(type.form === 'set' ? anyType : type.items, item, node)];
      });
      return items.length === 0 ? undefined : items;
    }
    default: {
      if (!isFields(value)) return Array.isArray(value) ? undefined : value;
      const out: Record<string, unknown> = {};
      for (const name in value) {
        const field = type.form === 'struct' ? type.fields.get(name) : undefined;
        const node = set[fieldElement(name)];
        if (node !== undefined && isMember(node)) continue;
        const below = type.form === 'map' ? type.values : (field?.type ?? anyType);
        const rest = node === undefined ? value[name] : removed(below, value[name], node);
        if (rest !== undefined) out[name] = rest;
      }
      return Object.keys(out).length === 0 ? undefined : out;
    }
  }
}
