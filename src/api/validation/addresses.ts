// IP addresses as the fields of services and endpoints want them. Source: kubernetes pkg/apis/core/validation
// (ValidateNonSpecialIP), k8s.io/apimachinery pkg/util/validation/ip.go. Special ranges are recognised by the canonical text
// of an address; a block list of net would have to be made at import.

import { isIP } from 'node:net';
import { type FieldError, invalid, required } from '../field-error.ts';
import { whyNotDnsLabel, whyNotDnsSubdomain } from './names.ts';
import { invalidFor } from './rules.ts';

/** What is no address of one endpoint. Ranges of IPv4, then of IPv6 in canonical text. */
const specialRanges = [
  { v4: /^0\.0\.0\.0$/, v6: /^::$/, why: (ip: string) => `may not be unspecified (${ip})` },
  { v4: /^127\./, v6: /^::1$/, why: () => 'may not be in the loopback range (127.0.0.0/8, ::1/128)' },
  {
    v4: /^169\.254\./,
    v6: /^fe[89ab].:/,
    why: () => 'may not be in the link-local range (169.254.0.0/16, fe80::/10)',
  },
  {
    v4: /^224\.0\.0\./,
    v6: /^ff.2:/,
    why: () => 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
  },
] as const;

/** 4, 6, or 0 for what is no address; an IPv6 zone is none of an address's own. */
export function ipVersion(text: string): number {
  return text.includes('%') ? 0 : isIP(text);
}

/** An address that others can reach: not unspecified, loopback or link-local. */
export function validNonSpecialIp(field: string, address = ''): FieldError[] {
  const version = ipVersion(address);
  if (version === 0) return [invalid(field, address, 'must be a valid IP address')];
  const canonical = version === 4 ? address : canonicalIpv6(address);
  const [key, text] = canonical.includes(':') ? (['v6', canonical] as const) : (['v4', canonical] as const);
  return specialRanges.filter((range) => range[key].test(text)).map(({ why }) => invalid(field, address, why(address)));
}

/** An address that is IPv4 inside of IPv6 is shown as IPv4. */
function canonicalIpv6(address: string): string {
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(text);
  if (mapped === null) return text;
  const [high, low] = [Number.parseInt(mapped[1] ?? '', 16), Number.parseInt(mapped[2] ?? '', 16)];
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

export function validIpOfVersion(field: string, address: string, version: 4 | 6): FieldError[] {
  return ipVersion(address) === version ? [] : [invalid(field, address, `must be a valid IPv${version} address`)];
}

/** At least two labels; a trailing dot is no part of them. */
export function validDomainName(field: string, given: string): FieldError[] {
  if (given === '') return [required(field)];
  const name = given.replace(/\.$/, '');
  const wrong = whyNotDnsSubdomain(name);
  if (wrong.length > 0) return [invalid(field, name, wrong.join(','))];
  const labels = name.split('.');
  if (labels.length < 2) {
    return [invalid(field, name, 'should be a domain with at least two segments separated by dots')];
  }
  return labels.flatMap((label) => invalidFor(field, label, whyNotDnsLabel(label)));
}
