// A message that reads and writes itself, driven by its line of the table (line.ts). Values are what encoding/json would
// have made of upstream's Go struct, so that what was decoded goes the way of a JSON body from here on.
// Alternative refused: protobufjs, which knows nothing of when a field shows in JSON, and would need the .proto files.

import { DecodeError } from '../decode/decode-error.ts';
import type { Codec } from './codec.ts';
import { type Compiled, compile, type Field, type FindCodec } from './line.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

export type Fields = Record<string, unknown>;

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
    const object = union === undefined ? ((value ?? {}) as Fields) : unionFields(union, value);
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
