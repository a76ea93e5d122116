// One SPDY stream as a Node Duplex. Back-pressure towards the peer is the connection's: while a stream's reader does not
// read, the whole connection is not read. SPDY's own windows are not enforced, because Kubernetes clients (moby/spdystream)
// send no WINDOW_UPDATE: a sender that waited for one would stop for ever after 64 KiB.

import { Duplex } from 'node:stream';
import type { SpdyHeaders } from './header-block.ts';

export interface StreamWire {
  /** Writes data frames; `done` when they are with the socket. */
  data(stream: number, chunk: Buffer, done: (error?: Error | null) => void): void;
  fin(stream: number, done: (error?: Error | null) => void): void;
  reset(stream: number): void;
  forget(stream: number): void;
}

/**
 * opened ──(both sides FIN)──► closed
 *   └──(RST either way, connection lost)──► closed
 */
export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: SpdyHeaders;
  #wire: StreamWire;
  #resume: (() => void) | undefined;
  #closedByPeer = false;

  constructor(id: number, headers: SpdyHeaders, wire: StreamWire) {
    super({ allowHalfOpen: true, highWaterMark: 64 * 1024, emitClose: true });
    this.id = id;
    this.headers = headers;
    this.#wire = wire;
  }

  /** Takes bytes from the peer; resolves when the reader has room for more. */
  async deliver(chunk: Buffer): Promise<void> {
    if (this.destroyed || this.readableEnded || this.push(chunk)) return;
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
    });
  }

  /** FIN from the peer. */
  finish(): void {
    if (!this.destroyed) this.push(null);
  }

  /**
   * RST from the peer, or the connection ended. What arrived before is still readable and ends in order, because Kubernetes
   * servers reset all streams of a finished command; what is written from now on is refused.
   */
  abort(): void {
    this.#closedByPeer = true;
    if (this.destroyed) return;
    this.push(null);
    this.#wire.forget(this.id);
    if (this.readableEnded) this.destroy();
    else this.once('end', () => this.destroy());
  }

  override _read(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#closedByPeer) done(new Error(`SPDY stream ${this.id} was reset by the peer`));
    else this.#wire.data(this.id, chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#closedByPeer) done();
    else this.#wire.fin(this.id, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this._read();
    const whole = this.readableEnded && this.writableFinished;
    if (!whole && !this.#closedByPeer) this.#wire.reset(this.id);
    this.#wire.forget(this.id);
    done(error);
  }
}
