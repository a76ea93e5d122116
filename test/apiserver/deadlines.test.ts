// A request that does not get on is ended, in each form in which requests come, and gives its seat back.

import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, constants, connect as http2Connect } from 'node:http2';
import { connect, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { deadlineOf } from '../../src/apiserver/http/request-deadline.ts';
import { at, configMap, configMaps, startTestServer } from './harness.ts';

const limitMs = 400;
const api = await startTestServer({ requestTimeoutMs: limitMs });
t.teardown(() => api.stop());

const late = {
  kind: 'Status',
  reason: 'Timeout',
  code: 504,
  message: 'Timeout: request did not complete within the allotted timeout',
};

async function wire(t: Test, bytes: string): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port: api.server.port, ca: api.ca });
  t.teardown(() => socket.destroy());
  await once(socket, 'secureConnect');
  socket.write(bytes);
  return socket;
}

/** The body of the first answer on a connection. */
function answerOn(socket: TLSSocket): Promise<unknown> {
  let text = '';
  return new Promise((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const body = /\r\n\r\n(\{.*\})\n$/s.exec(text)?.[1];
      if (body !== undefined) resolve(JSON.parse(body));
    });
    socket.on('close', () => reject(new Error(`closed after ${text}`)));
  });
}

function session(t: Test, initialWindowSize = 65_535): ClientHttp2Session {
  const opened = http2Connect(api.server.url, { ca: api.ca, settings: { initialWindowSize } });
  t.teardown(() => opened.destroy());
  return opened;
}

async function textOf(stream: ClientHttp2Stream): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += (chunk as Buffer).toString();
  return text;
}

/** Seats that are taken, but for that of the one who asks. */
async function seatsTaken(): Promise<number> {
  const { text } = await api.call('GET', '/metrics');
  const counts = [...text.matchAll(/^apiserver_current_inflight_requests\{.*\} (\d+)$/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0) - 1;
}

async function untilNoSeatIsTaken(): Promise<void> {
  while ((await seatsTaken()) > 0) await new Promise((resolve) => setTimeout(resolve, 20));
}

const head = (...fields: string[]) => `POST ${configMaps} HTTP/1.1\r\nHost: x\r\n${fields.join('\r\n')}\r\n\r\n`;

t.test('a body that does not come', async (t) => {
  await t.test('HTTP/1.1, plain', async (t) => {
    const socket = await wire(t, `${head('Content-Type: application/json', 'Content-Length: 500')}{"kind":`);
    t.match(await answerOn(socket), late);
  });
  await t.test('HTTP/1.1, chunked', async (t) => {
    const socket = await wire(t, `${head('Content-Type: application/json', 'Transfer-Encoding: chunked')}5\r\n{"a":`);
    const closed = once(socket, 'close');
    t.match(await answerOn(socket), late);
    await closed;
  });
  await t.test('HTTP/2', async (t) => {
    const stream = session(t).request({ ':method': 'POST', ':path': configMaps, 'content-type': 'application/json' });
    stream.write('{"kind":');
    t.match(JSON.parse(await textOf(stream)), late);
  });
  await untilNoSeatIsTaken();
});

t.test('an answer that nobody reads', async (t) => {
  const data = { text: 'x'.repeat(1_000_000) };
  for (let index = 0; index < 12; index += 1) {
    await api.call('POST', configMaps, { ...configMap(`large-${index}`), data });
  }
  await t.test('HTTP/1.1', async (t) => {
    const socket = await wire(t, `GET ${configMaps} HTTP/1.1\r\nHost: x\r\n\r\n`);
    socket.pause();
    await untilNoSeatIsTaken();
    let length = 0;
    socket.on('data', (chunk: Buffer) => {
      length += chunk.length;
    });
    socket.resume();
    await once(socket, 'close');
    t.ok(length < 12_000_000, `cut after ${length} bytes`);
  });
  await t.test('HTTP/2', async (t) => {
    const opened = session(t, 0);
    const streams = ['/version', configMaps, '/nothing'].map((path) => opened.request({ ':path': path }));
    const ends = await Promise.all(
      streams.map(async (stream) => {
        stream.on('error', () => undefined);
        await once(stream, 'close');
        return stream.rstCode;
      }),
    );
    t.same(ends, Array(3).fill(constants.NGHTTP2_CANCEL));
  });
  await untilNoSeatIsTaken();
});

t.test('a client may ask for less time', async (t) => {
  const ask = async (timeout: string) => {
    const stream = session(t).request({ ':method': 'POST', ':path': `${configMaps}?timeout=${timeout}` });
    const started = performance.now();
    const answer: unknown = JSON.parse(await textOf(stream));
    return { answer, ms: performance.now() - started };
  };
  const short = await ask('100ms');
  t.match(short.answer, late);
  for (const timeout of ['1h', '0s', '-5s']) {
    const { answer, ms } = await ask(timeout);
    t.match(answer, late, timeout);
    t.ok(ms >= limitMs - 5, timeout);
  }
  t.match((await api.call('GET', '/version?timeout=soon')).body, {
    reason: 'BadRequest',
    message: 'invalid timeout specified in the request URL - time: invalid duration "soon"',
  });
  t.equal((await api.call('GET', `${configMaps}?timeout=1m`)).status, 200);
});

t.test('a watch goes on', async (t) => {
  const watch = await api.watch(`${configMaps}?watch=1&timeout=10ms`);
  t.teardown(() => watch.close());
  await new Promise((resolve) => setTimeout(resolve, 2 * limitMs));
  await api.call('POST', configMaps, configMap('late'));
  for (let name: unknown; name !== 'late'; ) name = at((await watch.next()).object, 'metadata.name');
  t.pass('told of what came after the limit');
});

t.test('the shorter of both, and never longer than any timer', (t) => {
  const month = 31 * 24 * 3_600_000;
  const longest = 2 ** 31 - 1;
  t.equal(deadlineOf(new URLSearchParams(), month), longest);
  t.equal(deadlineOf(new URLSearchParams('timeout=1000h'), month), longest);
  t.equal(deadlineOf(new URLSearchParams('timeout=1h'), month), 3_600_000);
  t.equal(deadlineOf(new URLSearchParams('timeout=100ms'), 400), 100);
  t.end();
});
