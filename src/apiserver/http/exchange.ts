// One request and its answer, the same for HTTP/1.1 and HTTP/2. Handlers see only this, so each protocol keeps its own fast
// path (plain-exchange.ts, exchange-h1.ts, exchange-h2.ts) and none of them goes through node:http2's compatibility layer, which costs half of
// the throughput.

import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { ApiError } from '../contracts.ts';

export interface Exchange {
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly socket: TLSSocket;
  readonly protocol: 'HTTP/1.1' | 'HTTP/2';
  /** What the client is told in `Warning` headers, with whatever answer it gets; see warn(). */
  readonly warnings: string[];
  /** Told to the client as `Audit-ID` and written to the audit log. */
  readonly auditId: string;
  /** The whole body; ApiError 413 past `limit` bytes, 400 when the client went away. */
  readBody(limit: number): Buffer | Promise<Buffer>;
  /** The whole answer at once. */
  send(status: number, headers: OutgoingHttpHeaders, body: Buffer): void;
  /** Begins an answer that is written piece by piece. */
  stream(status: number, headers: OutgoingHttpHeaders): BodyStream;
  /** The body as it arrives, for what is passed on. */
  bodyStream(): Readable;
  /** Gives the request up: what of its body or of its answer is still on the way is not waited for. */
  cut(): void;
  /** Whether an answer was begun. */
  readonly answered: boolean;
  /** HTTP code of the answer; 0 before there is one. */
  readonly status: number;
  /** Called once when the answer is finished or the client went away; at once when that has been. */
  onClose(handler: () => void): void;
}

/** Adds a warning to the answer of `exchange`, once. */
export function warn({ warnings }: Pick<Exchange, 'warnings'>, message: string): void {
  if (!warnings.includes(message)) warnings.push(message);
}

const auditIdMax = 64;

/** What the client calls its request, or a new id. Source: apiserver pkg/endpoints/filters, WithAuditID. */
export function auditIdOf(headers: IncomingHttpHeaders): string {
  const given = headers['audit-id'];
  return typeof given === 'string' && given !== '' ? given.slice(0, auditIdMax) : randomUUID();
}

/** Sets the headers that every answer has: `Audit-ID`, and `Warning` (RFC 7234 §5.5). For the forms of Exchange. */
export function addCommonHeaders(
  headers: OutgoingHttpHeaders,
  { auditId, warnings }: Pick<Exchange, 'auditId' | 'warnings'>,
): void {
  headers['audit-id'] = auditId;
  if (warnings.length === 0) return;
  const quoted = warnings.map((text) => text.replaceAll(/[\\"]/g, '\\$&').replaceAll(/[^\x20-\x7e]+/g, ' '));
  headers['warning'] = quoted.map((text) => `299 - "${text}"`).join(', ');
}

/** Bytes that many streams send, with the form that HTTP/1.1 needs made once for all of them. */
export class SharedChunk {
  readonly bytes: Buffer;
  #chunked: Buffer | undefined;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.#chunked = undefined;
  }

  /** `<length in hex>\r\n<bytes>\r\n`, RFC 9112 §7.1. */
  get chunked(): Buffer {
    this.#chunked ??= Buffer.concat([Buffer.from(`${this.bytes.length.toString(16)}\r\n`), this.bytes, crlf]);
    return this.#chunked;
  }
}

const crlf = Buffer.from('\r\n');

export interface BodyStream {
  /**
   * False when the client is behind: wait for drained() or watch `buffered`. The chunk must not change before `written`,
   * which is called once it was sent or will never be; when the stream is cut it may not be called at all.
   */
  write(chunk: Buffer, written?: () => void): boolean;
  /** The same for bytes that go to many streams; only for answers without content-length. */
  writeShared(chunk: SharedChunk): boolean;
  /** Bytes that wait for the client. */
  readonly buffered: number;
  readonly closed: boolean;
  /** Resolves when the client has caught up or is gone. */
  drained(): Promise<void>;
  end(): void;
  /** Cuts the connection (HTTP/1.1) or the stream (HTTP/2). */
  destroy(): void;
}

/** Collects a request body of at most `limit` bytes from either protocol's stream. */
export function collectBody(
  source: NodeJS.ReadableStream,
  declared: string | undefined,
  limit: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (declared !== undefined && Number(declared) > limit) {
      source.resume();
      return reject(bodyTooLarge(limit));
    }
    const chunks: Buffer[] = [];
    let length = 0;
    let ended = false;
    source.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= limit) chunks.push(chunk);
      else reject(bodyTooLarge(limit));
    });
    source.on('end', () => {
      ended = true;
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, Math.min(length, limit)));
    });
    const cut = (cause?: unknown): void => {
      if (!ended) reject(new ApiError('BadRequest', 'the request body was cut off', { cause }));
    };
    source.on('error', cut);
    source.on('close', () => cut());
  });
}

/** Source: apiserver pkg/endpoints/handlers, limitedReadBody. */
export function bodyTooLarge(limit: number): ApiError {
  return new ApiError('RequestEntityTooLarge', `Request entity too large: limit is ${limit}`);
}
