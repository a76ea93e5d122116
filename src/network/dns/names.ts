// Names of the cluster zone and of its reverse zones, taken apart. See the "Kubernetes DNS-Based Service Discovery"
// specification, schema 1.1.0; what that leaves open is done as CoreDNS does it.

import { isIpv4 } from '../ipv4.ts';

/** The labels of `name` in front of `zone`; undefined when it is not in the zone. Both in lower case. */
export function labelsBelow(name: string, zone: string): readonly string[] | undefined {
  if (name === zone) return [];
  return name.endsWith(`.${zone}`) ? name.slice(0, -zone.length - 1).split('.') : undefined;
}

/** `4.3.2.1.in-addr.arpa` → `1.2.3.4`; undefined for other names. */
export function addressOfReverse(name: string): string | undefined {
  const labels = labelsBelow(name, 'in-addr.arpa');
  const address = labels?.toReversed().join('.') ?? '';
  return isIpv4(address) ? address : undefined;
}

/** `10-244-1-5` for 10.244.1.5: an endpoint's or pod's name when it has no host name. */
export function dashed(address: string): string {
  return address.replaceAll('.', '-');
}

/** The address that a dashed label stands for; undefined when it is none. */
export function addressOfDashed(label: string): string | undefined {
  const address = label.replaceAll('-', '.');
  return isIpv4(address) ? address : undefined;
}
