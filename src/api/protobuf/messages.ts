// Finds messages: of a kind, and of the types inside of it. A line is read when its message is first needed, so that a
// server that never sees protobuf pays nothing for the tables.

import type { GroupVersionKind } from '../kind.ts';
import { formOf } from '../schema/form.ts';
import type { Codec } from './codec.ts';
import { type FieldTable, fieldTables } from './fields/tables.ts';
import { Message } from './message.ts';
import { valueCodecs } from './well-known.ts';

export interface Messages {
  /** undefined: the kind has no protobuf form. */
  ofKind(kind: GroupVersionKind): Message | undefined;
  /** By the tables' names, `core/v1.PodSpec`. */
  named(name: string): Message | undefined;
}

/** Kinds of meta.k8s.io that clients send under the version of whatever they deal with; Status comes as v1. */
const everywhere = /^(?:Status|API\w+|(?:Create|Delete|Get|List|Patch|Update)Options)$/;

export function createMessages(tables: readonly FieldTable[]): Messages {
  const byKey = new Map(tables.map((table) => [keyOf(table), table]));
  const lines = new Map<string, ReadonlyMap<string, string>>();
  const made = new Map<string, Message>();

  function linesOf(key: string): ReadonlyMap<string, string> {
    const known = lines.get(key);
    if (known !== undefined) return known;
    const rows = (byKey.get(key)?.messages ?? '').split('\n').filter((row) => row !== '');
    const parsed = new Map(
      rows.map((row) => {
        const colon = row.indexOf(':');
        return [row.slice(0, colon), row.slice(colon + 1).trim()];
      }),
    );
    lines.set(key, parsed);
    return parsed;
  }

  function named(name: string): Message | undefined {
    const known = made.get(name);
    if (known !== undefined) return known;
    const dot = name.lastIndexOf('.');
    const key = name.slice(0, dot);
    const line = linesOf(key).get(name.slice(dot + 1));
    if (line === undefined) return undefined;
    const message = new Message(name, line, (type) => codecIn(key, type));
    made.set(name, message);
    return message;
  }

  function codecIn(key: string, type: string): Codec {
    const codec = valueCodecs.get(type) ?? named(type.includes('/') ? type : `${key}.${type}`);
    if (codec === undefined) throw new Error(`protobuf table: there is no message ${type}`);
    return codec;
  }

  return {
    named,
    ofKind(given) {
      const { group, version, kind } = formOf(given);
      const key = keyOf({ group, version });
      const own = byKey.get(key)?.group === group ? named(`${key}.${kind}`) : undefined;
      return own ?? (everywhere.test(kind) ? named(`meta/v1.${kind}`) : undefined);
    },
  };
}

/** `rbac/v1` for rbac.authorization.k8s.io/v1: how the tables name each other. */
function keyOf({ group, version }: Pick<FieldTable, 'group' | 'version'>): string {
  return `${group === '' ? 'core' : group.split('.')[0]}/${version}`;
}

/** Of all built-in kinds. */
export const builtInMessages: Messages = createMessages(fieldTables);
