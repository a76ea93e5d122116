// Server-side apply: a client says which fields it wants, the server works out the object and who owns what.
//
//   live ──merge── config ──► merged ──prune──► without what this applier named last time and nobody else owns
//                                        └──► compared with live: what others own and would lose are conflicts
//
// Source: KEP-555; structured-merge-diff merge.Updater.Apply; apimachinery managedfields (before-first-apply).

import type { KubeObject } from '../types.ts';
import { sameValue } from './compare.ts';
import { ApplyConflictError, type OwnerConflict } from './conflicts.ts';
import { difference, differenceBelow, emptySet, type FieldSet, intersection, isEmpty, union } from './field-set.ts';
import { fieldSetOf } from './field-set-of.ts';
import { conflictsAllowedByLastApplied, withLastApplied } from './last-applied.ts';
import { type Author, entryOf, isBy, type ManagedFields, sorted, withFields } from './managed-fields.ts';
import { merge } from './merge.ts';
import { afterUpdate, type Comparisons, comparisonsOf, entriesOf, type FieldWrite } from './ownership.ts';
import { heldBy, prune } from './prune.ts';
import { untrackedSet } from './reset-fields.ts';

export interface Applied {
  /** In the client's version, without managedFields; not yet defaulted. Shares parts with what it was made of. */
  readonly object: KubeObject;
  readonly managedFields: readonly ManagedFields[];
}

export interface Application {
  /** In the stored form; undefined when the object does not exist. */
  readonly live: KubeObject | undefined;
  /** In the client's version, checked (see check-config.ts). */
  readonly config: KubeObject;
  readonly force: boolean;
}

const untracked = 'before-first-apply';
/** kubectl goes over from client-side to server-side apply under this name. */
const kubectl = 'kubectl';

/** Throws ApplyConflictError, TypedError. */
export function applyConfiguration(write: FieldWrite, application: Application): Applied {
  if (write.manager !== kubectl) return applyOnce(write, application);
  const applied = applyAsKubectl(write, application);
  return write.subresource === ''
    ? { ...applied, object: withLastApplied(applied.object, application.config) }
    : applied;
}

/** What the client-side annotation says kubectl set before, and is still so, is no conflict. */
function applyAsKubectl(write: FieldWrite, application: Application): Applied {
  try {
    return applyOnce(write, application);
  } catch (error) {
    if (!(error instanceof ApplyConflictError) || application.live === undefined) throw error;
    const { version } = write;
    const allowed = conflictsAllowedByLastApplied(version, version.fromStored(application.live));
    if (allowed === undefined) throw error;
    const left = error.conflicts.flatMap(({ owner, fields }): OwnerConflict[] => {
      const others = difference(fields, allowed);
      return isEmpty(others) ? [] : [{ owner, fields: others }];
    });
    if (left.length > 0) throw new ApplyConflictError(left);
    return applyOnce(write, { ...application, force: true });
  }
}

function applyOnce(write: FieldWrite, { live, config, force }: Application): Applied {
  const { version } = write;
  const author: Author = { ...write, operation: 'Apply', apiVersion: version.apiVersion };
  const bare = withoutManagedFields(live ?? {});
  const entries = firstEntries(write, live);
  const last = entries.find((entry) => isBy(entry, author));
  const named = differenceBelow(fieldSetOf(version.type, config), version.ignored);
  const merged = merge(version.type, version.fromStored(bare), config) as KubeObject;
  const others = entries.filter((entry) => entry !== last);
  const object = last === undefined ? merged : pruned(write, { merged, config, last, others, named });

  const comparisons = comparisonsOf(write, bare, version.toStored(object));
  const kept = keepWhatIsOwned(others, comparisons, force);
  const fields = difference(named, untrackedSet);
  const same = sameValue(version.fromStored(bare), object);
  const unmoved = last !== undefined && same && sameValue(last.fieldsV1, fields);
  const own = entryOf(author, fields, unmoved ? last.time : write.now);
  return { object, managedFields: sorted([...kept, own]) };
}

/** An object that nobody's fields were tracked for belongs to an owner of its own when it is applied to first. */
function firstEntries(write: FieldWrite, live: KubeObject | undefined): readonly ManagedFields[] {
  const entries = entriesOf(live);
  if (live === undefined || entries.length > 0) return entries;
  return afterUpdate({ ...write, manager: untracked }, {}, { wanted: live, entries });
}

function keepWhatIsOwned(
  others: readonly ManagedFields[],
  comparisons: Comparisons,
  force: boolean,
): readonly ManagedFields[] {
  const conflicts: OwnerConflict[] = [];
  const kept = others.flatMap((owner) => {
    const comparison = comparisons.in(owner.apiVersion);
    if (comparison === undefined) return [];
    const fields = intersection(owner.fieldsV1, comparison.changed);
    if (!isEmpty(fields)) conflicts.push({ owner, fields });
    return [withFields(owner, difference(difference(owner.fieldsV1, fields), comparison.removed))];
  });
  if (!force && conflicts.length > 0) throw new ApplyConflictError(conflicts);
  return kept;
}

interface Pruned {
  readonly merged: KubeObject;
  readonly config: KubeObject;
  readonly last: ManagedFields;
  readonly others: readonly ManagedFields[];
  /** What the configuration names, in the client's version. */
  readonly named: FieldSet;
}

/** In the version of the last application, which its set speaks of. */
function pruned({ version, versionOf }: FieldWrite, { merged, config, last, others, named }: Pruned): KubeObject {
  const ownedIn = (apiVersion: string): FieldSet =>
    others.reduce<FieldSet>(
      (all, entry) => (entry.apiVersion === apiVersion ? union(all, entry.fieldsV1) : all),
      emptySet,
    );
  if (last.apiVersion === version.apiVersion) {
    const { type } = version;
    const theirs = ownedIn(last.apiVersion);
    const held = union(theirs, heldBy(type, config));
    return prune(merged, { type, last: last.fieldsV1, owned: union(theirs, named), held }) as KubeObject;
  }
  const before = versionOf(last.apiVersion);
  if (before === undefined) return merged;
  const convert = (object: KubeObject): KubeObject => before.fromStored(version.toStored(object));
  const { type } = before;
  const [theirs, mine] = [ownedIn(last.apiVersion), convert(config)];
  const owned = union(theirs, fieldSetOf(type, mine));
  const held = union(theirs, heldBy(type, mine));
  const left = prune(convert(merged), { type, last: last.fieldsV1, owned, held }) as KubeObject;
  return version.fromStored(before.toStored(left));
}

function withoutManagedFields(object: KubeObject): KubeObject {
  if (object.metadata?.managedFields === undefined) return object;
  const { managedFields: _entries, ...metadata } = object.metadata;
  return { ...object, metadata };
}
