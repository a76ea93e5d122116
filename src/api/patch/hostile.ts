// What no patch may carry: keys that reach into JavaScript's own objects, and nesting past the decoder's bound.

import { maxDepth } from '../decode/decode-error.ts';

/** Why `value` must be refused; undefined when it is fine. */
export function whyHostile(value: unknown, depth = 0): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth > maxDepth) return 'exceeded max depth';
  for (const key of Object.keys(value)) {
    if (key === '__proto__') return '"__proto__" is not accepted as a key';
    const why = whyHostile((value as Record<string, unknown>)[key], depth + 1);
    if (why !== undefined) return why;
  }
  return undefined;
}
