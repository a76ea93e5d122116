// The words that reconcile functions use to say what is to be done. Each only builds a value.

import type { KindOf, KubeObject, Secret, ServiceAccount, Stored } from '../api/index.ts';
import type { ObjectName, PatchType } from '../client/index.ts';
import type {
  Action,
  Announcement,
  BatchAction,
  CreateAction,
  DeleteAction,
  DeleteAllAction,
  EnqueueAction,
  EventAction,
  EventText,
  IssueTokenAction,
  LaterAction,
  PatchAction,
  UpdateAction,
} from './controller.ts';

export function create<T extends KubeObject>(kind: KindOf<T>, object: T, event?: Announcement): CreateAction {
  return { do: 'create', kind, object, ...(event === undefined ? {} : { event }) };
}

export function update<T extends KubeObject>(kind: KindOf<T>, object: Stored<T>, event?: Announcement): UpdateAction {
  return { do: 'update', kind, object, ...(event === undefined ? {} : { event }) };
}

/** PUT to a subresource: `status`, `approval`, `finalize`. */
export function updateSubresource<T extends KubeObject>(
  kind: KindOf<T>,
  subresource: string,
  object: Stored<T>,
): UpdateAction {
  return { do: 'update', kind, object, subresource };
}

export function patch<T extends KubeObject>(
  kind: KindOf<T>,
  object: Stored<T>,
  body: unknown,
  more: { readonly type?: PatchType } & Pick<PatchAction, 'subresource' | 'onlyWhileAlive' | 'event'> = {},
): PatchAction {
  return { do: 'patch', kind, at: nameOf(object), type: 'merge', body, ...more };
}

export function remove<T extends KubeObject>(
  kind: KindOf<T>,
  object: Stored<T>,
  more: Pick<DeleteAction, 'options' | 'unchanged' | 'event'> = {},
): DeleteAction {
  return { do: 'delete', kind, object, ...more };
}

export function removeAll<T extends KubeObject>(kind: KindOf<T>, namespace: string): DeleteAllAction {
  return { do: 'deleteAll', kind, namespace };
}

export function issueToken(account: Stored<ServiceAccount>, secret: Stored<Secret>): IssueTokenAction {
  return { do: 'issueToken', account, secret };
}

export function announce(about: KubeObject, text: EventText): EventAction {
  return { do: 'event', about, ...text };
}

export function later(ms: number): LaterAction {
  return { do: 'later', ms };
}

export function enqueue(keys: readonly string[]): EnqueueAction {
  return { do: 'enqueue', keys };
}

export function batch(actions: readonly Action[]): BatchAction {
  return { do: 'batch', actions };
}

function nameOf(object: Stored<KubeObject>): ObjectName {
  return { namespace: object.metadata.namespace, name: object.metadata.name };
}
