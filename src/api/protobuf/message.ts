// A message as the table tells it, made into the form that reads and writes. A line of the table (fields/*.ts) is
//
//   Probe: ... 1 ProbeHandler, initialDelaySeconds 2 int32, terminationGracePeriodSeconds 7 int64?
//          │                   └ JSON name, number, type
//          └ no name of its own: its fields are the message's
//
//   []T {}T   a list, a map with string keys          =     the message is, in JSON, this field alone (or the one of
//   T         not in JSON when zero                         several that is there): Verbs, JSONSchemaPropsOrBool
//   T?        in JSON when it was sent, zero or not   a/v1.T  a message of another table
//   T!        always in JSON: its zero when not sent  T?!   always: null when not sent
//
// So a decoded object is what encoding/json would have made of the Go struct, and then goes the way of a JSON body.
// Alternative refused: protobufjs, which knows none of this and reads half as fast.

import { DecodeError } from '../decode/decode-error.ts';
import type { Codec } from './codec.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

export type Fields = Record<string, unknown>;

/** Finds the codec of a type's name: `string`, `PodSpec`, `core/v1.PodSpec`. */
export type FindCodec = (type: string) => Codec;

interface Field {
  readonly name: string;
  readonly number: number;
  readonly shape: 'one' | 'list' | 'map' | 'inline';
  readonly codec: Codec;
  /** Left out when zero. */
  readonly omitted: boolean;
  /** Filled in when not sent: with null, or its zero. */
  readonly always: 'null' | 'zero' | undefined;
}

export class Message implements Codec {
  readonly wire = 2;
  readonly name: string;
  readonly #line: string;
  readonly #find: FindCodec;
  #compiled: Compiled | undefined;

  constructor(name: string, line: string, find: FindCodec) {
    this.name = name;
    this.#line = line;
    this.#find = find;
    this.#compiled = undefined;
  }

  read(reader: Reader): unknown {
    const outer = reader.open();
    const value = this.readOpen(reader);
    reader.close(outer);
    return value;
  }

  /** Reads up to the reader's end. */
  readOpen(reader: Reader): unknown {
    const object: Fields = {};
    this.#readInto(reader, object);
    const { union } = this.#shape();
    return union === undefined ? object : unionValue(union, object);
  }

  write(writer: Writer, value: unknown): void {
    const before = writer.size;
    this.writeOpen(writer, value);
    writer.uint32(writer.size - before);
  }

  /** Writes without the length. */
  writeOpen(writer: Writer, value: unknown): void {
    const { fields, union } = this.#shape();
    const object = union === undefined ? (value as Fields) : unionFields(union, value);
    for (let index = fields.length - 1; index >= 0; index -= 1) {
      const field = fields[index];
      if (field === undefined) continue;
      if (field.shape === 'inline') writeOne(writer, field, object);
      else {
        const held = object[field.name];
        if (held !== undefined && held !== null) writeField(writer, field, held);
      }
    }
  }

  zero(reader: Reader): unknown {
    reader.countMessage();
    const { union } = this.#shape();
    if (union !== undefined) return unionValue(union, {});
    const object: Fields = {};
    this.#fill(reader, object);
    return object;
  }

  #readInto(reader: Reader, object: Fields): void {
    const { byNumber, always } = this.#shape();
    while (reader.at < reader.end) {
      const tag = reader.uint32();
      const field = byNumber[tag >>> 3];
      if (field === undefined) reader.skip(tag);
      else this.#readField(reader, field, { object, wire: tag & 7 });
    }
    if (reader.at > reader.end) throw new DecodeError('proto: unexpected EOF');
    if (always.length > 0) this.#fill(reader, object);
  }

  #readField(reader: Reader, field: Field, { object, wire }: { readonly object: Fields; readonly wire: number }): void {
    const { name, codec, shape } = field;
    if (shape === 'list') {
      const list = heldIn(object, name, () => []) as unknown[];
      if (wire === codec.wire) list.push(codec.read(reader));
      else if (wire === 2) readPacked(reader, codec, list);
      else throw wrongWire(this.name, name, wire);
      return;
    }
    if (wire !== (shape === 'map' ? 2 : codec.wire)) throw wrongWire(this.name, name, wire);
    if (shape === 'one') {
      const value = codec.read(reader);
      if (field.omitted && isZero(value)) delete object[name];
      else object[name] = value;
    } else if (shape === 'map') readEntry(reader, codec, heldIn(object, name, () => ({})) as Fields);
    else if (codec instanceof Message) {
      const outer = reader.open();
      codec.#readInto(reader, object);
      reader.close(outer);
    }
  }

  #fill(reader: Reader, object: Fields): void {
    for (const { name, codec, shape, always } of this.#shape().always) {
      if (shape === 'inline') {
        if (codec instanceof Message) codec.#fill(reader, object);
      } else if (object[name] === undefined) object[name] = always === 'null' ? null : codec.zero(reader);
    }
  }

  #shape(): Compiled {
    this.#compiled ??= compile(this.#line, this.#find);
    return this.#compiled;
  }
}

