// Load balancing without a chain per Service. A list of n endpoints is spread over n maps: map i holds the i-th endpoint
// of every Service, under the key of the Service's front. A Service with 3 endpoints goes to the chain `of-3`, which picks
// one of `pick-0`, `pick-1`, `pick-2` by random number; each of those is one DNAT through its map. So a Service, or an
// endpoint more or less, is a few map elements and never a rule; the chains are shared by all Services.
//
//   services ─vmap─► addr-all-of-3 ─numgen─► addr-all-pick-1 ─► dnat to (front key) map @addr-all-1
//
// A chain per Service and endpoint (kube-proxy's nftables mode) costs rules per change, and nft 1.0.6 reads chains back
// before each transaction. A number in the map's key instead of in its name makes `nft list` 1.0.6 crash.

import { createHash } from 'node:crypto';
import { masqueradeBit, type Part, table } from './model.ts';

/** How packets name a front: by address, protocol and port, or (node ports) by protocol and port on any local address. */
export interface Front {
  readonly name: 'addr' | 'port';
  readonly key: string;
  readonly type: string;
}

export const addressFront: Front = {
  name: 'addr',
  key: 'ip daddr . meta l4proto . th dport',
  type: 'ipv4_addr . inet_proto . inet_service',
};
export const portFront: Front = {
  name: 'port',
  key: 'meta l4proto . th dport',
  type: 'inet_proto . inet_service',
};

/** Endpoints of the whole cluster, or of this node alone. */
export type Scope = 'all' | 'local';

export const mapOf = (front: Front, scope: Scope, place: number): string => `${front.name}-${scope}-${place}`;

function pick(front: Front, scope: Scope, place: number): Part {
  const map = mapOf(front, scope, place);
  const chain = `${front.name}-${scope}-pick-${place}`;
  return {
    name: chain,
    needs: [],
    create: [
      `add map ${table} ${map} { type ${front.type} : ipv4_addr . inet_service; }`,
      `add chain ${table} ${chain}`,
      `add rule ${table} ${chain} meta l4proto { tcp, udp, sctp } dnat ip to ${front.key} map @${map}`,
    ],
    // As many as the largest Service has endpoints: not worth removing.
    destroy: [],
  };
}

/** The chain that sends to one of `count` endpoints at random. `count` > 0. */
export function balancer(front: Front, scope: Scope, count: number): Part {
  const places = Array.from({ length: count }, (_, place) => pick(front, scope, place));
  const name = `${front.name}-${scope}-of-${count}`;
  const targets = places.map((part, place) => `${place} : goto ${part.name}`);
  return chainPart(name, places, [
    count === 1 ? `goto ${places[0]?.name}` : `numgen random mod ${count} vmap { ${targets.join(', ')} }`,
  ]);
}

/** Goes on at `target` after asking for masquerading. */
export function masqueraded(target: Part): Part {
  return chainPart(
    `${target.name}-masq`,
    [target],
    [`meta mark set meta mark | ${masqueradeBit}`, `goto ${target.name}`],
  );
}

export interface StickyOptions {
  /** Names the Service port; endpoints of different Services never share clients. */
  readonly owner: string;
  readonly protocol: string;
  /** As `address . port`. */
  readonly endpoints: readonly string[];
  /** Seconds. */
  readonly timeout: number;
}

/**
 * sessionAffinity ClientIP: each endpoint has a set of the clients that it served last, with a time limit; a known client
 * goes to its endpoint again. Such a Service pays for chains of its own, as there is no map from a client to a verdict
 * that packets themselves may write.
 */
export function stickyBalancer({ owner, protocol, endpoints, timeout }: StickyOptions): Part {
  const stations = endpoints.map((endpoint): Part & { readonly clients: string } => {
    const name = `sticky-${digest(owner, endpoint, String(timeout))}`;
    const clients = `${name}-clients`;
    const chain = chainPart(
      name,
      [],
      [
        `update @${clients} { ip saddr timeout ${timeout}s }`,
        `meta l4proto ${protocol} dnat ip to ${endpoint.replace(' . ', ':')}`,
      ],
    );
    const size = 65_536;
    return {
      ...chain,
      clients,
      create: [
        `add set ${table} ${clients} { type ipv4_addr; size ${size}; flags dynamic, timeout; }`,
        ...chain.create,
      ],
      destroy: [...chain.destroy, `delete set ${table} ${clients}`],
    };
  });
  const targets = stations.map((station, place) => `${place} : goto ${station.name}`);
  return chainPart(`sticky-${digest(owner, ...endpoints, String(timeout))}-of-${endpoints.length}`, stations, [
    ...stations.map((station) => `ip saddr @${station.clients} goto ${station.name}`),
    `numgen random mod ${endpoints.length} vmap { ${targets.join(', ')} }`,
  ]);
}

function chainPart(name: string, needs: readonly Part[], rules: readonly string[]): Part {
  return {
    name,
    needs,
    create: [`add chain ${table} ${name}`, ...rules.map((rule) => `add rule ${table} ${name} ${rule}`)],
    destroy: [`flush chain ${table} ${name}`, `delete chain ${table} ${name}`],
  };
}

function digest(...words: readonly string[]): string {
  return createHash('sha256').update(words.join('\n')).digest('hex').slice(0, 12);
}
