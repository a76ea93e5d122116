// CREATE, UPDATE, PATCH and DELETE of stored objects.
//
//   newest state ──► change ──► admission mutates ──► strategy, metadata ──► validation ──► admission judges ──► store (CAS)
//        ▲                                                                                                        │ lost
//        └───────────────────────────────────── unless the client gave a resourceVersion ◄───────────────────────┘
//
// The newest state includes writes that are on their way to the disk, so concurrent writers of one object follow each other
// without conflicts. The answer is what the store committed, byte for byte.

import type { KubeObject, ObjectMeta, Status } from '../../api/index.ts';
import { type Clock, systemClock } from '../../base/index.ts';
import type { Entry, Store, Value } from '../../store/index.ts';
import { isSame, type Layout, stamped, unstamped, type WatchCache } from '../cache/index.ts';
import type { UserInfo } from '../contracts.ts';
import { alreadyExists, conflict, invalid, modified, notFound, type Subject } from '../http/status-body.ts';
import type { AdmissionChain } from './admission-chain.ts';
import { type DeleteOptions, planDeletion, timestampOf } from './deletion.ts';
import { type FieldManagement, isSameButTimes } from './field-management.ts';
import {
  addressExisting,
  addressNew,
  checkUid,
  generatedName,
  isReleased,
  newMetadata,
  requireName,
  updatedMetadata,
  withDistinctOwners,
  withGeneration,
} from './metadata.ts';
import type { Resource } from './resource.ts';
import { validateChange, validateNew } from './schema.ts';
import type { ServiceAllocator } from './service-allocation.ts';
import { type StrategyContext, withoutStatus } from './strategy.ts';
import { combine } from './subresource-fields.ts';

export interface WriteRequest {
  readonly user: UserInfo;
  readonly namespace: string | undefined;
  readonly name: string;
  /** '' for the object itself. */
  readonly subresource: string;
  readonly dryRun: boolean;
  /** Whom changed fields will belong to; absent: the API server itself. */
  readonly manager?: string;
  readonly warn?: (message: string) => void;
  readonly annotate?: (key: string, value: string) => void;
}

export interface Written {
  readonly status: 200 | 201;
  /** The object in its stored form; undefined when it is gone and only a Status is to be told. */
  readonly bytes: Buffer | undefined;
  readonly details?: NonNullable<Status['details']>;
}

/** Makes the wanted object from the stored one, which it may not change. May be called again after a lost race. */
export type Change = (old: KubeObject, bytes: Buffer) => KubeObject;

export interface Writer {
  /** `object` is defaulted and belongs to the callee. */
  create(resource: Resource, request: WriteRequest, object: KubeObject): Promise<Written>;
  update(resource: Resource, request: WriteRequest, change: Change, mode?: UpdateMode): Promise<Written>;
  remove(resource: Resource, request: WriteRequest, options: DeleteOptions): Promise<Written>;
}

export interface UpdateMode {
  /** What PUT creates when the name does not exist and the kind allows it. */
  readonly createFrom?: KubeObject;
  /** A resourceVersion in the changed object that is the stored one says nothing (patches). */
  readonly isPatch?: true;
  /** Makes the object when there is none; what this and the change make has its managedFields worked out (apply). */
  readonly applied?: () => KubeObject;
}

export interface WriterOptions {
  readonly store: Store;
  readonly cache: WatchCache;
  readonly admission: AdmissionChain;
  readonly services: ServiceAllocator;
  readonly fields: FieldManagement;
  readonly clock?: Clock;
}

const attemptsMax = 100;
const generateAttempts = 8;

