// HTTP/1.1 as bytes on the wire: the plain form, and everything that is left to the full parser on the same connection.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect as http2Connect } from 'node:http2';
import { connect as connectPlain } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import t from 'tap';
import type { Exchange } from '../../src/apiserver/http/exchange.ts';
import { listen, type Timeouts } from '../../src/apiserver/http/listener.ts';
import { silentLogger } from '../../src/base/index.ts';
import { configMap, configMaps, startTestServer } from './harness.ts';

const api = await startTestServer({ bodyLimit: 10_000 });
t.teardown(() => api.stop());

interface Wire {
  readonly socket: TLSSocket;
  /** Sends and waits until what came since matches. */
  ask(bytes: string, until: RegExp): Promise<string>;
}

async function openWire(): Promise<Wire> {
  const socket = connect({ host: '127.0.0.1', port: api.server.port, ca: api.ca });
  t.teardown(() => socket.destroy());
  await once(socket, 'secureConnect');
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  return {
    socket,
    async ask(bytes, until) {
      text = '';
      socket.write(bytes);
      while (!until.test(text)) {
        await Promise.race([
          once(socket, 'data'),
          once(socket, 'close').then(() => Promise.reject(new Error(`closed after ${text}`))),
        ]);
      }
      return text;
    },
  };
}

const head = (method: string, path: string, ...fields: string[]): string =>
  [`${method} ${path} HTTP/1.1`, 'Host: x', ...fields, '', ''].join('\r\n');

const post = (name: string): string => {
  const body = JSON.stringify(configMap(name));
  return head('POST', configMaps, 'Content-Type: application/json', `Content-Length: ${body.length}`) + body;
};

const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];

t.test('answers say length and date, and the connection stays', async (t) => {
  const wire = await openWire();
  const first = await wire.ask(head('GET', '/version'), /\r\n\r\n\{.*\}\n$/s);
  t.match(first, /^HTTP\/1\.1 200 OK\r\n/);
  t.match(first, /\r\ndate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/);
  t.match(first, /\r\naudit-id: [0-9a-f-]{36}\r\n/);
  t.match(await wire.ask(head('GET', '/nothing', 'Audit-ID: mine'), /"code":404\}\n$/), /\r\naudit-id: mine\r\n/);
});

t.test('requests sent ahead are answered in order', async (t) => {
  const wire = await openWire();
  const text = await wire.ask(
    post('ahead-1') + post('ahead-2') + head('GET', `${configMaps}/ahead-1`) + head('GET', '/livez'),
    /\r\n\r\nok$/,
  );
  t.same(text.match(/^HTTP\/1\.1 \d+/gm), ['HTTP/1.1 201', 'HTTP/1.1 201', 'HTTP/1.1 200', 'HTTP/1.1 200']);
  t.ok(text.indexOf('"ahead-1"') < text.indexOf('"ahead-2"'));
});

t.test('a request may arrive in any pieces', async (t) => {
  const body = post('pieces');
  for (const at of [5, 60, body.indexOf('\r\n\r\n') + 2, body.indexOf('\r\n\r\n') + 4, body.length - 3]) {
    const wire = await openWire();
    const name = `pieces-${at}`;
    const bytes = post(name);
    wire.socket.write(bytes.slice(0, at));
    await new Promise((resolve) => setTimeout(resolve, 20));
    t.match(await wire.ask(bytes.slice(at), /\}\n$/), /^HTTP\/1\.1 201 /, `cut at ${at}`);
    t.match(await wire.ask(head('GET', `${configMaps}/${name}`), /\}\n$/), /^HTTP\/1\.1 200 /);
  }
});

t.test('HEAD has a length and no body', async (t) => {
  const wire = await openWire();
  const text = await wire.ask(head('HEAD', '/version') + head('GET', '/livez'), /\r\n\r\nok$/);
  const [first = '', second = ''] = text.split('\r\n\r\n');
  t.match(first, /content-length: [1-9]\d+/);
  t.match(second, /^HTTP\/1\.1 200 OK/);
});

t.test('a body past the limit is refused, swallowed, and the connection goes on', async (t) => {
  const wire = await openWire();
  const size = 50_000;
  const refused = await wire.ask(head('POST', configMaps, `Content-Length: ${size}`), /\}\n$/);
  t.match(refused, /^HTTP\/1\.1 413 /);
  t.match(await wire.ask('x'.repeat(size) + head('GET', '/livez'), /\r\n\r\nok$/), /^HTTP\/1\.1 200 /);
});

