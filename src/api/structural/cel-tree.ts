// The tree that the engine makes of an expression, and what is done to it before it is checked.

import { type ASTNode, type Environment, ParseError, type ParseResult } from '@marcbachmann/cel-js';

/** The function that stands in for the engine's own `matches`. */
export const ownMatches = 'matchesPattern';

/** Every comprehension, with the numbers of arguments that it takes. */
export const comprehensions: ReadonlyMap<string, readonly number[]> = new Map([
  ['all', [2, 3]],
  ['exists', [2, 3]],
  ['exists_one', [2, 3]],
  ['existsOne', [2, 3]],
  ['map', [2, 3]],
  ['filter', [2]],
  ['transformList', [3, 4]],
  ['transformMap', [3, 4]],
  ['transformMapEntry', [3, 4]],
]);

/** Parses an expression, which is then ready to be checked. Throws ParseError. */
export function parseCel(env: Environment, text: string): ParseResult {
  const parsed = env.parse(text);
  prepare(parsed.ast);
  return parsed;
}

/** Whether `value` is a node of the engine's tree. */
export function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}

function prepare(tree: unknown): void {
  if (Array.isArray(tree)) for (const one of tree) prepare(one);
  if (!isNode(tree)) return;
  if (tree.op === 'rcall') {
    useOwnMatches(tree.args);
    checkArguments(tree);
  }
  prepare(tree.args);
}

type MethodCall = Extract<ASTNode, { readonly op: 'rcall' }>;

/** The engine's `matches` takes JavaScript's patterns, some of which never end, and can't be replaced by name. */
function useOwnMatches(args: MethodCall['args']): void {
  if (args[0] === 'matches') args[0] = ownMatches;
}

/** Comprehensions with too few or too many arguments are functions to the engine, in which no variable is known. */
function checkArguments(node: MethodCall): void {
  const [name, , { length }] = node.args;
  const takes = comprehensions.get(name);
  if (takes === undefined || takes.includes(length)) return;
  const message = `${name} takes ${takes.join(' or ')} arguments, not ${length}`;
  throw new ParseError({ code: 'invalid_macro_argument', message, node });
}
