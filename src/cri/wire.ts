// Protocol buffers, as far as CRI needs them: proto3 messages described by tables of field numbers. The tables are the
// only description: encoder, decoder and the TypeScript types all come from them.
//
// A message on the wire is a run of (tag, value), tag = field number << 3 | wire type:
//   0 varint        ints, bools, enums; 7 bits a byte, lowest first, negative numbers as 64-bit two's complement
//   1, 5 fixed      64 and 32 bits; CRI has none that are read here, they are skipped
//   2 length + bytes  strings, bytes, messages, maps (a repeated {1: key, 2: value}), packed lists of ints
// Source: protobuf.dev/programming-guides/encoding. 64-bit ints become numbers: nanosecond timestamps lose their last
// 8 bits, which nobody reads. protobufjs was refused: it parses .proto files at start, 40 ms and 5 MB for two services.

export interface Type<T> {
  readonly is: 'string' | 'bytes' | 'bool' | 'int' | 'choice' | 'map' | 'list' | 'message';
  readonly empty: T;
  readonly item?: Type<unknown>;
  readonly names?: readonly string[];
  readonly fields?: Fields;
}

export type Fields = Readonly<Record<string, readonly [number: number, type: Type<unknown>]>>;

/** A message type. As a field of another message it is undefined when absent. */
export interface Message<T> extends Type<T | undefined> {
  readonly fields: Fields;
  readonly byNumber: ReadonlyMap<number, readonly [name: string, type: Type<unknown>]>;
}

/** The decoded form of a message: every field is there, empty ones with proto3's defaults. */
export type Decoded<M> = M extends Message<infer T> ? T : never;

/** What may be given to the encoder: the same, with every field optional. */
export type Encodable<T> = T extends string | number | boolean | Uint8Array | undefined
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Encodable<Item>[]
    : { readonly [Key in keyof T]?: Encodable<T[Key]> | undefined };

export const string: Type<string> = { is: 'string', empty: '' };
export const bytes: Type<Uint8Array> = { is: 'bytes', empty: new Uint8Array() };
export const bool: Type<boolean> = { is: 'bool', empty: false };
/** int32, int64, uint32, uint64: all the same on the wire. */
export const int: Type<number> = { is: 'int', empty: 0 };
export const map: Type<Readonly<Record<string, string>>> = { is: 'map', empty: {} };

/** An enum whose values count from 0 in the order given. A number that is not known decodes as the first. */
export function choice<const Name extends string>(...names: readonly [Name, ...Name[]]): Type<Name> {
  return { is: 'choice', empty: names[0], names };
}

export function list<T>(item: Type<T>): Type<readonly Exclude<T, undefined>[]> {
  return { is: 'list', empty: [], item };
}

export function message<const F extends Fields>(
  fields: F,
): Message<{ readonly [Name in keyof F]: F[Name][1] extends Type<infer T> ? T : never }> {
  const byNumber = new Map(Object.entries(fields).map(([name, [number, type]]) => [number, [name, type]] as const));
  return { is: 'message', empty: undefined, fields, byNumber };
}

export function encode<T>(type: Message<T>, value: Encodable<T>): Buffer {
  const out: Uint8Array[] = [];
  writeMessage(out, type.fields, value as Readonly<Record<string, unknown>>);
  return Buffer.concat(out);
}

function writeMessage(out: Uint8Array[], fields: Fields, value: Readonly<Record<string, unknown>>): void {
  for (const name in value) {
    const field = fields[name];
    if (field !== undefined && value[name] !== undefined) writeField(out, field[0], field[1], value[name], true);
  }
}

function writeField(out: Uint8Array[], number: number, type: Type<unknown>, value: unknown, omitEmpty: boolean): void {
  switch (type.is) {
    case 'list':
      if (type.item?.is === 'int') {
        const packed = (value as readonly number[]).map(varint);
        if (packed.length > 0) writeBytes(out, number, Buffer.concat(packed));
      } else if (type.item !== undefined) {
        for (const item of value as readonly unknown[]) writeField(out, number, type.item, item, false);
      }
      return;
    case 'map':
      for (const [key, text] of Object.entries(value as Readonly<Record<string, string>>)) {
        const entry: Uint8Array[] = [];
        writeBytes(entry, 1, Buffer.from(key));
        writeBytes(entry, 2, Buffer.from(text));
        writeBytes(out, number, Buffer.concat(entry));
      }
      return;
    case 'message': {
      const inner: Uint8Array[] = [];
      writeMessage(inner, type.fields ?? {}, value as Readonly<Record<string, unknown>>);
      writeBytes(out, number, Buffer.concat(inner));
      return;
    }
    case 'string':
      if (value !== '' || !omitEmpty) writeBytes(out, number, Buffer.from(value as string));
      return;
    case 'bytes':
      if ((value as Uint8Array).length > 0 || !omitEmpty) writeBytes(out, number, value as Uint8Array);
      return;
    default: {
      const whole = type.is === 'choice' ? (type.names ?? []).indexOf(value as string) : Number(value);
      if (whole !== 0 || !omitEmpty) out.push(varint(number << 3), varint(whole));
    }
  }
}

