// What a controller is: a name, what it watches, and a pure function from what is to a list of actions.
//
// The function reads objects through View and never writes: actions are values, and the one runner (runner.ts) carries
// them out, retries and logs. Level-driven: a key names what to look at, never what happened to it, so a lost or repeated
// event changes nothing. The alternative, controllers that call the API themselves, was refused: each would need its own
// retries, its own guard against slow watches, and a server to be tested.

import type { KindOf, KindSpec, KubeObject, Secret, ServiceAccount, Stored } from '../api/index.ts';
import type { ApiClient, DeleteOptions, ObjectKey, ObjectName, PatchType } from '../client/index.ts';
import type { ControllerOptions } from './options.ts';

/** A named way to find objects of one kind; the informer keeps it up to date. */
export interface Index<T extends KubeObject> {
  readonly kind: KindOf<T>;
  /** Unique among the indexes of its kind. */
  readonly name: string;
  readonly valuesOf: (object: Stored<T>) => readonly string[];
}

/** The cluster as informer caches show it, with this process's own latest writes laid over (view.ts). Never change an object. */
export interface View {
  get<T extends KubeObject>(kind: KindOf<T>, key: ObjectKey): Stored<T> | undefined;
  list<T extends KubeObject>(kind: KindOf<T>, namespace?: string): readonly Stored<T>[];
  byIndex<T extends KubeObject>(index: Index<T>, value: string): readonly Stored<T>[];
  /** Kinds that CustomResourceDefinitions add at present; read like any other by controllers with `ofCustomKind`. */
  customKinds(): readonly KindSpec[];
  /** An informer showed the deletion of the object with this uid, lately; uids are never used again. */
  wasDeleted(uid: string): boolean;
}

/** Everything a reconcile function may look at. */
export interface World {
  readonly view: View;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly options: ControllerOptions;
  /** Why the actions of the last look at this key were not all carried out; undefined when they were. */
  readonly failure: Failure | undefined;
  /** Since when (ms since the epoch, own clock) `slot` has had `value`. Judges heartbeats without trusting anyone's clock. */
  readonly unchangedSince: (slot: string, value: string) => number;
  /** Reads past the caches, for the few decisions that must not rest on a late watch. */
  readonly live: LiveReader;
}

export type LiveReader = Pick<ApiClient, 'get' | 'list'>;

export interface Failure {
  readonly action: Action['do'];
  /** Upstream's Status reason, or `Error` when there was no answer. */
  readonly reason: string;
  readonly message: string;
}

export interface EventText {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, as upstream. */
  readonly reason: string;
  readonly message: string;
}

/** What to tell people about an action, once its outcome is known. */
export interface Announcement {
  readonly about: KubeObject;
  readonly done?: (result: KubeObject | undefined) => EventText;
  readonly failed?: (message: string) => EventText;
}

interface Told {
  readonly event?: Announcement;
}

export interface CreateAction extends Told {
  readonly do: 'create';
  readonly kind: KindSpec;
  readonly object: KubeObject;
}

/** PUT of a changed copy; the resourceVersion in it makes a stale one fail. */
export interface UpdateAction extends Told {
  readonly do: 'update';
  readonly kind: KindSpec;
  readonly object: KubeObject;
  readonly subresource?: string;
}

export interface PatchAction extends Told {
  readonly do: 'patch';
  readonly kind: KindSpec;
  readonly at: ObjectName;
  readonly type: PatchType;
  readonly body: unknown;
  readonly subresource?: string;
  /** Read live first: the patch is left out unless this object exists with this uid and is not being deleted. */
  readonly onlyWhileAlive?: { readonly kind: KindSpec; readonly at: ObjectName; readonly uid: string };
}

export interface DeleteAction extends Told {
  readonly do: 'delete';
  readonly kind: KindSpec;
  /** The object as it was seen; its uid is the precondition, so that a successor of the same name is safe. */
  readonly object: Stored<KubeObject>;
  readonly options?: Pick<DeleteOptions, 'gracePeriodSeconds' | 'propagationPolicy'>;
  /** Also fail when the object changed since it was seen. */
  readonly unchanged?: true;
}

