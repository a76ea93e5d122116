// Validation of a value by a structural schema, in upstream's words: `spec.replicas in body must be of type integer: "string"`.
// Source: k8s.io/kube-openapi pkg/validation (validate, errors) and apiextensions-apiserver pkg/apiserver/validation.

import { duplicate, type FieldError, invalid, notSupported, required, tooLong, tooMany } from '../field-error.ts';
import { sameJson } from '../validation/rules.ts';
import { childPath, type Fields, isFields, itemPath } from './fields.ts';
import { fitsFormat, isKnownFormat } from './formats.ts';
import type { JsonSchema, StructuralSchema } from './schema.ts';

/** One value and what it was before; `old` undefined: everything is judged. */
interface Subject {
  readonly value: unknown;
  readonly path: string;
  /** Errors of a value that did not change are let through (ratcheting, KEP-4008). */
  readonly old?: unknown;
}

/** What is wrong with `value`; empty when nothing is. `old`: the value before the change. */
export function validateSchema(schema: StructuralSchema, value: unknown, old?: unknown): readonly FieldError[] {
  return judge(schema, { value, path: '', ...(old === undefined ? {} : { old }) });
}

function judge(schema: StructuralSchema, subject: Subject): readonly FieldError[] {
  const { value, old } = subject;
  if (value === undefined) return [];
  if (old !== undefined && sameJson(value, old)) return [];
  // A wrong type does not end it: what else the schema says of such a value is told too.
  const errors = wrongType(schema, subject);
  if (value === null) return [...errors, ...notListed(schema, subject)];
  errors.push(...junctors(schema, subject));
  if (typeof value === 'string') errors.push(...textRules(schema, value, subject.path));
  else if (typeof value === 'number') errors.push(...numberRules(schema.source, value, subject.path));
  else if (Array.isArray(value)) errors.push(...listRules(schema, value, subject));
  errors.push(...notListed(schema, subject));
  if (isFields(value)) errors.push(...fieldRules(schema, value, subject));
  return errors;
}

/** The words of errors: where, as upstream says it. */
function says(path: string, text: string): string {
  return `${path} in body ${text}`;
}

/** The JSON type of a value as OpenAPI names it. */
function typeOf(value: unknown): string {
  // A number past what JSON can carry would be stored as null.
  if (value === null || value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) <= 2 ** 63 ? 'integer' : 'number';
  return typeof value;
}

function wrongType(schema: StructuralSchema, { value, path }: Subject): FieldError[] {
  const have = typeOf(value);
  if (have === 'null' && (schema.nullable || (schema.type === '' && !schema.intOrString))) return [];
  const wanted = schema.intOrString ? ['integer', 'string'] : schema.type === '' ? [have] : [schema.type];
  if (wanted.includes(have) || (have === 'integer' && wanted.includes('number'))) return [];
  const { format } = schema.source;
  if (format !== undefined && isKnownFormat(format) && typeof value !== 'string' && !Array.isArray(value)) {
    // Upstream names formats then: that of the schema, and that of a Go number.
    const given = { integer: 'int64', number: 'float64' }[have] ?? '';
    return [typeInvalid(path, given, `must be of type ${format}: ${JSON.stringify(given)}`)];
  }
  return [typeInvalid(path, have, `must be of type ${wanted.join(',')}: ${JSON.stringify(have)}`)];
}

function typeInvalid(path: string, value: unknown, text: string): FieldError {
  return { ...invalid(path, value, says(path, text)), type: 'TypeInvalid' };
}

function notListed({ source }: StructuralSchema, { value, path }: Subject): readonly FieldError[] {
  const values = source.enum;
  if (values === undefined || values.length === 0 || values.some((one) => sameJson(one, value))) return [];
  const texts = values.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
  return [notSupported(path, value ?? 'null', texts)];
}

function textRules({ source, pattern }: StructuralSchema, text: string, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { minLength, maxLength } = source;
  const length = minLength === undefined && maxLength === undefined ? 0 : [...text].length;
  if (maxLength !== undefined && length > maxLength) errors.push(tooLong(path, maxLength));
  if (minLength !== undefined && length < minLength) {
    errors.push(invalid(path, text, says(path, `should be at least ${minLength} chars long`)));
  }
  if (pattern?.test(text) === false) errors.push(invalid(path, text, says(path, `should match '${source.pattern}'`)));
  if (source.format !== undefined && !fitsFormat(source.format, text)) {
    errors.push(typeInvalid(path, text, `must be of type ${source.format}: ${JSON.stringify(text)}`));
  }
  return errors;
}

