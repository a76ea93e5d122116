// HTTP/1.1 side of Exchange, over node:http.

import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { addCommonHeaders, auditIdOf, type BodyStream, collectBody, type Exchange } from './exchange.ts';
import { originForm } from './request-target.ts';

const joinedMax = 32 << 10;

export class Http1Exchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly protocol = 'HTTP/1.1';
  readonly warnings: string[] = [];
  readonly auditId: string;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  /** The client waits to be told that its body is wanted (RFC 9110 §10.1.1). */
  #waits: boolean;

  constructor(request: IncomingMessage, response: ServerResponse, waits = false) {
    this.method = request.method ?? 'GET';
    this.target = originForm(request.url ?? '/');
    this.#waits = waits;
    this.auditId = auditIdOf(request.headers);
    this.#request = request;
    this.#response = response;
  }

  get headers(): IncomingMessage['headers'] {
    return this.#request.headers;
  }

  get socket(): TLSSocket {
    return this.#request.socket as TLSSocket;
  }

  get answered(): boolean {
    return this.#response.headersSent;
  }

  get status(): number {
    return this.#response.headersSent ? this.#response.statusCode : 0;
  }

  bodyStream(): IncomingMessage {
    this.#wantBody();
    return this.#request;
  }

  readBody(limit: number): Promise<Buffer> {
    const { 'content-length': declared } = this.#request.headers;
    if (Number(declared ?? 0) <= limit) this.#wantBody();
    return collectBody(this.#request, declared, limit);
  }

  #wantBody(): void {
    if (this.#waits) this.#response.writeContinue();
    this.#waits = false;
  }

  send(status: number, headers: OutgoingHttpHeaders, body: Buffer): void {
    if (status !== 304) headers['content-length'] = body.length;
    // Whether the body comes all the same is the client's choice, so nothing can follow on this connection.
    if (this.#waits) headers['connection'] = 'close';
    addCommonHeaders(headers, this);
    this.#response.writeHead(status, headers);
    // As one Latin-1 string, Node joins head and body to a single write, which costs less than the copy up to this size.
    if (body.length <= joinedMax) this.#response.end(body.toString('latin1'), 'latin1');
    else this.#response.end(body);
  }

  stream(status: number, headers: OutgoingHttpHeaders): BodyStream {
    const response = this.#response;
    addCommonHeaders(headers, this);
    response.writeHead(status, headers);
    response.flushHeaders();
    // The client may leave at any time; whoever writes sees it in `closed`.
    response.on('error', () => undefined);
    return {
      write(chunk, written) {
        if (!response.destroyed) return response.write(chunk, written);
        written?.();
        return false;
      },
      // The head is on the socket and this answer owns the socket until it ends, so framed bytes can go there directly.
      writeShared: ({ chunked }) => response.socket?.write(chunked) ?? false,
      get buffered() {
        return response.writableLength + (response.socket?.writableLength ?? 0);
      },
      get closed() {
        return response.destroyed || response.closed;
      },
      drained: () => (response.writableNeedDrain ? drained(response) : drained(response.socket ?? response)),
      end: () => void response.end(),
      destroy: () => void response.destroy(),
    };
  }

  cut(): void {
    this.#response.destroy();
    this.#request.destroy();
  }

  onClose(handler: () => void): void {
    if (this.#response.closed) handler();
    else this.#response.once('close', handler);
  }
}

/** Resolves at the next `drain`, or at `close`. */
export function drained(
  stream: NodeJS.WritableStream & { readonly destroyed?: boolean; readonly writableNeedDrain?: boolean },
): Promise<void> {
  if (stream.destroyed === true || stream.writableNeedDrain === false) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done);
      stream.off('close', done);
      resolve();
    };
    stream.on('drain', done);
    stream.on('close', done);
  });
}
