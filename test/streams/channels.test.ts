import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import t from 'tap';
import { WebSocket } from 'ws';
import {
  acceptWebSocket,
  channelProtocols,
  chooseProtocol,
  createChannels,
  createSpdyConnection,
  type RemoteCommandFlags,
  type SpdyStream,
  translateRemoteCommand,
} from '../../src/streams/index.ts';
import { all, socketPair } from './sockets.ts';

type Streams = ReadonlyMap<string, SpdyStream>;

interface Given {
  readonly protocol: string;
  readonly flags?: Partial<RemoteCommandFlags>;
  /** Called on the node's side once its streams are there. */
  readonly serve: (streams: Streams, hangUp: () => void) => void;
}

/** A WebSocket client whose command runs in `serve`. */
async function client(t: { teardown(handler: () => void): unknown }, { protocol, flags = {}, serve }: Given) {
  const [a, b] = await socketPair();
  const whole = { stdin: true, stdout: true, stderr: true, tty: false, ...flags };
  const wanted =
    1 + Number(whole.stdin) + Number(whole.stdout) + Number(whole.stderr && !whole.tty) + Number(whole.tty);
  const streams = new Map<string, SpdyStream>();
  createSpdyConnection(b, {
    role: 'server',
    onStream(stream) {
      stream.on('error', () => undefined);
      streams.set(stream.headers['streamtype'] ?? '', stream);
      if (streams.size === wanted) serve(streams, () => b.destroy());
    },
  });
  const over = Promise.withResolvers<void>();
  const server = createServer();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const chosen = chooseProtocol(request.headers, channelProtocols);
    void acceptWebSocket({ method: 'GET', headers: request.headers, socket, head }, chosen)
      .then((accepted) =>
        translateRemoteCommand(createChannels(accepted), createSpdyConnection(a, { role: 'client' }), whole),
      )
      .then(over.resolve, over.reject);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    a.destroy();
    b.destroy();
  });
  const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, [protocol]);
  const received = new Map<number, string>();
  socket.on('message', (data: Buffer) => {
    const channel = data[0] ?? -1;
    received.set(channel, (received.get(channel) ?? '') + data.subarray(1).toString());
  });
  await once(socket, 'open');
  return { socket, received, over: over.promise, nodeSide: b };
}

const success = '{"metadata":{},"status":"Success"}';

t.test('version 5: both outputs, the end of stdin, the status last, then a normal close', async (t) => {
  const { socket, received, over } = await client(t, {
    protocol: 'v5.channel.k8s.io',
    serve: async (streams) => {
      const input = streams.get('stdin');
      streams.get('stderr')?.end('warned');
      streams.get('stdout')?.end(`got ${input === undefined ? '' : (await all(input)).toString()}`);
      streams.get('error')?.end(success);
    },
  });
  socket.send(Buffer.concat([Buffer.from([0]), Buffer.from('abc')]));
  socket.send(Buffer.from([255, 0]));
  const [code] = await once(socket, 'close');
  await over;
  t.equal(code, 1000);
  t.strictSame(Object.fromEntries(received), { 1: 'got abc', 2: 'warned', 3: success });
});

t.test('version 4 with a terminal: one output, sizes on channel 4', async (t) => {
  const sizes: string[] = [];
  const { socket, received } = await client(t, {
    protocol: 'v4.channel.k8s.io',
    flags: { tty: true },
    serve: (streams) => {
      streams.get('resize')?.once('data', (size) => {
        sizes.push(String(size));
        streams.get('stdout')?.end('done');
        streams.get('error')?.end(success);
      });
    },
  });
  socket.send(Buffer.concat([Buffer.from([4]), Buffer.from('{"Width":80,"Height":24}')]));
  await once(socket, 'close');
  t.strictSame(sizes, ['{"Width":80,"Height":24}']);
  t.strictSame(Object.fromEntries(received), { 1: 'done', 3: success });
});

t.test('a node that is lost without a status is a failure, not a success', async (t) => {
  const { socket, received } = await client(t, {
    protocol: 'v5.channel.k8s.io',
    serve: (streams, hangUp) => {
      streams.get('stdout')?.write('half', () => setTimeout(hangUp, 20));
    },
  });
  await once(socket, 'close');
  t.equal(received.get(1), 'half');
  t.match(JSON.parse(received.get(3) ?? '{}'), {
    status: 'Failure',
    code: 500,
    message: /lost before the command ended/,
  });
});

t.test('a client that goes away ends the connection to the node', async (t) => {
  const { socket, over, nodeSide } = await client(t, {
    protocol: 'v5.channel.k8s.io',
    serve: (streams) => void streams.get('stdout')?.write('on and on'),
  });
  await once(socket, 'message');
  socket.terminate();
  await over;
  if (!nodeSide.destroyed) await once(nodeSide, 'close');
  t.ok(nodeSide.destroyed);
});

t.test('subprotocols that nobody knows are a coded error', async (t) => {
  for (const offered of [undefined, 'v9.channel.k8s.io', 'base64.channel.k8s.io, x']) {
    const headers = offered === undefined ? {} : { 'sec-websocket-protocol': offered };
    t.throws(() => chooseProtocol(headers, channelProtocols), { code: 'STREAM_PROTOCOL_UNKNOWN' });
  }
  t.equal(
    chooseProtocol({ 'sec-websocket-protocol': 'x, v4.channel.k8s.io, v5.channel.k8s.io' }, channelProtocols),
    'v4.channel.k8s.io',
  );
});
