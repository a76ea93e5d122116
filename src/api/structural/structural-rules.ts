// Whether a schema is structural: every field has one type, said outside of allOf, anyOf, oneOf and not, which judge values
// and describe nothing. Source: apiextensions-apiserver pkg/apiserver/schema (validation.go, complete.go).

import { type FieldError, fieldErrorText, forbidden, invalid, required } from '../field-error.ts';
import { sameJson } from '../validation/rules.ts';
import { compilePattern, isSchema, type JsonSchema } from './schema.ts';

type Level = 'root' | 'item' | 'field';

const typeless: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

/** Wrong places of `schema`, the whole schema of a version, which stands at `path`; in the order of their texts. */
export function judgeStructure(schema: JsonSchema, path: string): readonly FieldError[] {
  return [...judgeNode(schema, path, 'root'), ...judgeCompleteness(schema, schema, path, path)].sort((a, b) =>
    fieldErrorText(a) < fieldErrorText(b) ? -1 : 1,
  );
}

function judgeNode(schema: JsonSchema, path: string, level: Level): readonly FieldError[] {
  const { type = '', items, properties = {}, additionalProperties } = schema;
  const errors: FieldError[] = [];
  if (type === 'array' && !isSchema(items)) errors.push(required(`${path}.items`, 'must be specified'));
  if (isSchema(items)) errors.push(...judgeNode(items, `${path}.items`, 'item'));
  for (const [key, one] of Object.entries(properties)) {
    errors.push(...judgeNode(one, `${path}.properties[${key}]`, 'field'));
  }
  if (additionalProperties !== undefined && level === 'root') {
    errors.push(forbidden(`${path}.additionalProperties`, 'must not be used at the root'));
  }
  if (isSchema(additionalProperties)) {
    errors.push(...judgeNode(additionalProperties, `${path}.additionalProperties`, 'field'));
  }
  errors.push(...judgeExtensions(schema, path), ...judgeValues(schema, path, true));
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true;
  const needsNoType = schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'];
  if (isEmbedded && type !== 'object') {
    errors.push(otherType(`${path}.type`, type, 'must be object if x-kubernetes-embedded-resource is true'));
  } else if (type === '' && needsNoType !== true) {
    errors.push(required(`${path}.type`, typeless[level]));
  }
  if (level === 'root' && type !== '' && type !== 'object') {
    errors.push(invalid(`${path}.type`, type, 'must be object at the root'));
  }
  return [...errors, ...judgeObjectFields(schema, path, level)];
}

/** A type that is missing is required, another one is invalid. */
export function otherType(field: string, type: string, detail: string): FieldError {
  return type === '' ? required(field, detail) : invalid(field, type, detail);
}

function judgeExtensions(schema: JsonSchema, path: string): readonly FieldError[] {
  if (schema['x-kubernetes-int-or-string'] !== true) return [];
  const others = ['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource'] as const;
  return others
    .filter((key) => schema[key] === true)
    .map((key) => invalid(`${path}.${key}`, true, 'must be false if x-kubernetes-int-or-string is true'));
}

/** apiVersion, kind and metadata of whole objects. */
function judgeObjectFields(schema: JsonSchema, path: string, level: Level): readonly FieldError[] {
  const { properties = {} } = schema;
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true;
  const errors: FieldError[] = [];
  if (isEmbedded && schema.additionalProperties !== undefined) {
    const why = 'must not be used if x-kubernetes-embedded-resource is set';
    errors.push(forbidden(`${path}.additionalProperties`, why));
  }
  if (level === 'root' || isEmbedded) {
    for (const [key, type] of [
      ['kind', 'string'],
      ['apiVersion', 'string'],
      ['metadata', 'object'],
    ] as const) {
      const have = properties[key];
      if (have !== undefined && have.type !== type) {
        errors.push(invalid(`${path}.properties[${key}].type`, have.type ?? '', `must be ${type}`));
      }
    }
  }
  const { metadata } = properties;
  if (level === 'root' && metadata !== undefined && saysMore(metadata)) {
    errors.push(
      forbidden(
        `${path}.properties[metadata]`,
        'must not specify anything other than name and generateName, but metadata is implicitly specified',
      ),
    );
  }
  if (isEmbedded && schema['x-kubernetes-preserve-unknown-fields'] !== true && Object.keys(properties).length === 0) {
    const why =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
    errors.push(required(`${path}.properties`, why));
  }
  return errors;
}

/** Whether the schema of metadata at the root says more than what name and generateName may be. */
function saysMore({ properties = {}, type: _, default: _default, ...rest }: JsonSchema): boolean {
  const other = Object.keys(properties).filter((key) => key !== 'name' && key !== 'generateName');
  return other.length > 0 || Object.keys(rest).length > 0;
}

const integerOrString: readonly JsonSchema[] = [{ type: 'integer' }, { type: 'string' }];

