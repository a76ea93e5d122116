// Everything that is not the cluster's goes to the host's servers, as bytes: the question is passed on as the client sent
// it, the answer as the server sent it.
//
//   query ─► cache ─► same question already asked? share ─► servers in turn, UDP then TCP when cut ─► cache ─► client
//
// Bounds: questions in flight (beyond it: SERVFAIL at once, clients ask again), time per try and in all, cache entries.
// A loop (the host's server asks us again) is found by a question with a random name before anything is forwarded to a new
// list of servers: if it comes in here, forwarding stops until the list changes.

import { randomBytes } from 'node:crypto';
import { encode } from 'dns-packet';
import { type Clock, type Logger, messageOf } from '../../base/index.ts';
import { exchangeTcp, exchangeUdp } from './exchange.ts';
import { rcodes } from './records.ts';
import { createReplyCache } from './reply-cache.ts';
import { adaptReply, isTruncated, type Query, rcodeOf, readQuery, writeError } from './wire.ts';

export interface ForwarderOptions {
  readonly nameservers: () => Promise<readonly string[]>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Questions that may wait for servers at once. Default 1000, as CoreDNS in kubeadm clusters. */
  readonly bound?: number;
  /** ms for one server to answer. Default 2000. */
  readonly tryFor?: number;
  /** Default 53. */
  readonly port?: number;
}

export interface Forwarder {
  /** The answer for the client, at most `limit` bytes. Never rejects: SERVFAIL when no server helps. */
  forward(query: Query, limit: number): Promise<Buffer>;
  /** True when the query is our own question that found its way back; it must not be forwarded. */
  isLoopProbe(query: Query): boolean;
}

const cacheBound = 10_000;
const maxTries = 3;

export function createForwarder(options: ForwarderOptions): Forwarder {
  const { nameservers, clock, logger, signal, bound = 1000, tryFor = 2000, port = 53 } = options;
  const cache = createReplyCache(cacheBound, () => clock.now());
  const inFlight = new Map<string, Promise<Buffer>>();
  const probe = `${randomBytes(10).toString('hex')}.loop-check.k8ts.invalid`;
  let probed = '';
  let looped = false;
  /** The server that answered last; a dead one is not asked first again and again. */
  let preferred = '';

  return {
    async forward(query, limit) {
      const key = `${query.name} ${query.type} ${query.options}`;
      const held = cache.get(key);
      if (held !== undefined) return adaptReply(held.reply, query, held.ageSeconds, limit);
      try {
        return adaptReply(await shared(key, query), query, 0, limit);
      } catch (error) {
        logger.debug('question not answered by any server', { name: query.name, type: query.type, error });
        return writeError(query.bytes, 'SERVFAIL', query);
      }
    },
    isLoopProbe(query) {
      if (query.name !== probe) return false;
      if (!looped)
        logger.error(
          "DNS loop: the host's servers ask this node again; nothing is forwarded until resolv.conf changes",
          { code: 'DNS_LOOP', hint: 'point /etc/resolv.conf at a server outside of the cluster' },
        );
      looped = true;
      return true;
    },
  };

  function shared(key: string, query: Query): Promise<Buffer> {
    const waiting = inFlight.get(key);
    if (waiting !== undefined) return waiting;
    if (inFlight.size >= bound) return Promise.reject(new Error(`${bound} questions are waiting already`));
    const asked = ask(query).then((reply) => {
      cache.put(key, reply);
      return reply;
    });
    inFlight.set(key, asked);
    const done = (): boolean => inFlight.delete(key);
    asked.then(done, done);
    return asked;
  }

  async function ask(query: Query): Promise<Buffer> {
    const servers = await nameservers();
    if (servers.length === 0) throw new Error('the host names no DNS server');
    void checkForLoop(servers); // a loop shows within one round trip, so nobody waits for it
    if (looped) throw new Error('forwarding is off because of a loop');
    const order = [...servers].sort((a, b) => Number(b === preferred) - Number(a === preferred));
    let failure: unknown;
    let refused: Buffer | undefined;
    for (const server of order.slice(0, maxTries)) {
      try {
        const reply = await askOne(server, query.bytes, query.questionEnd);
        if (rcodeOf(reply) !== rcodes.SERVFAIL && rcodeOf(reply) !== rcodes.REFUSED) {
          preferred = server;
          return reply;
        }
        refused = reply;
      } catch (error) {
        signal.throwIfAborted();
        failure = error;
      }
    }
    if (refused !== undefined) return refused;
    throw failure;
  }

  async function askOne(server: string, bytes: Buffer, questionEnd: number): Promise<Buffer> {
    const message = Buffer.from(bytes);
    // The client's id is no secret from other pods: a random one is (RFC 5452 §9.2).
    randomBytes(2).copy(message, 0);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(tryFor)]);
    const reply = await exchangeUdp({ server, port, message, questionEnd }, limit);
    return isTruncated(reply) ? exchangeTcp({ server, port, message, questionEnd }, limit) : reply;
  }

  async function checkForLoop(servers: readonly string[]): Promise<void> {
    const list = servers.join(' ');
    if (list === probed) return;
    probed = list;
    looped = false;
    const query = readQuery(
      encode({ type: 'query', id: 0, flags: 0x0100, questions: [{ type: 'HINFO', name: probe }] }),
    );
    if (typeof query !== 'object') throw new Error('the loop check cannot be written');
    await Promise.all(
      servers.map((server) =>
        askOne(server, query.bytes, query.questionEnd).catch((error: unknown) => {
          logger.debug('loop check not answered', { server, error: messageOf(error) });
        }),
      ),
    );
  }
}
