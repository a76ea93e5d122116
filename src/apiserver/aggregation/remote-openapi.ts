// The OpenAPI documents of a remote group-version: asked for when the server is looked at, and again when they have another
// hash. Version 3 is kept as bytes: kubectl explain and validation ask this server for it. Of version 2, one document of
// everything, the part that is about the group-version is kept, to be put into ours.
// Source: KEP-2896, OpenAPI v3; kube-aggregator pkg/controllers/openapiv3 and openapi.

import { createHash } from 'node:crypto';
import { type OpenApiPart, partOf } from '../discovery/index.ts';

export interface RemoteDocument {
  readonly body: Buffer;
  readonly etag: string;
}

export interface RemotePart {
  readonly part: OpenApiPart;
  readonly etag: string | undefined;
}

interface Index {
  readonly paths?: Readonly<Record<string, { readonly serverRelativeURL?: string }>>;
}

/**
 * @param ask the text at a path of the server; undefined when it has none. What it throws is passed on.
 * @param known what was answered last.
 */
export async function fetchOpenApi(
  ask: (target: string) => Promise<string | undefined>,
  name: string,
  known: RemoteDocument | undefined,
): Promise<RemoteDocument | undefined> {
  const url = urlIn(await ask('/openapi/v3'), name);
  if (url === undefined) return undefined;
  const hash = /[?&]hash=([0-9A-Za-z]+)/.exec(url)?.[1];
  if (hash !== undefined && known?.etag === hash) return known;
  const text = await ask(url);
  if (text === undefined) return undefined;
  const body = Buffer.from(text);
  return { body, etag: hash ?? createHash('sha512').update(body).digest('hex').toUpperCase() };
}

/**
 * @param ask for the version 2 document. What it throws is passed on, as is what is wrong with a document.
 * @param root `apis/<group>/<version>`.
 * @param known what was answered last.
 */
export async function fetchPart(
  ask: (headers: Readonly<Record<string, string>>) => Promise<{
    readonly status: number;
    readonly etag?: string | readonly string[] | number | undefined;
    readonly text: string;
  }>,
  root: string,
  known: RemotePart | undefined,
): Promise<RemotePart | undefined> {
  const { status, etag, text } = await ask(known?.etag === undefined ? {} : { 'if-none-match': known.etag });
  if (status === 304) return known;
  if (status !== 200) return undefined;
  const own = typeof etag === 'string' ? etag : undefined;
  if (own !== undefined && own === known?.etag) return known;
  return { part: partOf(text, root), etag: own };
}

/** Only a path of the same server is followed. */
function urlIn(index: string | undefined, name: string): string | undefined {
  if (index === undefined) return undefined;
  try {
    const url = (JSON.parse(index) as Index | null)?.paths?.[name]?.serverRelativeURL;
    return url?.startsWith('/openapi/v3/') === true ? url : undefined;
  } catch {
    return undefined;
  }
}
