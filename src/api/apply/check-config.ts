// Whether an applied configuration can be taken apart by its type: no fields that the type does not have, no item twice, no
// item without its key. Live objects are more lenient (old data may hold duplicates), an applied one is not.
// Source: structured-merge-diff typed (Validate).

import { type ApplyType, anyType, type StructType } from './apply-type.ts';
import { elementOf, isFields, TypedError } from './items.ts';
import { pathText } from './path-element.ts';

/** `.spec.foo: field not declared in schema`, one a fault, in order. */
export function faultsOf(type: ApplyType, config: object): readonly string[] {
  const faults: string[] = [];
  check(type, config, [], faults);
  return faults;
}

function check(type: ApplyType, value: unknown, path: string[], faults: string[]): void {
  if (value === null) return;
  const fault = (text: string): void => void faults.push(`${pathText(path)}: ${text}`);
  switch (type.form) {
    case 'struct':
    case 'map':
      if (isFields(value)) checkFields(type, value, path, faults);
      else fault(`expected map, got ${wordOf(value)}`);
      return;
    case 'keyed':
    case 'set':
      if (Array.isArray(value)) checkItems(type, value, path, faults);
      else fault(`expected list, got ${wordOf(value)}`);
      return;
    default:
      return;
  }
}

function checkFields(
  type: StructType | Extract<ApplyType, { form: 'map' }>,
  value: Readonly<Record<string, unknown>>,
  path: string[],
  faults: string[],
): void {
  for (const [name, inner] of Object.entries(value)) {
    path.push(`f:${name}`);
    const below =
      type.form === 'map' ? type.values : (type.fields.get(name)?.type ?? (type.open === true ? anyType : undefined));
    if (below === undefined) faults.push(`${pathText(path)}: field not declared in schema`);
    else check(below, inner, path, faults);
    path.pop();
  }
}

function checkItems(
  type: Extract<ApplyType, { form: 'keyed' | 'set' }>,
  list: readonly unknown[],
  path: string[],
  faults: string[],
): void {
  const seen = new Set<string>();
  for (const [index, item] of list.entries()) {
    let element: string;
    try {
      element = elementOf(type, item);
    } catch (error) {
      if (!(error instanceof TypedError)) throw error;
      faults.push(`${pathText(path)}: element ${index}: ${error.message}`);
      continue;
    }
    path.push(element);
    if (seen.has(element)) {
      path.pop();
      const what = type.form === 'set' ? '' : 'key ';
      faults.push(`${pathText(path)}: duplicate entries for ${what}${pathText([element])}`);
      continue;
    }
    seen.add(element);
    if (type.form === 'keyed') check(type.items, item, path, faults);
    path.pop();
  }
}

function wordOf(value: unknown): string {
  return Array.isArray(value) ? 'list' : isFields(value) ? 'map' : typeof value;
}
