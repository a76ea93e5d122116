// garbage-collector: objects whose owners are gone go too. The graph is not built: an index by owner uid over every kind
// answers "who depends on this", and the caches answer "does this owner exist", so each object decides for itself.
//
//   background   the owner is deleted at once; its dependents then find no owner and delete themselves
//   foreground   finalizer foregroundDeletion: the owner waits until dependents with blockOwnerDeletion are gone
//   orphan       finalizer orphan: dependents lose their reference first, then the owner goes
//
// An owner that a cache does not show is looked up live before anything is deleted. A reference never crosses namespaces:
// an owner is looked for in the dependent's own namespace, and a cluster-scoped object with a namespaced owner is never
// collected. Source: "Garbage Collection" in the Kubernetes documentation.

import type { KindSpec, KubeObject, OwnerReference, Stored } from '../api/index.ts';
import { ApiStatusError, keyOf } from '../client/index.ts';
import { announce, enqueue, patch, remove } from './actions.ts';
import {
  type Action,
  type Change,
  type Controller,
  type Index,
  needs,
  type View,
  type Watch,
  type World,
  watch,
} from './controller.ts';
import { isSame } from './equality.ts';
import { withoutOwners } from './ownership.ts';
import { kindOfOwner, ownableKinds } from './stored-kinds.ts';

const foregroundFinalizer = 'foregroundDeletion';
const orphanFinalizer = 'orphan';

const indexes = ownableKinds.map(byOwner);

function byOwner(kind: KindSpec): Index<KubeObject> {
  return { kind, name: 'owner', valuesOf: ({ metadata }) => (metadata.ownerReferences ?? []).map(({ uid }) => uid) };
}

export const garbageCollector: Controller = {
  name: 'garbage-collector-controller',
  parallel: 20,
  indexes: indexes.map((index) => needs(index)),
  watches: ownableKinds.map(watchKind),
  ofCustomKind: (kind) => ({ watch: watchCustomKind(kind), index: byOwner(kind) }),
  async reconcile(key, world) {
    const [kindId, objectKey] = splitId(key);
    const kind = [...ownableKinds, ...world.view.customKinds()].find((one) => idOf(one) === kindId);
    const object = kind === undefined ? undefined : world.view.get<KubeObject>(kind, objectKey);
    if (kind === undefined || object === undefined) return [];
    const item: Item = { kind, object };
    const dependents = dependentsOf(object, world.view);
    if (object.metadata.deletionTimestamp !== undefined) return finishDeletion(item, dependents);
    const owners = await Promise.all((object.metadata.ownerReferences ?? []).map((owner) => look(item, owner, world)));
    return collect(item, owners, dependents);
  },
};

/** An object with its kind. */
export interface Item {
  readonly kind: KindSpec;
  readonly object: Stored<KubeObject>;
}

export interface OwnerState {
  readonly uid: string;
  /** waiting: it is deleted in the foreground, and waits for this object; invalid: it can never own this object. */
  readonly state: 'solid' | 'absent' | 'waiting' | 'unknown kind' | 'invalid';
}

function idOf({ group, plural }: KindSpec): string {
  return `${plural}.${group}`;
}

function idFor({ kind, object }: Item): string {
  return `${idOf(kind)} ${keyOf(object)}`;
}

function splitId(id: string): readonly [string, string] {
  const space = id.indexOf(' ');
  return [id.slice(0, space), id.slice(space + 1)];
}

function watchKind(kind: KindSpec): Watch {
  return watch<KubeObject>(kind, (object, view, change) => keysOf({ kind, object }, view, change));
}

/** Objects that were seen before their owners' kind was known are looked at again. */
function watchCustomKind(kind: KindSpec): Watch {
  const watched = watchKind(kind);
  const isOwner = (owner: OwnerReference): boolean => kindOfOwner(owner, [kind]) === kind;
  return {
    kind,
    attach(source, view, enqueue) {
      watched.attach(source, view, enqueue);
      for (const one of [...ownableKinds, ...view.customKinds()]) {
        for (const object of view.list<KubeObject>(one)) {
          if (object.metadata.ownerReferences?.some(isOwner) === true) enqueue(idFor({ kind: one, object }));
        }
      }
    },
  };
}

function keysOf(item: Item, view: View, { type, object, previous }: Change<KubeObject>): readonly string[] {
  const owners = item.object.metadata.ownerReferences ?? [];
  const referencesChanged = !isSame(previous?.metadata.ownerReferences, object.metadata.ownerReferences);
  const ownerKeys =
    type === 'deleted' || (type === 'updated' && referencesChanged) ? keysOfOwners(item, owners, view) : [];
  if (type === 'deleted') return [...ownerKeys, ...dependentsOf(item.object, view).map(idFor)];
  const isFinishing = isWaiting(item.object) || hasFinalizer(item.object, orphanFinalizer);
  const isToBeChecked = owners.length > 0 && (type === 'added' || referencesChanged);
  return isFinishing || isToBeChecked ? [idFor(item), ...ownerKeys] : ownerKeys;
}

/** Owners that may have waited for this object. */
function keysOfOwners({ object }: Item, owners: readonly OwnerReference[], view: View): readonly string[] {
  return owners.flatMap((owner) => {
    const kind = kindOfOwner(owner, view.customKinds());
    return kind === undefined ? [] : [`${idOf(kind)} ${ownerKey(kind, owner, object)}`];
  });
}

