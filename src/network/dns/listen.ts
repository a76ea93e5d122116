// The sockets of the DNS server: UDP and TCP on one address and port. TCP connections are few and short: at most 256, ten
// idle seconds each (RFC 7766 §6.2.3 leaves the number to the server).

import { createSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';
import { CodedError, codeOf, type Logger } from '../../base/index.ts';
import { framed, messageReader } from './exchange.ts';
import type { Resolver } from './resolver.ts';

export interface DnsListener {
  readonly port: number;
  close(): Promise<void>;
}

const maxConnections = 256;
const idleTimeout = 10_000;

/** Throws CodedError DNS_ADDRESS_IN_USE when somebody else answers there. @param port 0: any free one. */
export async function listen(
  at: { readonly address: string; readonly port: number },
  resolver: Resolver,
  logger: Logger,
): Promise<DnsListener> {
  const udp = createSocket('udp4');
  const port = await bound(
    at,
    new Promise<number>((resolve, reject) => {
      udp.once('error', reject);
      udp.bind(at.port, at.address, () => resolve(udp.address().port));
    }),
  );
  udp.removeAllListeners('error');
  udp.on('error', (error) => logger.warn('DNS socket', { error }));
  udp.on('message', (message, from) => {
    const send = (reply: Buffer): void => {
      // An answer that cannot be sent is lost like any datagram; the client asks again.
      udp.send(reply, from.port, from.address, () => undefined);
    };
    const reply = resolver.resolve(message, 'udp');
    if (reply instanceof Promise)
      void reply.then(send, (error: unknown) => logger.error('DNS answer failed', { error }));
    else if (reply !== undefined) send(reply);
  });

  const sockets = new Set<Socket>();
  const tcp = createServer((socket) => serve(socket));
  tcp.maxConnections = maxConnections;
  await bound(
    at,
    new Promise<void>((resolve, reject) => {
      tcp.once('error', reject);
      tcp.listen(port, at.address, resolve);
    }),
  ).catch((error: unknown) => {
    udp.close();
    throw error;
  });
  return {
    port,
    async close() {
      for (const socket of sockets) socket.destroy();
      await Promise.all([
        new Promise<void>((resolve) => udp.close(resolve)),
        new Promise<void>((resolve) => tcp.close(() => resolve())),
      ]);
    },
  };

  function serve(socket: Socket): void {
    sockets.add(socket);
    socket.setTimeout(idleTimeout, () => socket.destroy());
    socket.on('error', () => socket.destroy()); // a client that went away
    socket.on('close', () => sockets.delete(socket));
    const answer = async (message: Buffer): Promise<void> => {
      const reply = await resolver.resolve(message, 'tcp');
      if (reply !== undefined && socket.writable) socket.write(framed(reply));
    };
    socket.on(
      'data',
      messageReader((message) => {
        void answer(message).catch((error: unknown) => logger.error('DNS answer failed', { error }));
      }),
    );
  }
}

async function bound<T>(at: { readonly address: string; readonly port: number }, binding: Promise<T>): Promise<T> {
  try {
    return await binding;
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE') throw error;
    throw new CodedError('DNS_ADDRESS_IN_USE', `another program answers DNS on ${at.address}:${at.port}`, {
      exit: 'preflight',
      hint: `see \`ss -lntup sport = :${at.port}\`: stop it, bind it to other addresses, or switch cluster DNS off`,
      cause: error,
    });
  }
}
