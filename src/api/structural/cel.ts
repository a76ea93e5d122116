// CEL over values that a schema describes: types, conversion, compilation, and the bound on what a rule may cost.
//
// @marcbachmann/cel-js was chosen over @bufbuild/cel because it checks types before anything runs, knows optionals, takes
// functions with receivers, and evaluates ten times as fast. Neither meters its work, so the bound is set before, see
// cel-cost.ts.
// Source: "Extend the Kubernetes API with CustomResourceDefinitions", validation rules.

import { TypeError as CelTypeError, Environment, EvaluationError, ParseError } from '@marcbachmann/cel-js';
import { goDurationMs } from '../../base/index.ts';
import { comprehensionError } from './cel-comprehension-forms.ts';
import { boundOf, type CelBound } from './cel-cost.ts';
import { registerLibraries } from './cel-library.ts';
import { parseCel } from './cel-tree.ts';
import { isFields } from './fields.ts';
import type { StructuralSchema } from './schema.ts';

export interface Expression {
  /** The CEL type of the answer: `bool`, `string`, `dyn`. */
  readonly type: string;
  readonly usesOldSelf: boolean;
  /** What it may cost. */
  readonly bound: CelBound;
  /** Throws CelError. */
  run(variables: Variables): unknown;
}

export interface Variables {
  readonly self: unknown;
  readonly oldSelf?: unknown;
}

/** An expression that cannot be compiled, or that fails while it runs. */
export class CelError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CelError';
  }
}

const environment = once(() => {
  const env = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false });
  registerLibraries(env);
  return env;
});

/** `schema` describes self and oldSelf. `optionalOldSelf`: oldSelf is an optional. Throws CelError. */
export function compileCel(text: string, schema: StructuralSchema, optionalOldSelf = false): Expression {
  const type = celType(schema);
  const env = environment().clone();
  env.registerVariable('self', type);
  env.registerVariable('oldSelf', optionalOldSelf ? 'dyn' : type);
  try {
    const parsed = parseCel(env, text);
    const { valid, error, type: answered = 'dyn' } = parsed.check();
    if (!valid) throw error ?? new CelError('does not compile');
    checkFields(text, schema);
    const bound = boundOf(parsed.ast);
    return {
      type: answered,
      usesOldSelf: bound.names.has('oldSelf'),
      bound,
      run: (variables) => running(() => parsed(variables)),
    };
  } catch (error) {
    throw asCelError(error);
  }
}

function running(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    throw asCelError(error);
  }
}

function asCelError(error: unknown): CelError {
  if (error instanceof CelError) return error;
  if (error instanceof ParseError || error instanceof EvaluationError || error instanceof CelTypeError) {
    return new CelError(error.summary, { cause: error });
  }
  // A function of a library refused its arguments.
  if (error instanceof Error) return new CelError(error.message, { cause: error });
  throw error;
}

/**
 * Fields that the schema does not have are refused when the definition is made, not when the rule runs; so are comprehensions
 * that cannot work on the fields there are. The engine's other findings are not: to it, each object has a type of its own.
 */
function checkFields(text: string, schema: StructuralSchema): void {
  if (schema.properties.size === 0 || schema.preserveUnknown) return;
  const env = environment().clone();
  const fields = objectTypes(schema);
  env.registerVariable({ name: 'self', schema: fields });
  env.registerVariable({ name: 'oldSelf', schema: fields });
  const { error } = env.check(text);
  const unknown = /^No such key: (\S+)/.exec(error?.summary ?? '');
  if (unknown !== null) throw new CelError(`undefined field '${unknown[1]}'`);
  if (error?.code === comprehensionError) throw error;
}

interface ObjectTypes {
  [field: string]: string | ObjectTypes;
}

function objectTypes(schema: StructuralSchema): ObjectTypes {
  const whole: ObjectTypes = schema.embedded ? { apiVersion: 'string', kind: 'string', metadata: 'dyn' } : {};
  for (const [key, property] of schema.properties) {
    const nested = property.properties.size > 0 && !property.preserveUnknown;
    whole[celName(key)] = nested ? objectTypes(property) : celType(property);
  }
  return whole;
}

/** Objects are dyn: their fields are known, and they compare with each other. */
function celType(schema: StructuralSchema): string {
  if (schema.intOrString) return 'dyn';
  switch (schema.type) {
    case 'string':
      return schema.nullable ? 'dyn' : (formatTypes[schema.source.format ?? ''] ?? 'string');
    case 'integer':
      return schema.nullable ? 'dyn' : 'int';
    case 'number':
      return schema.nullable ? 'dyn' : 'double';
    case 'boolean':
      return schema.nullable ? 'dyn' : 'bool';
    case 'array': {
      const item = schema.items === undefined ? 'dyn' : celType(schema.items);
      return item.startsWith('list') || item.startsWith('map') ? 'list<dyn>' : `list<${item}>`;
    }
    default:
      return 'dyn';
  }
}

const formatTypes: Readonly<Record<string, string>> = {
  date: 'google.protobuf.Timestamp',
  'date-time': 'google.protobuf.Timestamp',
  duration: 'google.protobuf.Duration',
  byte: 'bytes',
};

/** A JSON value as CEL takes it: integers are bigints, dates are timestamps, names are escaped. */
export function celValue(schema: StructuralSchema | undefined, value: unknown): unknown {
  if (typeof value === 'number') {
    return schema?.type === 'number' || !Number.isSafeInteger(value) ? value : BigInt(value);
  }
  if (typeof value === 'string') return schema === undefined ? value : textValue(schema, value);
  if (Array.isArray(value)) return value.map((item) => celValue(schema?.items, item));
  if (!isFields(value)) return value;
  const present = Object.entries(value).filter(([key, one]) => key !== '__proto__' && one !== undefined);
  const entries = present.map(([key, one]): [string, unknown] => {
    const property = schema?.properties.get(key);
    const name = property === undefined ? key : celName(key);
    return [name, celValue(property ?? schema?.values, one)];
  });
  // The engine asks the constructor of an object what it is.
  return Object.hasOwn(value, 'constructor') ? new Map(entries) : Object.fromEntries(entries);
}

function textValue({ type, source, intOrString }: StructuralSchema, text: string): unknown {
  if (type !== 'string' || intOrString) return text;
  switch (source.format) {
    case 'date':
    case 'date-time':
      return new Date(text);
    case 'byte':
      return new Uint8Array(Buffer.from(text, 'base64'));
    case 'duration':
      return goDurationMs(text) !== undefined ? environment().evaluate(`duration(${JSON.stringify(text)})`) : text;
    default:
      return text;
  }
}

const reserved = new Set([
  'true',
  'false',
  'null',
  'in',
  'as',
  'break',
  'const',
  'continue',
  'else',
  'for',
  'function',
  'if',
  'import',
  'let',
  'loop',
  'package',
  'namespace',
  'return',
]);

/** Property names as identifiers: `foo-bar` is `foo__dash__bar`. */
function celName(name: string): string {
  if (reserved.has(name)) return `__${name}__`;
  return name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__');
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
