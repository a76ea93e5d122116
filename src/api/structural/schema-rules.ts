// What the schema of a CustomResourceDefinition must be: structural, within OpenAPI v3 as far as it is supported, with
// defaults that fit. Source: apiextensions-apiserver pkg/apis/apiextensions/validation and pkg/apiserver/schema.

import { type FieldError, forbidden, invalid, notSupported, required } from '../field-error.ts';
import { applySchemaDefaults } from './default.ts';
import { prune } from './prune.ts';
import { compilePattern, compileStructural, isSchema, type JsonSchema } from './schema.ts';
import { validateSchema } from './validate.ts';

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];

/** Fields of JSONSchemaProps that mean something in OpenAPI, but not here. */
const unsupported = ['$ref', 'definitions', 'dependencies', 'patternProperties', 'additionalItems', 'id'] as const;

/** What may stand in allOf, anyOf, oneOf and not: they judge values and describe nothing. */
const forbiddenInJunctors = [
  'description',
  'type',
  'default',
  'additionalProperties',
  'nullable',
  'title',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'x-kubernetes-validations',
] as const;

/** Wrong places of `schema`, the whole schema of a version, which stands at `path`. */
export function judgeSchema(schema: JsonSchema, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (schema.type === undefined || schema.type === '') {
    errors.push(required(`${path}.type`, 'must not be empty at the root'));
  } else if (schema.type !== 'object') {
    errors.push(invalid(`${path}.type`, schema.type, 'must be object at the root'));
  }
  if (schema.additionalProperties !== undefined) {
    errors.push(forbidden(`${path}.additionalProperties`, 'must not be used at the root'));
  }
  if (schema.nullable === true) errors.push(forbidden(`${path}.nullable`, 'nullable cannot be true at the root'));
  const metadata = schema.properties?.['metadata'];
  if (metadata !== undefined) errors.push(...judgeMetadata(metadata, `${path}.properties[metadata]`));
  errors.push(...judgeNode(schema, { path, isRoot: true }));
  return errors.length > 0 ? errors : judgeDefaults(schema, path);
}

function judgeMetadata(schema: JsonSchema, path: string): readonly FieldError[] {
  const { properties = {}, type: _type, description: _description, ...rest } = schema;
  const other = Object.keys(properties).filter((key) => key !== 'name' && key !== 'generateName');
  return Object.keys(rest).length > 0 || other.length > 0
    ? [
        forbidden(
          path,
          'must not specify anything other than name and generateName, but metadata is implicitly specified',
        ),
      ]
    : [];
}

interface Place {
  readonly path: string;
  readonly isRoot?: boolean;
}

function judgeNode(schema: JsonSchema, { path, isRoot = false }: Place): readonly FieldError[] {
  return [
    ...judgeUnsupported(schema, path),
    ...judgeType(schema, { path, isRoot }),
    ...judgePattern(schema, path),
    ...judgeLists(schema, path),
    ...judgeJunctors(schema, path),
    ...judgeBelow(schema, path),
  ];
}

