// Validation of a value by a structural schema, in upstream's words: `spec.replicas in body must be of type integer: "string"`.
// Source: k8s.io/kube-openapi pkg/validation (validate, errors) and apiextensions-apiserver pkg/apiserver/validation.

import { duplicate, type FieldError, invalid, notSupported, required, tooLong, tooMany } from '../field-error.ts';
import { sameJson } from '../validation/rules.ts';
import { childPath, type Fields, isFields, itemPath } from './fields.ts';
import { fitsFormat } from './formats.ts';
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
  const wrong = wrongType(schema, subject);
  if (wrong !== undefined) return [wrong];
  if (value === null) return [];
  return [
    ...own(schema, subject),
    ...content(schema, subject),
    ...listTypes(schema, subject),
    ...junctors(schema, subject),
  ];
}

/** The words of errors: where, as upstream says it. */
function says(path: string, text: string): string {
  return `${path} in body ${text}`;
}

/** The JSON type of a value as OpenAPI names it. */
function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function wrongType(schema: StructuralSchema, { value, path }: Subject): FieldError | undefined {
  const have = typeOf(value);
  if (have === 'null' && (schema.nullable || (schema.type === '' && !schema.intOrString))) return undefined;
  const wanted = schema.intOrString ? ['integer', 'string'] : schema.type === '' ? [have] : [schema.type];
  if (wanted.includes(have) || (have === 'integer' && wanted.includes('number'))) return undefined;
  return typeInvalid(path, have, `must be of type ${wanted.join(',')}: ${JSON.stringify(have)}`);
}

function typeInvalid(path: string, value: unknown, text: string): FieldError {
  return { ...invalid(path, value, says(path, text)), type: 'TypeInvalid' };
}

/** Rules about this value alone. */
function own(schema: StructuralSchema, { value, path }: Subject): readonly FieldError[] {
  const { source } = schema;
  const errors: FieldError[] = [];
  if (source.enum !== undefined && !source.enum.some((one) => sameJson(one, value))) {
    errors.push(
      notSupported(
        path,
        value,
        source.enum.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))),
      ),
    );
  }
  if (typeof value === 'string') errors.push(...textRules(schema, value, path));
  else if (typeof value === 'number') errors.push(...numberRules(source, value, path));
  if (source.format !== undefined && !fitsFormat(source.format, value)) {
    errors.push(typeInvalid(path, value, `must be of type ${source.format}: ${JSON.stringify(value)}`));
  }
  return errors;
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

/** Rules about what is inside. */
function content(schema: StructuralSchema, subject: Subject): readonly FieldError[] {
  const { value } = subject;
  if (Array.isArray(value)) return listRules(schema, value, subject);
  return isFields(value) ? fieldRules(schema, value, subject) : [];
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

/** Lists that are sets or maps have no two equal items. */
function listTypes(schema: StructuralSchema, { value, path }: Subject): readonly FieldError[] {
  if (!Array.isArray(value) || schema.listType === 'atomic') return [];
  const seen = new Set<string>();
  const errors: FieldError[] = [];
  for (const [index, item] of value.entries()) {
    const key = schema.listType === 'set' ? canonical(item) : mapKey(schema.listMapKeys, item);
    if (seen.has(key))
      errors.push(
        duplicate(itemPath(path, index), schema.listType === 'set' ? item : keysOf(schema.listMapKeys, item)),
      );
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

/** allOf, anyOf, oneOf and not. Their errors carry no field, as upstream. */
function junctors(schema: StructuralSchema, { value, path }: Subject): readonly FieldError[] {
  const { allOf, anyOf, oneOf, not } = schema;
  const errors: FieldError[] = [];
  const fits = (one: StructuralSchema): boolean => judge(one, { value, path }).length === 0;
  const wrong = (text: string): void => void errors.push(invalid('<nil>', '', `${JSON.stringify(path)} ${text}`));
  if (anyOf.length > 0 && !anyOf.some(fits)) {
    errors.push(...nearest(anyOf, { value, path }));
    wrong('must validate at least one schema (anyOf)');
  }
  if (oneOf.length > 0) {
    const matching = oneOf.filter(fits).length;
    if (matching === 0) errors.push(...nearest(oneOf, { value, path }));
    if (matching !== 1) {
      wrong(
        `must validate one and only one schema (oneOf). ${matching === 0 ? 'Found none valid' : `Found ${matching} valid alternatives`}`,
      );
    }
  }
  if (allOf.length > 0 && !allOf.every(fits)) {
    errors.push(...allOf.flatMap((one) => judge(one, { value, path })));
    wrong('must validate all the schemas (allOf)');
  }
  if (not !== undefined && fits(not)) wrong('must not validate the schema (not)');
  return errors;
}

/** Of several alternatives that all fail, what the one with the fewest errors says. */
function nearest(schemas: readonly StructuralSchema[], subject: Subject): readonly FieldError[] {
  const [first = []] = schemas.map((one) => judge(one, subject)).sort((a, b) => a.length - b.length);
  return first;
}
