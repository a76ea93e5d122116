// Schemas of custom resources as the OpenAPI documents tell them. Version 3 takes nearly everything; version 2 knows no
// oneOf, anyOf, not and nullable, and kubectl reads a node without a type as "anything".
// Source: apiextensions-apiserver pkg/controller/openapi (builder, v2 conversion).

import { apiVersionOf, type KindSpec } from '../kind.ts';
import { type OpenApiVersion, refTo } from '../openapi-paths.ts';
import { isSchema, type JsonSchema } from './schema.ts';

type Json = Record<string, unknown>;

const machinery = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const stringOf = (description: string): Json => ({ description, type: 'string' });
const apiVersionText =
  'APIVersion defines which group and version of the schema this representation of an object follows.';
const kindText = 'Kind says what this object is: the name of its kind, in CamelCase.';

/** `com.example.stable.v1.CronTab` */
export function customTypeName({ group, version, kind }: Pick<KindSpec, 'group' | 'version' | 'kind'>): string {
  return `${group.split('.').reverse().join('.')}.${version}.${kind}`;
}

/** The schemas of a custom kind and of its list, by name. */
export function customType(spec: KindSpec, version: OpenApiVersion): Readonly<Record<string, Json>> {
  const { group, version: of, kind, listKind = `${kind}List`, custom } = spec;
  if (custom === undefined) return {};
  const name = customTypeName(spec);
  const { properties, ...root } = typeOf(custom.schema.source, version);
  const keepsUnknown = custom.schema.preserveUnknown && version === 2;
  const own: Json = {
    // A kind that keeps everything is told as "an object": kubectl would refuse what is not among properties.
    ...(keepsUnknown ? {} : { ...root, properties: { ...wholeObject(version), ...withoutMeta(properties) } }),
    type: 'object',
    'x-kubernetes-group-version-kind': [{ group, version: of, kind }],
  };
  const list: Json = {
    description: `${listKind} is a list of ${kind}`,
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: stringOf(apiVersionText),
      items: {
        description: `List of ${spec.plural} of ${apiVersionOf(spec)}.`,
        type: 'array',
        items: refTo(name, version),
      },
      kind: stringOf(kindText),
      metadata: reference(`${machinery}.ListMeta`, "The list's metadata.", version),
    },
    'x-kubernetes-group-version-kind': [{ group, version: of, kind: listKind }],
  };
  return { [name]: own, [`${name}List`]: list };
}

function wholeObject(version: OpenApiVersion): Json {
  return {
    apiVersion: stringOf(apiVersionText),
    kind: stringOf(kindText),
    metadata: reference(
      `${machinery}.ObjectMeta`,
      "Standard object's metadata: name, labels, owners and the like.",
      version,
    ),
  };
}

function withoutMeta(properties: unknown): Json {
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...rest } = (properties ?? {}) as Json;
  return rest;
}

function reference(name: string, description: string, version: OpenApiVersion): Json {
  return version === 3 ? { description, allOf: [refTo(name, 3)] } : { description, ...refTo(name, 2) };
}

function typeOf(schema: JsonSchema, version: OpenApiVersion): Json {
  const { properties, additionalProperties, items, ...rest } = schema;
  const own: Json = { ...rest };
  if (version === 2) {
    for (const key of ['allOf', 'anyOf', 'oneOf', 'not', 'nullable', 'x-kubernetes-validations']) delete own[key];
    const isAnything = schema.nullable === true || schema['x-kubernetes-preserve-unknown-fields'] === true;
    if (isAnything || schema['x-kubernetes-int-or-string'] === true) {
      delete own['type'];
      delete own['default'];
      return own;
    }
  }
  const nested = schema['x-kubernetes-embedded-resource'] === true ? wholeObject(version) : {};
  const below = Object.entries(properties ?? {}).map(([key, one]) => [key, typeOf(one, version)] as const);
  if (below.length > 0 || Object.keys(nested).length > 0)
    own['properties'] = { ...nested, ...Object.fromEntries(below) };
  if (isSchema(additionalProperties)) own['additionalProperties'] = typeOf(additionalProperties, version);
  else if (additionalProperties !== undefined && version === 3) own['additionalProperties'] = additionalProperties;
  if (isSchema(items)) own['items'] = typeOf(items, version);
  return own;
}
