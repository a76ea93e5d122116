// Answers: an object or a list in the view that the client asked for, and errors as Status. The plain JSON view writes
// stored bytes; a list is put together in chunks, so that a list of 30 MB never exists as one buffer.

import type { OutgoingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { dump } from 'js-yaml';
import type { KubeObject } from '../../api/index.ts';
import { CachedObject } from '../cache/index.ts';
import type { ApiError } from '../contracts.ts';
import type { ListPage } from '../registry/listing.ts';
import type { Resource } from '../registry/resource.ts';
import { type IncludeObject, partialJson, tableJson } from '../registry/table.ts';
import { type Exchange, warn } from './exchange.ts';
import { type BufferPool, ListBody, streamList } from './list-body.ts';
import { type Accepted, formatOfWhole } from './negotiate.ts';
import { protobufAnswer, protobufList } from './protobuf-answers.ts';
import { badRequest, statusBody } from './status-body.ts';

const pieceSize = 64 << 10;
/** Source: apiserver responsewriters, defaultGzipThresholdBytes. */
const gzipFrom = 128 << 10;

export function jsonHeaders(): OutgoingHttpHeaders {
  return { 'cache-control': 'no-cache, private', 'content-type': 'application/json' };
}

export function sendJson(exchange: Exchange, status: number, value: unknown): void {
  sendMade(exchange, status, Buffer.from(`${JSON.stringify(value)}\n`));
}

/** An answer that was made as JSON: as it is, unless the client takes YAML or protobuf alone. */
export function sendMade(exchange: Exchange, status: number, json: Buffer, headers = jsonHeaders()): void {
  exchange.send(status, headers, encoded(json, formatOfWhole(exchange.headers.accept), headers));
}

/** For what is JSON whatever the client takes: /version and documents of other standards. */
export function sendPlainJson(exchange: Exchange, value: unknown): void {
  exchange.send(200, jsonHeaders(), Buffer.from(`${JSON.stringify(value)}\n`));
}

export function sendError(exchange: Exchange, error: ApiError): void {
  const { headers, body } = errorAnswer(error, exchange.headers.accept);
  exchange.send(error.code, headers, body);
}

/** A Status in the encoding that the client takes, JSON where it takes none of ours: an error hides behind no other one. */
export function errorAnswer(
  error: ApiError,
  accept: string | undefined,
): { headers: OutgoingHttpHeaders; body: Buffer } {
  const headers = jsonHeaders();
  if (error.retryAfterSeconds !== undefined) headers['retry-after'] = String(error.retryAfterSeconds);
  if (error.code === 401) headers['www-authenticate'] = 'Bearer realm="kubernetes"';
  return { headers, body: encoded(statusBody(error), formatOfWhole(accept), headers) };
}

export interface ViewOptions {
  readonly accepted: Accepted;
  readonly query: URLSearchParams;
  readonly now: number;
  readonly warnings?: readonly string[];
}

/** Stored bytes of one object, in the view asked for. */
export function sendObject(
  exchange: Exchange,
  resource: Resource,
  { bytes, status }: { readonly bytes: Buffer; readonly status: number },
  options: ViewOptions,
): void {
  const { accepted } = options;
  const headers = jsonHeaders();
  for (const message of options.warnings ?? []) warn(exchange, message);
  const asStored = accepted.view === 'object' && resource.fromStored === undefined;
  if (asStored && accepted.format === 'json' && bytes.length < gzipFrom) {
    exchange.send(status, headers, bytes);
    return;
  }
  const text = asStored ? undefined : viewOf(resource, bytes, options);
  sendText(exchange, { status, headers, accepted }, text ?? bytes);
}

function viewOf(resource: Resource, bytes: Buffer, options: ViewOptions): string {
  const object = servedObject(resource, JSON.parse(bytes.toString()) as KubeObject);
  switch (options.accepted.view) {
    case 'object':
      return JSON.stringify(object);
    case 'partial':
      return partialJson(object);
    case 'table': {
      const cached = asCached(resource, object);
      const meta = { resourceVersion: object.metadata?.resourceVersion ?? '' };
      return tableJson(resource.spec, [cached], {
        meta,
        include: includeOf(options.query),
        now: options.now,
        headers: true,
      });
    }
  }
}

/** From the stored form to the one that `resource` serves. */
function servedObject(resource: Resource, object: KubeObject): KubeObject {
  if (resource.fromStored === undefined) return object;
  return { ...resource.fromStored(object), kind: resource.spec.kind, apiVersion: resource.apiVersion };
}

function asCached({ cache }: Resource, object: KubeObject): CachedObject {
  return new CachedObject(`${cache.prefix}-`, Buffer.from(JSON.stringify(object)), 0, cache.prefix.length);
}

/** Serves `object` as `resource` does: another version of the stored kind is converted. */
export function served(resource: Resource, object: CachedObject): CachedObject {
  if (resource.fromStored === undefined) return object;
  const bytes = Buffer.from(JSON.stringify(servedObject(resource, object.parsed())));
  return new CachedObject(object.key, bytes, object.revision, object.prefixLength);
}

export function includeOf(query: URLSearchParams): IncludeObject {
  const include = query.get('includeObject') ?? '';
  switch (include) {
    case '':
    case 'Metadata':
      return 'Metadata';
    case 'None':
    case 'Object':
      return include;
    default:
      throw badRequest(
        `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(include)}: must be 'Metadata', 'Object', 'None', or empty`,
      );
  }
}

export async function sendList(
  exchange: Exchange,
  resource: Resource,
  page: ListPage,
  options: ViewOptions & { readonly pool: BufferPool },
): Promise<void> {
  const { accepted } = options;
  const meta = {
    resourceVersion: String(page.revision),
    ...(page.continue === undefined ? {} : { continue: page.continue }),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  };
  const objects = resource.fromStored === undefined ? page.objects : page.objects.map((one) => served(resource, one));
  const headers = jsonHeaders();
  if (accepted.view === 'table') {
    const include = includeOf(options.query);
    const text = tableJson(resource.spec, objects, { meta, include, now: options.now, headers: true });
    return sendText(exchange, { status: 200, headers, accepted }, text);
  }
  if (accepted.view === 'partial') {
    const head = JSON.stringify({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata: meta });
    const items = objects.map((object) => partialJson(object.parsed()));
    const text = `${head.slice(0, -1)},"items":[${items.join(',')}]}`;
    return sendText(exchange, { status: 200, headers, accepted }, text);
  }
  const outside = {
    kind: resource.spec.listKind ?? `${resource.spec.kind}List`,
    apiVersion: resource.apiVersion,
    metadata: meta,
  };
  const list = new ListBody(Buffer.from(`${JSON.stringify(outside).slice(0, -1)},"items":[`), objects);
  if (accepted.format === 'protobuf') return sendBytes(exchange, headers, protobufList(outside, objects, headers));
  if (accepted.format === 'yaml') {
    const text = list.whole().toString();
    return sendText(exchange, { status: 200, headers, accepted }, text);
  }
  await sendChunks(exchange, headers, { list, pool: options.pool });
}

async function sendChunks(
  exchange: Exchange,
  headers: OutgoingHttpHeaders,
  { list, pool }: { readonly list: ListBody; readonly pool: BufferPool },
): Promise<void> {
  if (list.length >= gzipFrom && acceptsGzip(exchange)) await streamZipped(exchange, headers, list);
  else if (list.length <= pool.size) exchange.send(200, headers, list.whole());
  else await streamList(exchange, headers, { list, pool });
}

async function streamZipped(exchange: Exchange, headers: OutgoingHttpHeaders, list: ListBody): Promise<void> {
  headers['content-encoding'] = 'gzip';
  headers['vary'] = 'Accept-Encoding';
  const body = exchange.stream(200, headers);
  const gzip = createGzip({ level: 1 });
  const pieces = Readable.from(piecesOf(list));
  exchange.onClose(() => {
    pieces.destroy();
    gzip.destroy();
  });
  pieces.pipe(gzip);
  try {
    for await (const chunk of gzip) if (!body.write(chunk as Buffer)) await body.drained();
  } catch (error) {
    if (!body.closed) throw error; // else the client went away
  }
  body.end();
}

function* piecesOf(list: ListBody): Generator<Buffer> {
  for (;;) {
    const piece = Buffer.allocUnsafe(pieceSize);
    const length = list.fill(piece);
    if (length === 0) return;
    yield piece.subarray(0, length);
  }
}

/** A whole body, in the format that was asked for. */
function sendText(
  exchange: Exchange,
  { status, headers, accepted }: { status: number; headers: OutgoingHttpHeaders; accepted: Accepted },
  content: string | Buffer,
): void {
  sendBytes(exchange, headers, encoded(content, accepted.format, headers), status);
}

/** JSON in another format, with the header that says so; in JSON again where a kind has no protobuf form. */
function encoded(json: string | Buffer, format: Accepted['format'], headers: OutgoingHttpHeaders): Buffer {
  if (format === 'yaml') {
    headers['content-type'] = 'application/yaml';
    return Buffer.from(dump(JSON.parse(json.toString()), { lineWidth: -1, noRefs: true }));
  }
  const protobuf = format === 'protobuf' ? protobufAnswer(json, headers) : undefined;
  return protobuf ?? (typeof json === 'string' ? Buffer.from(`${json}\n`) : json);
}

/** A whole body that is ready, compressed when it is big and the client takes that. */
export function sendBytes(exchange: Exchange, headers: OutgoingHttpHeaders, body: Buffer, status = 200): void {
  if (body.length < gzipFrom || !acceptsGzip(exchange)) {
    exchange.send(status, headers, body);
    return;
  }
  headers['content-encoding'] = 'gzip';
  headers['vary'] = 'Accept-Encoding';
  const gzip = createGzip({ level: 1 });
  const stream = exchange.stream(status, headers);
  gzip.on('data', (chunk: Buffer) => void stream.write(chunk));
  gzip.on('end', () => stream.end());
  gzip.end(body);
}

function acceptsGzip({ headers }: Exchange): boolean {
  const encodings = headers['accept-encoding'];
  return typeof encodings === 'string' && /\bgzip\b(?!;q=0(\.0*)?(,|$))/.test(encodings);
}
