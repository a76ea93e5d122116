// Schemas as ownership sees them: which parts of an object have owners of their own, and which one owner holds as a whole.
// Compiled from the runtime schema once a type; types refer to each other, so a node is entered before its fields.
// Source: KEP-555, "listType, mapType, structType"; lists without a mark and the types of `atomicTypes` are atomic.

import type { KindSpec } from '../kind.ts';
import { atomicTypes, fieldDefaults } from '../schema/overlay.ts';
import { builtInSchemas, type FieldSchema, type ObjectSchema, type Schema } from '../schema/schema.ts';
import type { StructuralSchema } from '../structural/schema.ts';
import { fieldElement } from './path-element.ts';
import { topLevelValues, valueFields } from './value-fields.ts';

export type ApplyType =
  | { readonly form: 'scalar' }
  /** A list, map or object that changes hands as a whole. */
  | { readonly form: 'atomic' }
  | StructType
  | { readonly form: 'map'; readonly values: ApplyType }
  | KeyedType
  /** A list of scalars without order. */
  | { readonly form: 'set' }
  /** No schema: objects are maps, lists are atomic. */
  | { readonly form: 'any' };

export interface StructType {
  readonly form: 'struct';
  readonly fields: ReadonlyMap<string, ApplyField>;
  /** May hold other fields, of any form: a kind without a schema. */
  readonly open?: true;
}

export interface KeyedType {
  readonly form: 'keyed';
  /** In alphabetical order. */
  readonly keys: readonly { readonly name: string; readonly fallback: unknown }[];
  readonly items: ApplyType;
}

export interface ApplyField {
  /** `f:<name>` */
  readonly element: string;
  readonly type: ApplyType;
  /** The server's own field, which nobody owns: name, uid, resourceVersion, … */
  readonly untracked: boolean;
  /** What is there when the field is absent, see value-fields.ts. */
  readonly implied: object | undefined;
}

interface ApplyTypes {
  /** Of a kind without a schema only metadata is known. */
  ofKind(kind: KindSpec): StructType;
}

const scalar: ApplyType = { form: 'scalar' };
const atomic: ApplyType = { form: 'atomic' };
const set: ApplyType = { form: 'set' };
export const anyType: ApplyType = { form: 'any' };
const implied = Object.freeze({});

const untrackedFields: ReadonlySet<string> = new Set(['apiVersion', 'kind']);
const untrackedMeta: ReadonlySet<string> = new Set([
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'generation',
  'managedFields',
  'resourceVersion',
]);
const objectMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** Compiles on demand and remembers. */
export function createApplyTypes(): ApplyTypes {
  const structs = new Map<ObjectSchema, StructType>();
  const kinds = new Map<ObjectSchema, StructType>();

  function structOf(schema: ObjectSchema, isTop: boolean): StructType {
    const compiled = isTop ? kinds : structs;
    const known = compiled.get(schema);
    if (known !== undefined) return known;
    const fields = new Map<string, ApplyField>();
    const type: StructType = { form: 'struct', fields };
    compiled.set(schema, type);
    const values = valueFields[schema.name] ?? [];
    for (const [name, field] of schema.fields) {
      const untracked = schema.name === objectMeta ? untrackedMeta.has(name) : isTop && untrackedFields.has(name);
      const isValue = values.includes(name) || (isTop && topLevelValues.has(name));
      const fieldType = typeOfField(field);
      fields.set(name, {
        element: fieldElement(name),
        type: fieldType,
        untracked,
        implied: isValue && (fieldType.form === 'struct' || fieldType.form === 'keyed') ? implied : undefined,
      });
    }
    return type;
  }

  function typeOfField({ schema, listType, listMapKeys = [], mapType }: FieldSchema): ApplyType {
    if (mapType === 'atomic') return atomic;
    if (schema.type !== 'list') return typeOf(schema);
    if (listType === 'set') return set;
    const { items } = schema;
    if (listType !== 'map' || items.type !== 'object') return atomic;
    const fallbacks = fieldDefaults[items.name] ?? {};
    const keys = [...listMapKeys].sort().map((name) => ({ name, fallback: fallbacks[name] ?? zeroKey(items, name) }));
    return { form: 'keyed', keys, items: typeOf(items) };
  }

  function typeOf(schema: Schema): ApplyType {
    switch (schema.type) {
      case 'object':
        return atomicTypes.has(schema.name) ? atomic : structOf(schema, false);
      case 'list':
        return atomic;
      case 'map':
        return { form: 'map', values: typeOf(schema.values) };
      case 'any':
        return anyType;
      default:
        return scalar;
    }
  }

  function customKind(schema: StructuralSchema | undefined): StructType {
    const metadata = builtInSchemas().ofType(objectMeta);
    const fields = new Map<string, ApplyField>();
    for (const name of untrackedFields) {
      fields.set(name, { element: fieldElement(name), type: scalar, untracked: true, implied: undefined });
    }
    if (metadata !== undefined) {
      const type = structOf(metadata, false);
      fields.set('metadata', { element: fieldElement('metadata'), type, untracked: false, implied });
    }
    if (schema === undefined) return { form: 'struct', fields, open: true };
    for (const [name, one] of schema.properties) {
      if (fields.has(name)) continue;
      fields.set(name, { element: fieldElement(name), type: ofStructural(one), untracked: false, implied: undefined });
    }
    return { form: 'struct', fields, ...(schema.preserveUnknown ? { open: true } : {}) };
  }

  return {
    ofKind(kind) {
      const schema = kind.custom === undefined ? builtInSchemas().ofKind(kind) : undefined;
      return schema === undefined ? customKind(kind.custom?.schema) : structOf(schema, true);
    },
  };
}

/** A key that the type requires counts as zero where an element lacks it; the kind's validation refuses it then. */
function zeroKey(items: ObjectSchema, name: string): unknown {
  if (!items.required.includes(name)) return undefined;
  return items.fields.get(name)?.schema.type === 'string' ? '' : 0;
}

/** Schemas of CustomResourceDefinitions say it all themselves. Source: their x-kubernetes-list-type and -map-type. */
function ofStructural(schema: StructuralSchema): ApplyType {
  const { type, listType, items, properties, values } = schema;
  if (type === 'array') {
    if (listType === 'set') return set;
    if (listType === 'atomic' || items === undefined) return atomic;
    const keys = [...schema.listMapKeys].sort();
    return {
      form: 'keyed',
      keys: keys.map((name) => ({ name, fallback: items.properties.get(name)?.source.default })),
      items: ofStructural(items),
    };
  }
  if (type !== 'object') return type === '' && !schema.intOrString ? anyType : scalar;
  if (schema.mapType === 'atomic') return atomic;
  if (values !== undefined) return { form: 'map', values: ofStructural(values) };
  if (properties.size === 0) return anyType;
  const fields = new Map(
    [...properties].map(([name, one]): [string, ApplyField] => [
      name,
      { element: fieldElement(name), type: ofStructural(one), untracked: false, implied: undefined },
    ]),
  );
  return { form: 'struct', fields, ...(schema.preserveUnknown || schema.embedded ? { open: true } : {}) };
}
