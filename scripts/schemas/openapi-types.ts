// Schemas of the OpenAPI documents out of the models and the overlay. Version 3 wraps a reference that has a description
// in allOf, because siblings of $ref are ignored there; version 2 has no oneOf.

import { type GroupVersionKind, type OpenApiVersion, refTo } from '../../src/api/index.ts';
import { atomicTypes, fieldDefaults } from '../../src/api/schema/overlay.ts';
import type { MergeFacts } from '../../src/api/schema/shape.ts';
import type { Model, ModelField, ModelType } from './read-models.ts';
import { mergeFactsOf, scalarTypes } from './runtime-schema.ts';

type Json = Record<string, unknown>;

/** @param kinds what x-kubernetes-group-version-kind says; several for DeleteOptions. */
export function openApiType(model: Model, version: OpenApiVersion, kinds: readonly GroupVersionKind[]): Json {
  const described = model.description === '' ? {} : { description: model.description };
  const scalar = scalarTypes[model.name];
  if (scalar !== undefined) return { ...described, ...scalarSchemas(version)[scalar] };
  const properties = Object.fromEntries(
    [...model.fields].map(([name, field]) => [name, property(model.name, name, field, version)]),
  );
  const required = [...model.fields].flatMap(([name, field]) => (field.required ? [name] : []));
  return {
    ...described,
    type: 'object',
    ...(model.fields.size === 0 ? {} : { properties }),
    ...(required.length === 0 ? {} : { required }),
    ...(atomicTypes.has(model.name) ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    ...(kinds.length === 0 ? {} : { 'x-kubernetes-group-version-kind': kinds }),
  };
}

/** The types that a type's fields name. */
export function referencesOf(model: Model): string[] {
  return [...model.fields.values()].flatMap(({ type }) => referencesIn(type));
}

function referencesIn(type: ModelType): string[] {
  if ('list' in type) return referencesIn(type.list);
  if ('map' in type) return referencesIn(type.map);
  return 'ref' in type ? [type.ref] : [];
}

function property(owner: string, name: string, field: ModelField, version: OpenApiVersion): Json {
  const schema = typeSchema(field.type, field, version);
  const fallback = fieldDefaults[owner]?.[name];
  const extras = {
    ...(field.description === '' ? {} : { description: field.description }),
    ...(fallback === undefined ? {} : { default: fallback }),
    ...extensions(mergeFactsOf(owner, name), field.type),
  };
  if (!('$ref' in schema)) return { ...extras, ...schema };
  if (version === 3) return { ...extras, allOf: [schema] };
  return { ...extras, ...schema };
}

function extensions(facts: MergeFacts, type: ModelType): Json {
  const listType = facts.listType ?? ('list' in type ? 'atomic' : undefined);
  return {
    ...(listType === undefined ? {} : { 'x-kubernetes-list-type': listType }),
    ...(facts.listMapKeys === undefined ? {} : { 'x-kubernetes-list-map-keys': facts.listMapKeys }),
    ...(facts.mapType === undefined ? {} : { 'x-kubernetes-map-type': facts.mapType }),
    ...(facts.patchMergeKey === undefined ? {} : { 'x-kubernetes-patch-merge-key': facts.patchMergeKey }),
    ...(facts.patchStrategy === undefined ? {} : { 'x-kubernetes-patch-strategy': facts.patchStrategy }),
  };
}

function typeSchema(type: ModelType, field: ModelField, version: OpenApiVersion): Json {
  if ('list' in type) return { type: 'array', items: typeSchema(type.list, field, version) };
  if ('map' in type) return { type: 'object', additionalProperties: typeSchema(type.map, field, version) };
  if ('ref' in type) return refTo(type.ref, version);
  if (type.scalar === 'any') return { type: 'object' };
  if (type.scalar === 'boolean') return { type: 'boolean' };
  if (type.scalar === 'number') {
    return field.format === 'double'
      ? { type: 'number', format: 'double' }
      : { type: 'integer', format: field.format || 'int64' };
  }
  const format = field.format === 'byte' ? { format: 'byte' } : {};
  return { type: 'string', ...format, ...(type.enum === undefined ? {} : { enum: type.enum }) };
}

function scalarSchemas(version: OpenApiVersion): Readonly<Record<string, Json>> {
  return {
    quantity: version === 3 ? { oneOf: [{ type: 'string' }, { type: 'number' }] } : { type: 'string' },
    intOrString:
      version === 3
        ? { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] }
        : { format: 'int-or-string', type: 'string' },
    time: { type: 'string', format: 'date-time' },
    microTime: { type: 'string', format: 'date-time' },
    any: { 'x-kubernetes-preserve-unknown-fields': true },
  };
}
