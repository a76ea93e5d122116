// Messages that are one JSON value: times, quantities, numbers-or-names, and JSON kept as bytes.
// Source: k8s.io/apimachinery meta/v1 (time_proto.go, micro_time_proto.go), api/resource, util/intstr, runtime.

import { DecodeError } from '../decode/decode-error.ts';
import { timestamp } from '../duration.ts';
import { type Codec, scalarCodecs } from './codec.ts';
import { type Fields, Message } from './message.ts';

interface WellKnown {
  /** See line.ts. */
  readonly line: string;
  fromFields(fields: Fields): unknown;
  toFields(value: unknown): Fields;
}

const maxSeconds = 253_402_300_799;
const minSeconds = -62_135_596_800;

const wellKnown: Readonly<Record<string, WellKnown>> = {
  time: {
    line: 'seconds 1 int64?, nanos 2 int32?',
    fromFields: (fields) => (isEmpty(fields) ? null : timestamp(millisOf(fields))),
    toFields: (value) => (value === null ? {} : { seconds: secondsOf(value), nanos: 0 }),
  },
  microTime: {
    line: 'seconds 1 int64?, nanos 2 int32?',
    fromFields(fields) {
      if (isEmpty(fields)) return null;
      const micros = Math.floor(Number(fields['nanos'] ?? 0) / 1000);
      return `${timestamp(millisOf(fields)).slice(0, -1)}.${String(micros).padStart(6, '0')}Z`;
    },
    toFields(value) {
      if (value === null) return {};
      const fraction = /\.(\d{1,6})/.exec(String(value))?.[1] ?? '';
      return { seconds: secondsOf(value), nanos: Number(fraction.padEnd(6, '0')) * 1000 };
    },
  },
  quantity: {
    line: 'string 1 string?',
    fromFields: ({ string }) => (string === undefined || string === '' ? '0' : string),
    toFields: (value) => ({ string: value }),
  },
  intOrString: {
    line: 'type 1 int64!, intVal 2 int32!, strVal 3 string!',
    fromFields({ type, intVal, strVal }) {
      if (type !== 0 && type !== 1) throw new DecodeError(`impossible IntOrString.Type ${String(type)}`);
      return type === 0 ? intVal : strVal;
    },
    toFields: (value) =>
      typeof value === 'number' ? { type: 0, intVal: value, strVal: '' } : { type: 1, intVal: 0, strVal: value },
  },
  json: {
    line: 'raw 1 string?',
    fromFields: ({ raw }) => (raw === undefined || raw === '' ? null : parsed(String(raw))),
    toFields: (value) => ({ raw: JSON.stringify(value) }),
  },
};

const findScalar = (type: string): Codec => {
  const codec: Codec | undefined = Object.hasOwn(scalarCodecs, type)
    ? scalarCodecs[type as keyof typeof scalarCodecs]
    : undefined;
  if (codec === undefined) throw new Error(`protobuf table: there is no type ${type}`);
  return codec;
};

/** Scalars and the messages above, by the table's names. */
export const valueCodecs: ReadonlyMap<string, Codec> = new Map<string, Codec>([
  ...Object.entries<Codec>(scalarCodecs),
  ...Object.entries(wellKnown).map(([name, how]): [string, Codec] => [name, codecOf(name, how)]),
]);

function codecOf(name: string, { line, fromFields, toFields }: WellKnown): Codec {
  const message = new Message(name, line, findScalar);
  return {
    wire: 2,
    read: (reader) => fromFields(message.read(reader) as Fields),
    write: (writer, value) => message.write(writer, toFields(value)),
    zero: (reader) => fromFields(message.zero(reader) as Fields),
  };
}

/** A zero Go time is no bytes at all; the epoch is two zeros. */
function isEmpty({ seconds, nanos }: Fields): boolean {
  return seconds === undefined && nanos === undefined;
}

function millisOf({ seconds = 0, nanos = 0 }: Fields): number {
  const whole = Number(seconds);
  const part = Number(nanos);
  if (whole < minSeconds || whole > maxSeconds || part < 0 || part > 999_999_999) {
    throw new DecodeError(`time ${whole} s ${part} ns: year outside of range [0,9999]`);
  }
  return whole * 1000;
}

function secondsOf(value: unknown): number {
  return Math.floor(Date.parse(String(value)) / 1000);
}

function parsed(raw: string): unknown {
  try {
    return JSON.parse(raw) as unknown;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new DecodeError(`json parse error in a raw value: ${cause.message}`);
  }
}
