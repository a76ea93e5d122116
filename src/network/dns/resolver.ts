// From a client's message to the answer's bytes: the cluster's names from the view, all others from the servers outside,
// and a CNAME of an ExternalName Service followed to its addresses, because the clients' stub resolvers do not follow.

import { decode, encode } from 'dns-packet';
import { isIpv4 } from '../ipv4.ts';
import type { ClusterView } from './cluster-view.ts';
import { answerFromCluster, ttl, type ZoneOptions } from './cluster-zone.ts';
import type { Forwarder } from './forwarder.ts';
import type { Answer, DnsRecord } from './records.ts';
import { type Query, readQuery, writeAnswer, writeError } from './wire.ts';

export type Transport = 'udp' | 'tcp';

export interface Resolver {
  /** The answer to send; undefined: the message is not a query, so nothing is sent. Never rejects. */
  resolve(message: Buffer, transport: Transport): Buffer | undefined | Promise<Buffer>;
}

const tcpLimit = 65_535;
const longestChain = 8;

export function createResolver(view: ClusterView, zone: ZoneOptions, forwarder: Forwarder): Resolver {
  return {
    resolve(message, transport) {
      const query = readQuery(message);
      if (query === undefined) return undefined;
      if (typeof query === 'string') return writeError(message, query);
      const limit = transport === 'tcp' ? tcpLimit : query.maxSize;
      const answer = answerFromCluster(query, view, zone);
      if (answer === undefined) {
        return forwarder.isLoopProbe(query) ? writeError(message, 'REFUSED', query) : forwarder.forward(query, limit);
      }
      if (!view.synced && answer.answers.length === 0) return writeError(message, 'SERVFAIL', query);
      const alias = answer.answers[0];
      if (alias?.type !== 'CNAME' || query.type === 'CNAME') return writeAnswer(query, answer, limit);
      return follow(query, answer).then((whole) => writeAnswer(query, whole, limit));
    },
  };

  async function follow(query: Query, first: Answer): Promise<Answer> {
    const answers = [...first.answers];
    for (let depth = 0; depth < longestChain; depth++) {
      const last = answers.at(-1);
      if (last?.type !== 'CNAME') break;
      const next = answerFromCluster({ name: last.target, type: query.type }, view, zone);
      const more = next === undefined ? await outside(last.target, query) : next.answers;
      if (more.length === 0) break;
      answers.push(...more);
      if (next === undefined) break; // servers outside follow to the end themselves
    }
    return { ...first, answers };
  }

  async function outside(name: string, { type }: Query): Promise<readonly DnsRecord[]> {
    if (type !== 'A') return [];
    const query = readQuery(encode({ type: 'query', id: 0, flags: 0x0100, questions: [{ type: 'A', name }] }));
    if (typeof query !== 'object') return [];
    const reply = decode(await forwarder.forward(query, tcpLimit));
    return (reply.answers ?? []).flatMap((record): DnsRecord[] => {
      const name = record.name.toLowerCase();
      if (record.type === 'A' && isIpv4(record.data)) return [{ name, ttl, type: 'A', address: record.data }];
      if (record.type === 'CNAME') return [{ name, ttl, type: 'CNAME', target: record.data.toLowerCase() }];
      return [];
    });
  }
}
