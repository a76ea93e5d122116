// The part of the table that is the same whatever Services there are. Hooks, in the order that a packet meets them:
//
//   prerouting -110  guard      loadBalancerSourceRanges (before the address is changed)
//   prerouting -100  services   DNAT                                output -100 the same for the node's own packets
//   input, forward   refuse     what is still addressed to a Service after that has no endpoint: ICMP port unreachable
//   output -90       refuse
//   postrouting 100             masquerade: marked packets, hairpins, pods that talk to the world
//
// Pods of one node pass here too when they talk through the bridge, because of bridge-nf-call-iptables.

import { addressFront, portFront } from './balancing.ts';
import { masqueradeBit, table } from './model.ts';

export interface TableOptions {
  /** The whole cluster's pod range: what is in it is not masqueraded on its way to a ClusterIP or another pod. */
  readonly podCidr: string;
  readonly serviceCidr: string;
  /** The address that the node's own DNS answers on; undefined: DNS is a Service like others. */
  readonly dnsAddress: string | undefined;
}

/** Sets and maps that plans put elements in. */
export const sets = {
  /** front → verdict */
  addresses: 'service-addresses',
  nodePorts: 'node-ports',
  /** Policy Local: front → verdict for sources inside of the cluster, and for those outside. */
  addressesInside: 'local-addresses-inside',
  addressesOutside: 'local-addresses-outside',
  nodePortsInside: 'local-node-ports-inside',
  nodePortsOutside: 'local-node-ports-outside',
  /** front → drop or `goto refuse`, for fronts that have nobody to send to. */
  unservedAddresses: 'unserved-addresses',
  unservedNodePorts: 'unserved-node-ports',
  /** Fronts that only some sources may use, and front . source for these. */
  guarded: 'guarded-addresses',
  allowedSources: 'allowed-sources',
  /** pod . pod, of pods of this node that are endpoints. */
  hairpins: 'hairpins',
} as const;

/** Chains that verdicts of plans name. */
export const chains = {
  addressByPolicy: 'address-by-policy',
  nodePortByPolicy: 'node-port-by-policy',
  refuse: 'refuse',
} as const;

/** nft commands that replace the table by an empty one; the same transaction then fills it. */
export function baseTable({ podCidr, serviceCidr, dnsAddress }: TableOptions): string[] {
  const address = addressFront.key;
  const port = portFront.key;
  const toNode = 'fib daddr type local ip daddr != 127.0.0.0/8';
  const mark = `meta mark set meta mark | ${masqueradeBit}`;
  const notDns = dnsAddress === undefined ? [] : [`ip daddr ${dnsAddress} return`];
  const verdictMap = (name: string, type: string): string => `add map ${table} ${name} { type ${type} : verdict; }`;
  const chain = (name: string, hook: string | undefined, rules: readonly string[]): string[] => [
    `add chain ${table} ${name}${hook === undefined ? '' : ` { ${hook}; }`}`,
    ...rules.map((rule) => `add rule ${table} ${name} ${rule}`),
  ];
  return [
    // `add` first, so that `delete` finds a table whether there was one or not.
    `add table ${table}`,
    `delete table ${table}`,
    `add table ${table}`,
    ...[sets.addresses, sets.addressesInside, sets.addressesOutside, sets.unservedAddresses].map((name) =>
      verdictMap(name, addressFront.type),
    ),
    ...[sets.nodePorts, sets.nodePortsInside, sets.nodePortsOutside, sets.unservedNodePorts].map((name) =>
      verdictMap(name, portFront.type),
    ),
    `add set ${table} ${sets.guarded} { type ${addressFront.type}; }`,
    `add set ${table} ${sets.allowedSources} { type ${addressFront.type} . ipv4_addr; flags interval; }`,
    `add set ${table} ${sets.hairpins} { type ipv4_addr . ipv4_addr; }`,

    ...chain(chains.refuse, undefined, ['reject']),
    ...chain('by-source-range', undefined, [
      `${address} @${sets.guarded} ${address} . ip saddr != @${sets.allowedSources} drop`,
    ]),
    ...chain(chains.addressByPolicy, undefined, [
      `ip saddr ${podCidr} ${address} vmap @${sets.addressesInside}`,
      `fib saddr type local ${mark} ${address} vmap @${sets.addressesInside}`,
      `${address} vmap @${sets.addressesOutside}`,
    ]),
    ...chain(chains.nodePortByPolicy, undefined, [
      `ip saddr ${podCidr} ${port} vmap @${sets.nodePortsInside}`,
      `fib saddr type local ${mark} ${port} vmap @${sets.nodePortsInside}`,
      `${port} vmap @${sets.nodePortsOutside}`,
    ]),
    ...chain('services', undefined, [
      ...notDns,
      `ip daddr ${serviceCidr} ip saddr != ${podCidr} ${mark}`,
      `${address} vmap @${sets.addresses}`,
      `${toNode} ${port} vmap @${sets.nodePorts}`,
    ]),
    ...chain('unserved', undefined, [
      ...notDns,
      `${address} vmap @${sets.unservedAddresses}`,
      `ip daddr ${serviceCidr} goto ${chains.refuse}`,
    ]),

    ...chain('guard-prerouting', 'type filter hook prerouting priority -110', ['ct state new jump by-source-range']),
    ...chain('guard-output', 'type filter hook output priority -110', ['ct state new jump by-source-range']),
    ...chain('prerouting', 'type nat hook prerouting priority dstnat', ['jump services']),
    ...chain('output', 'type nat hook output priority -100', ['jump services']),
    ...chain('input', 'type filter hook input priority filter', [
      `ct state new ${address} vmap @${sets.unservedAddresses}`,
      `ct state new ${toNode} ${port} vmap @${sets.unservedNodePorts}`,
    ]),
    ...chain('forward', 'type filter hook forward priority filter', [
      // A late answer that conntrack cannot place would reach the client with the pod's own address, and end its
      // connection with a reset.
      `ip saddr ${podCidr} ct state invalid drop`,
      `ip daddr ${podCidr} ct state invalid drop`,
      'ct state new jump unserved',
    ]),
    ...chain('output-filter', 'type filter hook output priority -90', [
      'ct state new jump unserved',
      `ct state new ${toNode} ${port} vmap @${sets.unservedNodePorts}`,
    ]),
    ...chain('postrouting', 'type nat hook postrouting priority srcnat', [
      'oifname "lo" return',
      `meta mark & ${masqueradeBit} == ${masqueradeBit} meta mark set meta mark ^ ${masqueradeBit} masquerade fully-random`,
      `ip saddr . ip daddr @${sets.hairpins} masquerade fully-random`,
      `ip saddr ${podCidr} ip daddr != ${podCidr} ip daddr != 224.0.0.0/4 masquerade fully-random`,
    ]),
  ];
}
