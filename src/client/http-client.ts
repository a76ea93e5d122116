// The ApiClient over HTTPS. A verb is a method, a path from the kinds table and a JSON body; everything else (retries,
// tokens, Status errors) happens once, in `send`. Bodies are serialised before the first attempt, so that every attempt
// sends the same bytes.

import { readFile } from 'node:fs/promises';
import type { Dispatcher } from 'undici';
import {
  apiVersionOf,
  type KindOf,
  type KindSpec,
  type KubeList,
  type KubeObject,
  pathOf,
  type Stored,
} from '../api/index.ts';
import { type Clock, createBackoff, type Logger, silentLogger, systemClock } from '../base/index.ts';
import { type ClusterAccess, type Credential, parseKubeconfig } from '../kubeconfig/index.ts';
import type { ApiClient, DeleteOptions, ListOptions, PatchType, WatchEvent, WatchOptions } from './client.ts';
import { createConnections, type TlsIdentity } from './connections.ts';
import { decideRetry } from './retry.ts';
import { statusErrorOf } from './status.ts';
import { readWatch } from './watch.ts';

export interface ClientOptions {
  /** https://host:port (http:// for tests). */
  readonly server: string;
  /** PEM of whom to trust. Absent: Node's own roots. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly token?: string | undefined;
  /** Asked before each attempt, so that a renewed token is used at once; wins over `token`. */
  readonly tokenProvider?: (() => string | Promise<string>) | undefined;
  readonly serverName?: string | undefined;
  readonly insecureSkipTlsVerify?: boolean;
  readonly userAgent?: string;
  /** Connections for requests (watches have their own). Default 16. */
  readonly connections?: number;
  /** ms until the answer's headers; default 60,000. Watches wait as long as they need. */
  readonly requestTimeout?: number;
  /** Attempts after the first one. Default 5. */
  readonly retries?: number;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

/** An ApiClient whose client certificate can be exchanged while it is in use. */
export interface HttpApiClient extends ApiClient {
  /** New requests go out under `identity` at once; watches end and are resumed under it by their informers. */
  useIdentity(identity: TlsIdentity): void;
}

const patchTypes: Readonly<Record<PatchType, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

interface Outgoing {
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  readonly body?: string | Buffer | undefined;
  readonly contentType?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly over?: 'requests' | 'streams';
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
  readonly retryAfter: string | undefined;
  /** ms since the epoch. */
  readonly date: number | undefined;
}

export function createClient(options: ClientOptions): HttpApiClient {
  const { logger = silentLogger, clock = systemClock, retries = 5, requestTimeout = 60_000 } = options;
  const url = new URL(options.server);
  const basePath = url.pathname.replace(/\/+$/, '');
  const connections = createConnections(
    {
      origin: url.origin,
      ca: options.ca,
      serverName: options.serverName,
      insecureSkipTlsVerify: options.insecureSkipTlsVerify ?? false,
      connections: options.connections ?? 16,
      connectTimeout: 10_000,
    },
    options.cert === undefined || options.key === undefined ? undefined : { cert: options.cert, key: options.key },
  );
  const userAgent = options.userAgent ?? 'k8ts';

  return {
    get: (kind, at, { subresource, signal } = {}) =>
      json({ method: 'GET', path: pathOf(kind, { ...at, subresource }), signal }),
    list: async <T extends KubeObject>(kind: KindOf<T>, listOptions: ListOptions = {}) => {
      const path = `${pathOf(kind, { namespace: listOptions.namespace })}${queryOf(listOptions)}`;
      const list = await json<KubeList<Stored<T>>>({
        method: 'GET',
        path,
        signal: listOptions.signal,
        over: 'streams',
      });
      return { ...list, items: withTypeMeta(kind, list.items ?? []) };
    },
    create: (kind, object, { subresource, signal } = {}) =>
      json({ method: 'POST', path: collectionOrObject(kind, object, subresource), body: body(kind, object), signal }),
    update: (kind, object, { subresource, signal } = {}) =>
      json({
        method: 'PUT',
        path: pathOf(kind, { ...nameOf(object), subresource }),
        body: body(kind, object),
        signal,
      }),
    patch: (kind, at, type, patch, { subresource, signal } = {}) =>
      json({
        method: 'PATCH',
        path: `${pathOf(kind, { ...at, subresource })}${type === 'apply' ? `?fieldManager=${userAgent}&force=true` : ''}`,
        body: JSON.stringify(patch),
        contentType: patchTypes[type],
        signal,
      }),
    delete: async (kind, at, deleteOptions = {}) => {
      await json({
        method: 'DELETE',
        path: pathOf(kind, at),
        body: deleteBody(deleteOptions),
        signal: deleteOptions.signal,
      });
    },
    post: (kind, at, subresource, content, signal) =>
      json({ method: 'POST', path: pathOf(kind, { ...at, subresource }), body: JSON.stringify(content), signal }),
    watch,
    raw: async (method, path, content, { contentType, signal } = {}) => {
      const answer = await exchange({
        method: method as Dispatcher.HttpMethod,
        path,
        body: rawBody(content),
        contentType,
        signal,
      });
      return { status: answer.status, body: answer.body, date: answer.date };
    },
    useIdentity: (identity) => connections.useIdentity(identity),
    close: () => connections.close(),
  };

  /** One exchange with retries; throws ApiStatusError for anything but 2xx. */
  async function json<T>(outgoing: Outgoing): Promise<T> {
    const backoff = createBackoff({ initial: 100, max: 5_000, jitter: 0.3 });
    for (;;) {
      try {
        const answer = await exchange(outgoing);
        if (answer.status >= 200 && answer.status < 300) return JSON.parse(answer.body.toString('utf8')) as T;
        throw statusErrorOf(answer.status, answer.body.toString('utf8'), answer.retryAfter);
      } catch (error) {
        const decision = decideRetry(outgoing.method, error);
        if (!decision.again || backoff.attempts >= retries || outgoing.signal?.aborted === true) throw error;
        const wait = decision.after ?? backoff.next();
        if (decision.after !== undefined) backoff.next();
        logger.debug('request is repeated', { method: outgoing.method, path: outgoing.path, why: decision.why, wait });
        await clock.sleep(wait, outgoing.signal);
      }
    }
  }

  async function exchange(outgoing: Outgoing): Promise<Answer> {
    const { method, path, body: content, signal } = outgoing;
    const response = await connections[outgoing.over ?? 'requests'].request({
      method,
      path: `${basePath}${path}`,
      headers: await headersOf(content === undefined ? undefined : (outgoing.contentType ?? 'application/json')),
      headersTimeout: requestTimeout,
      // undici would close the connection after a DELETE with a body: a TLS handshake for each deleted object.
      reset: false,
      ...(content === undefined ? {} : { body: content }),
      ...(signal === undefined ? {} : { signal }),
    });
    const { 'retry-after': retryAfter, date } = response.headers;
    return {
      status: response.statusCode,
      body: Buffer.from(await response.body.arrayBuffer()),
      retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
      date: typeof date === 'string' ? Date.parse(date) : undefined,
    };
  }

  async function* watch<T extends KubeObject>(
    kind: KindOf<T>,
    watchOptions: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>> {
    const path = `${basePath}${pathOf(kind, { namespace: watchOptions.namespace })}${queryOf(watchOptions, true)}`;
    const response = await connections.streams.request({
      method: 'GET',
      path,
      headers: await headersOf(undefined),
      headersTimeout: requestTimeout,
      ...(watchOptions.signal === undefined ? {} : { signal: watchOptions.signal }),
    });
    if (response.statusCode !== 200) {
      const retryAfter = response.headers['retry-after'];
      const header = typeof retryAfter === 'string' ? retryAfter : undefined;
      throw statusErrorOf(response.statusCode, await response.body.text(), header);
    }
    yield* readWatch<T>(response.body);
  }

  async function headersOf(contentType: string | undefined): Promise<Record<string, string>> {
    const token = options.tokenProvider === undefined ? options.token : await options.tokenProvider();
    return {
      accept: 'application/json',
      'user-agent': userAgent,
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
  }
}

/** A client for what a kubeconfig's current context names. Credential files are read now; a token file before each use. */
export async function clientFromKubeconfig(
  text: string,
  options: Partial<ClientOptions> & { readonly folder?: string; readonly context?: string } = {},
): Promise<HttpApiClient> {
  const { folder, context, ...clientOptions } = options;
  const access = parseKubeconfig(text, {
    ...(folder === undefined ? {} : { folder }),
    ...(context === undefined ? {} : { context }),
  });
  return createClient({ ...(await optionsOf(access)), ...clientOptions });
}

async function optionsOf(access: ClusterAccess): Promise<ClientOptions> {
  const [ca, cert, key] = await Promise.all([textOf(access.ca), textOf(access.cert), textOf(access.key)]);
  const { token, serverName } = access;
  return {
    server: access.server,
    ca,
    cert,
    key,
    serverName,
    insecureSkipTlsVerify: access.insecureSkipTlsVerify,
    ...(token === undefined ? {} : { tokenProvider: async () => ((await textOf(token)) ?? '').trim() }),
  };
}

async function textOf(credential: Credential | undefined): Promise<string | undefined> {
  if (credential === undefined) return undefined;
  return 'text' in credential ? credential.text : await readFile(credential.file, 'utf8');
}

function queryOf(options: WatchOptions, watching = false): string {
  const query = new URLSearchParams();
  if (watching) query.set('watch', 'true');
  if (options.labelSelector !== undefined) query.set('labelSelector', options.labelSelector);
  if (options.fieldSelector !== undefined) query.set('fieldSelector', options.fieldSelector);
  if (options.resourceVersion !== undefined) query.set('resourceVersion', options.resourceVersion);
  if (options.limit !== undefined) query.set('limit', String(options.limit));
  if (options.continue !== undefined) query.set('continue', options.continue);
  if (watching && options.allowWatchBookmarks === true) query.set('allowWatchBookmarks', 'true');
  if (watching && options.timeoutSeconds !== undefined) query.set('timeoutSeconds', String(options.timeoutSeconds));
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

function nameOf(object: KubeObject): { namespace: string | undefined; name: string } {
  const name = object.metadata?.name;
  if (name === undefined) throw new Error('the object has no metadata.name');
  return { namespace: object.metadata?.namespace, name };
}

function collectionOrObject(kind: KindSpec, object: KubeObject, subresource: string | undefined): string {
  if (subresource !== undefined) return pathOf(kind, { ...nameOf(object), subresource });
  return pathOf(kind, { namespace: object.metadata?.namespace });
}

/** Objects are written with their apiVersion and kind, whether the caller spelled them out or not. */
function body(kind: KindSpec, object: KubeObject): string {
  return JSON.stringify({ apiVersion: apiVersionOf(kind), kind: kind.kind, ...object });
}

/** List items come without apiVersion and kind from upstream's server; a component may pass them on, so they get them. */
function withTypeMeta<T extends KubeObject>(kind: KindSpec, items: readonly Stored<T>[]): readonly Stored<T>[] {
  if (items[0]?.kind !== undefined) return items;
  return items.map((item) => ({ apiVersion: apiVersionOf(kind), kind: kind.kind, ...item }));
}

function deleteBody({ gracePeriodSeconds, propagationPolicy, preconditions }: DeleteOptions): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    gracePeriodSeconds,
    propagationPolicy,
    preconditions,
  });
}

function rawBody(content: unknown): string | Buffer | undefined {
  if (content === undefined || typeof content === 'string' || Buffer.isBuffer(content)) return content;
  return JSON.stringify(content);
}
