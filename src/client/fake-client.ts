// An ApiClient in memory, for unit tests of everything that sees the cluster through one. It keeps the server's
// semantics that components rely on: resourceVersions and Conflict, AlreadyExists and NotFound, generateName,
// finalizers, the status subresource, watches with 410. It does not default, validate or authorize: a test that depends
// on those wants the real API server.

import { randomUUID } from 'node:crypto';
import {
  apiVersionOf,
  type KindOf,
  type KindSpec,
  type KubeObject,
  kinds,
  parseLabelSelector,
  type Stored,
} from '../api/index.ts';
import {
  type ApiClient,
  ApiStatusError,
  type ListOptions,
  type ObjectName,
  type PatchType,
  type WatchEvent,
  type WatchOptions,
} from './client.ts';
import { fakePost, mergePatch } from './fake-changes.ts';
import { matchesFields } from './fake-selectors.ts';
import { type AnyStored, createFakeStore, type LogEntry } from './fake-store.ts';
import { keyOf } from './object-cache.ts';

export interface FakeRequest {
  readonly verb: 'get' | 'list' | 'create' | 'update' | 'patch' | 'delete' | 'watch' | 'post' | 'raw';
  /** Plural of the kind, with the subresource: `pods`, `pods/status`; the path for raw. */
  readonly resource: string;
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  readonly body: unknown;
}

export interface FakeClient extends ApiClient {
  /** Every request so far, watches included. */
  readonly requests: readonly FakeRequest[];
  /** The next request for which `when` holds fails with `error`; once. */
  failNext(when: (request: FakeRequest) => boolean, error: Error): void;
  /** Makes watches from before now answer 410 Expired. */
  compact(): void;
  /** Ends all open watches, as a restarting server does. */
  dropWatches(): void;
}

