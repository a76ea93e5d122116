// One question to one server outside, over UDP or TCP. Each UDP question has a socket of its own: the kernel then picks a
// random source port, which is what an attacker has to guess (RFC 5452 §9.2), and drops answers from other addresses.

import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { isReplyTo } from './wire.ts';

export interface Exchange {
  readonly server: string;
  /** 53 but in tests. */
  readonly port: number;
  readonly message: Buffer;
  readonly questionEnd: number;
}

/** The first answer to the question. Rejects with the socket's error, or the signal's reason. */
export function exchangeUdp({ server, port, message, questionEnd }: Exchange, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4');
    const settle = (act: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      socket.close();
      act();
    };
    const onAbort = (): void => settle(() => reject(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', (error) => settle(() => reject(error)));
    socket.on('message', (reply) => {
      if (isReplyTo(reply, message, questionEnd)) settle(() => resolve(reply));
    });
    socket.connect(port, server, () => socket.send(message));
  });
}

export function exchangeTcp({ server, port, message, questionEnd }: Exchange, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: server, port, signal });
    const read = messageReader((reply) => {
      if (isReplyTo(reply, message, questionEnd)) resolve(reply);
      else reject(new Error(`${server} answered another question`));
      socket.destroy();
    });
    socket.on('data', read);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`${server} closed the connection without an answer`)));
    socket.once('connect', () => socket.write(framed(message)));
  });
}

/** The message with its length in front (RFC 1035 §4.2.2). */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** Turns chunks of a stream into messages. Holds at most one message: 64 KiB. */
export function messageReader(onMessage: (message: Buffer) => void): (chunk: Buffer) => void {
  let held: Buffer = Buffer.alloc(0);
  return (chunk) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
      const end = 2 + held.readUInt16BE(0);
      const message = held.subarray(2, end);
      held = held.subarray(end);
      onMessage(message);
    }
  };
}
