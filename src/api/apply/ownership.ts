// What a write does to the owners of an object's fields, apart from what is particular to applying: everybody loses what
// was changed or removed, the writer gains what it changed.
// Source: structured-merge-diff merge.Updater; apimachinery managedfields.

import type { KubeObject } from '../types.ts';
import type { ApplyType } from './apply-type.ts';
import { type Comparison, compare, sameValue } from './compare.ts';
import { difference, differenceBelow, type FieldSet, isEmpty, union } from './field-set.ts';
import {
  type Author,
  capped,
  entryOf,
  isBy,
  type ManagedFields,
  readGiven,
  sorted,
  withFields,
} from './managed-fields.ts';

/** One version that a kind's objects are served in. */
export interface ObjectVersion {
  readonly apiVersion: string;
  readonly type: ApplyType;
  /** What a write of this kind does not touch whatever it says: nobody comes to own it by such a write. */
  readonly ignored: FieldSet;
  /** From the stored form into this version and back. */
  fromStored(object: KubeObject): KubeObject;
  toStored(object: KubeObject): KubeObject;
}

export interface FieldWrite {
  readonly manager: string;
  /** '' for the object itself. */
  readonly subresource: string;
  /** RFC 3339, whole seconds. */
  readonly now: string;
  /** The version the client speaks. */
  readonly version: ObjectVersion;
  /** Another version of the kind; undefined when it is served no more. */
  versionOf(apiVersion: string): ObjectVersion | undefined;
}

/** The stored entries; they are trusted. */
export function entriesOf(object: KubeObject | undefined): readonly ManagedFields[] {
  return (object?.metadata?.managedFields ?? []) as unknown as readonly ManagedFields[];
}

/**
 * The entries after a create (`live` undefined) or an update; the live ones themselves when nothing changes.
 * Both objects are in the stored form. Throws TypedError for an object that does not fit its type.
 */
export function trackUpdate(
  write: FieldWrite,
  live: KubeObject | undefined,
  wanted: KubeObject,
): readonly ManagedFields[] {
  const entries = startingEntries(write, live, wanted);
  // Nobody's fields were ever tracked (or the client just reset them): that goes on until somebody applies.
  if (live !== undefined && entries.length === 0) return entries;
  return afterUpdate(write, live ?? {}, { wanted, entries });
}

function startingEntries(
  { subresource }: FieldWrite,
  live: KubeObject | undefined,
  wanted: KubeObject,
): readonly ManagedFields[] {
  const stored = entriesOf(live);
  const sent = wanted.metadata?.managedFields;
  if (subresource !== '' || sent === undefined || sameValue(sent, stored)) return stored;
  const given = readGiven(sent);
  if (given.is === 'reset') return [];
  return given.is === 'entries' ? given.entries : stored;
}

export function afterUpdate(
  write: FieldWrite,
  live: KubeObject,
  { wanted, entries }: { readonly wanted: KubeObject; readonly entries: readonly ManagedFields[] },
): readonly ManagedFields[] {
  const { manager, subresource, version } = write;
  const author: Author = { manager, operation: 'Update', apiVersion: version.apiVersion, subresource };
  const comparisons = comparisonsOf(write, live, wanted);
  const { own } = comparisons;
  if (isEmpty(own.changed) && isEmpty(own.removed)) return entries;
  let changed = false;
  let met = false;
  const after: ManagedFields[] = [];
  for (const entry of entries) {
    const next = isBy(entry, author) ? ownEntry(entry, own, write.now) : others(entry, comparisons);
    met ||= isBy(entry, author);
    changed ||= next !== entry;
    if (next !== undefined) after.push(next);
  }
  if (!met && !isEmpty(own.changed)) {
    changed = true;
    after.push(entryOf(author, own.changed, write.now));
  }
  return changed ? sorted(capped(after)) : entries;
}

function ownEntry(entry: ManagedFields, { changed, removed }: Comparison, now: string): ManagedFields {
  const next = withFields(entry, union(difference(entry.fieldsV1, removed), changed));
  // Losing a field is no act that would be dated.
  return isEmpty(changed) || next.time === now ? next : { ...next, time: now };
}

function others(entry: ManagedFields, comparisons: Comparisons): ManagedFields | undefined {
  const comparison = comparisons.in(entry.apiVersion);
  if (comparison === undefined) return undefined;
  return withFields(entry, difference(difference(entry.fieldsV1, comparison.changed), comparison.removed));
}

export interface Comparisons {
  /** In the version of the write. */
  readonly own: Comparison;
  /** What changed, in a version's paths; undefined for a version that is served no more. */
  in(apiVersion: string): Comparison | undefined;
}

/** Compares two stored objects in any version, once each. */
export function comparisonsOf(write: FieldWrite, live: KubeObject, wanted: KubeObject): Comparisons {
  const own = compareIn(write.version);
  let made: Map<string, Comparison | undefined> | undefined;
  function compareIn(version: ObjectVersion): Comparison {
    const { type, ignored } = version;
    const { changed, removed } = compare(type, version.fromStored(live), version.fromStored(wanted));
    return { changed: differenceBelow(changed, ignored), removed: differenceBelow(removed, ignored) };
  }
  return {
    own,
    in(apiVersion) {
      if (apiVersion === write.version.apiVersion) return own;
      made ??= new Map();
      if (!made.has(apiVersion)) {
        const version = write.versionOf(apiVersion);
        made.set(apiVersion, version && compareIn(version));
      }
      return made.get(apiVersion);
    },
  };
}
