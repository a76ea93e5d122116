// The language of the field tables, and what a message makes of its line. A line (fields/*.ts) is
//
//   Probe: ... 1 ProbeHandler, initialDelaySeconds 2 int32, terminationGracePeriodSeconds 7 int64?
//          │                   └ JSON name, number, type
//          └ no name of its own: its fields are the message's
//
//   []T {}T   a list, a map with string keys          =     the message is, in JSON, this field alone (or the one of
//   T         not in JSON when zero                         several that is there): Verbs, JSONSchemaPropsOrBool
//   T?        in JSON when it was sent, zero or not   a/v1.T  a message of another table
//   T!        always in JSON: its zero when not sent  T?!   always: null when not sent

import type { Codec } from './codec.ts';

/** Finds the codec of a type's name: `string`, `PodSpec`, `core/v1.PodSpec`. */
export type FindCodec = (type: string) => Codec;

export interface Field {
  readonly name: string;
  readonly number: number;
  readonly shape: 'one' | 'list' | 'map' | 'inline';
  readonly codec: Codec;
  /** Left out when zero. */
  readonly omitted: boolean;
  /** Filled in when not sent: with null, or its zero. */
  readonly always: 'null' | 'zero' | undefined;
}

export interface Compiled {
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

export function compile(line: string, find: FindCodec): Compiled {
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
