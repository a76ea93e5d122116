// How many pods each of a Deployment's ReplicaSets should have. Pure arithmetic on sizes:
//
//   rolling    the new set grows while all sets together stay within replicas + maxSurge; old ones shrink while at least
//              replicas - maxUnavailable pods are available, those that never became available first
//   recreate   old sets go to 0, and only when their pods are gone does the new one grow
//   scaling    spec.replicas changed in the middle of a rollout: every active set grows or shrinks in proportion
//
// Source: the Deployment documentation and upstream's behaviour in k8s.io/kubernetes pkg/controller/deployment.

import { type Deployment, type ReplicaSet, type Stored, scaleIntOrString } from '../api/index.ts';
import { desiredAnnotation, maxAnnotation, oldestFirst, revisionOf } from './deployment-revisions.ts';

export type Sets = readonly Stored<ReplicaSet>[];
/** By uid of the ReplicaSet; sets that are not in it stay as they are. */
export type Sizes = ReadonlyMap<string, number>;

export interface Bounds {
  readonly surge: number;
  readonly unavailable: number;
}

export function sizeOf(set: ReplicaSet | undefined): number {
  return set === undefined ? 0 : (set.spec?.replicas ?? 1);
}

export function total(sets: Sets): number {
  return sets.reduce((sum, set) => sum + sizeOf(set), 0);
}

export function availableIn(sets: Sets): number {
  return sets.reduce((sum, set) => sum + (set.status?.availableReplicas ?? 0), 0);
}

function activeOf(sets: Sets): Sets {
  return sets.filter((set) => sizeOf(set) > 0);
}

export function replicasOf(deployment: Deployment): number {
  return deployment.spec?.replicas ?? 1;
}

/** maxSurge rounds up, maxUnavailable down; both 0 would never move, so then one pod may be unavailable. */
export function boundsOf(deployment: Deployment): Bounds {
  const { type = 'RollingUpdate', rollingUpdate = {} } = deployment.spec?.strategy ?? {};
  if (type !== 'RollingUpdate') return { surge: 0, unavailable: 0 };
  const replicas = replicasOf(deployment);
  const surge = scaleIntOrString(rollingUpdate.maxSurge ?? '25%', replicas, 'up');
  const unavailable = scaleIntOrString(rollingUpdate.maxUnavailable ?? '25%', replicas, 'down');
  const least = surge === 0 && unavailable === 0 ? 1 : unavailable;
  return { surge, unavailable: Math.min(least, replicas) };
}

/** What the new set should have in a rolling update; `current` is what it has (0 when it does not exist yet). */
export function rollingNewSize(deployment: Deployment, current: number, oldSets: Sets): number {
  const wanted = replicasOf(deployment);
  if (current >= wanted) return wanted;
  const room = wanted + boundsOf(deployment).surge - total(oldSets) - current;
  return room <= 0 ? current : current + Math.min(room, wanted - current);
}

/** What the old sets should have, when the new one is at its size for now. */
export function rollingOldSizes(deployment: Deployment, newSet: Stored<ReplicaSet>, oldSets: Sets): Sizes {
  const least = replicasOf(deployment) - boundsOf(deployment).unavailable;
  const newUnavailable = sizeOf(newSet) - (newSet.status?.availableReplicas ?? 0);
  const removable = total(oldSets) + sizeOf(newSet) - least - newUnavailable;
  const sizes = new Map<string, number>();
  if (removable <= 0) return sizes;
  const ordered = oldestFirst(activeOf(oldSets));
  let unhealthy = removable;
  for (const set of ordered) {
    const cut = Math.min(unhealthy, Math.max(0, sizeOf(set) - (set.status?.availableReplicas ?? 0)));
    if (cut > 0) sizes.set(set.metadata.uid, sizeOf(set) - cut);
    unhealthy -= cut;
  }
  let spare = availableIn([...oldSets, newSet]) - least;
  for (const set of ordered) {
    const size = sizes.get(set.metadata.uid) ?? sizeOf(set);
    const cut = Math.min(Math.max(0, spare), size);
    if (cut > 0) sizes.set(set.metadata.uid, size - cut);
    spare -= cut;
  }
  return sizes;
}

export function allToZero(sets: Sets): Sizes {
  return new Map(activeOf(sets).map((set) => [set.metadata.uid, 0]));
}

/** spec.replicas is not what the active sets were sized for. */
export function isScaling(deployment: Deployment, sets: Sets): boolean {
  const wanted = replicasOf(deployment);
  return activeOf(sets).some((set) => {
    const desired = numberIn(set, desiredAnnotation);
    return desired !== undefined && desired !== wanted;
  });
}

/** Sizes after spec.replicas changed, or while the Deployment is paused. Answers for every set that was considered. */
export function scaledSizes(deployment: Deployment, newSet: Stored<ReplicaSet> | undefined, oldSets: Sets): Sizes {
  const all = newSet === undefined ? oldSets : [newSet, ...oldSets];
  const active = activeOf(all);
  const wanted = replicasOf(deployment);
  if (active.length <= 1) {
    const only = active[0] ?? newSet ?? [...oldSets].sort((a, b) => revisionOf(b) - revisionOf(a))[0];
    return new Map(only === undefined ? [] : [[only.metadata.uid, wanted]]);
  }
  if (newSet !== undefined && isSaturated(deployment, newSet)) return allToZero(oldSets);
  if ((deployment.spec?.strategy?.type ?? 'RollingUpdate') !== 'RollingUpdate') return new Map();
  return proportionalSizes(deployment, active);
}

function isSaturated(deployment: Deployment, set: Stored<ReplicaSet>): boolean {
  const wanted = replicasOf(deployment);
  return (
    sizeOf(set) === wanted &&
    numberIn(set, desiredAnnotation) === wanted &&
    (set.status?.availableReplicas ?? 0) === wanted
  );
}

function proportionalSizes(deployment: Deployment, active: Sets): Sizes {
  const wanted = replicasOf(deployment);
  const allowed = wanted === 0 ? 0 : wanted + boundsOf(deployment).surge;
  const toAdd = allowed - total(active);
  // The biggest first; among equals the newest gains first and the oldest loses first.
  const byAge = oldestFirst(active);
  const ordered = (toAdd > 0 ? [...byAge].reverse() : [...byAge]).sort((a, b) => sizeOf(b) - sizeOf(a));
  const sizes = new Map<string, number>();
  let added = 0;
  for (const set of ordered) {
    const share = shareOf(deployment, set, allowed);
    const left = toAdd - added;
    const change = toAdd > 0 ? Math.min(share, left) : toAdd < 0 ? Math.max(share, left) : 0;
    sizes.set(set.metadata.uid, sizeOf(set) + change);
    added += change;
  }
  const [biggest] = ordered;
  if (biggest !== undefined && toAdd !== 0) {
    const { uid } = biggest.metadata;
    sizes.set(uid, Math.max(0, (sizes.get(uid) ?? 0) + toAdd - added));
  }
  return sizes;
}

function shareOf(deployment: Deployment, set: Stored<ReplicaSet>, allowed: number): number {
  if (replicasOf(deployment) === 0) return -sizeOf(set);
  const sizedFor = numberIn(set, maxAnnotation) ?? deployment.status?.replicas ?? 0;
  if (sizedFor === 0) return 0;
  return Math.round((sizeOf(set) * allowed) / sizedFor) - sizeOf(set);
}

function numberIn(set: ReplicaSet, annotation: string): number | undefined {
  const text = set.metadata?.annotations?.[annotation];
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  return Number(text);
}
