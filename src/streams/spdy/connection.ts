// A SPDY/3.1 connection on a socket that was upgraded: opens streams, accepts the peer's, answers pings. Written for what
// Kubernetes does with SPDY (exec, attach, port-forward), where headers carry `streamtype` and `port` and neither :method
// nor :path: general SPDY libraries refuse that.
// Order matters in one place: SYN_REPLY goes out before any DATA on that stream, or the peer drops the data.

import type { Duplex } from 'node:stream';
import { messageOf } from '../../base/index.ts';
import {
  controlFrame,
  dataHead,
  type FrameHead,
  flagFin,
  frameType,
  headSize,
  numbersFrame,
  readHead,
  resetStatus,
} from './frames.ts';
import { createHeaderReader, createHeaderWriter, type SpdyHeaders } from './header-block.ts';
import { SpdyStream, type StreamWire } from './stream.ts';

export interface SpdyConnectionOptions {
  /** The client's streams have odd numbers, the server's even ones. */
  readonly role: 'client' | 'server';
  /** Bytes that arrived with the upgrade. */
  readonly head?: Buffer;
  /** Each stream that the peer opens, already answered with SYN_REPLY. Default: refused. */
  readonly onStream?: (stream: SpdyStream) => void;
}

export interface SpdyConnection {
  /** Resolves when the peer answered; rejects when it refused or the connection ended. */
  open(headers: SpdyHeaders): Promise<SpdyStream>;
  /** Resolves when the connection is over, with the reason when it did not end in order. */
  readonly closed: Promise<string | undefined>;
  /** Says GOAWAY and ends the socket after what is queued; streams end as if reset. */
  close(): void;
}

interface Opening {
  readonly stream: SpdyStream;
  readonly resolve: (stream: SpdyStream) => void;
  readonly reject: (error: Error) => void;
}

const maxControl = 64 * 1024;
const maxStreams = 4096;
const maxData = 0xffffff;

