// Carries out what the controllers decide: one work queue a controller, fed by its watches; each key's actions in order;
// every outcome assumed in the view; refusals announced as events, logged, and tried again after a growing delay.
//
// Which refusals are no failure is decided here once, for all controllers:
//   delete → NotFound, or Conflict on the uid   the object that was meant is gone
//   update, patch → NotFound                     the same; the watch will say so
//   create → namespace is being terminated       nothing may be created there any more
//   update, patch, delete → Conflict             somebody was faster; look again, quietly

import { type KindSpec, type KubeObject, kinds, pathOf, type Stored, type TokenRequest } from '../api/index.ts';
import { type Clock, type Logger, messageOf } from '../base/index.ts';
import { type ApiClient, ApiStatusError, createWorkQueue, type ObjectKey, type WorkQueue } from '../client/index.ts';
import type {
  Action,
  Controller,
  DeleteAllAction,
  EventText,
  Failure,
  IssueTokenAction,
  PatchAction,
  World,
} from './controller.ts';
import type { ControllerOptions } from './options.ts';
import type { AssumingView } from './view.ts';

/** Where events go; createEventRecorder of src/client is one. Must not throw or block. */
export interface EventSink {
  event(about: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void;
}

export interface RunnerDeps {
  readonly client: ApiClient;
  readonly view: AssumingView;
  readonly recorder: EventSink;
  readonly options: ControllerOptions;
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface Runner {
  /** Works until `signal` aborts; resolves when the last key in hand is finished. */
  run(signal: AbortSignal): Promise<void>;
}

/** Node's timers overflow past 2^31 ms; a key that waits longer is looked at once a day. */
const longestTimer = 24 * 3_600_000;
const firstRetry = 5;
const longestRetry = 60_000;
/** After a conflict the watch is most often about to show the newer version: no log line, no growing delay, ms. */
const conflictPause = 50;
/** What unchangedSince remembers for one controller. */
const mostSlots = 200_000;

/** Declares the controller's kinds to the view and connects its watches; call before the informers start. */
export function createRunner(controller: Controller, deps: RunnerDeps): Runner {
  const { view, clock } = deps;
  const logger = deps.logger.with({ controller: controller.name });
  const failures = new Map<ObjectKey, Failure>();
  const slots = new Map<string, { readonly value: string; readonly since: number }>();
  const queue = createWorkQueue({
    name: controller.name,
    work,
    parallel: controller.parallel ?? 1,
    initialDelay: firstRetry,
    maxDelay: longestRetry,
    logger,
    clock,
  });
  for (const { kind } of controller.watches) view.use(kind);
  for (const kind of controller.reads ?? []) view.use(kind);
  for (const index of controller.indexes ?? []) index.register(view);
  for (const watch of controller.watches) watch.attach(view, view, (key) => queue.add(key));
  const { ofCustomKind } = controller;
  if (ofCustomKind !== undefined) {
    view.onCustomKind((kind) => {
      const { watch, index } = ofCustomKind(kind);
      if (index !== undefined) view.addIndex(index);
      watch.attach(view, view, (key) => queue.add(key));
    });
  }

  return {
    run(signal) {
      for (const key of controller.initialKeys ?? []) queue.add(key);
      return queue.run(signal);
    },
  };

  async function work(key: ObjectKey, signal: AbortSignal): Promise<void> {
    const world: World = {
      view,
      now: clock.now(),
      options: deps.options,
      failure: failures.get(key),
      unchangedSince,
      live: deps.client,
    };
    const actions = await controller.reconcile(key, world);
    try {
      for (const action of actions) await perform(action, { ...deps, key, queue, signal });
      failures.delete(key);
    } catch (error) {
      if (signal.aborted) throw error;
      if (!(error instanceof Refused)) throw error;
      if (error.failure.reason === 'Conflict') {
        logger.debug('somebody was faster, looking again', { key, error: error.message });
        return queue.addAfter(key, conflictPause);
      }
      failures.set(key, error.failure);
      throw error;
    }
  }

  function unchangedSince(slot: string, value: string): number {
    const held = slots.get(slot);
    const now = clock.now();
    const since = held?.value === value ? held.since : now;
    slots.delete(slot);
    slots.set(slot, { value, since });
    // The slot that was asked for longest ago; of objects that exist there are fewer.
    const [oldest] = slots.keys();
    if (slots.size > mostSlots && oldest !== undefined) slots.delete(oldest);
    return since;
  }
}

interface Performing extends RunnerDeps {
  readonly key: ObjectKey;
  readonly queue: WorkQueue;
  readonly signal: AbortSignal;
}

/** An action that was not carried out. */
class Refused extends Error {
  readonly failure: Failure;
  constructor(action: Action, cause: unknown) {
    const kind = 'kind' in action ? ` ${action.kind.kind}` : '';
    super(`${action.do}${kind}: ${messageOf(cause)}`, { cause });
    const reason = cause instanceof ApiStatusError ? cause.reason : 'Error';
    this.failure = { action: action.do, reason, message: messageOf(cause) };
  }
}

async function perform(action: Action, on: Performing): Promise<void> {
  switch (action.do) {
    case 'later':
      return on.queue.addAfter(on.key, Math.min(Math.max(action.ms, 1), longestTimer));
    case 'enqueue':
      for (const key of action.keys) on.queue.add(key);
      return;
    case 'event':
      return on.recorder.event(action.about, action.type, action.reason, action.message);
    case 'batch':
      return await slowStart(action.actions, (one) => perform(one, on));
    default:
      return await performWrite(action, on);
  }
}

function writtenKind(action: Exclude<WriteAction, DeleteAllAction>): KindSpec {
  return action.do === 'issueToken' ? kinds.secret : action.kind;
}

type WriteAction = Exclude<Action, { do: 'later' | 'enqueue' | 'event' | 'batch' }>;

async function performWrite(action: WriteAction, on: Performing): Promise<void> {
  const event = 'event' in action ? action.event : undefined;
  const tell = (text: EventText | undefined): void => {
    if (text !== undefined && event !== undefined) on.recorder.event(event.about, text.type, text.reason, text.message);
  };
  try {
    const result = await write(action, on);
    if (result === 'left out') return;
    // A Scale is not the object that it scales.
    const isScale = action.do === 'update' && action.subresource === 'scale';
    if (result !== undefined && action.do !== 'deleteAll' && !isScale) on.view.assume(writtenKind(action), result);
    if (action.do === 'delete') on.view.assumeDeleted(action.kind, action.object);
    tell(event?.done?.(result));
  } catch (error) {
    if (on.signal.aborted) throw error;
    if (isHarmless(action, error)) return;
    tell(event?.failed?.(messageOf(error)));
    throw new Refused(action, error);
  }
}

async function write(
  action: WriteAction,
  { client, signal }: Performing,
): Promise<Stored<KubeObject> | undefined | 'left out'> {
  switch (action.do) {
    case 'create':
      return await client.create<KubeObject>(action.kind, action.object, { signal });
    case 'update': {
      const { subresource } = action;
      return await client.update<KubeObject>(action.kind, action.object, {
        signal,
        ...(subresource === undefined ? {} : { subresource }),
      });
    }
    case 'patch': {
      if (!(await isOwnerAlive(action.onlyWhileAlive, client))) return 'left out';
      const { kind, at, type, body, subresource } = action;
      return await client.patch<KubeObject>(kind, at, type, body, {
        signal,
        ...(subresource === undefined ? {} : { subresource }),
      });
    }
    case 'delete': {
      const { uid, resourceVersion, namespace, name } = action.object.metadata;
      const preconditions = action.unchanged === true ? { uid, resourceVersion } : { uid };
      await client.delete<KubeObject>(action.kind, { namespace, name }, { ...action.options, preconditions, signal });
      return undefined;
    }
    case 'issueToken':
      return await storeToken(action, client, signal);
    case 'deleteAll':
      await deleteCollection(action, client, signal);
      return undefined;
  }
}

/** The API server allows 2^32 s at most: as long as the Secret, for all purposes. */
const tokenSeconds = 2 ** 32;

async function storeToken(
  { account, secret }: IssueTokenAction,
  client: ApiClient,
  signal: AbortSignal,
): Promise<Stored<KubeObject>> {
  const { name, uid } = secret.metadata;
  const body: TokenRequest = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {
      audiences: [],
      expirationSeconds: tokenSeconds,
      boundObjectRef: { apiVersion: 'v1', kind: 'Secret', name, uid },
    },
  };
  const { status } = await client.post<TokenRequest, TokenRequest>(
    kinds.serviceAccount,
    { namespace: account.metadata.namespace, name: account.metadata.name },
    'token',
    body,
    signal,
  );
  const token = Buffer.from(status?.token ?? '').toString('base64');
  return await client.update<KubeObject>(
    kinds.secret,
    { ...secret, data: { ...secret.data, token } } as Stored<KubeObject>,
    { signal },
  );
}

async function deleteCollection(action: DeleteAllAction, client: ApiClient, signal: AbortSignal): Promise<void> {
  const path = pathOf(action.kind, { namespace: action.namespace });
  const { status, body } = await client.raw('DELETE', path, undefined, { signal });
  if (status >= 300) throw new Error(`DELETE ${path} was answered ${status}: ${body.toString().slice(0, 500)}`);
}

async function isOwnerAlive(owner: PatchAction['onlyWhileAlive'], client: ApiClient): Promise<boolean> {
  if (owner === undefined) return true;
  try {
    const { metadata } = await client.get<KubeObject>(owner.kind, owner.at);
    return metadata.uid === owner.uid && metadata.deletionTimestamp === undefined;
  } catch (error) {
    if (error instanceof ApiStatusError && error.reason === 'NotFound') return false;
    throw error;
  }
}

function isHarmless(action: WriteAction, error: unknown): boolean {
  if (!(error instanceof ApiStatusError)) return false;
  if (error.reason === 'NotFound') return action.do !== 'create';
  if (action.do === 'delete') return error.reason === 'Conflict' && action.unchanged !== true;
  return action.do === 'create' && isNamespaceTerminating(error);
}

/** The API server refuses creations in a terminating namespace with 403 and this cause. */
function isNamespaceTerminating({ details }: ApiStatusError): boolean {
  if (typeof details !== 'object' || details === null || !('causes' in details) || !Array.isArray(details.causes)) {
    return false;
  }
  return details.causes.some((cause: { readonly reason?: string }) => cause.reason === 'NamespaceTerminating');
}

/** Batches of 1, 2, 4, 8, …, each batch side by side; throws the first failure of a batch once all of it has ended. */
async function slowStart(actions: readonly Action[], carryOut: (action: Action) => Promise<void>): Promise<void> {
  let from = 0;
  for (let size = 1; from < actions.length; size *= 2) {
    const outcomes = await Promise.allSettled(actions.slice(from, from + size).map(carryOut));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    from += size;
  }
}
