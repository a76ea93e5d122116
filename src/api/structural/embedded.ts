// Whole objects inside a custom resource (x-kubernetes-embedded-resource): apiVersion, kind and metadata are what they are of
// every object, whatever the schema says. Source: apiextensions-apiserver pkg/apiserver/schema/objectmeta.

import { conform } from '../decode/conform.ts';
import { DecodeError } from '../decode/decode-error.ts';
import { type FieldError, fieldErrorText, invalid, required } from '../field-error.ts';
import { builtInSchemas } from '../schema/schema.ts';
import type { KubeObject } from '../types.ts';
import { validateMetadata } from '../validation/metadata.ts';
import { whyNotDns1035Label } from '../validation/names.ts';
import { childPath, type Fields, isFields, itemPath } from './fields.ts';
import type { StructuralSchema } from './schema.ts';

/** Brings their metadata into shape, in place. Throws DecodeError for fields of the wrong types. */
export function conformEmbedded(schema: StructuralSchema, object: Fields): void {
  visit(schema, object, '', (fields, path) => {
    for (const key of ['apiVersion', 'kind'] as const) {
      const value = fields[key];
      if (value !== undefined && typeof value !== 'string') {
        throw new DecodeError(fieldErrorText(invalid(childPath(path, key), value, 'must be a string')));
      }
    }
    if (fields['metadata'] !== undefined)
      fields['metadata'] = conformed(fields['metadata'], childPath(path, 'metadata'));
  });
}

function conformed(metadata: unknown, path: string): Fields {
  const type = builtInSchemas().ofType('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta');
  if (metadata === null || type === undefined) return {};
  try {
    if (!isFields(metadata)) throw notMetadata(metadata);
    conform(type, metadata);
    return metadata;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new DecodeError(fieldErrorText(invalid(path, metadata, error.message)));
  }
}

/** What is no object can't be metadata. */
export function notMetadata(value: unknown): DecodeError {
  const what = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  return new DecodeError(`json: cannot unmarshal ${what} into Go value of type v1.ObjectMeta`);
}

/** What is wrong with apiVersion, kind and metadata of the objects inside `object`. */
export function judgeEmbedded(schema: StructuralSchema, object: Fields): readonly FieldError[] {
  const errors: FieldError[] = [];
  visit(schema, object, '', (fields, path) => {
    const { apiVersion, kind, metadata } = fields;
    const at = (key: string): string => childPath(path, key);
    for (const key of ['apiVersion', 'kind'] as const) {
      if (fields[key] === undefined) errors.push(required(at(key), 'must not be empty'));
      else if (fields[key] === '') errors.push(invalid(at(key), '', 'must not be empty'));
    }
    if (typeof apiVersion === 'string' && apiVersion.split('/').length > 2) {
      errors.push(invalid(at('apiVersion'), apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
    }
    if (typeof kind === 'string' && kind !== '') {
      const why = whyNotDns1035Label(kind.toLowerCase()).join(',');
      const how = 'may have mixed case, but should otherwise match: ';
      if (why !== '') errors.push(invalid(at('kind'), kind, `${how}${why}`));
    }
    if (isFields(metadata)) errors.push(...judgeMetadata(metadata, path));
  });
  return errors;
}

const anyKind = { group: '', version: '', kind: '', plural: '', singular: '', nameRule: 'path-segment' } as const;

function judgeMetadata(metadata: Fields, path: string): readonly FieldError[] {
  const namespaced = Boolean(metadata['namespace']);
  // It may be nameless.
  const object = { metadata: { ...metadata, name: metadata['name'] || 'name' } } as KubeObject;
  const errors = validateMetadata({ ...anyKind, namespaced }, object);
  return errors.map((one) => ({ ...one, field: childPath(path, one.field) }));
}

type Visitor = (fields: Fields, path: string) => void;

/** Calls `visitor` with each whole object inside `value`, and its path. */
function visit(schema: StructuralSchema, value: unknown, path: string, visitor: Visitor): void {
  if (!schema.hasEmbedded) return;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return;
    for (const [index, item] of value.entries()) enter(items, item, itemPath(path, index), visitor);
  } else if (isFields(value)) {
    for (const key of Object.keys(value)) {
      const known = schema.properties.get(key) ?? schema.values;
      if (known !== undefined) enter(known, value[key], childPath(path, key), visitor);
    }
  }
}

function enter(schema: StructuralSchema, value: unknown, path: string, visitor: Visitor): void {
  if (schema.embedded && isFields(value)) visitor(value, path);
  visit(schema, value, path, visitor);
}
