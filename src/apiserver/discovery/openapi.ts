// OpenAPI documents, made at build time and read when somebody asks: /openapi/v2 as one file, /openapi/v3 as an index and a
// file per group and version. Kept weakly: kubectl asks once and caches by the hash in the URL.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../base/index.ts';

export interface OpenApiDocuments {
  /** The body for a path below /openapi; undefined when there is none. */
  read(path: string): Promise<Buffer | undefined>;
}

/** @param directory holds openapi-v2.json, openapi-v3.json (the index) and openapi-v3/<path with _ for />.json. */
export function createOpenApiDocuments(directory: string): OpenApiDocuments {
  const held = new Map<string, WeakRef<Buffer>>();
  return {
    async read(path) {
      const file = fileFor(path);
      if (file === undefined) return undefined;
      const known = held.get(file)?.deref();
      if (known !== undefined) return known;
      const body = await readFile(join(directory, file)).catch(nothingWhenAbsent);
      if (body !== undefined) held.set(file, new WeakRef(body));
      return body;
    },
  };
}

function fileFor(path: string): string | undefined {
  if (path === '/openapi/v2') return 'openapi-v2.json';
  if (path === '/openapi/v3') return 'openapi-v3.json';
  const match = /^\/openapi\/v3\/([a-z0-9./-]+)$/.exec(path);
  const name = match?.[1]?.replaceAll('/', '_');
  return name === undefined || name.includes('..') ? undefined : `openapi-v3/${name}.json`;
}

function nothingWhenAbsent(error: unknown): undefined {
  if (codeOf(error) === 'ENOENT') return undefined;
  throw error;
}
