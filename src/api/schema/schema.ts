// Schemas as the decoder, the patches and (later) server-side apply walk them. Compiled from dist/schemas/types.json the
// first time a kind is asked for; types refer to each other, so a type is a node that is filled once and shared.
// The file is made at build time (node scripts/generate-schemas.ts); generating it at run time would need packages that a
// host does not have.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '../../base/index.ts';
import type { GroupVersionKind } from '../kind.ts';
import { formOf } from './form.ts';
import type { FieldFacts, FieldShape, ScalarShape, SchemaFile, Shape } from './shape.ts';

export interface ObjectSchema {
  readonly type: 'object';
  /** `io.k8s.api.core.v1.PodSpec` */
  readonly name: string;
  readonly fields: ReadonlyMap<string, FieldSchema>;
  readonly required: readonly string[];
}

interface ListSchema {
  readonly type: 'list';
  readonly items: Schema;
}

interface MapSchema {
  readonly type: 'map';
  readonly values: Schema;
}

interface ScalarSchema {
  readonly type: ScalarShape;
}

export type Schema = ObjectSchema | ListSchema | MapSchema | ScalarSchema;

export interface FieldSchema extends FieldFacts {
  readonly schema: Schema;
}

interface SchemaSet {
  /** The schema of a built-in kind; undefined when there is none. */
  ofKind(kind: GroupVersionKind): ObjectSchema | undefined;
  /** The schema of a named type. */
  ofType(name: string): ObjectSchema | undefined;
  /** What validation takes as the value of a field (of an item, of a list); undefined where it takes anything. */
  valuesOf(type: string, field: string): readonly string[] | undefined;
}

/** Compiles a schema file; cheap until a type is asked for. */
function compileSchemas(file: SchemaFile): SchemaSet {
  const compiled = new Map<string, ObjectSchema>();
  const scalars = new Map<string, ScalarSchema>();

  const ofType = (name: string): ObjectSchema | undefined => {
    const known = compiled.get(name);
    if (known !== undefined) return known;
    const shape = Object.hasOwn(file.types, name) ? file.types[name] : undefined;
    if (shape === undefined) return undefined;
    const fields = new Map<string, FieldSchema>();
    const schema: ObjectSchema = { type: 'object', name, fields, required: shape.required ?? [] };
    // Entered before its fields, because a type can hold itself (JSONSchemaProps).
    compiled.set(name, schema);
    for (const [field, { is, ...merge }] of Object.entries(shape.fields) as [string, FieldShape][]) {
      fields.set(field, { ...merge, schema: ofShape(is) });
    }
    return schema;
  };

  const ofShape = (shape: Shape): Schema => {
    if (typeof shape === 'object') {
      return 'list' in shape
        ? { type: 'list', items: ofShape(shape.list) }
        : { type: 'map', values: ofShape(shape.map) };
    }
    if (shape.startsWith('#')) return ofType(shape.slice(1)) ?? anything;
    const known = scalars.get(shape);
    if (known !== undefined) return known;
    const scalar: ScalarSchema = { type: shape as ScalarShape };
    scalars.set(shape, scalar);
    return scalar;
  };

  return {
    ofType,
    valuesOf: (type, field) => file.values[type]?.[field],
    ofKind(given) {
      const { group, version, kind } = formOf(given);
      const name = file.kinds[`${group}/${version}/${kind}`];
      return name === undefined ? undefined : ofType(name);
    },
  };
}

const anything: ScalarSchema = { type: 'any' };

/**
 * The folder that scripts/generate-schemas.ts fills: dist/schemas of the checkout, or beside the bundle dist/k8ts.js.
 * Throws CodedError SCHEMAS_MISSING.
 */
export function schemaDirectory(from: string = import.meta.dirname): string {
  const candidates = [join(from, 'schemas'), join(from, '..', '..', '..', 'dist', 'schemas')];
  const found = candidates.find((candidate) => existsSync(join(candidate, 'types.json')));
  if (found !== undefined) return found;
  throw new CodedError(
    'SCHEMAS_MISSING',
    `the Kubernetes schemas have not been generated (looked in ${candidates.join(', ')})`,
    {
      hint: 'run: node scripts/generate-schemas.ts',
    },
  );
}

/** The built-in kinds' schemas. Read once a process, when the first schema is needed. */
export const builtInSchemas: () => SchemaSet = once(() =>
  compileSchemas(JSON.parse(readFileSync(join(schemaDirectory(), 'types.json'), 'utf8')) as SchemaFile),
);

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
