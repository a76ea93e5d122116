// Defaults of a structural schema: what is absent gets a copy of its default; a null where null may not be gives way to it.
// Source: "Extend the Kubernetes API with CustomResourceDefinitions", defaulting and nullable.

import { type Fields, isFields } from './fields.ts';
import type { StructuralSchema } from './schema.ts';

/** Changes `value` in place; answers whether anything changed. */
export function applySchemaDefaults(schema: StructuralSchema, value: unknown): boolean {
  if (!schema.hasDefaults) return false;
  if (Array.isArray(value)) return defaultItems(schema.items, value);
  return isFields(value) && defaultFields(schema, value);
}

function defaultFields(schema: StructuralSchema, object: Fields): boolean {
  let changed = false;
  for (const [key, property] of schema.properties) {
    if (!property.hasDefaults) continue;
    if (isMissing(property, object[key])) {
      object[key] = structuredClone(property.source.default);
      changed = true;
    }
    changed = applySchemaDefaults(property, object[key]) || changed;
  }
  const { values } = schema;
  if (values?.hasDefaults !== true) return changed;
  for (const key of Object.keys(object)) {
    if (schema.properties.has(key)) continue;
    if (isMissing(values, object[key])) {
      object[key] = structuredClone(values.source.default);
      changed = true;
    }
    changed = applySchemaDefaults(values, object[key]) || changed;
  }
  return changed;
}

function defaultItems(items: StructuralSchema | undefined, list: unknown[]): boolean {
  if (items === undefined) return false;
  let changed = false;
  for (const [index, item] of list.entries()) {
    if (item === null && isMissing(items, item)) {
      list[index] = structuredClone(items.source.default);
      changed = true;
    }
    changed = applySchemaDefaults(items, list[index]) || changed;
  }
  return changed;
}

function isMissing({ source, nullable }: StructuralSchema, value: unknown): boolean {
  return source.default !== undefined && (value === undefined || (value === null && !nullable));
}
