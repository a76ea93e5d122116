// The OpenAPI version 3 document of a remote group-version: asked for when the server is looked at, and again when its index
// tells another hash. Kept as bytes: kubectl explain and validation ask this server for it. Version 2, one document of
// everything, is not merged: clients that still need it validate remote kinds by asking their server.
// Source: KEP-2896, OpenAPI v3; kube-aggregator pkg/controllers/openapiv3.

import { createHash } from 'node:crypto';

export interface RemoteDocument {
  readonly body: Buffer;
  readonly etag: string;
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
