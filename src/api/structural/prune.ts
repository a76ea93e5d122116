// Pruning: fields that a structural schema does not name are taken out and told; nulls that it does not allow go silently,
// unless a default takes their place. In place, in one walk.
// Source: "Extend the Kubernetes API with CustomResourceDefinitions", field pruning, defaulting and nullable.

import { childPath, type Fields, isFields, itemPath } from './fields.ts';
import type { StructuralSchema } from './schema.ts';

/** Keys that every whole object has; what they hold is not the schema's business. */
const objectKeys = new Set(['apiVersion', 'kind', 'metadata']);

/** Takes unknown fields out of `object`, a whole object of the schema's kind; answers their paths, `spec.foo[0].bar`. */
export function prune(schema: StructuralSchema, object: object): readonly string[] {
  const removed: string[] = [];
  pruneValue({ schema, isObject: true }, object, { path: '', removed });
  return removed;
}

/** The same for a part of an object. */
export function prunePart(schema: StructuralSchema, value: unknown): readonly string[] {
  const removed: string[] = [];
  pruneValue({ schema, isObject: schema.embedded }, value, { path: '', removed });
  return removed;
}

interface At {
  readonly path: string;
  readonly removed: string[];
}

function pruneValue(
  { schema, isObject }: { readonly schema: StructuralSchema | undefined; readonly isObject: boolean },
  value: unknown,
  at: At,
): void {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const items = schema?.items;
      if (items === undefined && schema?.preserveUnknown === true) continue;
      pruneValue({ schema: items, isObject: items?.embedded === true }, item, {
        ...at,
        path: itemPath(at.path, index),
      });
    }
  } else if (isFields(value)) pruneFields({ schema, isObject }, value, at);
}

function pruneFields(
  { schema, isObject }: { readonly schema: StructuralSchema | undefined; readonly isObject: boolean },
  object: Fields,
  at: At,
): void {
  for (const key of Object.keys(object)) {
    if (isObject && objectKeys.has(key)) continue;
    const path = childPath(at.path, key);
    const known = schema?.properties.get(key) ?? schema?.values;
    if (known !== undefined && object[key] === null) {
      if (!known.nullable && known.source.default === undefined) delete object[key];
    } else if (known !== undefined)
      pruneValue({ schema: known, isObject: known.embedded }, object[key], { ...at, path });
    else if (schema?.preserveUnknown !== true) {
      delete object[key];
      at.removed.push(path);
    }
  }
}
