// Items of lists by their path element. Source: structured-merge-diff typed (listItemToPathElement).

import type { KeyedType } from './apply-type.ts';
import { keyElement, keyField, valueElement } from './path-element.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** An object that cannot be taken apart; `message` begins with the path when it is known. */
export class TypedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TypedError';
  }
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The items of a list (null: none) under their element, in order; more than one under an element are duplicates. */
export function itemsByElement(
  type: KeyedType | { readonly form: 'set' },
  list: unknown,
): ReadonlyMap<string, readonly unknown[]> {
  const found = new Map<string, unknown[]>();
  if (!Array.isArray(list)) return found;
  for (const item of list as readonly unknown[]) {
    const element = elementOf(type, item);
    const known = found.get(element);
    if (known === undefined) found.set(element, [item]);
    else known.push(item);
  }
  return found;
}

/** Throws TypedError for an item that has none. */
export function elementOf(type: KeyedType | { readonly form: 'set' }, item: unknown): string {
  if (type.form === 'set') {
    if (typeof item !== 'object') return valueElement(item);
    const what = item === null ? 'an explicit null value' : Array.isArray(item) ? 'a list' : 'a map';
    throw new TypedError(`associative list without keys has an element that's ${what}`);
  }
  if (!isFields(item)) {
    throw new TypedError(
      `associative list with keys may not have ${item === null ? 'a null element' : 'non-map elements'}`,
    );
  }
  let fields = '';
  for (const { name, fallback } of type.keys) {
    const value = item[name] ?? fallback;
    if (value === undefined) {
      throw new TypedError(
        `associative list with keys has an element that omits key field ${JSON.stringify(name)} (and doesn't have default value)`,
      );
    }
    fields += fields === '' ? keyField(name, value) : `,${keyField(name, value)}`;
  }
  return keyElement(fields);
}