function ownerKey(kind: KindSpec, owner: OwnerReference, dependent: KubeObject): string {
  return kind.namespaced ? `${dependent.metadata?.namespace}/${owner.name}` : owner.name;
}

function dependentsOf(owner: Stored<KubeObject>, view: View): readonly Item[] {
  return [...indexes, ...view.customKinds().map(byOwner)].flatMap((index) =>
    view.byIndex(index, owner.metadata.uid).map((object) => ({ kind: index.kind, object })),
  );
}

function hasFinalizer({ metadata }: KubeObject, name: string): boolean {
  return metadata?.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(name);
}

/** It is being deleted in the foreground. */
function isWaiting(object: KubeObject): boolean {
  return hasFinalizer(object, foregroundFinalizer);
}

async function look({ kind, object }: Item, owner: OwnerReference, { view, live }: World): Promise<OwnerState> {
  const { uid, name } = owner;
  const ownerKind = kindOfOwner(owner, view.customKinds());
  if (view.wasDeleted(uid)) return { uid, state: 'absent' };
  if (ownerKind === undefined) return { uid, state: 'unknown kind' };
  if (ownerKind.namespaced && !kind.namespaced) return { uid, state: 'invalid' };
  const cached = view.get<KubeObject>(ownerKind, ownerKey(ownerKind, owner, object));
  if (cached?.metadata.uid === uid) return { uid, state: isWaiting(cached) ? 'waiting' : 'solid' };
  const namespace = ownerKind.namespaced ? object.metadata.namespace : undefined;
  try {
    const found = await live.get<KubeObject>(ownerKind, { namespace, name });
    if (found.metadata.uid !== uid) return { uid, state: 'absent' };
    return { uid, state: isWaiting(found) ? 'waiting' : 'solid' };
  } catch (error) {
    if (error instanceof ApiStatusError && error.reason === 'NotFound') return { uid, state: 'absent' };
    throw error;
  }
}

/** For an object that is not being deleted. */
export function collect(item: Item, owners: readonly OwnerState[], dependents: readonly Item[]): readonly Action[] {
  const { kind, object } = item;
  if (owners.length === 0) return [];
  if (owners.some(({ state }) => state === 'invalid')) return [refuse(object)];
  const gone = owners.filter(({ state }) => state === 'absent' || state === 'waiting');
  if (gone.length === 0) return [];
  if (gone.length < owners.length) {
    return [patch<KubeObject>(kind, object, withoutOwners(object, new Set(gone.map(({ uid }) => uid))))];
  }
  const isWaitedFor = gone.some(({ state }) => state === 'waiting');
  const propagationPolicy = isWaitedFor && dependents.length > 0 ? 'Foreground' : 'Background';
  // A dependent that is itself deleted in the foreground and waits for this one would make a circle.
  const circle = isWaitedFor && dependents.some((dependent) => isWaiting(dependent.object));
  return [
    ...(circle ? [unblock(item)] : []),
    remove<KubeObject>(kind, object, { options: { propagationPolicy }, ...(circle ? {} : { unchanged: true }) }),
  ];
}

function refuse(object: Stored<KubeObject>): Action {
  return announce(object, {
    type: 'Warning',
    reason: 'OwnerRefInvalidNamespace',
    message: 'A cluster-scoped object cannot have an owner in a namespace; the reference is ignored',
  });
}

function unblock({ kind, object }: Item): Action {
  const { ownerReferences = [], resourceVersion } = object.metadata;
  const unblocking = ownerReferences.map((owner) => ({ ...owner, blockOwnerDeletion: false }));
  return patch<KubeObject>(kind, object, { metadata: { resourceVersion, ownerReferences: unblocking } });
}

/** For an object that is being deleted: what its finalizers of garbage collection wait for. */
export function finishDeletion(item: Item, dependents: readonly Item[]): readonly Action[] {
  const { object } = item;
  if (hasFinalizer(object, orphanFinalizer)) {
    const orphans = dependents.map((dependent) =>
      patch<KubeObject>(
        dependent.kind,
        dependent.object,
        withoutOwners(dependent.object, new Set([object.metadata.uid])),
      ),
    );
    return [...orphans, dropFinalizer(item, orphanFinalizer)];
  }
  if (!isWaiting(object)) return [];
  const blocking = dependents.filter((dependent) => blocks(dependent.object, object));
  if (blocking.length === 0) return [dropFinalizer(item, foregroundFinalizer)];
  const untouched = blocking.filter((dependent) => dependent.object.metadata.deletionTimestamp === undefined);
  return untouched.length === 0 ? [] : [enqueue(untouched.map(idFor))];
}

function blocks(dependent: KubeObject, owner: Stored<KubeObject>): boolean {
  const reference = dependent.metadata?.ownerReferences?.find(({ uid }) => uid === owner.metadata.uid);
  return reference?.blockOwnerDeletion === true;
}

function dropFinalizer({ kind, object }: Item, name: string): Action {
  const { finalizers = [], resourceVersion } = object.metadata;
  const left = finalizers.filter((finalizer) => finalizer !== name);
  return patch<KubeObject>(kind, object, {
    metadata: { resourceVersion, finalizers: left.length === 0 ? null : left },
  });
}
