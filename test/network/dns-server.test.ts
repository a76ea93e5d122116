// The DNS server with real sockets on loopback: its own zone over UDP and TCP, and servers outside that are played by
// sockets of the test.

import { createSocket, type Socket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { type Answer, decode, encode, type Packet, type RecordType, streamDecode, streamEncode } from 'dns-packet';
import t from 'tap';
import { silentLogger, systemClock } from '../../src/base/index.ts';
import type { ClusterView } from '../../src/network/dns/cluster-view.ts';
import { createForwarder, type ForwarderOptions } from '../../src/network/dns/forwarder.ts';
import { type DnsListener, listen } from '../../src/network/dns/listen.ts';
import { parseNameservers } from '../../src/network/dns/resolv-conf.ts';
import { createResolver, type Resolver } from '../../src/network/dns/resolver.ts';
import { parseCidr } from '../../src/network/ipv4.ts';
import { service, slice } from './objects.ts';

const many = Array.from({ length: 120 }, (_, at) => ({ ip: `10.244.3.${at + 1}` }));
const view: ClusterView = {
  synced: true,
  service: (_namespace, name) =>
    name === 'many'
      ? service('many', { clusterIP: 'None' })
      : name === 'web'
        ? service('web', { clusterIP: '10.96.0.5' })
        : name === 'out'
          ? service('out', { type: 'ExternalName', externalName: 'target.example.org' })
          : undefined,
  slices: () => [slice('many', [], many)],
  hasNamespace: () => true,
  serviceAt: () => undefined,
  slicesAt: () => [],
};
const zone = { zone: 'cluster.local', dnsAddress: '127.0.0.1', ownRanges: [parseCidr('10.96.0.0/12')] };

interface Server {
  readonly port: number;
  ask(name: string, type?: RecordType, more?: Partial<Packet>): Promise<ReturnType<typeof decode>>;
  askTcp(name: string, type?: RecordType): Promise<Packet>;
  send(bytes: Buffer): Promise<Buffer>;
}

async function startServer(t: Tap, options: Partial<ForwarderOptions> = {}): Promise<Server> {
  const stop = new AbortController();
  const forwarder = createForwarder({
    nameservers: async () => [],
    clock: systemClock,
    logger: silentLogger,
    signal: stop.signal,
    ...options,
  });
  const listener = await listenSomewhere(createResolver(view, zone, forwarder));
  t.teardown(async () => {
    stop.abort();
    await listener.close();
  });
  const question = (name: string, type: RecordType, more: Partial<Packet> = {}): Packet => ({
    type: 'query',
    id: 4711,
    flags: 0x0100,
    questions: [{ name, type }],
    ...more,
  });
  const send = (bytes: Buffer): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const socket = createSocket('udp4');
      const done = (act: () => void): void => {
        clearTimeout(late);
        socket.close();
        act();
      };
      const late = setTimeout(() => done(() => reject(new Error('no answer'))), 1000);
      socket.once('message', (reply) => done(() => resolve(reply)));
      socket.send(bytes, listener.port, '127.0.0.1');
    });
  return {
    port: listener.port,
    send,
    ask: async (name, type = 'A', more = {}) => decode(await send(encode(question(name, type, more)))),
    askTcp: (name, type = 'A') =>
      new Promise((resolve, reject) => {
        const socket = connect(listener.port, '127.0.0.1', () => socket.write(streamEncode(question(name, type))));
        let held = Buffer.alloc(0);
        socket.on('data', (chunk) => {
          held = Buffer.concat([held, chunk]);
          if (held.length < 2 || held.length < held.readUInt16BE(0) + 2) return;
          socket.destroy();
          resolve(streamDecode(held));
        });
        socket.once('error', reject);
      }),
  };
}

