// What the schema of a CustomResourceDefinition must be: within OpenAPI v3 as far as it is supported, structural
// (structural-rules.ts), with defaults that fit (default-rules.ts).
// Source: apiextensions-apiserver pkg/apis/apiextensions/validation.

import { type FieldError, forbidden, invalid, notSupported, required } from '../field-error.ts';
import { judgeDefaults } from './default-rules.ts';
import { isSchema, type JsonSchema } from './schema.ts';
import { judgeStructure, otherType } from './structural-rules.ts';

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];

/** Fields of JSONSchemaProps that mean something in OpenAPI, but not here. */
const unsupported = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'] as const;

/** What may stand beside `properties` at the root of a kind whose status is a subresource, by upstream's names. */
const besideStatus: Readonly<Record<string, string>> = {
  description: 'Description',
  type: 'Type',
  format: 'Format',
  title: 'Title',
  maximum: 'Maximum',
  exclusiveMaximum: 'ExclusiveMaximum',
  minimum: 'Minimum',
  exclusiveMinimum: 'ExclusiveMinimum',
  maxLength: 'MaxLength',
  minLength: 'MinLength',
  pattern: 'Pattern',
  maxItems: 'MaxItems',
  minItems: 'MinItems',
  uniqueItems: 'UniqueItems',
  multipleOf: 'MultipleOf',
  required: 'Required',
  items: 'Items',
  properties: 'Properties',
  externalDocs: 'ExternalDocs',
  example: 'Example',
  'x-kubernetes-preserve-unknown-fields': 'XPreserveUnknownFields',
  'x-kubernetes-validations': 'XValidations',
};

/** Wrong places of `schema`, the whole schema of a version, which stands at `path`. */
export function judgeSchema(
  schema: JsonSchema,
  { path, hasStatus = false }: { readonly path: string; readonly hasStatus?: boolean },
): readonly FieldError[] {
  const errors: FieldError[] = hasStatus ? [...judgeBesideStatus(schema, path)] : [];
  if (schema.nullable === true) errors.push(forbidden(`${path}.nullable`, 'nullable cannot be true at the root'));
  const open = judgeNode(schema, { path, isRoot: true, noDefaults: undefined, inMetadata: false });
  // What has fields that mean nothing here can't be taken for a structural schema at all.
  if (!open.some(({ message }) => message.endsWith(notHere))) {
    const structure = judgeStructure(schema, path);
    errors.push(...(structure.length > 0 ? structure : judgeDefaults(schema, path)));
  }
  return [...errors, ...open];
}

const notHere = 'is not supported';

function judgeBesideStatus(schema: JsonSchema, path: string): readonly FieldError[] {
  const { type } = schema;
  if (type !== undefined && type !== 'object') {
    const why = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
    return [invalid(`${path}.type`, type, why)];
  }
  if (Object.keys(schema).every((key) => Object.hasOwn(besideStatus, key))) return [];
  const names = Object.values(besideStatus).join(' ');
  const why = `only [${names}] fields are allowed at the root of the schema if the status subresource is enabled`;
  return [invalid(path, schema, why)];
}

interface Place {
  readonly path: string;
  readonly isRoot: boolean;
  /** Why there may be no default here; undefined where there may be one. */
  readonly noDefaults: string | undefined;
  /** Inside metadata, apiVersion or kind of a whole object. */
  readonly inMetadata: boolean;
}

function judgeNode(schema: JsonSchema, place: Place): readonly FieldError[] {
  const { path } = place;
  return [
    ...judgeFields(schema, place),
    ...judgeBelow(schema, { ...place, isRoot: false }, place.isRoot),
    ...judgeJunctors(schema, { ...place, isRoot: false }),
    ...judgePreserved(schema, path),
    ...judgeMap(schema, path),
    ...judgeList(schema, path),
    ...judgeListKeys(schema, path),
    ...judgeCorrelation(schema, path),
  ];
}

