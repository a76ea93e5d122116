// How one value is read and written. Scalars stand here; a message (message.ts) is a codec too, and so are the messages
// that JSON shows as something else (well-known.ts).

import type { Reader, WireType } from './reader.ts';
import type { Writer } from './writer.ts';

/** Values are what JSON.parse gives. Readers and writers include the length of what has one, and not the tag. */
export interface Codec {
  readonly wire: WireType;
  read(reader: Reader): unknown;
  write(writer: Writer, value: unknown): void;
  /** What stands for a value that was not sent. */
  zero(reader: Reader): unknown;
}

const number = (value: unknown): number => Number(value);
const zero = (): number => 0;

export const scalarCodecs = {
  string: {
    wire: 2,
    read: (reader) => reader.string(),
    write: (writer, value) => writer.string(String(value)),
    zero: () => '',
  },
  bytes: {
    wire: 2,
    read: (reader) => reader.view().toString('base64'),
    write: (writer, value) => writer.base64(String(value)),
    zero: () => null,
  },
  bool: {
    wire: 0,
    read: (reader) => reader.int64() !== 0,
    write: (writer, value) => writer.uint32(value === true ? 1 : 0),
    zero: () => false,
  },
  int32: {
    wire: 0,
    read: (reader) => reader.uint32() | 0,
    write: (writer, value) => writer.int64(number(value)),
    zero,
  },
  int64: { wire: 0, read: (reader) => reader.int64(), write: (writer, value) => writer.int64(number(value)), zero },
  double: { wire: 1, read: (reader) => reader.double(), write: (writer, value) => writer.double(number(value)), zero },
} as const satisfies Readonly<Record<string, Codec>>;
