// The values that a field may have, as validation asks for them: one table for every kind, in dist/schemas/types.json.
// Each rule names its type and field once, beside the rule, and the table is read when the rule is first applied, so that
// importing a rule reads no file. Refused: walking an object by its schema, which would visit every field of every write.

import { builtInSchemas } from './schema.ts';

/** Reads the list; the same array each time. */
export type Values = () => readonly string[];

/** @param type full name: `io.k8s.api.core.v1.PodSpec`. Asking for a field that has no list is a bug, and throws Error. */
export function valuesOf(type: string, field: string): Values {
  let known: readonly string[] | undefined;
  return () => {
    known ??= builtInSchemas().valuesOf(type, field);
    if (known === undefined) throw new Error(`no list of values for ${type}.${field}`);
    return known;
  };
}
