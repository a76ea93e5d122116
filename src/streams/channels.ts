// Several streams on one WebSocket: the first byte of each message names the channel. Version 5 adds a message
// [255, channel] with which a side says that it will send no more on a channel; before, stdin could not end.
// Source: Kubernetes documentation of the remote command subprotocols, KEP-4006.

import { Readable, Writable } from 'node:stream';
import type { WebSocket } from 'ws';

export const channelProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;

export const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

export interface Channels {
  readonly stdin: Readable;
  readonly resize: Readable;
  /** What is written arrives at the client in order; the callback of a write comes when it left for the network. */
  output(which: 'stdout' | 'stderr' | 'error'): Writable;
  /** Resolves when the client closed the connection or it broke. */
  readonly closed: Promise<void>;
  /** Closes in order, after what was written. */
  close(): void;
}

export function createChannels(socket: WebSocket): Channels {
  // One input that is full pauses all: they share the connection. The reader of each goes on for itself.
  const full = new Set<Readable>();
  const input = (): Readable => {
    const stream: Readable = new Readable({
      highWaterMark: 64 * 1024,
      read() {
        if (full.delete(stream) && full.size === 0) socket.resume();
      },
    });
    return stream;
  };
  const [stdin, resize] = [input(), input()];
  const inputs = new Map<number, Readable>([
    [channel.stdin, stdin],
    [channel.resize, resize],
  ]);
  const end = (number: number): void => {
    const stream = inputs.get(number);
    inputs.delete(number);
    if (stream !== undefined && !stream.destroyed) stream.push(null);
  };

  socket.on('message', (data) => {
    const bytes = Buffer.isBuffer(data) ? data : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]);
    const number = bytes[0];
    if (number === channel.close) {
      end(bytes[1] ?? channel.stdin);
      return;
    }
    const stream = number === undefined ? undefined : inputs.get(number);
    if (stream === undefined || bytes.length < 2 || stream.destroyed || stream.push(bytes.subarray(1))) return;
    full.add(stream);
    socket.pause();
  });
  socket.on('error', () => socket.terminate());
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      end(channel.stdin);
      end(channel.resize);
      resolve();
    });
  });

  return {
    stdin,
    resize,
    output: (which) =>
      new Writable({
        highWaterMark: 64 * 1024,
        write(chunk: Buffer, _encoding, done) {
          socket.send(Buffer.concat([Buffer.from([channel[which]]), chunk]), { binary: true }, done);
        },
      }),
    closed,
    close: () => socket.close(1000),
  };
}
