// What each comprehension is: the type of its answer, and the answer over the entries of a list or map. How the variables get
// their values is in cel-comprehensions.ts. The maps that are made are Maps, in which keys stay what they are; the engine's own
// are objects, whose keys are texts. It reads both.

import { type ASTNode, TypeError as CelTypeError, EvaluationError, type TypeDeclaration } from '@marcbachmann/cel-js';

/** Code of the errors that are made here. */
export const comprehensionError = 'invalid_comprehension';

/** Index and value, or key and value. */
export type Entry = readonly [key: unknown, value: unknown];

/** One kind of comprehension. */
export interface Form {
  /** What its last argument is, in messages. */
  readonly body: string;
  /** What it answers: the name of a type. Throws CelTypeError. */
  type(body: TypeDeclaration, key: TypeDeclaration, site: Site): string;
  run(entries: Iterable<Entry>, body: Body): unknown;
}

/** The last argument, as it runs. */
interface Body {
  readonly node: ASTNode;
  readonly type: TypeDeclaration;
  readonly site: Site;
  /** What a node of the body is for an entry. */
  at(entry: Entry, node: ASTNode): unknown;
}

/** A place in an expression, and how messages call it: `all(i, v, predicate)`. */
export interface Site {
  readonly title: string;
  readonly node: ASTNode;
}

/** What is walked. */
export interface Range {
  readonly node: ASTNode;
  /** One variable: the value of a list, the key of a map. */
  readonly isSingle: boolean;
}

/** True where any is; false where all must be: `stop` is the answer that decides. An error counts where none decides. */
export function quantifier(stop: boolean): Form {
  return {
    body: 'predicate',
    type: predicateType,
    run(entries, { node, site, at }) {
      let failure: { readonly error: unknown } | undefined;
      for (const entry of entries) {
        try {
          if (isTrue(at(entry, node), site) === stop) return stop;
        } catch (error) {
          failure ??= { error };
        }
      }
      if (failure !== undefined) throw failure.error;
      return !stop;
    },
  };
}

/** True where there is one. All are looked at: an error counts. */
export const existsOne: Form = {
  body: 'predicate',
  type: predicateType,
  run(entries, { node, site, at }) {
    let count = 0;
    for (const entry of entries) if (isTrue(at(entry, node), site)) count += 1;
    return count === 1;
  },
};

export const transformList: Form = {
  body: 'transform',
  type: ({ name }) => `list<${name}>`,
  run: (entries, { node, at }) => Array.from(entries, (entry) => at(entry, node)),
};

export const transformMap: Form = {
  body: 'transform',
  type(body, key, site) {
    mustBeKey(key, site);
    return `map<${key.name}, ${body.name}>`;
  },
  run(entries, { node, at, site }) {
    const map = new Map<unknown, unknown>();
    for (const entry of entries) insert(map, [entry[0], at(entry, node)], site);
    return map;
  },
};

export const transformMapEntry: Form = {
  body: 'entry',
  type(body, _key, site) {
    if (body.kind === 'dyn') return 'map';
    const { keyType } = body;
    if (keyType === undefined) throw typeError(`${notMap(site)} '${shown(body)}'`, site.node);
    mustBeKey(keyType, site);
    return body.name;
  },
  run(entries, { node, type, site, at }) {
    const map = new Map<unknown, unknown>();
    for (const entry of entries) {
      // The engine's own maps make texts of keys: those of a literal are looked at one by one.
      if (node.op === 'map') {
        for (const [key, value] of node.args) insert(map, [at(entry, key), at(entry, value)], site);
        continue;
      }
      const made = at(entry, node);
      if (!isMap(made)) throw runError(`${notMap(site)} '${typeName(made)}'`, site.node);
      for (const one of entriesOf(made, type.keyType, { node, isSingle: false })) insert(map, one, site);
    }
    return map;
  },
};

function predicateType(body: TypeDeclaration, _key: TypeDeclaration, site: Site): string {
  mustBeBool(body, site);
  return 'bool';
}

function notMap({ title }: Site): string {
  return `${title} must return a map, got`;
}

/** Throws CelTypeError. */
export function mustBeBool(type: TypeDeclaration, { title, node }: Site): void {
  if (!type.isDynOrBool()) throw typeError(`${title} must return bool, got '${shown(type)}'`, node);
}

/** Only these are found again: an uint is another object each time. Throws CelTypeError. */
function mustBeKey(type: TypeDeclaration, { title, node }: Site): void {
  if (type.kind === 'dyn' || type.kind === 'param' || ['int', 'bool', 'string'].includes(type.name)) return;
  throw typeError(`${title}: keys of a map must be int, bool or string, got '${shown(type)}'`, node);
}

/** Throws EvaluationError. */
function insert(map: Map<unknown, unknown>, [key, value]: Entry, { node }: Site): void {
  if (!['bigint', 'boolean', 'string'].includes(typeof key)) {
    throw runError(`unsupported key type: ${typeName(key)}`, node);
  }
  if (map.has(key)) throw runError(`insert failed: key ${String(key)} already exists`, node);
  map.set(key, value);
}

/** Throws EvaluationError for what is neither true nor false. */
export function isTrue(value: unknown, { title, node }: Site): boolean {
  if (typeof value === 'boolean') return value;
  throw runError(`${title} must return bool, got '${typeName(value)}'`, node);
}

/** Index and value of a list, key and value of a map. `keyType` is the checked one. Throws EvaluationError. */
export function* entriesOf(
  range: unknown,
  keyType: TypeDeclaration | undefined,
  { node, isSingle }: Range,
): Generator<Entry> {
  if (Array.isArray(range) || range instanceof Set) {
    let index = 0n;
    for (const value of range) {
      yield [index, value];
      index += 1n;
    }
    return;
  }
  if (!isMap(range)) throw runError(notRange(typeName(range)), node);
  if (range instanceof Map) {
    for (const [key, value] of range) yield [key, isSingle ? key : value];
    return;
  }
  for (const [text, value] of Object.entries(range)) {
    const key = keyOf(text, keyType);
    yield [key, isSingle ? key : value];
  }
}

/** A map that the engine made of a literal has texts for keys, whatever the literal's were. */
function keyOf(text: string, type: TypeDeclaration | undefined): unknown {
  switch (type?.name) {
    case 'int':
      return BigInt(text);
    case 'bool':
      return text === 'true';
    default:
      return text;
  }
}

function isMap(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || prototype === Map.prototype;
}

/** The error of a type that cannot be walked. */
export function rangeError(type: TypeDeclaration, node: ASTNode): CelTypeError {
  return typeError(notRange(shown(type)), node);
}

function notRange(type: string): string {
  return `Expression of type '${type}' cannot be range of a comprehension (must be list, map, or dynamic).`;
}

/** A type, in messages: those that stand for the schema of an object have names of their own. */
function shown({ name }: TypeDeclaration): string {
  return name.startsWith('$') ? 'object' : name;
}

/** What a value is, in messages. */
function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  const names: Readonly<Record<string, string>> = {
    bigint: 'int',
    number: 'double',
    boolean: 'bool',
    object: 'object',
  };
  return names[typeof value] ?? typeof value;
}

function typeError(message: string, node: ASTNode): CelTypeError {
  return new CelTypeError({ code: comprehensionError, message, node });
}

function runError(message: string, node: ASTNode): EvaluationError {
  return new EvaluationError({ code: comprehensionError, message, node });
}
