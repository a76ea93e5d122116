// JSON merge patch (RFC 7386): objects are merged, null removes, everything else replaces.

import { whyHostile } from './hostile.ts';
import { goWord, PatchError } from './patch-error.ts';

/** Answers a new object; what the patch does not touch is shared with `object`. Throws PatchError. */
export function applyMergePatch(object: object, patch: unknown): object {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) {
    // Go decodes null into an empty map; that there was none is told later, and less well.
    if (patch === null) throw new PatchError('BadRequest', 'Invalid JSON Patch');
    throw new PatchError(
      'BadRequest',
      `error decoding patch: json: cannot unmarshal ${goWord(patch)} into Go value of type map[string]interface {}`,
    );
  }
  const hostile = whyHostile(patch);
  if (hostile !== undefined) throw new PatchError('BadRequest', hostile);
  return merged(object, patch) as object;
}

function merged(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(Object.hasOwn(result, key) ? result[key] : undefined, value);
  }
  return result;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
