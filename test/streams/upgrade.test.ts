import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { forwardedUpgradeHeaders, tunnelUpgrade } from '../../src/streams/index.ts';
import { socketPair } from './sockets.ts';

interface Listening {
  readonly url: URL;
  close(): void;
}

async function listening(server: ReturnType<typeof createServer>): Promise<Listening> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}/exec/token`),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A server that echoes after its upgrade, and one in front that tunnels to it. */
async function chain(t: { teardown(handler: () => void): unknown }) {
  const seen: IncomingMessage[] = [];
  const back = createServer();
  back.on('upgrade', (message, socket) => {
    seen.push(message);
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\nhello ',
    );
    socket.pipe(socket);
    socket.on('error', () => undefined);
  });
  const target = await listening(back);
  const front = createServer();
  const over: Promise<void>[] = [];
  front.on('upgrade', (message, socket, head) => {
    const headers = forwardedUpgradeHeaders(message.headers);
    over.push(tunnelUpgrade({ headers: message.headers, socket, head }, { url: target.url, method: 'POST', headers }));
  });
  const door = await listening(front);
  t.teardown(() => {
    target.close();
    door.close();
  });
  return { door, target, seen, over };
}

t.test('bytes pass both ways, the answer keeps its headers, credentials stay behind', async (t) => {
  const { door, seen, over } = await chain(t);
  const asking = request(door.url, {
    method: 'POST',
    headers: {
      connection: 'Upgrade',
      upgrade: 'SPDY/3.1',
      'x-stream-protocol-version': ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
      authorization: 'Bearer secret',
    },
  });
  asking.end();
  const [answer, socket, head] = await once(asking, 'upgrade');
  t.equal(answer.headers['x-stream-protocol-version'], 'v4.channel.k8s.io');
  t.equal(seen[0]?.headers.authorization, undefined);
  t.equal(seen[0]?.headers['x-stream-protocol-version'], 'v5.channel.k8s.io, v4.channel.k8s.io');
  let text = head.toString();
  socket.on('data', (part: Buffer) => {
    text += part.toString();
    if (text.endsWith('back')) socket.end();
  });
  socket.write('and back');
  await over[0];
  t.equal(text, 'hello and back');
});

t.test('a refusal is passed on with status and body', async (t) => {
  const back = createServer((_request, response) => response.writeHead(404).end('no such token'));
  const target = await listening(back);
  const front = createServer();
  front.on('upgrade', ({ headers }, socket, head) => {
    void tunnelUpgrade(
      { headers, socket, head },
      { url: target.url, method: 'POST', headers: forwardedUpgradeHeaders(headers) },
    );
  });
  const door = await listening(front);
  t.teardown(() => {
    target.close();
    door.close();
  });
  const asking = request(door.url, { headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1' } });
  asking.end();
  const [answer] = await once(asking, 'response');
  let body = '';
  for await (const part of answer) body += part;
  t.equal(answer.statusCode, 404);
  t.equal(body, 'no such token');
});

t.test('a server that is not there is a coded error, and nothing is written to the client', async (t) => {
  const gone = await listening(createServer());
  gone.close();
  const [a, b] = await socketPair();
  await t.rejects(
    tunnelUpgrade(
      { headers: {}, socket: b, head: Buffer.alloc(0) },
      { url: gone.url, method: 'POST', headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1' } },
    ),
    { code: 'STREAM_UNREACHABLE', message: /ECONNREFUSED/ },
  );
  t.equal(b.bytesWritten, 0);
  a.destroy();
  b.destroy();
});
