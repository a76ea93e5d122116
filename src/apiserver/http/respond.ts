// Answers: an object or a list in the view that the client asked for, and errors as Status. The plain JSON view writes
// stored bytes; a list is put together in chunks, so that a list of 30 MB never exists as one buffer.

import type { OutgoingHttpHeaders } from 'node:http';
import { createGzip } from 'node:zlib';
import { dump } from 'js-yaml';
import type { KubeObject } from '../../api/index.ts';
import { CachedObject } from '../cache/index.ts';
import type { ApiError } from '../contracts.ts';
import type { ListPage } from '../registry/listing.ts';
import type { Resource } from '../registry/resource.ts';
import { type IncludeObject, partialJson, tableJson } from '../registry/table.ts';
import type { BodyStream, Exchange } from './exchange.ts';
import type { Accepted } from './negotiate.ts';
import { badRequest, statusBody } from './status-body.ts';

const chunkSize = 512 << 10;
/** Source: apiserver responsewriters, defaultGzipThresholdBytes. */
const gzipFrom = 128 << 10;
const comma = 0x2c;

export function jsonHeaders(): OutgoingHttpHeaders {
  return { 'cache-control': 'no-cache, private', 'content-type': 'application/json' };
}

export function sendJson(exchange: Exchange, status: number, value: unknown): void {
  exchange.send(status, jsonHeaders(), Buffer.from(`${JSON.stringify(value)}\n`));
}

export function sendError(exchange: Exchange, error: ApiError): void {
  const headers = jsonHeaders();
  if (error.retryAfterSeconds !== undefined) headers['retry-after'] = String(error.retryAfterSeconds);
  if (error.code === 401) headers['www-authenticate'] = 'Bearer realm="kubernetes"';
  exchange.send(error.code, headers, statusBody(error));
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
  if (options.warnings !== undefined && options.warnings.length > 0)
    headers['warning'] = warningHeader(options.warnings);
  const plain = accepted.view === 'object' && accepted.format === 'json' && resource.fromStored === undefined;
  if (plain && bytes.length < gzipFrom) {
    exchange.send(status, headers, bytes);
    return;
  }
  const text = plain ? undefined : viewOf(resource, bytes, options);
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
      throw badRequest(`invalid includeObject value: "${include}": must be one of None, Metadata, Object`);
  }
}

export async function sendList(
  exchange: Exchange,
  resource: Resource,
  page: ListPage,
  options: ViewOptions,
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
  const list = { kind: `${resource.spec.kind}List`, apiVersion: resource.apiVersion, metadata: meta };
  const head = Buffer.from(`${JSON.stringify(list).slice(0, -1)},"items":[`);
  if (accepted.format === 'yaml') {
    const text = Buffer.concat([...chunksOf(head, objects)]).toString();
    return sendText(exchange, { status: 200, headers, accepted }, text);
  }
  await sendChunks(exchange, headers, { head, objects });
}

const tail = Buffer.from(']}\n');

async function sendChunks(
  exchange: Exchange,
  headers: OutgoingHttpHeaders,
  { head, objects }: { readonly head: Buffer; readonly objects: readonly CachedObject[] },
): Promise<void> {
  const length = listLength(head, objects);
  const zipped = length >= gzipFrom && acceptsGzip(exchange);
  if (length <= chunkSize && !zipped) {
    const [body] = chunksOf(head, objects);
    return exchange.send(200, headers, body ?? tail);
  }
  if (zipped) headers['content-encoding'] = 'gzip';
  else headers['content-length'] = length;
  if (zipped) headers['vary'] = 'Accept-Encoding';
  const body = exchange.stream(200, headers);
  await (zipped ? pump(zip(chunksOf(head, objects)), body) : pump(chunksOf(head, objects), body));
}

async function pump(chunks: Iterable<Buffer> | AsyncIterable<Buffer>, body: BodyStream): Promise<void> {
  for await (const chunk of chunks) {
    if (body.closed) return;
    if (!body.write(chunk)) await body.drained();
  }
  body.end();
}

async function* zip(chunks: Iterable<Buffer>): AsyncIterable<Buffer> {
  const gzip = createGzip({ level: 1 });
  const input = (async () => {
    for (const chunk of chunks) if (!gzip.write(chunk)) await new Promise((resolve) => gzip.once('drain', resolve));
    gzip.end();
  })();
  yield* gzip as AsyncIterable<Buffer>;
  await input;
}

function listLength(head: Buffer, objects: readonly CachedObject[]): number {
  let length = head.length + tail.length + Math.max(0, objects.length - 1);
  for (const object of objects) length += object.bodyLength;
  return length;
}

/** The list's bytes in pieces of about chunkSize; stored bytes are copied once, into the piece. */
function* chunksOf(head: Buffer, objects: readonly CachedObject[]): Generator<Buffer> {
  let left = listLength(head, objects);
  let chunk = Buffer.allocUnsafe(Math.min(left, chunkSize));
  let at = head.copy(chunk, 0);
  for (const [index, object] of objects.entries()) {
    const length = object.bodyLength;
    if (at + length + 1 > chunk.length) {
      yield chunk.subarray(0, at);
      left -= at;
      chunk = Buffer.allocUnsafe(Math.min(left, Math.max(chunkSize, length + 1)));
      at = 0;
    }
    if (index > 0) chunk[at++] = comma;
    at += object.bytes.copy(chunk, at, 0, length);
  }
  if (at + tail.length > chunk.length) {
    yield chunk.subarray(0, at);
    yield tail;
    return;
  }
  at += tail.copy(chunk, at);
  yield chunk.subarray(0, at);
}

/** A whole body, in YAML when that was asked for. */
function sendText(
  exchange: Exchange,
  { status, headers, accepted }: { status: number; headers: OutgoingHttpHeaders; accepted: Accepted },
  content: string | Buffer,
): void {
  let body: Buffer;
  if (accepted.format === 'yaml') {
    headers['content-type'] = 'application/yaml';
    body = Buffer.from(dump(JSON.parse(content.toString()), { lineWidth: -1, noRefs: true }));
  } else body = typeof content === 'string' ? Buffer.from(`${content}\n`) : content;
  sendBytes(exchange, headers, body, status);
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

/** Source: RFC 7234 §5.5, code 299. */
function warningHeader(warnings: readonly string[]): string {
  const quoted = warnings.map((text) => text.replaceAll(/[\\"]/g, '\\$&').replaceAll(/[^\x20-\x7e]+/g, ' '));
  return quoted.map((text) => `299 - "${text}"`).join(', ');
}
