// The OpenAPI documents as bytes. They were written at build time, so serving one is reading a file: nothing is parsed, and
// nothing is kept in memory for the few clients that ask (kubectl caches each document under its hash).

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { schemaDirectory } from './schema/schema.ts';

export interface OpenApiEntry {
  readonly file: string;
  /** Hex digest of the bytes: the ETag, and the `hash` of the version 3 URLs. */
  readonly hash: string;
}

/** dist/schemas/openapi.json. */
export interface OpenApiList {
  readonly v2: OpenApiEntry;
  /** The same as protobuf. */
  readonly v2Protobuf: OpenApiEntry;
  /** `api/v1` or `apis/apps/v1` → document. */
  readonly v3: Readonly<Record<string, OpenApiEntry>>;
}

export interface OpenApiDocuments {
  readonly list: OpenApiList;
  read(entry: OpenApiEntry): Buffer;
}

/** Throws CodedError SCHEMAS_MISSING when the documents have not been generated. */
export function openApiDocuments(): OpenApiDocuments {
  const directory = schemaDirectory();
  return {
    list: JSON.parse(readFileSync(join(directory, 'openapi.json'), 'utf8')) as OpenApiList,
    read: ({ file }) => readFileSync(join(directory, 'openapi', file)),
  };
}

/** The body of `/openapi/v3`: where each group-version's document is. */
export function openApiV3Index({ v3 }: Pick<OpenApiList, 'v3'>): object {
  const entries = Object.entries(v3).map(([path, { hash }]) => [
    path,
    { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` },
  ]);
  return { paths: Object.fromEntries(entries) as Record<string, unknown> };
}
