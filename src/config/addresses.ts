// Addresses and ranges as text, checked and compared. IPv4 only until the overlay and the proxy speak IPv6: an IPv6 range
// is refused by name.

import ipaddr from 'ipaddr.js';

/** Why `text` is not an IPv4 address; undefined when it is. */
export function whyNotAddress(text: string): string | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return undefined;
  if (ipaddr.IPv6.isValid(text)) return 'IPv6 is not supported yet; give an IPv4 address';
  return 'must be an IPv4 address such as 192.0.2.10';
}

/** Why `text` is not an IPv4 range; undefined when it is. */
export function whyNotCidr(text: string): string | undefined {
  if (!/^\d+\.\d+\.\d+\.\d+\/\d+$/.test(text) || !ipaddr.IPv4.isValidCIDR(text)) {
    return ipaddr.IPv6.isValidCIDR(text)
      ? 'IPv6 is not supported yet; give an IPv4 range'
      : 'must be an IPv4 range such as 10.244.0.0/16';
  }
  const first = ipaddr.IPv4.networkAddressFromCIDR(text).toString();
  const given = text.slice(0, text.indexOf('/'));
  return first === given ? undefined : `has bits set after its prefix; write ${first}${text.slice(text.indexOf('/'))}`;
}

/** True when the two ranges share an address. */
export function overlap(one: string, other: string): boolean {
  const [a, aBits] = ipaddr.IPv4.parseCIDR(one);
  const [b, bBits] = ipaddr.IPv4.parseCIDR(other);
  return a.match(b, Math.min(aBits, bBits));
}

export function contains(cidr: string, address: string): boolean {
  return ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parseCIDR(cidr));
}

/** The `n`th address of a range, counted from 0: nthAddress('10.96.0.0/12', 10) is 10.96.0.10. */
export function nthAddress(cidr: string, n: number): string {
  const [first] = ipaddr.IPv4.parseCIDR(cidr);
  const value = first.toByteArray().reduce((sum, byte) => sum * 256 + byte, 0) + n;
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

/** How many addresses a range has. */
export function sizeOf(cidr: string): number {
  return 2 ** (32 - Number(cidr.slice(cidr.indexOf('/') + 1)));
}
