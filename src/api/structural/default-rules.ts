// A default must be a value that its schema lets in, and hold nothing that pruning would take out.
// Source: apiextensions-apiserver pkg/apiserver/schema/defaulting/validation.go.

import { type FieldError, invalid } from '../field-error.ts';
import { prunePart } from './prune.ts';
import { compileStructural, isSchema, type JsonSchema } from './schema.ts';
import { noField, validateSchema } from './validate.ts';

/** What is wrong with the defaults in `schema`, a structural schema that stands at `path`. */
export function judgeDefaults(schema: JsonSchema, path: string): readonly FieldError[] {
  const { properties = {}, items } = schema;
  return [
    ...(schema.default === undefined ? [] : judgeDefault(schema, `${path}.default`)),
    // Those inside additionalProperties are not looked at, as upstream.
    ...Object.entries(properties).flatMap(([key, one]) => judgeDefaults(one, `${path}.properties[${key}]`)),
    ...(isSchema(items) ? judgeDefaults(items, `${path}.items`) : []),
  ];
}

function judgeDefault(schema: JsonSchema, at: string): readonly FieldError[] {
  const compiled = compileStructural(schema);
  const value = structuredClone(schema.default);
  const pruned = prunePart(compiled, value).length > 0 ? [invalid(at, schema.default, 'must be pruned')] : [];
  const wrong = validateSchema(compiled, schema.default);
  const place = (field: string): string => (field === '' || field === noField ? at : `${at}.${field}`);
  return [...pruned, ...wrong.map((one) => ({ ...one, field: place(one.field) }))];
}
