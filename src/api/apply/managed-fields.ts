// metadata.managedFields: who owns which paths. An entry is kept as it is stored; its fieldsV1 is the set (field-set.ts).
// Source: KEP-555; k8s.io/apimachinery managedfields (order of entries, identity, the cap on updaters).

import { sameValue } from './compare.ts';
import { emptySet, type FieldSet, isEmpty, readSet, union } from './field-set.ts';

/** One entry. Key order is that of the wire. */
export interface ManagedFields {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  /** The version that the set's paths belong to. */
  readonly apiVersion: string;
  /** RFC 3339; when the manager last took or applied something. */
  readonly time?: string;
  readonly fieldsType: 'FieldsV1';
  readonly fieldsV1: FieldSet;
  readonly subresource?: string;
}

/** Who writes, and how. */
export interface Author {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  /** '' for the object itself. */
  readonly subresource: string;
}

export function entryOf(author: Author, fields: FieldSet, time: string | undefined): ManagedFields {
  const { manager, operation, apiVersion, subresource } = author;
  return {
    manager,
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: fields,
    ...(subresource === '' ? {} : { subresource }),
  };
}

/** Whether an entry is the author's own: an applier has one for all versions, an updater one a version. */
export function isBy(entry: ManagedFields, { manager, operation, apiVersion, subresource }: Author): boolean {
  return (
    entry.manager === manager &&
    entry.operation === operation &&
    (entry.subresource ?? '') === subresource &&
    (operation === 'Apply' || entry.apiVersion === apiVersion)
  );
}

/** The same entry over other paths; the same one when nothing changed. */
export function withFields(entry: ManagedFields, fieldsV1: FieldSet): ManagedFields {
  return entry.fieldsV1 === fieldsV1 ? entry : { ...entry, fieldsV1 };
}

export type Given =
  | { readonly is: 'entries'; readonly entries: readonly ManagedFields[] }
  /** `[{}]`: the client wants to begin anew. */
  | { readonly is: 'reset' }
  /** Absent, empty or nothing that can be understood: the live entries count. */
  | { readonly is: 'nothing' };

/** What a client sent as metadata.managedFields. */
export function readGiven(value: unknown): Given {
  if (!Array.isArray(value) || value.length === 0) return { is: 'nothing' };
  const list = value as readonly unknown[];
  if (list.length === 1 && typeof list[0] === 'object' && list[0] !== null && Object.keys(list[0]).length === 0) {
    return { is: 'reset' };
  }
  const entries = list.map(readEntry);
  return entries.every((entry) => entry !== undefined) ? { is: 'entries', entries } : { is: 'nothing' };
}

function readEntry(value: unknown): ManagedFields | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const {
    manager = '',
    operation,
    apiVersion,
    time,
    fieldsType,
    fieldsV1 = {},
    subresource = '',
  } = value as Record<string, unknown>;
  const fields = readSet(fieldsV1);
  const understood =
    typeof manager === 'string' &&
    (operation === 'Apply' || operation === 'Update') &&
    typeof apiVersion === 'string' &&
    /^([^/]+\/)?[^/]+$/.test(apiVersion) &&
    fieldsType === 'FieldsV1' &&
    typeof subresource === 'string' &&
    (time === undefined || time === null || typeof time === 'string');
  if (!understood || fields === undefined) return undefined;
  return entryOf({ manager, operation, apiVersion, subresource }, fields, time ?? undefined);
}

/** Appliers first, then by time and name, as clients are used to; those that own nothing are left out. */
export function sorted(entries: readonly ManagedFields[]): readonly ManagedFields[] {
  const left = entries.filter(({ fieldsV1 }) => !isEmpty(fieldsV1));
  return left.length < 2 ? left : left.sort(compareEntries);
}

function compareEntries(a: ManagedFields, b: ManagedFields): number {
  return (
    compareText(a.operation, b.operation) ||
    compareText(a.time ?? '', b.time ?? '') ||
    compareText(a.manager, b.manager) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource ?? '', b.subresource ?? '')
  );
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Most updaters an object remembers apart. */
const updatersMax = 10;
const oldUpdaters = 'ancient-changes';

/** Folds the oldest updaters of a version into one entry while there are too many. */
export function capped(entries: readonly ManagedFields[]): readonly ManagedFields[] {
  const updaters = entries.filter(({ operation }) => operation === 'Update');
  if (updaters.length <= updatersMax) return entries;
  const oldestFirst = updaters.sort(
    (a, b) => compareText(a.time ?? '', b.time ?? '') || compareText(a.manager, b.manager),
  );
  const groups = new Map<string, ManagedFields[]>();
  let length = updaters.length;
  for (const entry of oldestFirst) {
    if (length <= updatersMax) break;
    const group = groups.get(entry.apiVersion);
    if (group === undefined) groups.set(entry.apiVersion, [entry]);
    else {
      group.push(entry);
      length -= 1;
    }
  }
  const folded = [...groups.values()].filter((group) => group.length > 1);
  const gone = new Set(folded.flat());
  return [...entries.filter((entry) => !gone.has(entry)), ...folded.map(fold)];
}

function fold(group: readonly ManagedFields[]): ManagedFields {
  const fields = group.reduce<FieldSet>((all, { fieldsV1 }) => union(all, fieldsV1), emptySet);
  const { apiVersion = '', time } = group.at(-1) ?? {};
  return entryOf({ manager: oldUpdaters, operation: 'Update', apiVersion, subresource: '' }, fields, time);
}

/** Whether two lists differ in nothing but times. */
export function sameButTimes(a: readonly ManagedFields[], b: readonly ManagedFields[]): boolean {
  if (a.length !== b.length) return false;
  return a.every(({ time: _before, ...entry }, index) => {
    const { time: _after, ...other } = b[index] ?? ({} as ManagedFields);
    return sameValue(entry, other);
  });
}