function numberRules(source: JsonSchema, value: number, path: string): readonly FieldError[] {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = source;
  const errors: FieldError[] = [];
  const wrong = (text: string): void => void errors.push(invalid(path, value, says(path, text)));
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf)) wrong(`should be a multiple of ${multipleOf}`);
  if (maximum !== undefined) {
    if (exclusiveMaximum === true && value >= maximum) wrong(`should be less than ${maximum}`);
    else if (value > maximum) wrong(`should be less than or equal to ${maximum}`);
  }
  if (minimum !== undefined) {
    if (exclusiveMinimum === true && value <= minimum) wrong(`should be greater than ${minimum}`);
    else if (value < minimum) wrong(`should be greater than or equal to ${minimum}`);
  }
  return errors;
}

function listRules(
  { source, items, ...schema }: StructuralSchema,
  list: readonly unknown[],
  subject: Subject,
): readonly FieldError[] {
  const { path, old } = subject;
  const { minItems, maxItems, uniqueItems } = source;
  const errors: FieldError[] = [];
  if (minItems !== undefined && list.length < minItems) {
    errors.push(invalid(path, list.length, says(path, `should have at least ${minItems} items`)));
  }
  if (maxItems !== undefined && list.length > maxItems) errors.push(tooMany(path, list.length, maxItems));
  if (uniqueItems === true && hasDuplicates(list)) {
    errors.push(invalid(path, list, says(path, "shouldn't contain duplicates")));
  }
  if (items === undefined) return errors;
  const before = previousItems(schema, old);
  for (const [index, value] of list.entries()) {
    errors.push(...judge(items, { value, path: itemPath(path, index), ...optional(before(value)) }));
  }
  return errors;
}

/** Items of a list of type map are known by their keys; those of others have no past. */
function previousItems(
  { listType, listMapKeys }: Pick<StructuralSchema, 'listType' | 'listMapKeys'>,
  old: unknown,
): (item: unknown) => unknown {
  if (listType !== 'map' || !Array.isArray(old)) return () => undefined;
  const byKey = new Map(old.map((item) => [mapKey(listMapKeys, item), item as unknown]));
  return (item) => byKey.get(mapKey(listMapKeys, item));
}

function fieldRules(schema: StructuralSchema, object: Fields, { path, old }: Subject): readonly FieldError[] {
  const { source, properties, values } = schema;
  const errors: FieldError[] = [];
  const count = Object.values(object).filter((value) => value !== undefined).length;
  if (source.minProperties !== undefined && count < source.minProperties) {
    errors.push(invalid(path, count, says(path, `should have at least ${source.minProperties} properties`)));
  }
  if (source.maxProperties !== undefined && count > source.maxProperties) {
    errors.push(tooMany(path, count, source.maxProperties));
  }
  for (const key of schema.required) if (object[key] === undefined) errors.push(required(childPath(path, key)));
  const before = isFields(old) ? old : {};
  for (const [key, value] of Object.entries(object)) {
    const known = properties.get(key) ?? values;
    if (known !== undefined) {
      errors.push(...judge(known, { value, path: childPath(path, key), ...optional(before[key]) }));
    }
  }
  return errors;
}

function optional(old: unknown): { readonly old?: unknown } {
  return old === undefined ? {} : { old };
}

/** Lists that are sets or maps have no two equal items. Lists that did not change are let through. */
export function judgeListTypes(schema: StructuralSchema, value: unknown, old?: unknown): readonly FieldError[] {
  return listTypes(schema, { value, path: '', ...optional(old) });
}

function listTypes(schema: StructuralSchema, { value, path, old }: Subject): FieldError[] {
  const errors: FieldError[] = [];
  if (Array.isArray(value)) {
    if (schema.listType !== 'atomic' && !sameJson(value, old)) errors.push(...repeated(schema, value, path));
    const { items } = schema;
    if (items?.hasListTypes !== true) return errors;
    const before = previousItems(schema, old);
    for (const [index, item] of value.entries()) {
      errors.push(...listTypes(items, { value: item, path: itemPath(path, index), ...optional(before(item)) }));
    }
  } else if (isFields(value) && schema.hasListTypes) {
    const before = isFields(old) ? old : {};
    for (const [key, one] of Object.entries(value)) {
      const known = schema.properties.get(key) ?? schema.values;
      if (known?.hasListTypes !== true) continue;
      errors.push(...listTypes(known, { value: one, path: childPath(path, key), ...optional(before[key]) }));
    }
  }
  return errors;
}