interface Compiled {
  readonly fields: readonly Field[];
  readonly byNumber: readonly (Field | undefined)[];
  readonly always: readonly Field[];
  /** Set when the message is, in JSON, one of these. */
  readonly union: readonly Field[] | undefined;
}

interface ParsedField {
  readonly name: string;
  readonly number: number;
  /** With `[]` or `{}`, without marks. */
  readonly type: string;
  readonly marks: string;
}

function parseLine(line: string): readonly ParsedField[] {
  if (line === '') return [];
  return line.split(', ').map((text) => {
    const [, name = '', number, type = '', marks = ''] = /^(\S+) (\d+) ([^?!]+)([?!]*)$/.exec(text) ?? [];
    if (number === undefined) throw new Error(`protobuf table: "${text}" does not read`);
    return { name, number: Number(number), type, marks };
  });
}

function compile(line: string, find: FindCodec): Compiled {
  const fields = parseLine(line).map(({ name, number, type, marks }, index): Field => {
    const shape = type.startsWith('[]') ? 'list' : type.startsWith('{}') ? 'map' : name === '...' ? 'inline' : 'one';
    const always = marks.endsWith('!') || shape === 'inline';
    const nullable = marks === '?!' || shape === 'list' || shape === 'map';
    return {
      name: name === '=' ? `=${index}` : name,
      number,
      shape,
      codec: find(type.replace(/^(\[\]|\{\})/, '')),
      omitted: marks === '' && name !== '=',
      always: always ? (nullable ? 'null' : 'zero') : undefined,
    };
  });
  const byNumber: (Field | undefined)[] = [];
  for (const field of fields) byNumber[field.number] = field;
  return {
    fields,
    byNumber: Array.from(byNumber),
    always: fields.filter(({ always }) => always !== undefined),
    union: fields[0]?.name === '=0' ? fields : undefined,
  };
}

/** The list or map that is being gathered under `name`. */
function heldIn(object: Fields, name: string, make: () => object): unknown {
  object[name] ??= make();
  return object[name];
}

function readPacked(reader: Reader, codec: Codec, list: unknown[]): void {
  const outer = reader.open();
  while (reader.at < reader.end) list.push(codec.read(reader));
  reader.close(outer);
}

/** Map entries are messages {key = 1, value = 2}. */
function readEntry(reader: Reader, codec: Codec, map: Fields): void {
  const outer = reader.open();
  let key = '';
  let value: unknown;
  while (reader.at < reader.end) {
    const tag = reader.uint32();
    if (tag === keyTag) key = reader.string();
    else if (tag === ((2 << 3) | codec.wire)) value = codec.read(reader);
    else reader.skip(tag);
  }
  if (key === '__proto__') throw new DecodeError('proto: "__proto__" is not accepted as a key');
  map[key] = value === undefined ? codec.zero(reader) : value;
  reader.close(outer);
}

const keyTag = (1 << 3) | 2;

function writeField(writer: Writer, field: Field, value: unknown): void {
  if (field.shape === 'map') writeMap(writer, field, value as Fields);
  else if (field.shape === 'list') writeList(writer, field, value as readonly unknown[]);
  else writeOne(writer, field, value);
}

function writeList(writer: Writer, field: Field, list: readonly unknown[]): void {
  for (let index = list.length - 1; index >= 0; index -= 1) writeOne(writer, field, list[index]);
}

function writeOne(writer: Writer, { codec, number }: Field, value: unknown): void {
  codec.write(writer, value);
  writer.uint32((number << 3) | codec.wire);
}

/** Keys in order, so that equal objects are equal bytes. */
function writeMap(writer: Writer, { codec, number }: Field, map: Fields): void {
  const keys = Object.keys(map).sort();
  for (let index = keys.length - 1; index >= 0; index -= 1) {
    const key = keys[index] ?? '';
    const before = writer.size;
    codec.write(writer, map[key]);
    writer.uint32((2 << 3) | codec.wire);
    writer.string(key);
    writer.uint32(keyTag);
    writer.uint32(writer.size - before);
    writer.uint32((number << 3) | 2);
  }
}

/** The last of the forms that was sent; else the zero of the only or the plain one. */
function unionValue(union: readonly Field[], sent: Fields): unknown {
  const there = union.findLast(({ name }) => sent[name] !== undefined);
  if (there !== undefined) return sent[there.name];
  const [first] = union;
  if (union.length === 1 && first?.shape === 'list') return [];
  return first?.codec.wire === 0 ? false : null;
}

/** Which field of a union holds `value`. A schema in place of a bool means true as well, as upstream's decoder sets it. */
function unionFields(union: readonly Field[], value: unknown): Fields {
  const shape = Array.isArray(value) ? 'list' : 'one';
  const plain = typeof value === 'boolean';
  const fields: Fields = {};
  for (const field of union) {
    const isPlain = field.codec.wire === 0;
    if (field.shape === shape && isPlain === plain) fields[field.name] = value;
    else if (isPlain) fields[field.name] = true;
  }
  return fields;
}

function isZero(value: unknown): boolean {
  return value === '' || value === 0 || value === false || value === null;
}

function wrongWire(message: string, field: string, wire: number): DecodeError {
  return new DecodeError(`proto: wrong wireType = ${wire} for field ${field} of ${message}`);
}
