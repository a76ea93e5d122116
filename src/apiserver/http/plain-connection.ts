// HTTP/1.1 connections whose requests are of the plain form (plain-request.ts), without node:http: no stream objects per
// request, head and body of an answer in one write. It halves what a small request costs beside its own work.
//
//   bytes ──► head is plain? ── yes ──► PlainExchange ──► answer ──► next request
//                 │ no
//                 └──► the socket and what was read of it go to node:http, for the rest of the connection
//
// Requests of a connection are served one after the other; what a client sends ahead waits here, and past a bound in its own
// socket. Alternative refused: an own parser for everything; the rare forms are where parsers disagree.

import type { TLSSocket } from 'node:tls';
import type { Exchange } from './exchange.ts';
import { PlainExchange } from './plain-exchange.ts';
import { type KnownFields, parsePlainHead } from './plain-request.ts';

export interface PlainConnectionOptions {
  readonly onExchange: (exchange: Exchange) => void;
  /** Takes the socket over; `unread` is where its first request begins. */
  readonly handOver: (socket: TLSSocket, unread: Buffer) => void;
  /** How long a new connection may stay silent, ms. */
  readonly firstRequestMs: number;
  /** The value of `Date`, RFC 9110 §6.6.1. */
  readonly date: () => string;
  /** How long a connection may stay silent between requests or inside of a body, ms. */
  readonly idleMs: number;
}

const headEnd = Buffer.from('\r\n\r\n');
const nothing = Buffer.alloc(0);
const aheadMax = 64 << 10;

export class PlainConnection {
  readonly #socket: TLSSocket;
  readonly #options: PlainConnectionOptions;
  readonly #known: KnownFields = { text: '', headers: {}, length: 0 };
  #exchange: PlainExchange | undefined;
  #unread: Buffer = nothing;
  /** Bytes of a body that nobody wanted, still to come. */
  #skip = 0;
  #serving = false;
  #first = true;
  #closing = false;

  constructor(socket: TLSSocket, options: PlainConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.setTimeout(options.firstRequestMs);
    socket.on('timeout', this.#onTimeout);
    socket.on('close', this.#onClose);
    socket.on('data', this.#onData);
  }

  /** Ends the connection, now or after the answer that is under way. */
  closeWhenIdle(): void {
    this.#closing = true;
    if (this.#exchange === undefined) this.#socket.destroySoon();
  }

  readonly #onData = (chunk: Buffer): void => {
    let bytes = chunk;
    if (this.#skip > 0) {
      const skipped = Math.min(this.#skip, bytes.length);
      this.#skip -= skipped;
      bytes = bytes.subarray(skipped);
    }
    if (this.#exchange !== undefined) bytes = this.#exchange.receive(bytes);
    if (bytes.length === 0) return;
    this.#unread = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes]);
    if (this.#exchange === undefined) this.#serve();
    else if (this.#unread.length > aheadMax) this.#socket.pause();
  };

  #serve(): void {
    if (this.#serving) return;
    this.#serving = true;
    while (this.#exchange === undefined && this.#unread.length > 0) {
      const unread = this.#unread;
      const end = unread.indexOf(headEnd);
      const head = end < 0 ? undefined : parsePlainHead(unread.toString('latin1', 0, end), this.#known);
      if (head === undefined) {
        this.#leave(unread);
        break;
      }
      if (this.#first) this.#socket.setTimeout(this.#options.idleMs);
      this.#first = false;
      const exchange = new PlainExchange(this.#socket, head, { date: this.#options.date, onDone: this.#onDone });
      this.#exchange = exchange;
      this.#unread = exchange.receive(unread.subarray(end + headEnd.length));
      this.#options.onExchange(exchange);
    }
    this.#serving = false;
  }

  readonly #onDone = (unreceived: number): void => {
    this.#exchange = undefined;
    this.#skip = unreceived;
    if (this.#closing) this.#socket.destroySoon();
    else {
      if (this.#socket.isPaused()) this.#socket.resume();
      if (this.#unread.length > 0) this.#serve();
    }
  };

  readonly #onTimeout = (): void => {
    if (this.#exchange === undefined || this.#exchange.isReceiving) this.#socket.destroy();
  };

  readonly #onClose = (): void => this.#exchange?.lost();

  #leave(unread: Buffer): void {
    const socket = this.#socket;
    socket.off('timeout', this.#onTimeout);
    socket.off('close', this.#onClose);
    socket.off('data', this.#onData);
    socket.setTimeout(0);
    this.#unread = nothing;
    this.#options.handOver(socket, unread);
  }
}
