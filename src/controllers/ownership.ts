// Who owns an object: metadata.ownerReferences and the rules for taking over and letting go. An object has at most one
// reference with `controller: true`; only its controller may change it. An object without one that matches a selector is
// adopted; an owned one that stops matching is released. Source: "Owners and Dependents" in the Kubernetes documentation
// and the controllerRef design (adoption must read the owner live, because a cached owner may be gone).

import { apiVersionOf, type KindOf, type KubeObject, type OwnerReference, type Stored } from '../api/index.ts';
import { patch } from './actions.ts';
import type { Action, Index } from './controller.ts';

/** The one owner that controls this object. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find((owner) => owner.controller === true);
}

export function controllerRefTo<T extends KubeObject>(kind: KindOf<T>, owner: Stored<T>): OwnerReference {
  const { name, uid } = owner.metadata;
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** Finds objects by the uid of their controller, and those without one by `orphansOf(namespace)`. */
export function byController<T extends KubeObject>(kind: KindOf<T>): Index<T> {
  return {
    kind,
    name: 'controller',
    valuesOf: (object) => [controllerOf(object)?.uid ?? orphansOf(object.metadata.namespace)],
  };
}

export function orphansOf(namespace: string | undefined): string {
  return `without controller in ${namespace ?? ''}`;
}

export interface Claim<T extends KubeObject> {
  /** What the owner controls, adopted ones included. */
  readonly owned: readonly Stored<T>[];
  /** Patches that adopt and release. */
  readonly actions: readonly Action[];
}

export interface ClaimRequest<Owner extends KubeObject, T extends KubeObject> {
  readonly ownerKind: KindOf<Owner>;
  readonly owner: Stored<Owner>;
  readonly kind: KindOf<T>;
  /** Objects that the owner controls and objects that nobody controls. */
  readonly candidates: readonly Stored<T>[];
  readonly matches: (object: Stored<T>) => boolean;
}

export function claim<Owner extends KubeObject, T extends KubeObject>(request: ClaimRequest<Owner, T>): Claim<T> {
  const { ownerKind, owner, kind, candidates, matches } = request;
  const ownerDeleted = owner.metadata.deletionTimestamp !== undefined;
  const owned: Stored<T>[] = [];
  const actions: Action[] = [];
  for (const object of candidates) {
    const controller = controllerOf(object);
    if (controller === undefined) {
      if (ownerDeleted || object.metadata.deletionTimestamp !== undefined || !matches(object)) continue;
      owned.push(object);
      actions.push(adopt(ownerKind, owner, kind, object));
    } else if (controller.uid === owner.metadata.uid) {
      if (matches(object)) owned.push(object);
      else if (!ownerDeleted) actions.push(release(owner.metadata.uid, kind, object));
    }
  }
  return { owned, actions };
}

function adopt<Owner extends KubeObject, T extends KubeObject>(
  ownerKind: KindOf<Owner>,
  owner: Stored<Owner>,
  kind: KindOf<T>,
  object: Stored<T>,
): Action {
  const { namespace, name, uid } = owner.metadata;
  const ownerReferences = [...(object.metadata.ownerReferences ?? []), controllerRefTo(ownerKind, owner)];
  return patch(
    kind,
    object,
    { metadata: { uid: object.metadata.uid, resourceVersion: object.metadata.resourceVersion, ownerReferences } },
    { onlyWhileAlive: { kind: ownerKind, at: { namespace, name }, uid } },
  );
}

/** A merge patch that takes the references to `ownerUids` away; the resourceVersion guards those that others add. */
export function withoutOwners(object: Stored<KubeObject>, ownerUids: ReadonlySet<string>): unknown {
  const { uid, resourceVersion, ownerReferences = [] } = object.metadata;
  const kept = ownerReferences.filter((owner) => !ownerUids.has(owner.uid));
  return { metadata: { uid, resourceVersion, ownerReferences: kept.length === 0 ? null : kept } };
}

function release<T extends KubeObject>(ownerUid: string, kind: KindOf<T>, object: Stored<T>): Action {
  return patch(kind, object, withoutOwners(object, new Set([ownerUid])));
}