export function createSpdyConnection(socket: Duplex, options: SpdyConnectionOptions): SpdyConnection {
  const { role, head, onStream } = options;
  const streams = new Map<number, SpdyStream>();
  const opening = new Map<number, Opening>();
  const headerReader = createHeaderReader();
  const headerBlock = createHeaderWriter();
  let nextId = role === 'client' ? 1 : 2;
  let lastPeerId = 0;
  let over = false;

  const send = (frame: Buffer, done?: (error?: Error | null) => void): void => {
    if (socket.writable) socket.write(frame, done);
    else done?.(new Error('the SPDY connection is closed'));
  };
  const wire: StreamWire = {
    data(stream, chunk, done) {
      for (let at = 0; at < chunk.length; at += maxData) {
        const part = chunk.subarray(at, at + maxData);
        send(dataHead(stream, part.length, 0));
        send(part, at + maxData < chunk.length ? undefined : done);
      }
      if (chunk.length === 0) done();
    },
    fin: (stream, done) => send(dataHead(stream, 0, flagFin), done),
    reset: (stream) => send(numbersFrame(frameType.rstStream, stream, resetStatus.cancel)),
    forget: (stream) => streams.delete(stream),
  };

  const accept = async (body: Buffer, flags: number): Promise<void> => {
    const id = body.readUInt32BE(0) & 0x7fffffff;
    const headers = await headerReader.read(body.subarray(10));
    const ours = id % 2 === (role === 'client' ? 1 : 0);
    if (ours || id <= lastPeerId) throw new Error(`the peer opened stream ${id} out of order`);
    lastPeerId = id;
    if (onStream === undefined || streams.size >= maxStreams) {
      send(numbersFrame(frameType.rstStream, id, resetStatus.refusedStream));
      return;
    }
    const stream = new SpdyStream(id, headers, wire);
    streams.set(id, stream);
    send(controlFrame(frameType.synReply, Buffer.concat([number(id), headerBlock({})])));
    if ((flags & flagFin) !== 0) stream.finish();
    onStream(stream);
  };

  const control = async ({ type, version, flags }: FrameHead, body: Buffer): Promise<void> => {
    if (version !== 3) throw new Error(`the peer speaks SPDY version ${version}, not 3`);
    switch (type) {
      case frameType.synStream:
        return accept(body, flags);
      case frameType.synReply: {
        const id = body.readUInt32BE(0);
        await headerReader.read(body.subarray(4));
        const pending = opening.get(id);
        opening.delete(id);
        if ((flags & flagFin) !== 0) pending?.stream.finish();
        pending?.resolve(pending.stream);
        return;
      }
      case frameType.headers:
        // Read although nobody asks for it: the compression state goes on.
        await headerReader.read(body.subarray(4));
        return;
      case frameType.rstStream: {
        const id = body.readUInt32BE(0);
        opening.get(id)?.reject(new Error(`the peer refused SPDY stream ${id} (status ${body.readUInt32BE(4)})`));
        opening.delete(id);
        streams.get(id)?.abort();
        return;
      }
      case frameType.ping: {
        const id = body.readUInt32BE(0);
        if (id % 2 !== (role === 'client' ? 1 : 0)) send(numbersFrame(frameType.ping, id));
        return;
      }
      default:
        // GOAWAY: open streams go on. SETTINGS, WINDOW_UPDATE: nothing here depends on them. Others: to be ignored.
        return;
    }
  };

  const receive = async (): Promise<void> => {
    let pending: Buffer = head ?? Buffer.alloc(0);
    let data: { left: number; readonly stream: SpdyStream | undefined; readonly fin: boolean } | undefined;
    const consume = async (): Promise<void> => {
      for (;;) {
        if (data !== undefined) {
          const part = pending.subarray(0, data.left);
          pending = pending.subarray(part.length);
          data.left -= part.length;
          if (part.length > 0) await data.stream?.deliver(part);
          if (data.left > 0) return;
          if (data.fin) data.stream?.finish();
          data = undefined;
        }
        if (pending.length < headSize) return;
        const frame = readHead(pending);
        if (!frame.control) {
          pending = pending.subarray(headSize);
          data = { left: frame.length, stream: streams.get(frame.stream), fin: (frame.flags & flagFin) !== 0 };
          continue;
        }
        if (frame.length > maxControl) throw new Error(`the peer sent a control frame of ${frame.length} bytes`);
        if (pending.length < headSize + frame.length) return;
        const body = pending.subarray(headSize, headSize + frame.length);
        pending = pending.subarray(headSize + frame.length);
        await control(frame, body);
      }
    };
    await consume();
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      await consume();
    }
  };

  const end = (why: string | undefined): string | undefined => {
    over = true;
    headerReader.close();
    const reason = new Error(why ?? 'the SPDY connection was closed');
    for (const { reject } of opening.values()) reject(reason);
    opening.clear();
    for (const stream of [...streams.values()]) stream.abort();
    socket.destroy();
    return why;
  };
  // Errors show in the read loop as well; without a listener they would be thrown.
  socket.on('error', () => undefined);
  const closed = receive().then(
    () => end(undefined),
    (error: unknown) => end(over ? undefined : messageOf(error)),
  );

  return {
    open(headers) {
      if (over) return Promise.reject(new Error('the SPDY connection is closed'));
      const id = nextId;
      nextId += 2;
      const stream = new SpdyStream(id, headers, wire);
      streams.set(id, stream);
      // stream, associated stream, priority and slot, headers
      const body = Buffer.concat([number(id), number(0), Buffer.alloc(2), headerBlock(headers)]);
      return new Promise((resolve, reject) => {
        opening.set(id, { stream, resolve, reject });
        send(controlFrame(frameType.synStream, body));
      });
    },
    closed,
    close() {
      if (over) return;
      over = true;
      send(numbersFrame(frameType.goAway, lastPeerId, 0));
      socket.end();
      for (const stream of [...streams.values()]) stream.abort();
      // The peer has what we sent once it closes its side; one that never does is cut off.
      setTimeout(() => socket.destroy(), 1000).unref();
    },
  };
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
