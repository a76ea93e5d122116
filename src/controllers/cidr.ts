// IP ranges as numbers, for carving node shares out of the pod CIDR.

import ipaddr from 'ipaddr.js';
import { CodedError } from '../base/index.ts';

export interface Cidr {
  /** The first address as a number. */
  readonly first: bigint;
  /** Prefix length. */
  readonly mask: number;
  /** 32 or 128. */
  readonly bits: 32 | 128;
}

/** @throws CodedError BAD_CIDR */
export function parseCidr(text: string): Cidr {
  if (!ipaddr.isValidCIDR(text)) {
    throw new CodedError('BAD_CIDR', `"${text}" is not a range of addresses in CIDR notation`, {
      exit: 'invalidInput',
      hint: 'write it as 10.244.0.0/16 or fd00:10:244::/56',
    });
  }
  const [address, mask] = ipaddr.parseCIDR(text);
  const bits = address.kind() === 'ipv4' ? 32 : 128;
  const value = address.toByteArray().reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return { first: value - (value % (1n << BigInt(bits - mask))), mask, bits };
}

export function formatCidr({ first, mask, bits }: Cidr): string {
  const bytes = Array.from({ length: bits / 8 }, (_, at) => Number((first >> BigInt(bits - 8 * (at + 1))) & 255n));
  return `${ipaddr.fromByteArray(bytes).toString()}/${mask}`;
}

export function overlaps(a: Cidr, b: Cidr): boolean {
  if (a.bits !== b.bits) return false;
  const shift = BigInt(a.bits - Math.min(a.mask, b.mask));
  return a.first >> shift === b.first >> shift;
}

/** The parts of `range` with prefix length `mask`, in order; none when the range is smaller than that. */
export function* subnets(range: Cidr, mask: number): Generator<Cidr, undefined> {
  const size = 1n << BigInt(range.bits - mask);
  const end = range.first + (1n << BigInt(range.bits - range.mask));
  for (let first = range.first; first + size <= end; first += size) yield { first, mask, bits: range.bits };
  return undefined;
}
