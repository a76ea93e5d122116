// One request of a PlainConnection and its answer; see plain-connection.ts.

import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { ApiError } from '../contracts.ts';
import { addCommonHeaders, auditIdOf, type BodyStream, bodyTooLarge, type Exchange } from './exchange.ts';
import { drained } from './exchange-h1.ts';
import type { PlainHead } from './plain-request.ts';
import { statusText } from './status-text.ts';

const nothing = Buffer.alloc(0);
const joinedMax = 32 << 10;
/** A body that nobody has asked for yet may wait here up to this size. */
const heldMax = 256 << 10;

interface ExchangeContext {
  readonly date: () => string;
  /** Called once, when the answer is handed to the socket, with how much of the body has not come yet. */
  readonly onDone: (unreceived: number) => void;
}

interface Reader {
  readonly resolve: (body: Buffer) => void;
  readonly reject: (error: Error) => void;
}

export class PlainExchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly socket: TLSSocket;
  readonly protocol = 'HTTP/1.1';
  readonly warnings: string[] = [];
  readonly auditId: string;
  readonly #length: number;
  readonly #context: ExchangeContext;
  #missing: number;
  #chunks: Buffer[] = [];
  #reader: Reader | undefined;
  #source: Readable | undefined;
  #status = 0;
  #done = false;
  #closeHandlers: (() => void)[] = [];

  constructor(socket: TLSSocket, head: PlainHead, context: ExchangeContext) {
    this.method = head.method;
    this.target = head.target;
    this.headers = head.headers;
    this.socket = socket;
    this.auditId = auditIdOf(head.headers);
    this.#length = head.length;
    this.#missing = head.length;
    this.#context = context;
  }

  get answered(): boolean {
    return this.#status !== 0;
  }

  get status(): number {
    return this.#status;
  }

  get isReceiving(): boolean {
    return this.#missing > 0;
  }

  /** Takes what belongs to the body; answers what follows it. */
  receive(bytes: Buffer): Buffer {
    if (this.#missing === 0 || bytes.length === 0) return bytes;
    const mine = bytes.length <= this.#missing ? bytes : bytes.subarray(0, this.#missing);
    this.#missing -= mine.length;
    if (this.#source === undefined) {
      this.#chunks.push(mine);
      if (this.#reader === undefined && this.#length - this.#missing > heldMax) this.socket.pause();
    } else if (!this.#source.push(mine)) this.socket.pause();
    if (this.#missing === 0) {
      this.#source?.push(null);
      this.#reader?.resolve(this.#takeBody());
    }
    return bytes.subarray(mine.length);
  }

  readBody(limit: number): Buffer | Promise<Buffer> {
    if (this.#length > limit) throw bodyTooLarge(limit);
    if (this.#missing === 0) return this.#takeBody();
    if (this.#done) throw cutOff();
    this.socket.resume();
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  #takeBody(): Buffer {
    const [only = nothing] = this.#chunks;
    const body = this.#chunks.length <= 1 ? only : Buffer.concat(this.#chunks, this.#length);
    this.#chunks = [];
    return body;
  }

  bodyStream(): Readable {
    const source = new Readable({ read: () => void this.socket.resume() });
    for (const chunk of this.#chunks) source.push(chunk);
    this.#chunks = [];
    if (this.#missing === 0) source.push(null);
    else this.#source = source;
    return source;
  }

  send(status: number, headers: OutgoingHttpHeaders, body: Buffer): void {
    // That of a 304 would be the length of what is not sent (RFC 9110 §15.4.5).
    if (status !== 304) headers['content-length'] = body.length;
    const head = this.#begin(status, headers);
    if (this.#done) return;
    const { socket } = this;
    // One string is one write and one TLS record; up to this size that costs less than two.
    if (this.method === 'HEAD') socket.write(head, 'latin1');
    else if (body.length <= joinedMax) socket.write(head + body.toString('latin1'), 'latin1');
    else {
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(body);
      socket.uncork();
    }
    this.#finish();
  }

  stream(status: number, headers: OutgoingHttpHeaders): BodyStream {
    const { socket } = this;
    const chunked = headers['content-length'] === undefined;
    if (chunked) headers['transfer-encoding'] = 'chunked';
    const head = this.#begin(status, headers);
    if (!this.#done) socket.write(head, 'latin1');
    const silent = this.method === 'HEAD';
    const isClosed = (): boolean => this.#done || socket.destroyed;
    return {
      write(chunk, written) {
        if (isClosed() || silent || chunk.length === 0) {
          written?.();
          return !isClosed();
        }
        const sent = written === undefined ? undefined : () => written();
        if (!chunked) return socket.write(chunk, sent);
        socket.cork();
        socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
        socket.write(chunk, sent);
        const more = socket.write('\r\n', 'latin1');
        socket.uncork();
        return more;
      },
      writeShared: (chunk) => !isClosed() && (silent || socket.write(chunk.chunked)),
      get buffered() {
        return socket.writableLength;
      },
      get closed() {
        return isClosed();
      },
      drained: () => drained(socket),
      end: () => {
        if (isClosed()) return;
        if (chunked && !silent) socket.write('0\r\n\r\n', 'latin1');
        this.#finish();
      },
      destroy: () => void socket.destroy(),
    };
  }

  onClose(handler: () => void): void {
    if (this.#done) handler();
    else this.#closeHandlers.push(handler);
  }

  cut(): void {
    if (!this.#done) this.socket.destroy();
  }

  /** The client is gone. */
  lost(): void {
    this.#reader?.reject(cutOff());
    this.#source?.destroy(cutOff());
    this.#finish();
  }

  #begin(status: number, headers: OutgoingHttpHeaders): string {
    if (this.#status !== 0) throw new Error('the request was answered already');
    this.#status = status;
    addCommonHeaders(headers, this);
    return headText(status, headers, this.#context.date());
  }

  #finish(): void {
    if (this.#done) return;
    this.#done = true;
    for (const handler of this.#closeHandlers) handler();
    this.#context.onDone(this.#missing);
  }
}

function headText(status: number, headers: OutgoingHttpHeaders, date: string): string {
  let text = `HTTP/1.1 ${status} ${statusText(status)}\r\n`;
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) {
      if (typeof one === 'string' && unsendable.test(one))
        throw new Error(`header ${name} has characters it may not have`);
      text += `${name}: ${one}\r\n`;
    }
  }
  return `${text}date: ${date}\r\n\r\n`;
}

const unsendable = /[^\t\x20-\x7e\x80-\xff]/;
function cutOff(): ApiError {
  return new ApiError('BadRequest', 'the request body was cut off');
}
