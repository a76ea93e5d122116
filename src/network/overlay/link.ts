// The vxlan link: what it must be, what it is, and what to do about the difference. VNI, outer address, port, device and
// learning cannot be changed on a living vxlan link, so a difference there means a new link; MTU, hardware address and
// inner address are changed in place.

import { createHash } from 'node:crypto';
import type { IpAddress, IpLink } from './ip-json.ts';

export interface VxlanLink {
  readonly name: string;
  readonly vni: number;
  readonly port: number;
  /** Outer source address. */
  readonly local: string;
  /** The link that the outer packets leave by. */
  readonly device: string;
  readonly mac: string;
  readonly mtu: number;
  /** Inner address, /32; undefined: none. */
  readonly address: string | undefined;
}

/** IPv4 20 + UDP 8 + VXLAN 8 + inner Ethernet 14 (RFC 7348 §5). */
export const vxlanOverhead = 50;

export const linkName = (vni: number): string => `k8ts.${vni}`;

/**
 * A hardware address that stays the same over restarts and reboots, so that other nodes' entries stay valid: from the
 * node's name, with the locally-administered bit set and the group bit clear (IEEE 802 §8.2).
 */
export function vtepMac(nodeName: string): string {
  const bytes = createHash('sha256').update(`k8ts vtep ${nodeName}`).digest().subarray(0, 6);
  bytes[0] = ((bytes[0] ?? 0) & 0xfc) | 0x02;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** Why `have` cannot serve as `want` and has to be made anew; undefined when it can. */
export function whyIncompatible(want: VxlanLink, have: IpLink): string | undefined {
  const kind = have.linkinfo?.info_kind;
  const data = have.linkinfo?.info_data;
  if (kind !== 'vxlan' || data === undefined) return `it is a ${kind ?? 'physical'} link, not vxlan`;
  if (data.id !== want.vni) return `VNI is ${data.id}, not ${want.vni}`;
  if (data.port !== want.port) return `UDP port is ${data.port}, not ${want.port}`;
  if (data.local !== want.local) return `outer address is ${data.local ?? 'any'}, not ${want.local}`;
  if (data.link !== want.device) return `it sends through ${data.link ?? 'any link'}, not ${want.device}`;
  if (data.learning === true) return 'it learns addresses from packets';
  return undefined;
}

/** Argument lists of `ip` that turn `have` (undefined: no link of that name) into `want`. */
export function planLink(want: VxlanLink, have: IpLink | undefined, addresses: readonly IpAddress[]): string[][] {
  const usable = have !== undefined && whyIncompatible(want, have) === undefined;
  const commands: string[][] = [];
  if (!usable) {
    if (have !== undefined) commands.push(['link', 'delete', 'dev', want.name]);
    const outer = ['local', want.local, 'dev', want.device, 'dstport', String(want.port), 'nolearning'];
    const inner = ['address', want.mac, 'mtu', String(want.mtu)];
    commands.push(['link', 'add', want.name, ...inner, 'type', 'vxlan', 'id', String(want.vni), ...outer]);
  } else {
    if (have.mtu !== want.mtu) commands.push(['link', 'set', 'dev', want.name, 'mtu', String(want.mtu)]);
    if (have.address !== want.mac) commands.push(['link', 'set', 'dev', want.name, 'address', want.mac]);
  }
  commands.push(...planAddress(want, usable ? addresses : []));
  if (!usable || !have.flags.includes('UP')) commands.push(['link', 'set', 'dev', want.name, 'up']);
  return commands;
}

function planAddress(want: VxlanLink, have: readonly IpAddress[]): string[][] {
  const inner = have.filter((address) => address.family === 'inet');
  const stale = inner.filter((address) => address.local !== want.address || address.prefixlen !== 32);
  const missing = want.address !== undefined && stale.length === inner.length;
  return [
    ...stale.map(({ local, prefixlen }) => ['address', 'delete', `${local}/${prefixlen}`, 'dev', want.name]),
    ...(missing ? [['address', 'add', `${want.address}/32`, 'dev', want.name]] : []),
  ];
}