/** Deletes all objects of a kind in a namespace with one request. */
export interface DeleteAllAction {
  readonly do: 'deleteAll';
  readonly kind: KindSpec;
  readonly namespace: string;
}

/** Stores `secret` with a new token of `account` in it, which is valid as long as both exist. */
export interface IssueTokenAction {
  readonly do: 'issueToken';
  readonly account: Stored<ServiceAccount>;
  readonly secret: Stored<Secret>;
}

export interface EventAction extends EventText {
  readonly do: 'event';
  readonly about: KubeObject;
}

/** Look at this key again after `ms`. */
export interface LaterAction {
  readonly do: 'later';
  readonly ms: number;
}

/** Look at other keys of the same controller. */
export interface EnqueueAction {
  readonly do: 'enqueue';
  readonly keys: readonly ObjectKey[];
}

/**
 * Independent actions, carried out in batches of 1, 2, 4, 8, …; the first failing batch is the last. One refusal (quota,
 * a bad template) so costs one request and not hundreds.
 */
export interface BatchAction {
  readonly do: 'batch';
  readonly actions: readonly Action[];
}

/** Carried out in order; the first that fails ends the list, and the key comes back after a backoff. */
export type Action =
  | CreateAction
  | UpdateAction
  | PatchAction
  | DeleteAction
  | DeleteAllAction
  | IssueTokenAction
  | EventAction
  | LaterAction
  | EnqueueAction
  | BatchAction;

export interface Change<T extends KubeObject> {
  readonly type: 'added' | 'updated' | 'deleted';
  readonly object: Stored<T>;
  readonly previous: Stored<T> | undefined;
}

/** One kind that a controller watches, and which keys a change of an object concerns. */
export interface Watch {
  readonly kind: KindSpec;
  /** Calls `enqueue` for each key that a change concerns, from now on. */
  attach(source: WatchSource, view: View, enqueue: (key: ObjectKey) => void): void;
}

export interface WatchSource {
  onChange<T extends KubeObject>(kind: KindOf<T>, handler: (change: Change<T>) => void): void;
}

export interface Controller {
  /** As in upstream's kube-controller-manager --controllers. */
  readonly name: string;
  readonly watches: readonly Watch[];
  /** Kinds that are read but whose changes concern no key. */
  readonly reads?: readonly KindSpec[];
  readonly indexes?: readonly { readonly register: (to: IndexTarget) => void }[];
  /** For controllers that look at every kind: what they watch of one that comes at run time. */
  readonly ofCustomKind?: (kind: KindSpec) => CustomWatch;
  readonly reconcile: (key: ObjectKey, world: World) => readonly Action[] | Promise<readonly Action[]>;
  /** Keys looked at at the same time. Default 1: decisions that must see each other's outcome. */
  readonly parallel?: number;
  /** Keys to look at once at the start, for controllers whose key is not an object. */
  readonly initialKeys?: readonly ObjectKey[];
}

export interface CustomWatch {
  readonly watch: Watch;
  readonly index?: Index<KubeObject>;
}

export interface IndexTarget {
  addIndex<T extends KubeObject>(index: Index<T>): void;
}

/** Lets indexes of different kinds stand in one list. */
export function needs<T extends KubeObject>(index: Index<T>): { readonly register: (to: IndexTarget) => void } {
  return { register: (to) => to.addIndex(index) };
}

/** Both the object as it is and as it was before are mapped, so that a changed label concerns the old owner as well. */
export function watch<T extends KubeObject>(
  kind: KindOf<T>,
  keysOf: (object: Stored<T>, view: View, change: Change<T>) => readonly ObjectKey[],
): Watch {
  return {
    kind,
    attach(source, view, enqueue) {
      source.onChange(kind, (change) => {
        const before = change.previous === undefined ? [] : keysOf(change.previous, view, change);
        for (const key of new Set([...before, ...keysOf(change.object, view, change)])) enqueue(key);
      });
    },
  };
}