/** A server outside: `answer` gives the reply for a question, or nothing to stay silent. */
async function startUpstream(
  t: Tap,
  answer: (query: Packet, socket: Socket) => Packet | undefined,
): Promise<{ readonly port: number; readonly asked: string[] }> {
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (bytes, from) => {
    const query = decode(bytes);
    const name = query.questions?.[0]?.name ?? '';
    if (!name.endsWith('.loop-check.k8ts.invalid')) asked.push(name);
    const reply = answer(query, socket);
    if (reply !== undefined) socket.send(encode(reply), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  t.teardown(() => new Promise<void>((resolve) => socket.close(resolve)));
  return { port: socket.address().port, asked };
}

type Tap = { teardown(handler: () => unknown): unknown };
const rcode = (packet: Packet): number => (packet.flags ?? 0) & 0x0f;
const addresses = (packet: Packet): unknown[] =>
  (packet.answers ?? []).flatMap((one) => ('data' in one ? [one.data] : []));
const replyWith = (query: Packet, address: string, ttl = 60): Packet => ({
  type: 'response',
  ...(query.id === undefined ? {} : { id: query.id }),
  flags: 0x0180,
  questions: query.questions ?? [],
  answers: [{ type: 'A', name: query.questions?.[0]?.name ?? '', ttl, data: address }],
});

t.test('its own names over UDP and TCP, letters in any case', async (t) => {
  const server = await startServer(t);
  const reply = await server.ask('WEB.default.svc.Cluster.local');
  t.equal(reply.id, 4711);
  t.equal(reply.flag_aa, true);
  t.equal(reply.questions?.[0]?.name, 'WEB.default.svc.Cluster.local', 'the question comes back as it was written');
  t.same(addresses(reply), ['10.96.0.5']);
  t.same(addresses(await server.askTcp('web.default.svc.cluster.local')), ['10.96.0.5']);
  const none = await server.ask('nobody.default.svc.cluster.local');
  t.equal(rcode(none), 3);
  t.match(none.authorities, [{ type: 'SOA', name: 'cluster.local', ttl: 5, data: { minimum: 5 } }]);
});

t.test('an answer that does not fit is cut; TCP and EDNS take more', async (t) => {
  const server = await startServer(t);
  const name = 'many.default.svc.cluster.local';
  const small = await server.ask(name);
  t.equal(small.flag_tc, true);
  t.ok(addresses(small).length > 20, 'names are compressed');
  const opt: Answer = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: 4096,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
  const larger = await server.ask(name, 'A', { additionals: [opt] });
  t.ok(addresses(larger).length > addresses(small).length);
  t.match(larger.additionals, [{ type: 'OPT', udpPayloadSize: 1232 }]);
  t.equal(addresses(await server.askTcp(name)).length, 120);
});

t.test('bytes that are no proper question', async (t) => {
  const server = await startServer(t);
  const good = encode({
    type: 'query',
    id: 9,
    flags: 0,
    questions: [{ name: 'web.default.svc.cluster.local', type: 'A' }],
  });
  const status = Buffer.from(good);
  status.writeUInt16BE(0x1000, 2);
  t.equal((await server.send(status)).readUInt16BE(2) & 0x0f, 4, 'other opcodes are not implemented');
  t.equal((await server.send(good.subarray(0, good.length - 6))).readUInt16BE(2) & 0x0f, 1, 'cut off');
  const two = Buffer.from(good);
  two.writeUInt16BE(2, 4);
  t.equal((await server.send(two)).readUInt16BE(2) & 0x0f, 1, 'two questions');
  await t.rejects(
    Promise.race([server.send(encode({ ...decode(good), type: 'response' })), later(100)]),
    /silent/,
    'an answer is not answered, or two servers could talk for ever',
  );
});

t.test('other names are asked of the servers outside, once per TTL', async (t) => {
  const upstream = await startUpstream(t, (query) => replyWith(query, '192.0.2.1'));
  const server = await startServer(t, { nameservers: async () => ['127.0.0.1'], port: upstream.port });
  const [one, two] = await Promise.all([server.ask('example.org'), server.ask('example.org')]);
  t.same([addresses(one), addresses(two)], [['192.0.2.1'], ['192.0.2.1']]);
  const third = await server.ask('EXAMPLE.org');
  t.equal(third.questions?.[0]?.name, 'EXAMPLE.org');
  t.same(addresses(third), ['192.0.2.1']);
  t.same(upstream.asked, ['example.org']);
});

t.test('an ExternalName is followed to its address', async (t) => {
  const upstream = await startUpstream(t, (query) => replyWith(query, '192.0.2.2'));
  const server = await startServer(t, { nameservers: async () => ['127.0.0.1'], port: upstream.port });
  const reply = await server.ask('out.default.svc.cluster.local');
  t.same(addresses(reply), ['target.example.org', '192.0.2.2']);
});

t.test('a silent or failing server is followed by the next; all silent is SERVFAIL', async (t) => {
  const upstream = await startUpstream(t, (query) => {
    const name = query.questions?.[0]?.name ?? '';
    return name.startsWith('silent') ? undefined : replyWith(query, '192.0.2.3');
  });
  // 127.0.0.2 has nobody on that port: the socket reports it at once.
  const server = await startServer(t, {
    nameservers: async () => ['127.0.0.2', '127.0.0.1'],
    port: upstream.port,
    tryFor: 150,
  });
  t.same(addresses(await server.ask('example.org')), ['192.0.2.3']);
  t.equal(rcode(await server.ask('silent.example.org')), 2);
  const none = await startServer(t);
  t.equal(rcode(await none.ask('example.org')), 2, 'the host names no server');
});

t.test('a cut answer is asked for again over TCP', async (t) => {
  const upstream = await startUpstream(t, (query) => ({
    ...replyWith(query, '192.0.2.4'),
    flags: 0x0380,
    answers: [],
  }));
  const tcp = createServer((socket) => {
    socket.once('data', (bytes) => socket.end(streamEncode(replyWith(streamDecode(bytes), '192.0.2.5'))));
  });
  await new Promise<void>((resolve) => tcp.listen(upstream.port, '127.0.0.1', resolve));
  t.teardown(() => tcp.close());
  const server = await startServer(t, { nameservers: async () => ['127.0.0.1'], port: upstream.port });
  t.same(addresses(await server.ask('example.org')), ['192.0.2.5']);
});

t.test('questions that wait for servers are bounded', async (t) => {
  const upstream = await startUpstream(t, () => undefined);
  const server = await startServer(t, {
    nameservers: async () => ['127.0.0.1'],
    port: upstream.port,
    tryFor: 300,
    bound: 1,
  });
  const first = server.ask('one.example.org');
  await new Promise((resolve) => setTimeout(resolve, 20));
  const began = upstream.asked.length;
  t.equal(rcode(await server.ask('two.example.org')), 2);
  t.equal(upstream.asked.length, began, 'the second never left');
  t.equal(rcode(await first), 2);
});

t.test('a loop is found and ends forwarding', async (t) => {
  let loopback: ((bytes: Buffer) => Promise<Buffer>) | undefined;
  const upstream = await startUpstream(t, (query, socket) => {
    // Like a host resolver that points back at the cluster DNS.
    void loopback?.(encode(query)).catch(() => undefined);
    return socket === undefined ? undefined : replyWith(query, '192.0.2.6', 0);
  });
  const errors: string[] = [];
  const logger = { ...silentLogger, error: (message: string) => void errors.push(message) };
  const server = await startServer(t, { nameservers: async () => ['127.0.0.1'], port: upstream.port, logger });
  loopback = server.send;
  await server.ask('example.org');
  for (let wait = 0; wait < 50 && errors.length === 0; wait++) await new Promise((resolve) => setTimeout(resolve, 10));
  t.match(errors, [/DNS loop/]);
  t.equal(rcode(await server.ask('other.example.org')), 2);
});

t.test('an address that is taken is a named error', async (t) => {
  const server = await startServer(t);
  const resolver = { resolve: () => undefined };
  const again = listen({ address: '127.0.0.1', port: server.port }, resolver, silentLogger);
  await t.rejects(again, { code: 'DNS_ADDRESS_IN_USE', hint: /ss -lntup/ });
});

t.test('nameservers of resolv.conf', async (t) => {
  const text =
    '# c\nsearch a b\nnameserver 192.0.2.1\n nameserver\tfd00::1 \nnameserver nonsense\nnameserver 127.0.0.53\n';
  t.same(parseNameservers(text), ['192.0.2.1', 'fd00::1', '127.0.0.53']);
});

/** A port that is free for UDP may be taken for TCP by somebody else on this machine: then another one. */
async function listenSomewhere(resolver: Resolver): Promise<DnsListener> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await listen({ address: '127.0.0.1', port: 0 }, resolver, silentLogger);
    } catch (error) {
      if (attempt === 20) throw error;
    }
  }
}

function later(ms: number): Promise<never> {
  return new Promise((_resolve, reject) => setTimeout(() => reject(new Error('silent')), ms));
}