/** What judges values: patterns and junctors. `mayBeIntOrString`: the usual anyOf of an int-or-string names both types. */
function judgeValues(schema: JsonSchema, path: string, mayBeIntOrString: boolean): readonly FieldError[] {
  const { anyOf = [], allOf = [], oneOf = [], not, pattern } = schema;
  const errors: FieldError[] = [];
  const usual = (one: readonly JsonSchema[] | undefined): boolean => sameJson(one, integerOrString);
  if (!(mayBeIntOrString && usual(anyOf))) {
    for (const [index, one] of anyOf.entries()) errors.push(...judgeJunctor(one, `${path}.anyOf[${index}]`));
  }
  for (const [index, one] of allOf.entries()) {
    const isUsual = mayBeIntOrString && index === 0 && usual(one.anyOf);
    errors.push(...judgeJunctor(one, `${path}.allOf[${index}]`, isUsual));
  }
  for (const [index, one] of oneOf.entries()) errors.push(...judgeJunctor(one, `${path}.oneOf[${index}]`));
  if (not !== undefined) errors.push(...judgeJunctor(not, `${path}.not`));
  return pattern === undefined ? errors : [...errors, ...judgePattern(pattern, path)];
}

function judgePattern(pattern: string, path: string): readonly FieldError[] {
  try {
    compilePattern(pattern);
    return [];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [invalid(`${path}.pattern`, pattern, `must be a valid regular expression, but isn't: ${error.message}`)];
  }
}

/** What may not stand in a junctor, and how it would have to be. */
const describing = [
  ['type', 'empty'],
  ['additionalProperties', 'undefined'],
  ['default', 'undefined'],
  ['title', 'empty'],
  ['description', 'empty'],
  ['nullable', 'false'],
  ['x-kubernetes-preserve-unknown-fields', 'false'],
  ['x-kubernetes-embedded-resource', 'false'],
  ['x-kubernetes-int-or-string', 'false'],
  ['x-kubernetes-list-map-keys', 'empty'],
  ['x-kubernetes-list-type', 'undefined'],
  ['x-kubernetes-map-type', 'undefined'],
  ['x-kubernetes-validations', 'empty'],
] as const;

function judgeJunctor(schema: JsonSchema, path: string, isUsualAnyOf = false): readonly FieldError[] {
  const { properties = {}, items } = schema;
  const { anyOf: _, ...others } = schema;
  const errors = [...judgeValues(isUsualAnyOf ? others : schema, path, false)];
  if (isSchema(items)) errors.push(...judgeJunctor(items, `${path}.items`));
  for (const [key, one] of Object.entries(properties)) {
    errors.push(...judgeJunctor(one, `${path}.properties[${key}]`));
  }
  for (const [key, wanted] of describing) {
    const value = schema[key];
    if (value === undefined || (wanted === 'false' && value === false)) continue;
    errors.push(forbidden(`${path}.${key}`, `must be ${wanted} to be structural`));
  }
  const { metadata } = properties;
  if (metadata !== undefined && saysMore(metadata)) {
    errors.push(forbidden(`${path}.properties[metadata]`, 'must not be specified in a nested context'));
  }
  return errors;
}

/** What the junctors of `values` name must be described by `schema` too. */
function judgeCompleteness(
  schema: JsonSchema | undefined,
  values: JsonSchema,
  path: string,
  valuesPath: string,
): readonly FieldError[] {
  if (schema === undefined) return [required(path, `because it is defined in ${valuesPath}`)];
  const { not, allOf = [], anyOf = [], oneOf = [] } = values;
  const junctors = [
    ...(not === undefined ? [] : [['not', not] as const]),
    ...allOf.map((one, index) => [`allOf[${index}]`, one] as const),
    ...anyOf.map((one, index) => [`anyOf[${index}]`, one] as const),
    ...oneOf.map((one, index) => [`oneOf[${index}]`, one] as const),
  ];
  return junctors.flatMap(([name, one]) => judgeNested(schema, one, path, `${valuesPath}.${name}`));
}

function judgeNested(
  schema: JsonSchema | undefined,
  values: JsonSchema,
  path: string,
  valuesPath: string,
): readonly FieldError[] {
  const errors = [...judgeCompleteness(schema, values, path, valuesPath)];
  if (schema === undefined) return errors;
  const { items, properties = {} } = values;
  if (isSchema(items)) {
    const described = isSchema(schema.items) ? schema.items : undefined;
    errors.push(...judgeNested(described, items, `${path}.items`, `${valuesPath}.items`));
  }
  for (const [key, one] of Object.entries(properties)) {
    const part = `properties[${key}]`;
    errors.push(...judgeNested(schema.properties?.[key], one, `${path}.${part}`, `${valuesPath}.${part}`));
  }
  return errors;
}
