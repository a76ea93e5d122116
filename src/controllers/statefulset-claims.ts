// persistentVolumeClaimRetentionPolicy: whether a StatefulSet's claims go when it is deleted or scaled down. Nothing is
// deleted here: the claim gets an owner whose end takes it along, the set (whenDeleted) or the pod that a scale-down
// removes (whenScaled), and the garbage collector does the rest. Retained claims have neither. Source: KEP-1847.

import {
  apiVersionOf,
  kinds,
  type OwnerReference,
  type PersistentVolumeClaim,
  type Pod,
  type StatefulSet,
  type Stored,
} from '../api/index.ts';
import { update } from './actions.ts';
import type { Action } from './controller.ts';
import { isSame } from './equality.ts';
import { claimsOf, ordinalOf, replicasOf, startOf } from './statefulset-pods.ts';

/** @param claimOf the stored claim of this name */
export function ownClaims(
  set: Stored<StatefulSet>,
  pods: readonly Stored<Pod>[],
  claimOf: (name: string) => Stored<PersistentVolumeClaim> | undefined,
): readonly Action[] {
  return pods.flatMap((pod) => {
    const ordinal = ordinalOf(set, pod);
    if (ordinal === undefined) return [];
    return claimsOf(set, ordinal).flatMap(({ metadata }) => {
      const stored = claimOf(metadata?.name ?? '');
      return stored === undefined ? [] : correct(set, pod, stored, ordinal);
    });
  });
}

function correct(
  set: Stored<StatefulSet>,
  pod: Stored<Pod>,
  stored: Stored<PersistentVolumeClaim>,
  ordinal: number,
): readonly Action[] {
  if (stored.metadata.deletionTimestamp !== undefined) return [];
  const current = stored.metadata.ownerReferences ?? [];
  const isMentioned = ({ uid, kind, name }: OwnerReference): boolean =>
    uid === set.metadata.uid || uid === pod.metadata.uid || (kind === 'Pod' && name === pod.metadata.name);
  const owner = ownerFor(set, pod, ordinal);
  const others = current.filter((one) => !isMentioned(one));
  const mentioned = current.filter(isMentioned);
  if (
    isSame(
      mentioned.map(({ uid }) => uid),
      owner === undefined ? [] : [owner.uid],
    )
  )
    return [];
  const { ownerReferences: _replaced, ...metadata } = stored.metadata;
  const next = owner === undefined ? others : [...others, owner];
  const owned = next.length === 0 ? metadata : { ...metadata, ownerReferences: next };
  return [update(kinds.persistentVolumeClaim, { ...stored, metadata: owned })];
}

function ownerFor(set: Stored<StatefulSet>, pod: Stored<Pod>, ordinal: number): OwnerReference | undefined {
  const { whenDeleted = 'Retain', whenScaled = 'Retain' } = set.spec?.persistentVolumeClaimRetentionPolicy ?? {};
  const isCondemned = ordinal < startOf(set) || ordinal >= startOf(set) + replicasOf(set);
  if (whenScaled === 'Delete' && isCondemned) return reference('v1', 'Pod', pod);
  return whenDeleted === 'Delete' ? reference(apiVersionOf(kinds.statefulSet), 'StatefulSet', set) : undefined;
}

function reference(apiVersion: string, kind: string, { metadata }: Stored<object>): OwnerReference {
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true };
}
