// YAML bodies. Scalars follow YAML 1.1 where clients rely on it (`yes` is true, merge keys), as upstream's reader does.
// Anchors make it possible to describe a huge document in a few lines, so the result is copied under a node budget, which
// also takes shared parts apart: later stages change objects in place.

import { boolYaml11Tag, CORE_SCHEMA, load, mergeTag, YAMLException } from 'js-yaml';
import { DecodeError, maxDepth } from './decode-error.ts';

const schema = CORE_SCHEMA.withTags(boolYaml11Tag, mergeTag);
const maxNodes = 1_000_000;

/** Parses a body of one YAML document. Throws DecodeError. */
export function parseYaml(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes);
  try {
    return copyBounded(load(text, { schema }), { left: maxNodes }, 0);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw new DecodeError(`error converting YAML to JSON: yaml: line ${(error.mark?.line ?? 0) + 1}: ${error.reason}`);
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new DecodeError('error converting YAML to JSON: yaml: invalid UTF-8 in the request body');
  }
}

function copyBounded(value: unknown, budget: { left: number }, depth: number): unknown {
  budget.left -= 1;
  if (budget.left < 0 || depth > maxDepth) {
    throw new DecodeError('error converting YAML to JSON: yaml: document contains excessive aliasing or nesting');
  }
  if (Array.isArray(value)) return value.map((item) => copyBounded(item, budget, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, copyBounded(item, budget, depth + 1)] as const);
  return Object.fromEntries(entries);
}
