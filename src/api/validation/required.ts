// The rule for kinds that have no validation of their own yet: an object or text that the schema requires must be there.
// Numbers, booleans, lists and maps may be absent, because upstream reads those as zero. Status is the server's own.

import { type FieldError, required } from '../field-error.ts';
import type { ObjectSchema, Schema } from '../schema/schema.ts';

type Fields = Readonly<Record<string, unknown>>;

export function missingFields(schema: ObjectSchema, object: object): FieldError[] {
  const errors: FieldError[] = [];
  for (const [name, { schema: field }] of schema.fields) {
    if (name === 'status' || name === 'metadata') continue;
    check(errors, field, (object as Fields)[name], { path: name, required: schema.required.includes(name) });
  }
  return errors;
}

function check(
  errors: FieldError[],
  schema: Schema,
  value: unknown,
  at: { readonly path: string; readonly required: boolean },
): void {
  if (value === undefined || value === '') {
    if (at.required && (schema.type === 'object' || schema.type === 'string')) errors.push(required(at.path));
    return;
  }
  if (schema.type === 'list' && Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      check(errors, schema.items, item, { path: `${at.path}[${index}]`, required: false });
    }
  } else if (schema.type === 'object' && typeof value === 'object' && value !== null) {
    for (const [name, { schema: field }] of schema.fields) {
      const nested = { path: `${at.path}.${name}`, required: schema.required.includes(name) };
      check(errors, field, (value as Fields)[name], nested);
    }
  }
}
