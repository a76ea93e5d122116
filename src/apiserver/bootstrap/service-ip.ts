// The first usable address of the service CIDR, which the Service `kubernetes` always has.

import { isIPv4, isIPv6 } from 'node:net';
import { CodedError } from '../../base/index.ts';

/** 10.96.0.0/12 → 10.96.0.1, fd00:1::/112 → fd00:1:0:0:0:0:0:1. @throws CodedError SERVICE_CIDR_INVALID */
export function firstServiceIp(cidr: string): string {
  const [base = '', prefix = ''] = cidr.split('/');
  const bits = Number(prefix);
  if (isIPv4(base) && prefix !== '' && bits >= 8 && bits <= 30) {
    const address = base.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
    const network = address - (address % 2 ** (32 - bits));
    return [24, 16, 8, 0].map((shift) => Math.floor((network + 1) / 2 ** shift) % 256).join('.');
  }
  if (isIPv6(base) && prefix !== '' && bits >= 8 && bits <= 126) {
    const network = (ipv6Number(base) >> BigInt(128 - bits)) << BigInt(128 - bits);
    const first = network + 1n;
    return Array.from({ length: 8 }, (_, at) => ((first >> BigInt(112 - 16 * at)) & 0xffffn).toString(16)).join(':');
  }
  throw new CodedError('SERVICE_CIDR_INVALID', `"${cidr}" is not a usable service CIDR`, {
    exit: 'invalidInput',
    hint: 'use an IPv4 range like 10.96.0.0/12, or an IPv6 range like fd00:10:96::/112',
  });
}

function ipv6Number(text: string): bigint {
  const [head = '', tail] = text.split('::');
  const words = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const [left, right] = [words(head), words(tail ?? '')];
  const middle = tail === undefined ? [] : Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...middle, ...right].reduce((sum, word) => (sum << 16n) + BigInt(Number.parseInt(word, 16)), 0n);
}
