// OpenAPI under /openapi: documents are files made at build time, listed with the hash of their bytes. kubectl asks for one
// per group and version and keeps it under its hash, so nothing is held in memory; the index is worked out once.

import { type OpenApiEntry, openApiDocuments, openApiV3Index } from '../../api/index.ts';

export interface OpenApiAnswer {
  readonly body: Buffer;
  /** The hash of the bytes, for `ETag`. */
  readonly etag: string | undefined;
}

export interface OpenApi {
  /** The document for a path below /openapi; undefined when there is none. */
  read(path: string): OpenApiAnswer | undefined;
}

/** The list is read when somebody asks first. Throws CodedError SCHEMAS_MISSING then when nothing was generated. */
export function createOpenApi(): OpenApi {
  let opened: ReturnType<typeof openApiDocuments> | undefined;
  return {
    read(path) {
      opened ??= openApiDocuments();
      const { list, read } = opened;
      const answer = ({ hash, ...entry }: OpenApiEntry): OpenApiAnswer => ({
        body: read({ hash, ...entry }),
        etag: hash,
      });
      if (path === '/openapi/v2') return answer(list.v2);
      if (path === '/openapi/v3') {
        return { body: Buffer.from(JSON.stringify(openApiV3Index(list))), etag: undefined };
      }
      const name = path.slice('/openapi/v3/'.length);
      const entry = path.startsWith('/openapi/v3/') && Object.hasOwn(list.v3, name) ? list.v3[name] : undefined;
      return entry === undefined ? undefined : answer(entry);
    },
  };
}