t.test('rare forms are served by the full parser, after plain requests too', async (t) => {
  const body = JSON.stringify(configMap('chunked'));
  const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  const cases = [
    {
      name: 'chunked',
      given: head('POST', configMaps, 'Transfer-Encoding: chunked') + chunked,
      want: /^HTTP\/1\.1 201 /,
    },
    { name: 'a target with the server in it', given: head('GET', 'https://x:1/livez'), want: /^HTTP\/1\.1 200 OK/ },
    { name: 'a server alone', given: head('OPTIONS', 'https://x'), want: /^HTTP\/1\.1 405 / },
    { name: 'a wish to upgrade', given: head('GET', '/livez', ...upgrade), want: /^HTTP\/1\.1 200 OK/ },
    {
      name: 'the same with a body',
      given: post('upgraded').replace('Host: x', ['Host: x', ...upgrade].join('\r\n')),
      want: /^HTTP\/1\.1 201 /,
    },
    { name: 'close', given: head('GET', '/livez', 'Connection: close'), want: /^HTTP\/1\.1 200 OK/ },
    { name: 'repeated field', given: head('GET', '/livez', 'X: 1', 'X: 2'), want: /^HTTP\/1\.1 200 OK/ },
    { name: 'another method', given: head('OPTIONS', '/livez'), want: /^HTTP\/1\.1 405 / },
  ];
  for (const { name, given, want } of cases) {
    const wire = await openWire();
    await wire.ask(head('GET', '/livez'), /\r\n\r\nok$/);
    t.match(await wire.ask(given, /\r\n\r\n(ok|.*\}\n)$/s), want, name);
  }
});

t.test('an upgrade that is refused says so in the encoding asked for', async (t) => {
  const wire = await openWire();
  const exec = head(
    'GET',
    '/api/v1/namespaces/default/pods/nobody/portforward',
    ...upgrade,
    'Accept: application/yaml',
  );
  const text = await wire.ask(exec, /code: 503\n$/);
  t.match(
    text,
    /^HTTP\/1\.1 503 Service Unavailable\r\n.*\r\ncontent-type: application\/yaml\r\n.*\r\n\r\nkind: Status\n/s,
  );
});

t.test('a body is asked for when it is wanted, and only then', async (t) => {
  const body = JSON.stringify(configMap('expected'));
  const asking = (path: string, size: number): string =>
    head('POST', path, 'Content-Type: application/json', `Content-Length: ${size}`, 'Expect: 100-continue');
  const wire = await openWire();
  t.equal(await wire.ask(asking(configMaps, body.length), /\r\n\r\n$/), 'HTTP/1.1 100 Continue\r\n\r\n');
  t.match(await wire.ask(body, /\}\n$/), /^HTTP\/1\.1 201 /);
  for (const { path, size, want } of [
    { path: '/apis/nothing/v1/x', size: 10, want: /^HTTP\/1\.1 404 .*\r\nconnection: close\r\n/is },
    { path: configMaps, size: 50_000, want: /^HTTP\/1\.1 413 .*\r\nconnection: close\r\n/is },
  ]) {
    t.match(await (await openWire()).ask(asking(path, size), /\}\n$/), want);
  }
});

t.test('what is too long or no request for this server is told so', async (t) => {
  const long = head('GET', `/version?x=${'a'.repeat(300_000)}`);
  t.match(await (await openWire()).ask(long, /\r\n\r\n/), /^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/);
  t.match(await (await openWire()).ask(head('CONNECT', 'x:443'), /\r\n\r\n/), /^HTTP\/1\.1 405 /);
});

t.test('nonsense behind a watch ends it, and is not answered into it', async (t) => {
  const wire = await openWire();
  let text = '';
  wire.socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await wire.ask(head('GET', `${configMaps}?watch=true&resourceVersion=1`, 'X: 1', 'X: 2'), /\r\n\r\n/);
  wire.socket.write('nonsense\r\n\r\n');
  await once(wire.socket, 'close');
  t.match(text, /^HTTP\/1\.1 200 OK/);
  t.notMatch(text, / 400 /);
});

t.test('what could be read in two ways is refused', async (t) => {
  const cases = [
    { name: 'two lengths', given: head('POST', configMaps, 'Content-Length: 3', 'Content-Length: 4') },
    { name: 'length and chunks', given: head('POST', configMaps, 'Content-Length: 3', 'Transfer-Encoding: chunked') },
    { name: 'length that is no number', given: head('POST', configMaps, 'Content-Length: +3') },
    { name: 'two hosts', given: head('GET', '/livez', 'Host: y') },
    { name: 'no host', given: 'GET /livez HTTP/1.1\r\n\r\n' },
    { name: 'bare line feed in a field', given: head('GET', '/livez', 'X: 1\nContent-Length: 5') },
    { name: 'space before the colon', given: head('GET', '/livez', 'X : 1') },
  ];
  for (const { name, given } of cases) {
    const wire = await openWire();
    t.match(await wire.ask(given, /\r\n\r\n/), /^HTTP\/1\.1 400 /, name);
  }
});

