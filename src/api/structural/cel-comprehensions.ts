// Comprehensions that see the index or key beside the value (`list.all(i, v, …)`, `map.transformList(k, v, …)`), and
// existsOne of one variable, which the engine knows as exists_one only. The engine lets macros be registered: it parses them,
// asks here for their type when it checks an expression, and for their answer when it runs one. Their bodies it checks and
// runs itself, in a scope that has the variables. Refused: to rewrite them into comprehensions of one variable, which know no
// index. Source: cel-go, ext.TwoVarComprehensions; "Common Expression Language in Kubernetes".

import {
  type ASTNode,
  type Environment,
  type OverlayContext,
  ParseError,
  type RootContext,
  type TypeDeclaration,
} from '@marcbachmann/cel-js';
import {
  type Entry,
  entriesOf,
  existsOne,
  type Form,
  isTrue,
  mustBeBool,
  quantifier,
  type Range,
  rangeError,
  type Site,
  transformList,
  transformMap,
  transformMapEntry,
} from './cel-comprehension-forms.ts';

interface Added {
  readonly name: string;
  /** Numbers of arguments. */
  readonly counts: readonly number[];
  readonly form: Form;
}

const added: readonly Added[] = [
  { name: 'all', counts: [3], form: quantifier(false) },
  { name: 'exists', counts: [3], form: quantifier(true) },
  { name: 'exists_one', counts: [3], form: existsOne },
  { name: 'existsOne', counts: [2, 3], form: existsOne },
  { name: 'transformList', counts: [3, 4], form: transformList },
  { name: 'transformMap', counts: [3, 4], form: transformMap },
  { name: 'transformMapEntry', counts: [3, 4], form: transformMapEntry },
];

/** Adds the comprehensions that the engine lacks. */
export function registerComprehensions(env: Environment): void {
  for (const { name, counts, form } of added) {
    for (const count of counts) {
      // The engine finds macros by name and number of arguments; what they are of and answer is found out when they are checked.
      const signature = `list.${name}(${Array(count).fill('ast').join(', ')}): dyn`;
      env.registerFunction(signature, (call: Call) => expand(name, form, call));
    }
  }
}

/** What the engine tells a macro that it meets in an expression. */
interface Call {
  readonly receiver: ASTNode;
  readonly args: readonly ASTNode[];
}

type Scope = RootContext | OverlayContext;

/** Parts of the engine, as macros meet them. */
interface Checker {
  check(node: ASTNode, scope: Scope): TypeDeclaration;
  getType(name: string): TypeDeclaration;
}

interface Evaluator {
  run(node: ASTNode, scope: Scope): unknown;
}

interface Macro {
  readonly async: false;
  typeCheck(checker: Checker, macro: Macro, scope: Scope): TypeDeclaration;
  evaluate(evaluator: Evaluator, macro: Macro, scope: Scope): unknown;
}

/** A comprehension as it stands in an expression. Throws ParseError where its variables are no names. */
function expand(name: string, form: Form, { receiver, args }: Call): Macro {
  const hasFilter = args.length === 4;
  const isSingle = args.length === 2;
  const names = args.slice(0, isSingle ? 1 : 2).map((node, index) => simpleName(node, name, index));
  const [first = '', second = first] = names;
  if (names.length === 2 && first === second) throw parseError(`duplicate variable name: ${first}`, args[1]);
  const filter = hasFilter ? args[2] : undefined;
  const node = args.at(-1) ?? receiver;
  const titled = (last: string): string => `${name}(${[...names, last].join(', ')})`;
  const site: Site = { title: titled(form.body), node };
  const filterSite: Site = { title: titled('filter, …'), node: filter ?? node };
  let types: Types | undefined;

  return {
    async: false,
    typeCheck(checker, _macro, scope) {
      const [key, value] = variableTypes(checker, checker.check(receiver, scope), { node: receiver, isSingle });
      const inner = scope.forkWithVariable(first, key).forkWithVariable(second, value);
      if (filter !== undefined) mustBeBool(checker.check(filter, inner), filterSite);
      const body = checker.check(node, inner);
      types = { key, value, body };
      return checker.getType(form.type(body, key, site));
    },
    evaluate(evaluator, _macro, scope) {
      if (types === undefined) throw new Error(`${site.title} runs before it was checked`);
      const outer = scope.forkWithVariable(first, types.key);
      const inner = outer.forkWithVariable(second, types.value);
      const at = (entry: Entry, of: ASTNode): unknown => {
        outer.setIterValue(entry[0], evaluator);
        return evaluator.run(of, inner.setIterValue(entry[1], evaluator));
      };
      const range = entriesOf(evaluator.run(receiver, scope), types.key, { node: receiver, isSingle });
      const entries = filter === undefined ? range : kept(range, (entry) => isTrue(at(entry, filter), filterSite));
      return form.run(entries, { node, type: types.body, site, at });
    },
  };
}

interface Types {
  readonly key: TypeDeclaration;
  readonly value: TypeDeclaration;
  readonly body: TypeDeclaration;
}

/** Types of the variables. Throws CelTypeError where nothing can be walked. */
function variableTypes(
  checker: Checker,
  range: TypeDeclaration,
  { node, isSingle }: Range,
): readonly [key: TypeDeclaration, value: TypeDeclaration] {
  const dyn = checker.getType('dyn');
  // The items of an empty literal have a type that is yet to be found out.
  const known = (type: TypeDeclaration | undefined): TypeDeclaration =>
    type === undefined || type.kind === 'param' ? dyn : type;
  switch (range.kind) {
    case 'dyn':
      return [dyn, dyn];
    case 'list':
      return [checker.getType('int'), known(range.valueType)];
    case 'map':
      return [known(range.keyType), known(isSingle ? range.keyType : range.valueType)];
    default:
      throw rangeError(range, node);
  }
}

function* kept(entries: Iterable<Entry>, is: (entry: Entry) => boolean): Generator<Entry> {
  for (const entry of entries) if (is(entry)) yield entry;
}

function simpleName(node: ASTNode, of: string, index: number): string {
  if (node.op === 'id') return node.args;
  throw parseError(`argument ${index + 1} of ${of} must be a simple name`, node);
}

function parseError(message: string, node: ASTNode | undefined): ParseError {
  return new ParseError({ code: 'invalid_macro_argument', message, ...(node && { node }) });
}