function judgeFields(schema: JsonSchema, { path, noDefaults, inMetadata }: Place): readonly FieldError[] {
  const { type, additionalProperties, properties = {} } = schema;
  const errors: FieldError[] = [];
  if (type !== undefined && type !== '' && !types.includes(type)) {
    errors.push(notSupported(`${path}.type`, type, types));
  }
  if (schema.default !== undefined && noDefaults !== undefined) {
    errors.push(forbidden(`${path}.default`, `must not be set ${noDefaults}`));
  }
  for (const key of unsupported) {
    if (hasContent((schema as Readonly<Record<string, unknown>>)[key])) {
      errors.push(forbidden(`${path}.${key}`, `${key} ${notHere}`));
    }
  }
  if (type === 'null') {
    errors.push(forbidden(`${path}.type`, 'type cannot be set to null, use nullable as an alternative'));
  }
  if (Array.isArray(schema.items)) {
    errors.push(forbidden(`${path}.items`, 'items must be a schema object and not an array'));
  }
  if (inMetadata && schema['x-kubernetes-embedded-resource'] === true) {
    errors.push(forbidden(`${path}.x-kubernetes-embedded-resource`, 'must not be used inside of resource meta'));
  }
  if (schema.uniqueItems === true) {
    const why = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
    errors.push(forbidden(`${path}.uniqueItems`, why));
  }
  if (additionalProperties !== undefined && additionalProperties !== true && Object.keys(properties).length > 0) {
    errors.push(forbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'));
  }
  return errors;
}

function hasContent(value: unknown): boolean {
  if (value === undefined || value === '') return false;
  return typeof value !== 'object' || value === null || Object.keys(value).length > 0;
}

const wholeFields = new Set(['metadata', 'kind', 'apiVersion']);

function judgeBelow(schema: JsonSchema, place: Place, isRoot: boolean): readonly FieldError[] {
  const { path, inMetadata } = place;
  const { properties = {}, additionalProperties, items } = schema;
  const errors: FieldError[] = [];
  if (isSchema(additionalProperties)) {
    const inside = inMetadata ? { noDefaults: 'inside additionalProperties applying to object metadata' } : {};
    errors.push(...judgeNode(additionalProperties, { ...place, ...inside, path: `${path}.additionalProperties` }));
  }
  const isWhole = isRoot || schema['x-kubernetes-embedded-resource'] === true;
  for (const [key, one] of Object.entries(properties)) {
    const ofObject = isWhole && wholeFields.has(key);
    errors.push(
      ...judgeNode(one, {
        path: `${path}.properties[${key}]`,
        isRoot: false,
        noDefaults: ofObject && isRoot ? `in top-level ${key}` : place.noDefaults,
        inMetadata: inMetadata || ofObject,
      }),
    );
  }
  if (isSchema(items)) errors.push(...judgeNode(items, { ...place, path: `${path}.items` }));
  return errors;
}

function judgeJunctors(schema: JsonSchema, place: Place): readonly FieldError[] {
  const { not, allOf = [], oneOf = [], anyOf = [] } = schema;
  const inside = [
    ...(not === undefined ? [] : [['not', not] as const]),
    ...allOf.map((one, index) => [`allOf[${index}]`, one] as const),
    ...oneOf.map((one, index) => [`oneOf[${index}]`, one] as const),
    ...anyOf.map((one, index) => [`anyOf[${index}]`, one] as const),
  ];
  return inside.flatMap(([name, one]) => judgeNode(one, { ...place, path: `${place.path}.${name}` }));
}

function judgePreserved(schema: JsonSchema, path: string): readonly FieldError[] {
  const field = 'x-kubernetes-preserve-unknown-fields';
  return schema[field] === false ? [invalid(`${path}.${field}`, false, 'must be true or undefined')] : [];
}

function judgeMap(schema: JsonSchema, path: string): readonly FieldError[] {
  const { type = '', 'x-kubernetes-map-type': mapType } = schema;
  if (mapType === undefined) return [];
  const errors: FieldError[] = [];
  if (type !== 'object') {
    errors.push(otherType(`${path}.type`, type, 'must be object if x-kubernetes-map-type is specified'));
  }
  if (mapType !== 'granular' && mapType !== 'atomic') {
    errors.push(notSupported(`${path}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']));
  }
  return errors;
}

function judgeList(schema: JsonSchema, path: string): readonly FieldError[] {
  const { type = '', items, 'x-kubernetes-list-type': listType } = schema;
  const errors: FieldError[] = [];
  if (listType !== undefined && type !== 'array') {
    errors.push(otherType(`${path}.type`, type, 'must be array if x-kubernetes-list-type is specified'));
  } else if (listType === 'set' && isSchema(items)) {
    const field = items.type === 'array' ? 'x-kubernetes-list-type' : 'x-kubernetes-map-type';
    const inside = items[field];
    const isWrong = items.type === 'array' ? inside !== undefined && inside !== 'atomic' : inside !== 'atomic';
    if ((items.type === 'array' || items.type === 'object') && isWrong) {
      const why = 'must be atomic as item of a list with x-kubernetes-list-type=set';
      errors.push(invalid(`${path}.items.${field}`, inside, why));
    }
  }
  if (listType !== undefined && !['atomic', 'set', 'map'].includes(listType)) {
    errors.push(notSupported(`${path}.x-kubernetes-list-type`, listType, ['atomic', 'set', 'map']));
  }
  return errors;
}

function judgeListKeys(schema: JsonSchema, path: string): readonly FieldError[] {
  const { items, 'x-kubernetes-list-type': listType, 'x-kubernetes-list-map-keys': keys = [] } = schema;
  const keysField = `${path}.x-kubernetes-list-map-keys`;
  if (listType !== 'map') {
    if (keys.length === 0) return [];
    const why = 'must be map if x-kubernetes-list-map-keys is non-empty';
    const field = `${path}.x-kubernetes-list-type`;
    return [listType === undefined ? required(field, why) : invalid(field, listType, why)];
  }
  const errors: FieldError[] = [];
  if (keys.length === 0) errors.push(required(keysField, 'must not be empty if x-kubernetes-list-type is map'));
  if (items === undefined) {
    return [...errors, required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map')];
  }
  if (!isSchema(items)) {
    const why = 'must only have a single schema if x-kubernetes-list-type is map';
    return [...errors, invalid(`${path}.items`, items, why)];
  }
  if (items.type !== 'object') {
    const why = "must be object if parent array's x-kubernetes-list-type is map";
    return [...errors, invalid(`${path}.items.type`, items.type ?? '', why)];
  }
  for (const [index, key] of keys.entries()) {
    const property = items.properties?.[key];
    if (property === undefined) {
      errors.push(invalid(keysField, keys, 'entries must all be names of item properties'));
    } else if (property.type === 'array' || property.type === 'object') {
      const why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      errors.push(invalid(`${path}.items.properties[${key}].type`, items.type, why));
    }
    if (keys.indexOf(key) < index) errors.push(invalid(keysField, keys, 'must not contain duplicate entries'));
  }
  return errors;
}

/** Items of sets and maps must be comparable with their old selves. */
function judgeCorrelation(schema: JsonSchema, path: string): readonly FieldError[] {
  const { items, 'x-kubernetes-list-type': listType, 'x-kubernetes-list-map-keys': keys = [] } = schema;
  if (!isSchema(items) || (listType !== 'set' && listType !== 'map')) return [];
  const errors: FieldError[] = [];
  if (items.nullable === true) {
    errors.push(forbidden(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${listType}`));
  }
  if (listType === 'set') return errors;
  for (const key of keys) {
    const property = items.properties?.[key];
    if (property === undefined) continue;
    const at = `${path}.items.properties[${key}]`;
    const isKey = 'this property is in x-kubernetes-list-map-keys, so it';
    if (items.required?.includes(key) !== true && property.default === undefined) {
      errors.push(required(`${at}.default`, `${isKey} must have a default or be a required property`));
    }
    if (property.nullable === true) errors.push(forbidden(`${at}.nullable`, `${isKey} cannot be nullable`));
  }
  return errors;
}