export function createWriter(options: WriterOptions): Writer {
  const { store, cache, admission, services, fields, clock = systemClock } = options;

  let second = { at: -1, text: '' };
  const timestamp = (): string => {
    const at = Math.floor(clock.now() / 1000);
    if (at !== second.at) second = { at, text: timestampOf(at * 1000) };
    return second.text;
  };

  const contextFor = (request: WriteRequest, undo: (() => void)[]): StrategyContext => ({
    user: request.user,
    dryRun: request.dryRun,
    services,
    now: timestamp(),
    onDone: (handler) => void undo.push(handler),
  });

  async function create(resource: Resource, request: WriteRequest, object: KubeObject): Promise<Written> {
    const kind = resource.stored;
    let addressed = withDistinctOwners(addressNew(object, kind, request.namespace), request.warn);
    requireName(addressed, kind);
    const generates = (object.metadata?.name ?? '') === '';
    for (let attempt = 1; ; attempt += 1) {
      const tracked = fields.track(resource, { ...request, now: timestamp() }, { old: undefined, wanted: addressed });
      const written = await tryCreate(resource, request, tracked);
      if (written !== undefined) return written;
      const name = addressed.metadata?.name ?? '';
      if (!generates || attempt >= generateAttempts) throw alreadyExists(kind, name);
      const again = generatedName(addressed.metadata?.generateName ?? '');
      addressed = { ...addressed, metadata: { ...addressed.metadata, name: again } };
    }
  }

  /** undefined: the name is taken. */
  async function tryCreate(
    resource: Resource,
    request: WriteRequest,
    object: KubeObject,
  ): Promise<Written | undefined> {
    const { stored: kind, spec: requested, strategy } = resource;
    const name = object.metadata?.name ?? '';
    const unstored: (() => Promise<void>)[] = [];
    const onNotStored = (handler: () => Promise<void>): void => void unstored.push(handler);
    const judged = {
      ...request,
      kind,
      requested,
      name,
      operation: 'CREATE',
      oldObject: undefined,
      onNotStored,
    } as const;
    const mutated = admission.mutate({ ...judged, object });
    const admitted = mutated instanceof Promise ? await mutated : mutated;
    const undo: (() => void)[] = [];
    const context = contextFor(request, undo);
    try {
      const metadata = newMetadata(admitted.metadata ?? {}, kind, context.now);
      const bare = { ...admitted, metadata };
      const started = strategy.keepsStatus === true ? bare : withoutStatus(bare, kind);
      const prepared = strategy.create?.(started, context) ?? started;
      validateNew(resource.judged, prepared);
      const verdict = admission.validate({ ...judged, object: prepared });
      if (verdict instanceof Promise) await verdict;
      const key = resource.keyOf(request.namespace, name);
      const layout = resource.layOut(prepared);
      if (request.dryRun) {
        return (await store.newest(key)) === undefined ? { status: 201, bytes: stamped(layout, '') } : undefined;
      }
      const result = await store.write({ op: 'put', key, value: layout, expect: 0 });
      if (!result.ok) return undefined;
      unstored.length = 0;
      return { status: 201, bytes: bufferOf(result.entry) };
    } finally {
      for (const handler of undo) handler();
      if (unstored.length > 0) await Promise.all(unstored.map((handler) => handler()));
    }
  }

  async function update(
    resource: Resource,
    request: WriteRequest,
    change: Change,
    mode: UpdateMode = {},
  ): Promise<Written> {
    const { stored: kind, strategy } = resource;
    const key = resource.keyOf(request.namespace, request.name);
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const found = store.newest(key);
      const entry = found instanceof Promise ? await found : found;
      if (entry === undefined) {
        if (mode.applied !== undefined) {
          const written = await tryCreate(resource, request, addressExisting(mode.applied(), kind, request));
          if (written !== undefined) return written;
          continue;
        }
        if (mode.createFrom === undefined || strategy.createOnUpdate !== true) throw notFound(kind, request.name);
        return create(resource, request, addressExisting(mode.createFrom, kind, request));
      }
      const bytes = bufferOf(entry);
      const old = parsedOf(resource, entry, bytes);
      const changed = change(old, bytes);
      const wanted = changed === old ? old : withDistinctOwners(addressExisting(changed, kind, request), request.warn);
      if (mode.isPatch !== true) checkUid(wanted, old, kind);
      const pinned = checkRevision(resource, request.name, wanted, entry, mode);
      const tracked = mode.applied === undefined ? track(resource, request, old, wanted) : wanted;
      const written = await tryUpdate(resource, request, { old, entry, bytes, wanted: tracked });
      if (written !== undefined) return written;
      if (pinned) break;
    }
    throw conflict(kind, request.name, modified);
  }

  /** A binding is no write of fields, and what changes nothing takes nothing. */
  function track(resource: Resource, request: WriteRequest, old: KubeObject, wanted: KubeObject): KubeObject {
    if (request.subresource === 'binding' || wanted === old) return wanted;
    return fields.track(resource, { ...request, now: timestamp() }, { old, wanted });
  }

  interface Base {
    readonly old: KubeObject;
    readonly entry: Entry;
    readonly bytes: Buffer;
    readonly wanted: KubeObject;
  }

  /** undefined: another write came first. */
  async function tryUpdate(resource: Resource, request: WriteRequest, base: Base): Promise<Written | undefined> {
    const { stored: kind, spec: requested } = resource;
    const { old, entry, bytes } = base;
    const unstored: (() => Promise<void>)[] = [];
    const onNotStored = (handler: () => Promise<void>): void => void unstored.push(handler);
    const judged = { ...request, kind, requested, operation: 'UPDATE', oldObject: old, onNotStored } as const;
    const mutated = admission.mutate({ ...judged, object: base.wanted });
    const admitted = mutated instanceof Promise ? await mutated : mutated;
    const undo: (() => void)[] = [];
    try {
      const metadata = updatedMetadata(admitted, old, kind);
      const combined = withManagedFields(
        combine({ ...admitted, metadata }, old, resource, { ...contextFor(request, undo), ...request }),
        metadata.managedFields,
      );
      const prepared = request.subresource === 'status' ? combined : withGeneration(combined, old, kind);
      // A binding sets what nothing else may change, and checks itself.
      if (request.subresource !== 'binding') validateChange(resource.judged, prepared, old, request.subresource);
      const verdict = admission.validate({ ...judged, object: prepared });
      if (verdict instanceof Promise) await verdict;
      const layout = resource.layOut(prepared);
      if (isSame(bytes, layout) || (isAsLong(entry, layout) && isSameButTimes(prepared, old)))
        return await unchanged(entry, bytes);
      if (request.dryRun) return { status: 200, bytes: stamped(layout, String(entry.modRevision)) };
      if (isReleased(prepared) && resource.strategy.isHeld?.(prepared) !== true) {
        return await erase(resource, entry, layout, prepared);
      }
      const { key } = entry;
      const result = await store.write({ op: 'put', key, value: layout, expect: entry.modRevision });
      if (!result.ok) return undefined;
      unstored.length = 0;
      return { status: 200, bytes: bufferOf(result.entry) };
    } finally {
      for (const handler of undo) handler();
      if (unstored.length > 0) await Promise.all(unstored.map((handler) => handler()));
    }
  }

  /** Nothing to write; but what is answered must be on disk. */
  async function unchanged(entry: Entry, bytes: Buffer): Promise<Written> {
    if (cache.revision < entry.modRevision) await cache.waitFor(entry.modRevision, 60_000);
    return { status: 200, bytes };
  }

  async function erase(
    resource: Resource,
    entry: Entry,
    value: Value,
    object: KubeObject,
  ): Promise<Written | undefined> {
    const result = await store.write({ op: 'delete', key: entry.key, expect: entry.modRevision, value });
    if (!result.ok) return undefined;
    return { status: 200, bytes: bufferOf(result.entry), details: detailsOf(resource.stored, object) };
  }

  async function remove(resource: Resource, request: WriteRequest, wanted: DeleteOptions): Promise<Written> {
    const { stored: kind, spec: requested, strategy } = resource;
    const key = resource.keyOf(request.namespace, request.name);
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const found = store.newest(key);
      const entry = found instanceof Promise ? await found : found;
      if (entry === undefined) throw notFound(kind, request.name);
      const bytes = bufferOf(entry);
      const old = parsedOf(resource, entry, bytes);
      checkPreconditions(kind, old, entry, wanted);
      const judged = { ...request, kind, requested, operation: 'DELETE', object: undefined, oldObject: old } as const;
      const verdict = admission.validate(judged);
      if (verdict instanceof Promise) await verdict;
      const plan = planDeletion(old, wanted, { strategy, now: clock.now() });
      if (plan.action === 'nothing') return await unchanged(entry, bytes);
      const written =
        plan.action === 'remove'
          ? await tryRemove(resource, request, { old, entry, bytes })
          : await tryMark(resource, request, { entry, object: plan.object });
      if (written !== undefined) return written;
    }
    throw conflict(kind, request.name, modified);
  }

  async function tryRemove(
    resource: Resource,
    { dryRun }: WriteRequest,
    { old, entry, bytes }: Omit<Base, 'wanted'>,
  ): Promise<Written | undefined> {
    const told = resource.strategy.answersDeleted === true;
    if (dryRun)
      return told
        ? { status: 200, bytes }
        : { status: 200, bytes: undefined, details: detailsOf(resource.stored, old) };
    const written = await erase(resource, entry, unstamped(bytes), old);
    return told || written === undefined ? written : { ...written, bytes: undefined };
  }

  async function tryMark(
    resource: Resource,
    { dryRun }: WriteRequest,
    { entry, object }: { readonly entry: Entry; readonly object: KubeObject },
  ): Promise<Written | undefined> {
    const layout: Layout = resource.layOut(object);
    if (dryRun) return { status: 200, bytes: stamped(layout, String(entry.modRevision)) };
    const result = await store.write({ op: 'put', key: entry.key, value: layout, expect: entry.modRevision });
    return result.ok ? { status: 200, bytes: bufferOf(result.entry) } : undefined;
  }

  return { create, update, remove };
}

