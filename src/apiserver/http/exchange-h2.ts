// HTTP/2 side of Exchange, over node:http2's core stream API.

import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { constants, type IncomingHttpHeaders as Http2Headers, type ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { addCommonHeaders, auditIdOf, type BodyStream, collectBody, type Exchange } from './exchange.ts';
import { drained } from './exchange-h1.ts';

export class Http2Exchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly socket: TLSSocket;
  readonly protocol = 'HTTP/2';
  readonly warnings: string[] = [];
  readonly auditId: string;
  readonly #stream: ServerHttp2Stream;
  #closeHandlers: (() => void)[] | undefined = [];

  constructor(stream: ServerHttp2Stream, headers: Http2Headers, socket: TLSSocket) {
    this.method = headers[':method'] ?? 'GET';
    this.target = headers[':path'] ?? '/';
    this.headers = headers;
    this.auditId = auditIdOf(headers);
    this.socket = socket;
    this.#stream = stream;
    stream.once('close', () => {
      const handlers = this.#closeHandlers ?? [];
      this.#closeHandlers = undefined;
      for (const handler of handlers) handler();
    });
  }

  get answered(): boolean {
    return this.#stream.headersSent;
  }

  get status(): number {
    return Number(this.#stream.sentHeaders?.[':status'] ?? 0);
  }

  bodyStream(): ServerHttp2Stream {
    this.#wantBody();
    return this.#stream;
  }

  readBody(limit: number): Promise<Buffer> {
    const { 'content-length': declared } = this.headers;
    if (Number(declared ?? 0) <= limit) this.#wantBody();
    return collectBody(this.#stream, declared, limit);
  }

  /** Tells a client that waits to be asked for its body (RFC 9110 §10.1.1). */
  #wantBody(): void {
    const waits = this.headers.expect?.toLowerCase() === '100-continue' && !this.#gone();
    if (waits) this.#stream.additionalHeaders({ ':status': constants.HTTP_STATUS_CONTINUE });
  }

  send(status: number, headers: OutgoingHttpHeaders, body: Buffer): void {
    if (this.#gone()) return;
    headers[':status'] = status;
    if (status !== 304) headers['content-length'] = body.length;
    addCommonHeaders(headers, this);
    // respond() ends the stream of a HEAD request by itself.
    this.#stream.respond(headers);
    if (this.method !== 'HEAD') this.#stream.end(body);
  }

  stream(status: number, headers: OutgoingHttpHeaders): BodyStream {
    const stream = this.#stream;
    headers[':status'] = status;
    addCommonHeaders(headers, this);
    if (!this.#gone()) stream.respond(headers);
    return {
      write(chunk, written) {
        if (stream.writable) return stream.write(chunk, written);
        written?.();
        return false;
      },
      writeShared: ({ bytes }) => stream.writable && stream.write(bytes),
      get buffered() {
        return stream.writableLength;
      },
      get closed() {
        return stream.destroyed || stream.closed;
      },
      drained: () => drained(stream),
      end: () => void stream.end(),
      destroy: () => stream.close(constants.NGHTTP2_CANCEL),
    };
  }

  cut(): void {
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  onClose(handler: () => void): void {
    if (this.#closeHandlers === undefined) handler();
    else this.#closeHandlers.push(handler);
  }

  #gone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }
}
