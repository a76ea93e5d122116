// IPv4 addresses and CIDRs as text and as unsigned 32-bit numbers: enough for routes, rules and DNS names. ipaddr.js was
// refused here because plans compare thousands of addresses and need only these few questions answered.

import { CodedError } from '../base/index.ts';

export interface Cidr {
  /** Network address, host bits cleared. */
  readonly network: string;
  readonly prefix: number;
}

/** The address as a number; undefined when `text` is not four decimal octets. */
export function ipv4Number(text: string): number | undefined {
  const octets = text.split('.');
  if (octets.length !== 4) return undefined;
  let value = 0;
  for (const octet of octets) {
    if (!/^\d{1,3}$/.test(octet) || Number(octet) > 255) return undefined;
    value = value * 256 + Number(octet);
  }
  return value;
}

export function isIpv4(text: string): boolean {
  return ipv4Number(text) !== undefined;
}

/** `10.244.1.0/24` → its parts. Throws CodedError CIDR_INVALID, because a wrong CIDR comes from a person's configuration. */
export function parseCidr(text: string): Cidr {
  const [address = '', length = ''] = text.split('/');
  const value = ipv4Number(address);
  if (value === undefined || !/^\d{1,2}$/.test(length) || Number(length) > 32) {
    throw new CodedError('CIDR_INVALID', `"${text}" is not an IPv4 CIDR`, {
      exit: 'invalidInput',
      hint: 'write it as 10.244.0.0/16; IPv6 pod and service ranges are not supported yet',
    });
  }
  const prefix = Number(length);
  return { network: ipv4Text(value - (value % blockSize(prefix))), prefix };
}

export function cidrContains(cidr: Cidr, address: string): boolean {
  const value = ipv4Number(address);
  const base = ipv4Number(cidr.network);
  if (value === undefined || base === undefined) return false;
  return value >= base && value < base + blockSize(cidr.prefix);
}

function blockSize(prefix: number): number {
  return 2 ** (32 - prefix);
}

function ipv4Text(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