function repeated({ listType, listMapKeys }: StructuralSchema, list: readonly unknown[], path: string): FieldError[] {
  const seen = new Set<string>();
  const told = new Set<string>();
  const errors: FieldError[] = [];
  for (const [index, item] of list.entries()) {
    if (listType === 'map' && !isFields(item)) {
      if (item === null) continue;
      errors.push(invalid(itemPath(path, index), item, 'must be an object for an array of list-type map'));
      continue;
    }
    const key = listType === 'set' ? canonical(item) : mapKey(listMapKeys, item);
    if (seen.has(key) && !told.has(key)) {
      errors.push(duplicate(itemPath(path, index), listType === 'set' ? item : keysOf(listMapKeys, item)));
      told.add(key);
    }
    seen.add(key);
  }
  return errors;
}

function mapKey(keys: readonly string[], item: unknown): string {
  return canonical(keysOf(keys, item));
}

function keysOf(keys: readonly string[], item: unknown): object {
  const fields = isFields(item) ? item : {};
  return Object.fromEntries(keys.filter((key) => fields[key] !== undefined).map((key) => [key, fields[key]]));
}

/** One text per value, whatever the order of its keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    isFields(one) ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))) : one,
  );
}

function hasDuplicates(list: readonly unknown[]): boolean {
  return new Set(list.map(canonical)).size < list.length;
}

/** What upstream says where an error has no field. */
export const noField = '<nil>';

/** allOf, anyOf, oneOf and not. Their own errors carry no field, as upstream. */
function junctors(schema: StructuralSchema, { value, path }: Subject): readonly FieldError[] {
  const { allOf, anyOf, oneOf, not } = schema;
  const errors: FieldError[] = [];
  const judged = (many: readonly StructuralSchema[]): readonly FieldError[][] =>
    many.map((one) => [...judge(one, { value, path })]);
  const fitting = (many: readonly (readonly FieldError[])[]): number =>
    many.filter(({ length }) => length === 0).length;
  const wrong = (text: string): void => void errors.push(invalid(noField, '', `${JSON.stringify(path)} ${text}`));
  if (anyOf.length > 0) {
    const results = judged(anyOf);
    if (fitting(results) === 0) {
      wrong('must validate at least one schema (anyOf)');
      errors.push(...nearest(anyOf, results, value));
    }
  }
  if (oneOf.length > 0) {
    const results = judged(oneOf);
    const count = fitting(results);
    const found = count === 0 ? 'Found none valid' : `Found ${count} valid alternatives`;
    if (count !== 1) wrong(`must validate one and only one schema (oneOf). ${found}`);
    if (count === 0) errors.push(...nearest(oneOf, results, value));
  }
  if (allOf.length > 0) {
    const results = judged(allOf);
    const count = fitting(results);
    errors.push(...results.flat());
    const none = count === 0 ? '. None validated' : '';
    if (count < allOf.length) wrong(`must validate all the schemas (allOf)${none}`);
  }
  if (not !== undefined && judge(not, { value, path }).length === 0) wrong('must not validate the schema (not)');
  return errors;
}

/** Of several alternatives that all fail, what the first says that looks at most of the value. */
function nearest(
  schemas: readonly StructuralSchema[],
  results: readonly (readonly FieldError[])[],
  value: unknown,
): readonly FieldError[] {
  const sizes = schemas.map((schema) => coverage(schema, value));
  return results[sizes.indexOf(Math.max(...sizes))] ?? [];
}

/** How many values inside of `value` a schema says something of. */
function coverage({ properties, values, items }: StructuralSchema, value: unknown): number {
  if (Array.isArray(value)) {
    return items === undefined ? 1 : value.reduce<number>((sum, item) => sum + coverage(items, item), 1);
  }
  if (!isFields(value)) return 1;
  return Object.entries(value).reduce((sum, [key, one]) => {
    const known = properties.get(key) ?? values;
    return known === undefined ? sum : sum + coverage(known, one);
  }, 1);
}