/** Whether the client insists on the revision it named. Throws 409 when that is not the newest one, 422 when one is needed. */
function checkRevision(resource: Resource, name: string, wanted: KubeObject, entry: Entry, mode: UpdateMode): boolean {
  const given = wanted.metadata?.resourceVersion ?? '';
  if (given !== '' && given !== '0') {
    if (given !== String(entry.modRevision)) throw conflict(resource.stored, name, modified);
    return mode.isPatch !== true;
  }
  if (resource.strategy.needsResourceVersion === true && mode.isPatch !== true) {
    throw invalid(resource.stored, name, [
      {
        field: 'metadata.resourceVersion',
        reason: 'FieldValueInvalid',
        message: 'Invalid value: 0: must be specified for an update',
      },
    ]);
  }
  return false;
}

function checkPreconditions(subject: Subject, old: KubeObject, entry: Entry, { preconditions }: DeleteOptions): void {
  const { uid, resourceVersion } = preconditions ?? {};
  const { name = '', uid: have } = old.metadata ?? {};
  if (uid !== undefined && uid !== have) {
    throw conflict(subject, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${have}`);
  }
  if (resourceVersion !== undefined && resourceVersion !== String(entry.modRevision)) {
    const why = `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${entry.modRevision}`;
    throw conflict(subject, name, why);
  }
}

/** Equal values have equal lengths, in whatever order their fields stand. */
function isAsLong({ bytes, modRevision }: Entry, layout: Layout): boolean {
  return bytes.length === layout.bytes.length + String(modRevision).length;
}

/** Shared when the cache holds this very revision, else parsed for this request. */
function parsedOf(resource: Resource, { key, modRevision }: Entry, bytes: Buffer): KubeObject {
  const cached = resource.cache.byKey(key);
  const object = cached?.revision === modRevision ? cached.parsed() : (JSON.parse(bytes.toString()) as KubeObject);
  return resource.refresh === undefined ? object : resource.refresh(object);
}

function detailsOf(subject: Subject, { metadata }: KubeObject): NonNullable<Status['details']> {
  const { name, uid } = metadata ?? {};
  return {
    ...(name === undefined ? {} : { name }),
    ...(subject.group === '' ? {} : { group: subject.group }),
    kind: subject.plural,
    ...(uid === undefined ? {} : { uid }),
  };
}

function bufferOf({ bytes }: Entry): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Subresources that keep the stored metadata change its owners all the same. */
function withManagedFields(object: KubeObject, managedFields: ObjectMeta['managedFields'] | undefined): KubeObject {
  if (object.metadata?.managedFields === managedFields) return object;
  return { ...object, metadata: { ...object.metadata, managedFields } as ObjectMeta };
}
