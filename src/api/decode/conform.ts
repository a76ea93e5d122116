// Makes a parsed body an object of its type, in one walk over the schema: wrong types are refused, unknown fields are
// taken out and reported, nulls and the zeros that mean absent are dropped, quantities and times get the form that upstream answers with. In place, because
// the object was parsed for this request and belongs to it.

import type { ObjectSchema, Schema } from '../schema/schema.ts';
import { DecodeError } from './decode-error.ts';
import { normalBytes, normalMicroTime, normalQuantity, normalTime } from './scalars.ts';

interface Conformed {
  /** `unknown field "spec.foo"`, in order. */
  readonly problems: readonly string[];
  /** How many keys the object had, unknown ones included. */
  readonly keys: number;
}

type Fields = Record<string, unknown>;

/** Walks `object` in place. Throws DecodeError with upstream's `json: cannot unmarshal …`. */
export function conform(schema: ObjectSchema, object: object): Conformed {
  const walk: Walk = { path: [], problems: [], keys: 0 };
  conformObject(walk, schema, object as Fields);
  return walk;
}

interface Walk {
  /** Keys and indexes from the root to where the walk is. */
  readonly path: (string | number)[];
  readonly problems: string[];
  keys: number;
}

function conformObject(walk: Walk, schema: ObjectSchema, object: Fields): void {
  const { path } = walk;
  for (const key in object) {
    walk.keys += 1;
    const field = schema.fields.get(key);
    const value = object[key];
    path.push(key);
    if (field === undefined) {
      walk.problems.push(`unknown field ${JSON.stringify(pathText(path))}`);
      countKeys(walk, value);
      delete object[key];
    } else if (value === null) {
      delete object[key];
    } else {
      const kept = conformValue(walk, schema, field.schema, value);
      if (field.dropsZero === true && isZero(kept)) delete object[key];
      else if (kept !== value) object[key] = kept;
    }
    path.pop();
  }
}

function isZero(value: unknown): boolean {
  if (value === '' || value === 0 || value === false) return true;
  if (typeof value !== 'object' || value === null) return false;
  for (const _ in value) return false;
  return true;
}

function conformValue(walk: Walk, owner: ObjectSchema, schema: Schema, value: unknown): unknown {
  switch (schema.type) {
    case 'string':
      if (typeof value !== 'string') throw mismatch(walk, owner, value, 'string');
      return value;
    case 'object':
      if (!isPlainObject(value)) throw mismatch(walk, owner, value, goType(schema));
      conformObject(walk, schema, value);
      return value;
    case 'list':
      return conformList(walk, owner, schema.items, value);
    case 'map':
      return conformMap(walk, owner, schema.values, value);
    case 'int32':
    case 'int64':
      return conformInteger(walk, owner, schema.type, value);
    case 'boolean':
      if (typeof value !== 'boolean') throw mismatch(walk, owner, value, 'bool');
      return value;
    case 'number':
      if (typeof value !== 'number' || !Number.isFinite(value)) throw mismatch(walk, owner, value, 'float64');
      return value;
    case 'quantity':
      return normalQuantity(value);
    case 'intOrString':
      if (typeof value === 'string') return value;
      if (typeof value !== 'number')
        throw new DecodeError(`json: cannot unmarshal ${jsonWord(value)} into Go value of type string`);
      return conformInteger(walk, owner, 'int32', value);
    case 'time':
      if (typeof value !== 'string') throw mismatch(walk, owner, value, 'string');
      return normalTime(value);
    case 'microTime':
      if (typeof value !== 'string') throw mismatch(walk, owner, value, 'string');
      return normalMicroTime(value);
    case 'bytes':
      if (typeof value !== 'string') throw mismatch(walk, owner, value, '[]uint8');
      return normalBytes(value);
    case 'any':
      if (owner.name === schemaProps) return conformSchemaField(walk, owner, value);
      countKeys(walk, value);
      return value;
  }
}

const schemaProps = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps';

/**
 * Fields of a JSONSchemaProps that hold a schema or something else, for which the models have no word. Items that are
 * neither are kept as null: they count as given, and say nothing.
 */
