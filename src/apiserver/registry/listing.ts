// LIST: which objects, at which revision, and where the next page begins.
// Source: "Kubernetes API concepts", resource versions and chunking; k8s.io/apiserver pkg/storage/continue.go.
//
//   resourceVersion   match            answered
//   absent, '' or 0   -                newest state of the cache, which is consistent (see watch-cache.ts)
//   N                 -/NotOlderThan   newest, after waiting until N is visible
//   N                 Exact            state at N, from the ring or the store; 410 when compacted
//   continue          -                state at the revision in the token

import type { Store } from '../../store/index.ts';
import { CompactedError, prefixEnd } from '../../store/index.ts';
import { CachedObject, lowerBound, type WatchCache } from '../cache/index.ts';
import { ApiError } from '../contracts.ts';
import { badRequest } from '../http/status-body.ts';
import type { Resource } from './resource.ts';
import { type Selection, select } from './selection.ts';

export interface ListQuery {
  readonly selection: Selection;
  /** 0: no limit. */
  readonly limit: number;
  readonly continue: string;
  readonly resourceVersion: string;
  readonly match: string;
}

export interface ListPage {
  readonly revision: number;
  readonly objects: readonly CachedObject[];
  readonly continue: string | undefined;
  readonly remaining: number | undefined;
}

interface Token {
  readonly rv: number;
  /** Last key that was answered, without the resource's prefix. */
  readonly start: string;
}

const waitMs = 3000;

/** Throws ApiError 400 (query), 410 Expired (too old), 504 Timeout (too new). */
export async function listPage(
  resource: Resource,
  query: ListQuery,
  sources: { readonly cache: WatchCache; readonly store: Store },
): Promise<ListPage> {
  const { cache } = sources;
  const token = query.continue === '' ? undefined : parseToken(query.continue);
  checkVersions(query, token);
  const wanted = revisionOf(query.resourceVersion);
  if (wanted > cache.revision) await waitVisible(cache, wanted);

  const at = token?.rv ?? (query.match === 'Exact' ? wanted : cache.revision);
  const objects =
    at === cache.revision
      ? select(resource.cache, query.selection)
      : (await stateAt(resource, query, at, sources)).filter((object) => query.selection.matches(object));
  return cut(objects, {
    at,
    query,
    after: token === undefined ? undefined : resource.cache.prefix + token.start,
    prefix: resource.cache.prefix,
  });
}

function cut(
  objects: readonly CachedObject[],
  { at, query, after, prefix }: { at: number; query: ListQuery; after: string | undefined; prefix: string },
): ListPage {
  const rest = after === undefined ? objects : objects.slice(upperBound(objects, after));
  const { limit } = query;
  if (limit === 0 || rest.length <= limit)
    return { revision: at, objects: rest, continue: undefined, remaining: undefined };
  const page = rest.slice(0, limit);
  const start = (page.at(-1)?.key ?? prefix).slice(prefix.length);
  return {
    revision: at,
    objects: page,
    continue: formatToken({ rv: at, start }),
    // Unknown with selectors, as upstream.
    remaining: query.selection.everything ? rest.length - limit : undefined,
  };
}

/** Index of the first object behind `key`. */
function upperBound(objects: readonly CachedObject[], key: string): number {
  const at = lowerBound(objects, key);
  return objects[at]?.key === key ? at + 1 : at;
}

async function stateAt(
  resource: Resource,
  { selection, continue: text }: ListQuery,
  revision: number,
  { store }: { readonly store: Store },
): Promise<readonly CachedObject[]> {
  const near = resource.cache.listAt(revision, selection.namespace);
  if (near !== undefined) return near;
  const { prefix } = resource.cache;
  const from = selection.namespace === undefined ? prefix : `${prefix}${selection.namespace}/`;
  try {
    const { entries } = await store.range({ from, to: prefixEnd(from), revision });
    return entries.map(({ key, bytes, modRevision }) => new CachedObject(key, bytes, modRevision, prefix.length));
  } catch (error) {
    if (error instanceof CompactedError) throw expired(text !== '');
    throw error;
  }
}

/** The revision that a request names, 0 when it names none. Throws ApiError 400. */
export function revisionOf(text: string): number {
  if (/^\d*$/.test(text)) return Number(text);
  const shown = JSON.stringify(text);
  throw badRequest(`resourceVersion: Invalid value: ${shown}: strconv.ParseUint: parsing ${shown}: invalid syntax`);
}

function checkVersions({ resourceVersion }: ListQuery, token: Token | undefined): void {
  if (token !== undefined && resourceVersion !== '' && resourceVersion !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
}

/** Resolves once `revision` can be read; throws upstream's 504 "Too large resource version" otherwise. */
export async function waitVisible(cache: WatchCache, revision: number): Promise<void> {
  if (await cache.waitFor(revision, waitMs)) return;
  throw new ApiError('Timeout', `Timeout: Too large resource version: ${revision}, current: ${cache.revision}`, {
    details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }] },
    retryAfterSeconds: 1,
  });
}

export function expired(paging: boolean): ApiError {
  return new ApiError(
    'Expired',
    paging
      ? 'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.'
      : 'The resourceVersion for the provided list is too old.',
  );
}

function formatToken(token: Token): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', ...token })).toString('base64url');
}

function parseToken(text: string): Token {
  try {
    const { v, rv, start } = JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, unknown>;
    if (v === 'meta.k8s.io/v1' && typeof rv === 'number' && typeof start === 'string') return { rv, start };
  } catch {
    // falls through to the same answer: a token that this server did not make
  }
  throw badRequest(`invalid continue token: continue key is not valid: ${text.slice(0, 200)}`);
}
