// Ways to a node and what is seen when they do not work, with sockets of this machine.

import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import t from 'tap';
import { createKeyPair, issueCertificate } from '../../src/certs/index.ts';
import { reach } from '../../src/probe/index.ts';

const signal = AbortSignal.timeout(20_000);

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Ends with the test, whatever its connections do. */
async function portOf(t: { teardown: (done: () => void) => void }, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return listening(server);
}

t.test('an agent that answers, whatever it says', async (t) => {
  const { privateKeyPem: key, publicKeyPem } = await createKeyPair();
  const cert = issueCertificate({
    publicKeyPem,
    subject: { commonName: 'n1', organizations: [] },
    usages: ['server auth'],
    signer: { self: true, keyPem: key },
    notBefore: new Date('2020-01-01'),
    notAfter: new Date('2021-01-01'),
  });
  const asked: string[] = [];
  const server = createHttps({ key, cert }, (request, response) => {
    asked.push(request.url ?? '', String(request.headers['x-padding']?.length));
    response.writeHead(401).end();
  });
  const port = await portOf(t, server);
  t.strictSame(await reach({ address: '127.0.0.1', port, signal }), {
    target: `127.0.0.1:${port}`,
    outcome: 'ok',
    certificateEnds: '2021-01-01T00:00:00.000Z',
  });
  t.strictSame(asked, ['/healthz', '6000']);
});

t.test('nobody listens', async (t) => {
  const server = createServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  t.match(await reach({ address: '127.0.0.1', port, signal }), { outcome: 'refused', detail: /ECONNREFUSED/ });
});

t.test('a connection on which nothing comes back', async (t) => {
  const port = await portOf(t, createServer());
  t.match(await reach({ address: '127.0.0.1', port, timeout: 50, signal }), {
    outcome: 'large-lost',
    detail: 'nothing for 50 ms',
  });
});

t.test('somebody who does not speak TLS', async (t) => {
  const port = await portOf(
    t,
    createServer((socket) => socket.end('SSH-2.0\r\n')),
  );
  t.match(await reach({ address: '127.0.0.1', port, signal }), { outcome: 'failed' });
});

t.test('somebody who hangs up', async (t) => {
  const port = await portOf(
    t,
    createServer((socket) => socket.destroy()),
  );
  t.match(await reach({ address: '127.0.0.1', port, signal }), { outcome: 'failed' });
});

t.test('an abort ends it', async (t) => {
  const port = await portOf(t, createServer());
  const stop = new AbortController();
  const asking = reach({ address: '127.0.0.1', port, signal: stop.signal });
  stop.abort(new Error('enough'));
  await t.rejects(asking, { message: 'enough' });
});