function judgeUnsupported(schema: JsonSchema, path: string): readonly FieldError[] {
  const errors = unsupported
    .filter((key) => hasContent((schema as Readonly<Record<string, unknown>>)[key]))
    .map((key) => forbidden(`${path}.${key}`, `${key} is not supported`));
  if (schema.uniqueItems === true) {
    errors.push(
      forbidden(
        `${path}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    );
  }
  const { additionalProperties, properties = {} } = schema;
  if (additionalProperties !== undefined && additionalProperties !== true && Object.keys(properties).length > 0) {
    errors.push(forbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'));
  }
  if (Array.isArray(schema.items)) {
    errors.push(forbidden(`${path}.items`, 'items must be a schema object and not an array'));
  }
  return errors;
}

function hasContent(value: unknown): boolean {
  return (
    value !== undefined &&
    value !== '' &&
    !(typeof value === 'object' && value !== null && Object.keys(value).length === 0)
  );
}

function judgeType(schema: JsonSchema, { path, isRoot }: Required<Place>): readonly FieldError[] {
  const { type } = schema;
  const intOrString = schema['x-kubernetes-int-or-string'] === true;
  const errors: FieldError[] = [];
  if (type !== undefined && type !== '' && !types.includes(type))
    errors.push(notSupported(`${path}.type`, type, types));
  const needsNone = intOrString || schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (!isRoot && (type === undefined || type === '') && !needsNone) {
    const what = path.endsWith('.items') ? 'specified array items' : 'specified object fields';
    errors.push(required(`${path}.type`, `must not be empty for ${what}`));
  }
  if (intOrString && schema['x-kubernetes-preserve-unknown-fields'] === true) {
    const field = `${path}.x-kubernetes-preserve-unknown-fields`;
    errors.push(invalid(field, true, 'must be false if x-kubernetes-int-or-string is true'));
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    errors.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'));
  }
  if (schema['x-kubernetes-embedded-resource'] === true) {
    if (type !== 'object')
      errors.push(invalid(`${path}.type`, type ?? '', 'must be object if x-kubernetes-embedded-resource is true'));
    if (Object.keys(schema.properties ?? {}).length === 0 && schema['x-kubernetes-preserve-unknown-fields'] !== true) {
      errors.push(
        required(
          `${path}.properties`,
          'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
        ),
      );
    }
  }
  if (type === 'array' && schema.items === undefined) errors.push(required(`${path}.items`, 'must be specified'));
  return errors;
}

function judgePattern({ pattern }: JsonSchema, path: string): readonly FieldError[] {
  if (pattern === undefined) return [];
  try {
    compilePattern(pattern);
    return [];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [invalid(`${path}.pattern`, pattern, `must be a valid regular expression, but isn't: ${error.message}`)];
  }
}

function judgeLists(schema: JsonSchema, path: string): readonly FieldError[] {
  const listType = schema['x-kubernetes-list-type'];
  const mapType = schema['x-kubernetes-map-type'];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const errors: FieldError[] = [];
  if (mapType !== undefined && mapType !== 'granular' && mapType !== 'atomic') {
    errors.push(notSupported(`${path}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']));
  } else if (mapType !== undefined && schema.type !== 'object') {
    errors.push(invalid(`${path}.type`, schema.type ?? '', 'must be object if x-kubernetes-map-type is specified'));
  }
  if (listType === undefined) {
    return keys.length === 0
      ? errors
      : [
          ...errors,
          required(`${path}.x-kubernetes-list-type`, 'must be map if x-kubernetes-list-map-keys is non-empty'),
        ];
  }
  if (!['atomic', 'set', 'map'].includes(listType)) {
    return [...errors, notSupported(`${path}.x-kubernetes-list-type`, listType, ['atomic', 'set', 'map'])];
  }
  if (schema.type !== 'array') {
    errors.push(invalid(`${path}.type`, schema.type ?? '', 'must be array if x-kubernetes-list-type is specified'));
  }
  if (listType === 'map') errors.push(...judgeListMap(schema, keys, path));
  else if (keys.length > 0) {
    errors.push(
      forbidden(`${path}.x-kubernetes-list-map-keys`, `must not be specified if x-kubernetes-list-type is not map`),
    );
  }
  return errors;
}

function judgeListMap({ items }: JsonSchema, keys: readonly string[], path: string): readonly FieldError[] {
  if (keys.length === 0) {
    return [required(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map')];
  }
  if (!isSchema(items)) return [];
  if (items.type !== 'object') {
    return [
      invalid(`${path}.items.type`, items.type ?? '', "must be object if parent array's x-kubernetes-list-type is map"),
    ];
  }
  return keys.flatMap((key, index) => {
    const property = items.properties?.[key];
    if (property === undefined) {
      return [
        invalid(`${path}.x-kubernetes-list-map-keys[${index}]`, key, 'entries must all be names of item properties'),
      ];
    }
    return items.required?.includes(key) === true || property.default !== undefined
      ? []
      : [
          required(
            `${path}.items.properties[${key}].default`,
            'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
          ),
        ];
  });
}

function judgeJunctors(schema: JsonSchema, path: string): readonly FieldError[] {
  const inside: readonly (readonly [string, JsonSchema])[] = [
    ...(['allOf', 'anyOf', 'oneOf'] as const).flatMap((name) =>
      (schema[name] ?? []).map((one, index) => [`${path}.${name}[${index}]`, one] as const),
    ),
    ...(schema.not === undefined ? [] : [[`${path}.not`, schema.not] as const]),
  ];
  const isIntOrString = schema['x-kubernetes-int-or-string'] === true;
  return inside.flatMap(([at, one]) => judgeJunctor(one, at, isIntOrString));
}

function judgeJunctor(schema: JsonSchema, path: string, isIntOrString: boolean): readonly FieldError[] {
  const errors: FieldError[] = [];
  for (const key of forbiddenInJunctors) {
    // The usual anyOf of an int-or-string names both types.
    if (schema[key] === undefined || schema[key] === false || (isIntOrString && key === 'type')) continue;
    errors.push(forbidden(`${path}.${key}`, `must be undefined to be structural`));
  }
  errors.push(...judgePattern(schema, path));
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    errors.push(...judgeJunctor(property, `${path}.properties[${key}]`, isIntOrString));
  }
  if (isSchema(schema.items)) errors.push(...judgeJunctor(schema.items, `${path}.items`, isIntOrString));
  errors.push(...judgeJunctors(schema, path));
  return errors;
}

function judgeBelow(schema: JsonSchema, path: string): readonly FieldError[] {
  const { properties = {}, additionalProperties, items } = schema;
  return [
    ...Object.entries(properties).flatMap(([key, one]) => judgeNode(one, { path: `${path}.properties[${key}]` })),
    ...(isSchema(additionalProperties)
      ? judgeNode(additionalProperties, { path: `${path}.additionalProperties` })
      : []),
    ...(isSchema(items) ? judgeNode(items, { path: `${path}.items` }) : []),
  ];
}

/** A default must be a value that its schema lets in, and hold nothing that pruning would take out. */
function judgeDefaults(schema: JsonSchema, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (schema.default !== undefined) {
    const compiled = compileStructural(schema);
    const value = structuredClone(schema.default);
    applySchemaDefaults(compiled, value);
    const at = `${path}.default`;
    if (typeof value === 'object' && value !== null && prune(compiled, value).length > 0) {
      errors.push(invalid(at, schema.default, 'must not have unknown fields'));
    }
    errors.push(
      ...validateSchema(compiled, value).map((one) => ({
        ...one,
        field: one.field === '' ? at : `${at}.${one.field}`,
      })),
    );
  }
  const { properties = {}, additionalProperties, items } = schema;
  return [
    ...errors,
    ...Object.entries(properties).flatMap(([key, one]) => judgeDefaults(one, `${path}.properties[${key}]`)),
    ...(isSchema(additionalProperties) ? judgeDefaults(additionalProperties, `${path}.additionalProperties`) : []),
    ...(isSchema(items) ? judgeDefaults(items, `${path}.items`) : []),
  ];
}
