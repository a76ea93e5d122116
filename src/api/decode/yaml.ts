// YAML bodies. Scalars follow YAML 1.1 where clients rely on it (`yes` is true, merge keys), as upstream's reader does.
// Anchors make it possible to describe a huge document in a few lines, so the result is copied under a node budget, which
// also takes shared parts apart: later stages change objects in place.

import { boolYaml11Tag, CORE_SCHEMA, load, loadAll, mergeTag, YAMLException } from 'js-yaml';
import { DecodeError, maxDepth } from './decode-error.ts';

const schema = CORE_SCHEMA.withTags(boolYaml11Tag, mergeTag);
const maxNodes = 1_000_000;

/** Parses a body of one YAML document. Throws DecodeError, also for a key that is given twice. */
export function parseYaml(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes);
  return bounded(() => load(text, { schema }));
}

export interface ParsedYaml {
  readonly value: unknown;
  /** What keeps the text from being read strictly: the first key that is given twice. */
  readonly problems: readonly string[];
}

/**
 * Parses the first document of a body; null when there is none. Of a key that is given twice the last value counts.
 * Throws DecodeError.
 */
export function parseYamlLeniently(bytes: Uint8Array): ParsedYaml {
  const text = decodeUtf8(bytes);
  const first = (json: boolean): unknown => loadAll(text, { schema, json })[0] ?? null;
  try {
    return { value: bounded(() => first(false)), problems: [] };
  } catch (error) {
    const line = error instanceof RepeatedKeyError ? error.line : undefined;
    if (line === undefined) throw error;
    const [key = ''] = (text.split('\n')[line] ?? '').trim().split(':');
    const problem = `yaml: unmarshal errors:\n  line ${line + 1}: key ${JSON.stringify(key)} already set in map`;
    return { value: bounded(() => first(true)), problems: [problem] };
  }
}

class RepeatedKeyError extends DecodeError {
  /** From 0. */
  readonly line: number;
  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

function bounded(read: () => unknown): unknown {
  try {
    return copyBounded(read(), { left: maxNodes }, 0);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const line = error.mark?.line ?? 0;
    const message = `error converting YAML to JSON: yaml: line ${line + 1}: ${error.reason}`;
    throw error.reason === 'duplicated mapping key' ? new RepeatedKeyError(message, line) : new DecodeError(message);
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