function writeBytes(out: Uint8Array[], number: number, value: Uint8Array): void {
  out.push(varint((number << 3) | 2), varint(value.length), value);
}

function varint(value: number): Uint8Array {
  const out: number[] = [];
  let rest = value < 0 ? BigInt.asUintN(64, BigInt(Math.trunc(value))) : value;
  if (typeof rest === 'bigint') {
    for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
    out.push(Number(rest));
  } else {
    for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
    out.push(rest);
  }
  return Uint8Array.from(out);
}

/** Throws RangeError when `data` ends inside a field. */
export function decode<T>(type: Message<T>, data: Uint8Array): T {
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return readMessage(type as unknown as Message<unknown>, { buffer, at: 0 }, buffer.length) as T;
}

interface Cursor {
  readonly buffer: Buffer;
  at: number;
}

function readMessage(type: Message<unknown>, cursor: Cursor, end: number): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const name in type.fields) out[name] = type.fields[name]?.[1].empty;
  while (cursor.at < end) {
    const tag = readVarint(cursor);
    const field = type.byNumber.get(tag >>> 3);
    if (field === undefined) skip(cursor, tag & 7);
    else readField(out, field[0], field[1], cursor, tag & 7);
  }
  return out;
}

function readField(
  out: Record<string, unknown>,
  name: string,
  type: Type<unknown>,
  cursor: Cursor,
  wire: number,
): void {
  if (type.is === 'map') {
    const end = endOfBytes(cursor);
    const entry = readMessage(mapEntry as unknown as Message<unknown>, cursor, end);
    out[name] = { ...(out[name] as object), [entry['key'] as string]: entry['value'] };
  } else if (type.is === 'list' && type.item !== undefined) {
    if (out[name] === type.empty) out[name] = [];
    const items = out[name] as unknown[];
    if (wire === 2 && type.item.is === 'int') {
      const end = endOfBytes(cursor);
      while (cursor.at < end) items.push(readVarint(cursor));
    } else items.push(readValue(type.item, cursor));
  } else out[name] = readValue(type, cursor);
}

const mapEntry = message({ key: [1, string], value: [2, string] });

function readValue(type: Type<unknown>, cursor: Cursor): unknown {
  switch (type.is) {
    case 'int':
      return readVarint(cursor);
    case 'bool':
      return readVarint(cursor) !== 0;
    case 'choice':
      return type.names?.[readVarint(cursor)] ?? type.empty;
    case 'message':
      return readMessage(type as Message<unknown>, cursor, endOfBytes(cursor));
    default: {
      const end = endOfBytes(cursor);
      const start = cursor.at;
      cursor.at = end;
      return type.is === 'string' ? cursor.buffer.toString('utf8', start, end) : cursor.buffer.subarray(start, end);
    }
  }
}

function endOfBytes(cursor: Cursor): number {
  const length = readVarint(cursor);
  const end = cursor.at + length;
  if (length < 0 || end > cursor.buffer.length) throw new RangeError('message ends inside a field');
  return end;
}

function readVarint(cursor: Cursor): number {
  let low = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = readByte(cursor);
    low |= (byte & 127) << shift;
    if (byte < 128) return low;
  }
  let big = BigInt(low);
  for (let shift = 28n; shift < 70n; shift += 7n) {
    const byte = readByte(cursor);
    big |= BigInt(byte & 127) << shift;
    if (byte < 128) return Number(BigInt.asIntN(64, big));
  }
  throw new RangeError('varint longer than ten bytes');
}

function readByte(cursor: Cursor): number {
  const byte = cursor.buffer[cursor.at];
  if (byte === undefined) throw new RangeError('message ends inside a field');
  cursor.at += 1;
  return byte;
}

function skip(cursor: Cursor, wire: number): void {
  if (wire === 0) readVarint(cursor);
  else if (wire === 2) cursor.at = endOfBytes(cursor);
  else if (wire === 1 || wire === 5) cursor.at += wire === 1 ? 8 : 4;
  else throw new RangeError(`wire type ${wire} is not used by proto3`);
}
