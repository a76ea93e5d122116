// Two connected sockets, and the whole of a stream.

import { connect, createServer, type Socket } from 'node:net';
import type { Readable } from 'node:stream';

export async function socketPair(): Promise<readonly [Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const client = connect({ port: address.port, host: '127.0.0.1', allowHalfOpen: true });
  const peer = await accepted;
  server.close();
  return [client, peer];
}

export async function all(stream: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}
