import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { constants, createDeflate } from 'node:zlib';
import t from 'tap';
import { createSpdyConnection, type SpdyStream } from '../../src/streams/index.ts';
import { spdyDictionary } from '../../src/streams/spdy/dictionary.ts';
import { createHeaderReader, createHeaderWriter } from '../../src/streams/spdy/header-block.ts';
import { all, socketPair } from './sockets.ts';

async function pair(onStream?: (stream: SpdyStream) => void) {
  const [a, b] = await socketPair();
  const client = createSpdyConnection(a, { role: 'client' });
  const server = createSpdyConnection(b, { role: 'server', ...(onStream && { onStream }) });
  return { client, server, a, b };
}

t.test('the header dictionary is the one of the protocol', async (t) => {
  const bytes = spdyDictionary();
  let [low, high] = [1, 0];
  for (const byte of bytes) {
    low = (low + byte) % 65521;
    high = (high + low) % 65521;
  }
  t.equal(bytes.length, 1423);
  t.equal((high * 65536 + low).toString(16), 'e3c6a7c2');
});

t.test('headers compressed by a peer are read, block after block', async (t) => {
  const deflate = createDeflate({ dictionary: spdyDictionary(), flush: constants.Z_SYNC_FLUSH });
  const reader = createHeaderReader();
  const pairs = (headers: Record<string, string>): Buffer => {
    const word = (text: string): Buffer => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(text.length);
      return Buffer.concat([length, Buffer.from(text)]);
    };
    const entries = Object.entries(headers);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(entries.length);
    return Buffer.concat([count, ...entries.flatMap(([name, value]) => [word(name), word(value)])]);
  };
  const compress = async (block: Buffer): Promise<Buffer> => {
    const parts: Buffer[] = [];
    deflate.on('data', (part: Buffer) => parts.push(part));
    await new Promise<void>((resolve) => deflate.write(block, () => resolve()));
    deflate.removeAllListeners('data');
    return Buffer.concat(parts);
  };
  for (const streamtype of ['error', 'stdin', 'stdout', 'x'.repeat(30_000)]) {
    const block = await compress(pairs({ Streamtype: streamtype, port: '80' }));
    t.strictSame({ ...(await reader.read(block)) }, { streamtype, port: '80' });
  }
  reader.close();
  deflate.destroy();
});

t.test('a header block that inflates beyond its bound is refused', async (t) => {
  const deflate = createDeflate({ dictionary: spdyDictionary() });
  const parts: Buffer[] = [];
  deflate.on('data', (part: Buffer) => parts.push(part));
  deflate.end(Buffer.alloc(1_000_000));
  await once(deflate, 'end');
  await t.rejects(createHeaderReader().read(Buffer.concat(parts)), /64 KiB/);
});

t.test('what is written is read back, without and with pairs', async (t) => {
  const [write, reader] = [createHeaderWriter(), createHeaderReader()];
  t.strictSame({ ...(await reader.read(write({}))) }, {});
  t.strictSame({ ...(await reader.read(write({ Port: '8080' }))) }, { port: '8080' });
  reader.close();
});

t.test('bytes go both ways, far past 64 KiB, and each side ends by itself', async (t) => {
  const { client, server } = await pair((stream) => stream.pipe(stream));
  const stream = await client.open({ streamtype: 'data' });
  const sent = randomBytes(3_000_000);
  stream.end(sent);
  const back = await all(stream);
  t.ok(back.equals(sent));
  client.close();
  t.equal(await server.closed, undefined);
});

t.test('headers of a stream arrive', async (t) => {
  const arrived = Promise.withResolvers<SpdyStream>();
  const { client } = await pair(arrived.resolve);
  await client.open({ StreamType: 'error', port: '8' });
  t.strictSame({ ...(await arrived.promise).headers }, { streamtype: 'error', port: '8' });
  client.close();
});

t.test('a server that closes right after its last words: they are all read', async (t) => {
  const { client } = await pair((stream) => {
    stream.end('the end', () => stream.destroy());
  });
  const stream = await client.open({});
  t.equal((await all(stream)).toString(), 'the end');
  client.close();
});

t.test('a reset ends reading in order and refuses writing', async (t) => {
  const { client } = await pair((stream) => {
    stream.write('some', () => stream.destroy());
  });
  const stream = await client.open({});
  t.equal((await all(stream)).toString(), 'some');
  const refused = await new Promise<unknown>((resolve) => {
    stream.on('error', () => undefined);
    stream.write('more', resolve);
  });
  t.ok(refused instanceof Error);
  client.close();
});

t.test('streams end and openings are refused when the connection is lost', async (t) => {
  const { client, b } = await pair(() => undefined);
  const stream = await client.open({});
  const rest = all(stream);
  b.destroy();
  t.equal((await rest).length, 0);
  await client.closed;
  await t.rejects(client.open({}), /closed/);
});

t.test('a peer that takes no streams refuses them', async (t) => {
  const { client } = await pair();
  await t.rejects(client.open({}), /refused/);
  client.close();
});

t.test('a reader that does not read stops the sender', async (t) => {
  let held: SpdyStream | undefined;
  const { client } = await pair((stream) => {
    held = stream;
  });
  const stream = await client.open({});
  let written = 0;
  const chunk = Buffer.alloc(64 * 1024);
  const push = (): void => {
    while (written < 64 * 1024 * 1024) {
      written += chunk.length;
      if (!stream.write(chunk)) break;
    }
  };
  stream.on('drain', push);
  push();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const stalled = written;
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.ok(stalled < 64 * 1024 * 1024, 'the sender was stopped');
  t.equal(written, stalled, 'and stays stopped');
  held?.resume();
  await new Promise<void>((resolve) => {
    const check = setInterval(() => {
      if (written < 64 * 1024 * 1024) return;
      clearInterval(check);
      resolve();
    }, 10);
  });
  client.close();
});

for (const { name, bytes } of [
  { name: 'another version', bytes: Buffer.from([0x80, 2, 0, 1, 0, 0, 0, 0]) },
  { name: 'a control frame of megabytes', bytes: Buffer.from([0x80, 3, 0, 1, 0, 0xff, 0xff, 0xff]) },
  {
    name: 'headers that are no zlib',
    bytes: Buffer.from([0x80, 3, 0, 1, 0, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2]),
  },
]) {
  t.test(`the connection ends with a reason: ${name}`, async (t) => {
    const [a, b] = await socketPair();
    const server = createSpdyConnection(b, { role: 'server', onStream: () => t.fail('no stream') });
    a.on('error', () => undefined);
    a.write(bytes);
    t.type(await server.closed, 'string');
    a.destroy();
  });
}

t.test('pings of the peer are answered', async (t) => {
  const [a, b] = await socketPair();
  const server = createSpdyConnection(b, { role: 'server' });
  const ping = Buffer.from([0x80, 3, 0, 6, 0, 0, 0, 4, 0, 0, 0, 1]);
  a.write(ping);
  const [answer] = (await once(a, 'data')) as [Buffer];
  t.ok(answer.equals(ping));
  server.close();
  a.destroy();
});