function conformSchemaField(walk: Walk, owner: ObjectSchema, value: unknown): unknown {
  const field = walk.path.at(-1);
  if (field === 'items') {
    if (isPlainObject(value)) return conformValue(walk, owner, owner, value);
    return Array.isArray(value) && value.length > 0 ? conformList(walk, owner, owner, value) : null;
  }
  if (field === 'additionalProperties' || field === 'additionalItems') {
    if (isPlainObject(value)) return conformValue(walk, owner, owner, value);
    if (typeof value !== 'boolean') throw new DecodeError('boolean or JSON schema expected');
    return value;
  }
  countKeys(walk, value);
  return value;
}

function conformInteger(walk: Walk, owner: ObjectSchema, type: 'int32' | 'int64', value: unknown): number {
  if (typeof value !== 'number') throw mismatch(walk, owner, value, type);
  const fits = type === 'int32' ? value >= -2147483648 && value <= 2147483647 : Math.abs(value) < 2 ** 63;
  if (!Number.isInteger(value) || !fits) throw mismatch(walk, owner, value, type);
  return value;
}

function conformList(walk: Walk, owner: ObjectSchema, items: Schema, value: unknown): unknown {
  if (!Array.isArray(value)) throw mismatch(walk, owner, value, `[]${goType(items)}`);
  for (let index = 0; index < value.length; index += 1) {
    const item: unknown = value[index];
    walk.path.push(index);
    const kept = item === null ? zeroOf(items) : conformValue(walk, owner, items, item);
    if (kept !== item) value[index] = kept;
    walk.path.pop();
  }
  return value;
}

function conformMap(walk: Walk, owner: ObjectSchema, values: Schema, value: unknown): unknown {
  if (!isPlainObject(value)) throw mismatch(walk, owner, value, `map[string]${goType(values)}`);
  for (const key in value) {
    if (key === '__proto__') throw hostileKey();
    walk.keys += 1;
    const item = value[key];
    walk.path.push(key);
    const kept = item === null ? zeroOf(values) : conformValue(walk, owner, values, item);
    if (kept !== item) value[key] = kept;
    walk.path.pop();
  }
  return value;
}

/** Keys inside what no schema describes. */
function countKeys(walk: Walk, value: unknown): void {
  if (Array.isArray(value)) {
    for (const item of value) countKeys(walk, item);
  } else if (isPlainObject(value)) {
    for (const key in value) {
      if (key === '__proto__') throw hostileKey();
      walk.keys += 1;
      countKeys(walk, value[key]);
    }
  }
}

/** What a null stands for inside a list or map, where it cannot be dropped. */
function zeroOf(schema: Schema): unknown {
  switch (schema.type) {
    case 'object':
    case 'map':
      return {};
    case 'list':
      return [];
    case 'boolean':
      return false;
    case 'int32':
    case 'int64':
    case 'number':
    case 'intOrString':
      return 0;
    case 'quantity':
      return '0';
    case 'any':
      return null;
    default:
      return '';
  }
}

function hostileKey(): DecodeError {
  return new DecodeError('json: "__proto__" is not accepted as a key');
}

function isPlainObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mismatch(walk: Walk, owner: ObjectSchema, value: unknown, wanted: string): DecodeError {
  const struct = owner.name.slice(owner.name.lastIndexOf('.') + 1);
  const field = walk.path.filter((part) => typeof part === 'string').join('.');
  return new DecodeError(
    `json: cannot unmarshal ${jsonWord(value)} into Go struct field ${struct}.${field} of type ${wanted}`,
  );
}

function jsonWord(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number')
    return Number.isInteger(value) && Math.abs(value) < 2147483648 ? 'number' : `number ${value}`;
  return typeof value;
}

/** Upstream's messages name Go types, and clients' tests compare them. */
function goType(schema: Schema): string {
  switch (schema.type) {
    case 'object': {
      const [version, name] = schema.name.split('.').slice(-2);
      return `${version}.${name}`;
    }
    case 'list':
      return `[]${goType(schema.items)}`;
    case 'map':
      return `map[string]${goType(schema.values)}`;
    case 'boolean':
      return 'bool';
    case 'number':
      return 'float64';
    case 'bytes':
      return '[]uint8';
    case 'quantity':
      return 'resource.Quantity';
    case 'intOrString':
      return 'intstr.IntOrString';
    case 'time':
      return 'v1.Time';
    case 'microTime':
      return 'v1.MicroTime';
    case 'any':
      return 'runtime.RawExtension';
    default:
      return schema.type;
  }
}

/** `spec.containers[0].foo` */
function pathText(path: readonly (string | number)[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}
