// What an expression may cost, before it runs: the engine does not meter its work. Comprehensions nested N deep take at most
// size to the power of N steps, where size counts what can be walked: the values, the literals of the expression, and the
// characters of texts when it takes texts apart. Matching a pattern is linear: see patterns.ts of the API server.
// Source of the words: apiserver cel, "actual cost limit exceeded"; upstream's limits are in units of its own engine.

import { comprehensions, isNode } from './cel-tree.ts';
import { isFields } from './fields.ts';

export interface CelBound {
  /** How deep comprehensions are nested. */
  readonly depth: number;
  /** Literals and operators: no list of literals is longer. */
  readonly length: number;
  /** Texts become lists. */
  readonly splits: boolean;
  /** Identifiers. Of `variables`, which are computed when they are first asked for, the fields: `variables.name`. */
  readonly names: ReadonlySet<string>;
}

/** Steps that one expression, or all rules of one object, may take: about a second. */
export const costMax = 10_000_000;

const splitters = new Set(['split', 'findAll']);

export function boundOf(node: unknown): CelBound {
  if (Array.isArray(node)) {
    const parts = node.map(boundOf);
    return {
      depth: Math.max(0, ...parts.map(({ depth }) => depth)),
      length: parts.reduce((sum, { length }) => sum + length, 1),
      splits: parts.some(({ splits }) => splits),
      names: new Set(parts.flatMap(({ names }) => [...names])),
    };
  }
  if (!isNode(node)) return { depth: 0, length: 1, splits: false, names: new Set() };
  if (node.op === 'id') return { depth: 0, length: 1, splits: false, names: new Set([node.args]) };
  if (node.op === '.' || node.op === '.?') {
    const [of, field] = node.args;
    const isVariable = of.op === 'id' && of.args === 'variables';
    if (isVariable) return { depth: 0, length: 2, splits: false, names: new Set([`variables.${field}`]) };
  }
  const inner = boundOf(node.args);
  const method = node.op === 'rcall' ? node.args[0] : '';
  const isOwn = comprehensions.has(method);
  return { ...inner, depth: inner.depth + (isOwn ? 1 : 0), splits: inner.splits || splitters.has(method) };
}

/** Steps that the expression takes at most on `values`. */
export function costOf({ depth, length, splits }: CelBound, values: readonly unknown[]): number {
  if (depth === 0) return 1;
  return values.reduce<number>((sum, value) => sum + sizeOf(value, splits), length) ** depth;
}

/** How many values there are in `value`; of texts and keys, how many characters where those count. */
function sizeOf(value: unknown, splits: boolean): number {
  if (typeof value === 'string') return splits ? 1 + value.length : 1;
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + sizeOf(item, splits), 1);
  if (!isFields(value)) return 1;
  // Maps come from other expressions.
  const [keys, items] =
    value instanceof Map ? [[...value.keys()], [...value.values()]] : [Object.keys(value), Object.values(value)];
  const characters = splits ? keys.reduce<number>((sum, key) => sum + String(key).length, 0) : 0;
  return items.reduce<number>((sum, item) => sum + sizeOf(item, splits), 1 + characters);
}