/** @param objects what the cluster holds at first; each needs apiVersion, kind and metadata.name. */
export function createFakeClient(
  objects: readonly KubeObject[] = [],
  table: Readonly<Record<string, KindSpec>> = kinds,
): FakeClient {
  const store = createFakeStore();
  const requests: FakeRequest[] = [];
  const failures: { readonly when: (request: FakeRequest) => boolean; readonly error: Error }[] = [];
  for (const object of objects) {
    const kind = Object.values(table).find(
      (one) => one.kind === object.kind && apiVersionOf(one) === object.apiVersion,
    );
    if (kind === undefined) throw new Error(`no kind for ${object.apiVersion} ${object.kind}`);
    insert(kind, object);
  }

  return {
    requests,
    failNext: (when, error) => failures.push({ when, error }),
    compact: () => store.compact(),
    dropWatches: () => store.dropWatches(),

    async get<T extends KubeObject>(kind: KindOf<T>, at: ObjectName) {
      note('get', kind, at);
      return find(kind, at) as unknown as Stored<T>;
    },

    async list<T extends KubeObject>(kind: KindOf<T>, options: ListOptions = {}) {
      note('list', kind, { namespace: options.namespace });
      const items = store.list(kind).filter((object) => selects(options, object));
      return { metadata: { resourceVersion: String(store.revision) }, items: items as unknown as Stored<T>[] };
    },

    async create<T extends KubeObject>(kind: KindOf<T>, object: T, { subresource }: { subresource?: string } = {}) {
      const {
        generateName,
        name = `${generateName ?? ''}${randomUUID().slice(0, 5)}`,
        namespace,
      } = object.metadata ?? {};
      note('create', kind, { name, namespace }, object, subresource);
      return insert(kind, { ...object, metadata: { ...object.metadata, name } }) as unknown as Stored<T>;
    },

    async update<T extends KubeObject>(kind: KindOf<T>, object: T, { subresource }: { subresource?: string } = {}) {
      const { name = '', namespace, resourceVersion } = object.metadata ?? {};
      note('update', kind, { name, namespace }, object, subresource);
      const held = find(kind, { name, namespace });
      if (resourceVersion !== undefined && resourceVersion !== held.metadata.resourceVersion)
        throw conflict(kind, name);
      return replace(kind, held, object, subresource) as unknown as Stored<T>;
    },

    async patch<T extends KubeObject>(
      kind: KindOf<T>,
      at: ObjectName,
      type: PatchType,
      body: unknown,
      { subresource }: { subresource?: string } = {},
    ) {
      note('patch', kind, at, body, subresource);
      const held = find(kind, at);
      if (type === 'json' || type === 'apply') throw new Error(`the fake client does not do ${type} patches`);
      const patched = mergePatch(held, body) as AnyStored;
      if (patched.metadata.resourceVersion !== held.metadata.resourceVersion) throw conflict(kind, at.name);
      return replace(kind, held, patched, subresource) as unknown as Stored<T>;
    },

    async delete(kind, at, options = {}) {
      note('delete', kind, at, options);
      const held = find(kind, at);
      const { uid = held.metadata.uid, resourceVersion = held.metadata.resourceVersion } = options.preconditions ?? {};
      if (uid !== held.metadata.uid || resourceVersion !== held.metadata.resourceVersion) throw conflict(kind, at.name);
      if ((held.metadata.finalizers ?? []).length === 0) store.remove(kind, keyOf(held));
      else if (held.metadata.deletionTimestamp === undefined) {
        store.put(kind, keyOf(held), { ...held, metadata: { ...held.metadata, deletionTimestamp: nowText() } });
      }
    },

    async post<Body, Answer>(kind: KindSpec, at: ObjectName, subresource: string, body: Body) {
      note('post', kind, at, body, subresource);
      const { object, answer } = fakePost(find(kind, at), `${kind.plural}/${subresource}`, body);
      if (object === undefined) store.remove(kind, keyOf(find(kind, at)));
      else store.put(kind, keyOf(object), object);
      return answer as Answer;
    },

    async *watch<T extends KubeObject>(kind: KindOf<T>, options: WatchOptions) {
      note('watch', kind, { namespace: options.namespace });
      const { resourceVersion = '0' } = options;
      const from = resourceVersion === '0' ? store.revision : Number(resourceVersion);
      const present = resourceVersion === '0' ? store.list(kind).filter((object) => selects(options, object)) : [];
      for (const object of present) yield { type: 'ADDED' as const, object: object as unknown as Stored<T> };
      for await (const entry of store.follow(kind, from, options.signal)) {
        const event = eventOf<T>(entry, options);
        if (event !== undefined) yield event;
      }
    },

    async raw(method, path, body) {
      note('raw', { plural: path }, {}, { method, body });
      return { status: 200, body: Buffer.from('ok') };
    },

    close: async () => store.dropWatches(),
  };

  function note(
    verb: FakeRequest['verb'],
    { plural }: Pick<KindSpec, 'plural'>,
    at: Partial<ObjectName>,
    body?: unknown,
    subresource?: string,
  ): void {
    const resource = subresource === undefined ? plural : `${plural}/${subresource}`;
    const request = { verb, resource, name: at.name, namespace: at.namespace, body };
    requests.push(request);
    const index = failures.findIndex(({ when }) => when(request));
    const [failure] = index === -1 ? [] : failures.splice(index, 1);
    if (failure !== undefined) throw failure.error;
  }

  function find(kind: KindSpec, { namespace, name }: ObjectName): AnyStored {
    const held = store.get(kind, keyOf({ metadata: { name, ...(namespace === undefined ? {} : { namespace }) } }));
    if (held === undefined) throw new ApiStatusError(404, 'NotFound', `${kind.plural} "${name}" not found`);
    return held;
  }

  function insert(kind: KindSpec, object: KubeObject): AnyStored {
    const key = keyOf(object);
    if (store.get(kind, key) !== undefined) {
      throw new ApiStatusError(409, 'AlreadyExists', `${kind.plural} "${object.metadata?.name}" already exists`);
    }
    const metadata = { uid: randomUUID(), creationTimestamp: nowText(), ...object.metadata };
    return store.put(kind, key, { apiVersion: apiVersionOf(kind), kind: kind.kind, ...object, metadata } as KubeObject);
  }

  /** A write to `status` changes only the status, any other write everything but it. */
  function replace(kind: KindSpec, held: AnyStored, next: KubeObject, subresource: string | undefined): AnyStored {
    const { uid, creationTimestamp, deletionTimestamp } = held.metadata;
    const kept = { uid, creationTimestamp, ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) };
    const whole = { ...next, metadata: { ...next.metadata, ...kept } };
    const merged = subresource === 'status' ? withStatus(held, next) : withStatus(whole as KubeObject, held);
    if (deletionTimestamp !== undefined && (merged.metadata?.finalizers ?? []).length === 0) {
      return store.remove(kind, keyOf(held));
    }
    return store.put(kind, keyOf(held), merged);
  }
}

function withStatus(object: KubeObject, from: KubeObject): KubeObject {
  const { status: _dropped, ...rest } = object as KubeObject & { readonly status?: unknown };
  return 'status' in from ? ({ ...rest, status: from.status } as KubeObject) : rest;
}

function selects({ namespace, labelSelector, fieldSelector }: ListOptions, object: KubeObject): boolean {
  if (namespace !== undefined && namespace !== '' && object.metadata?.namespace !== namespace) return false;
  if (labelSelector !== undefined && !parseLabelSelector(labelSelector).matches(object.metadata?.labels)) return false;
  return matchesFields(object, fieldSelector);
}

/** An object that begins to match a watch's selector is ADDED to it, one that ceases to is DELETED. */
function eventOf<T extends KubeObject>(entry: LogEntry, options: WatchOptions): WatchEvent<T> | undefined {
  const before = entry.previous !== undefined && selects(options, entry.previous) ? entry.previous : undefined;
  const after = entry.object !== undefined && selects(options, entry.object) ? entry.object : undefined;
  if (after !== undefined) {
    return { type: before === undefined ? 'ADDED' : 'MODIFIED', object: after as unknown as Stored<T> };
  }
  if (before === undefined) return undefined;
  const last = { ...before, metadata: { ...before.metadata, resourceVersion: String(entry.revision) } };
  return { type: 'DELETED', object: last as unknown as Stored<T> };
}

function conflict(kind: KindSpec, name: string): ApiStatusError {
  return new ApiStatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${kind.plural} "${name}": the object has been modified`,
  );
}

function nowText(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
