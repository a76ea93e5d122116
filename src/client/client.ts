// How every component sees the cluster: an API client, shared informers and a work queue. A component gets these as
// arguments, so a unit test gives it a fake (createFakeClient) and a daemon gives it undici over TLS.

import type { KindOf, KindSpec, KubeList, KubeObject, Stored } from '../api/index.ts';

export interface ObjectName {
  /** Absent for cluster-scoped kinds. */
  readonly namespace?: string | undefined;
  readonly name: string;
}

export interface ListOptions {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly signal?: AbortSignal;
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly signal?: AbortSignal;
}

export interface WriteOptions {
  readonly subresource?: string;
  readonly signal?: AbortSignal;
}

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

export interface ApiClient {
  get<T extends KubeObject>(kind: KindOf<T>, at: ObjectName, options?: WriteOptions): Promise<Stored<T>>;
  list<T extends KubeObject>(kind: KindOf<T>, options?: ListOptions): Promise<KubeList<Stored<T>>>;
  create<T extends KubeObject>(kind: KindOf<T>, object: T, options?: WriteOptions): Promise<Stored<T>>;
  /** PUT; a stale metadata.resourceVersion ends in ApiStatusError with reason Conflict. */
  update<T extends KubeObject>(kind: KindOf<T>, object: T, options?: WriteOptions): Promise<Stored<T>>;
  patch<T extends KubeObject>(
    kind: KindOf<T>,
    at: ObjectName,
    type: PatchType,
    body: unknown,
    options?: WriteOptions,
  ): Promise<Stored<T>>;
  delete<T extends KubeObject>(kind: KindOf<T>, at: ObjectName, options?: DeleteOptions): Promise<void>;
  /** POST to a subresource that takes and answers another kind: pods/binding, serviceaccounts/token, pods/eviction. */
  post<Body, Answer>(
    kind: KindSpec,
    at: ObjectName,
    subresource: string,
    body: Body,
    signal?: AbortSignal,
  ): Promise<Answer>;
  watch<T extends KubeObject>(kind: KindOf<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
  /** Any path, for discovery, health and raw access. */
  raw(
    method: string,
    path: string,
    body?: unknown,
    options?: { readonly contentType?: string; readonly signal?: AbortSignal },
  ): Promise<RawAnswer>;
  close(): Promise<void>;
}

export interface RawAnswer {
  readonly status: number;
  readonly body: Buffer;
  /** The server's clock, ms since the epoch, in whole seconds (header Date, RFC 9110 §6.6.1); undefined: it sent none. */
  readonly date?: number | undefined;
}

export interface WatchOptions extends ListOptions {
  readonly allowWatchBookmarks?: boolean;
  readonly timeoutSeconds?: number;
}

export type WatchEvent<T extends KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: Stored<T> }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

/** A `Status` answer of the API server. `reason` is upstream's: NotFound, AlreadyExists, Conflict, Forbidden, Invalid, Expired, … */
export class ApiStatusError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: unknown;
  /** Seconds the server asks to wait before the next try. */
  readonly retryAfter: number | undefined;
  constructor(code: number, reason: string, message: string, details?: unknown, retryAfter?: number) {
    super(message);
    this.name = 'ApiStatusError';
    this.code = code;
    this.reason = reason;
    this.details = details;
    this.retryAfter = retryAfter;
  }
}

/** `namespace/name`, or `name` for cluster-scoped kinds: the key of caches and work queues. */
export type ObjectKey = string;

export interface InformerHandler<T extends KubeObject> {
  added?(object: Stored<T>): void;
  updated?(object: Stored<T>, previous: Stored<T>): void;
  deleted?(object: Stored<T>): void;
}

/** A local copy of one kind, kept up to date by one LIST and one WATCH. Objects in it are shared: never change one. */
export interface Informer<T extends KubeObject> {
  readonly kind: KindOf<T>;
  get(key: ObjectKey): Stored<T> | undefined;
  list(namespace?: string): readonly Stored<T>[];
  /** Objects for which the index function named `index` returned `value`. */
  byIndex(index: string, value: string): readonly Stored<T>[];
  addIndex(name: string, valuesOf: (object: Stored<T>) => readonly string[]): void;
  /** Handlers are called after the cache changed, in order; a late one gets `added` for what is there already. */
  addHandler(handler: InformerHandler<T>): void;
  /** Resolves when the first list is in the cache. */
  synced(signal?: AbortSignal): Promise<void>;
}

/** One informer per kind (and selector) for a whole process. */
export interface InformerFactory {
  informer<T extends KubeObject>(
    kind: KindOf<T>,
    options?: { readonly namespace?: string; readonly labelSelector?: string; readonly fieldSelector?: string },
  ): Informer<T>;
  /**
   * Starts what has been asked for and resolves when every cache is filled. May be called again: what runs goes on, and
   * the promise covers the informers asked for meanwhile.
   */
  start(signal: AbortSignal): Promise<void>;
  /** Ends the informers of a kind that is not served any more; one asked for later is a new one. */
  forget(kind: Pick<KindSpec, 'group' | 'plural'>): void;
}
