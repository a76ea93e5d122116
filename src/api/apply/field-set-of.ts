// The paths that an applied configuration names, and what of them must be kept together when fields are removed.
// Source: structured-merge-diff typed (ToFieldSet) and fieldpath (EnsureNamedFieldsAreMembers).

import { type ApplyType, anyType, type StructType } from './apply-type.ts';
import { type Draft, emptySet, type FieldSet, inOrder, isEmpty, isMember, member } from './field-set.ts';
import { type Fields, isFields, itemsByElement } from './items.ts';
import { fieldElement, self } from './path-element.ts';

/** Leaves, items of lists and keys of maps; an object with named fields belongs to the set only when it is empty. */
export function fieldSetOf(type: ApplyType, object: object): FieldSet {
  return childrenOf(type, object) ?? emptySet;
}

/** undefined: a leaf. */
function childrenOf(type: ApplyType, value: unknown): FieldSet | undefined {
  switch (type.form) {
    case 'scalar':
    case 'atomic':
      return undefined;
    case 'struct':
      return isFields(value) ? childrenOfFields(type.fields, anyType, value) : undefined;
    case 'map':
      return isFields(value) ? childrenOfFields(undefined, type.values, value) : undefined;
    case 'any':
      return isFields(value) ? childrenOfFields(undefined, anyType, value) : undefined;
    case 'keyed':
    case 'set': {
      if (!Array.isArray(value)) return undefined;
      const out: Draft = {};
      for (const [element, items] of itemsByElement(type, value)) {
        const below = type.form === 'set' || items.length > 1 ? undefined : childrenOf(type.items, items[0]);
        out[element] = below === undefined || isEmpty(below) ? member : { [self]: member, ...below };
      }
      return inOrder(out);
    }
  }
}

function childrenOfFields(fields: StructType['fields'] | undefined, values: ApplyType, object: Fields): FieldSet {
  const out: Draft = {};
  for (const name in object) {
    const value = object[name];
    if (value === undefined) continue;
    const field = fields?.get(name);
    const below = childrenOf(field?.type ?? values, value);
    if (below !== undefined && !isEmpty(below)) {
      out[field?.element ?? fieldElement(name)] = field === undefined ? { [self]: member, ...below } : below;
    } else if (below === undefined || !Array.isArray(value)) {
      // An empty list of items is nobody's; everything else that is empty is a leaf.
      out[field?.element ?? fieldElement(name)] = member;
    }
  }
  return inOrder(out);
}

/** The set with every object that has named fields and holds a path of the set: removing all of it takes the object too. */
export function withNamedFields(type: ApplyType, set: FieldSet): FieldSet {
  const out: Draft = {};
  for (const element in set) {
    const node = set[element] as FieldSet;
    if (element === self || isEmpty(node)) {
      out[element] = node;
      continue;
    }
    const below = withNamedFields(typeBelow(type, element), node);
    const named = type.form === 'struct' && type.fields.has(element.slice(2));
    out[element] = named && !isMember(node) ? { [self]: member, ...below } : below;
  }
  return out;
}

function typeBelow(type: ApplyType, element: string): ApplyType {
  switch (type.form) {
    case 'struct':
      return type.fields.get(element.slice(2))?.type ?? anyType;
    case 'map':
      return type.values;
    case 'keyed':
      return type.items;
    default:
      return anyType;
  }
}