t.test('a client that leaves in the middle of a body leaves nothing behind', async (t) => {
  const wire = await openWire();
  wire.socket.write(post('left').slice(0, -5));
  wire.socket.destroy();
  t.match(await (await openWire()).ask(head('GET', `${configMaps}/left`), /\}\n$/), /^HTTP\/1\.1 404 /);
});

t.test('a client that does not get on is cut off, in every state', async (t) => {
  const states: readonly { readonly name: string; readonly timeouts: Timeouts; readonly sent: string }[] = [
    { name: 'silent', timeouts: { headers: 50 }, sent: '' },
    { name: 'half a head', timeouts: { headers: 50 }, sent: 'GET / HTTP/1.1\r\nHost' },
    { name: 'half a body', timeouts: { idle: 50 }, sent: post('slow').slice(0, -5) },
    { name: 'between requests', timeouts: { idle: 50 }, sent: head('GET', '/livez') },
  ];
  for (const { name, timeouts, sent } of states) {
    const listener = await listen({
      host: '127.0.0.1',
      port: 0,
      tls: api.pki.server,
      logger: silentLogger,
      timeouts,
      onExchange: (exchange) => {
        if (exchange.method === 'GET') exchange.send(200, {}, Buffer.from('ok'));
      },
      mayUpgrade: () => false,
      onUpgrade: () => undefined,
    });
    const socket = connect({ host: '127.0.0.1', port: listener.port, ca: api.ca });
    socket.resume();
    socket.write(sent);
    await once(socket, 'close');
    t.pass(name);
    await listener.close(0);
  }
});

t.test('a client that does not finish the handshake is cut off', async (t) => {
  const listener = await listen({
    host: '127.0.0.1',
    port: 0,
    tls: api.pki.server,
    logger: silentLogger,
    timeouts: { handshake: 50 },
    onExchange: () => undefined,
    mayUpgrade: () => false,
    onUpgrade: () => undefined,
  });
  const socket = connectPlain({ host: '127.0.0.1', port: listener.port });
  socket.resume();
  socket.on('error', () => undefined);
  await once(socket, 'close');
  t.pass('closed');
  await listener.close(0);
});

t.test('who asks after a client has gone is told that it has', async (t) => {
  let exchanges = Promise.withResolvers<Exchange>();
  const listener = await listen({
    host: '127.0.0.1',
    port: 0,
    tls: api.pki.server,
    logger: silentLogger,
    onExchange: (exchange) => exchanges.resolve(exchange),
    mayUpgrade: () => false,
    onUpgrade: () => undefined,
  });
  t.teardown(() => listener.close(0));
  const overHttp1 = (bytes: string) => (): { destroy(): void } => {
    const socket = connect({ host: '127.0.0.1', port: listener.port, ca: api.ca });
    socket.write(bytes);
    return socket;
  };
  for (const { name, send } of [
    { name: 'plain', send: overHttp1(head('GET', '/')) },
    { name: 'full parser', send: overHttp1(head('OPTIONS', '/', 'Transfer-Encoding: chunked')) },
    {
      name: 'HTTP/2',
      send: () => {
        const session = http2Connect(`https://127.0.0.1:${listener.port}`, { ca: api.ca });
        session.request({ ':path': '/' }).on('error', () => undefined);
        return session;
      },
    },
  ]) {
    exchanges = Promise.withResolvers<Exchange>();
    const client = send();
    const exchange = await exchanges.promise;
    const closed = new Promise<void>((resolve) => exchange.onClose(resolve));
    client.destroy();
    await closed;
    await new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise<void>((resolve) => exchange.onClose(resolve));
    t.pass(name);
  }
});

t.test('a client whose machine is gone is found out by the kernel', async (t) => {
  const { socket } = await openWire();
  const connection = `sport = :${api.server.port} and dport = :${socket.localPort}`;
  // Until what the server sent last is acknowledged, another timer of the connection is shown.
  let shown = '';
  for (let tries = 0; !shown.includes('keepalive') && tries < 1000; tries += 1) {
    shown = (await promisify(execFile)('ss', ['-tnoH', connection])).stdout;
  }
  t.match(shown, /timer:\(keepalive,\d+sec/);
});
