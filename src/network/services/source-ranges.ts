// CIDRs for an nft interval set, which refuses entries that overlap.

import { cidrContains, isIpv4, parseCidr } from '../ipv4.ts';

/** IPv4 ranges of `ranges` without those that lie in another; host bits cleared. Others (IPv6, unreadable) are left out. */
export function withoutOverlap(ranges: readonly string[]): string[] {
  const cidrs = ranges
    .filter((range) => /^[\d.]+\/\d{1,2}$/.test(range) && isIpv4(range.split('/')[0] ?? ''))
    .filter((range) => Number(range.split('/')[1]) <= 32)
    .map(parseCidr)
    .sort((a, b) => a.prefix - b.prefix);
  const kept = cidrs.filter((cidr, at) => !cidrs.slice(0, at).some((wider) => cidrContains(wider, cidr.network)));
  return kept.map(({ network, prefix }) => `${network}/${prefix}`);
}
