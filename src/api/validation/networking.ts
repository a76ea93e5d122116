// NetworkPolicies, IPAddresses and ServiceCIDRs.
// Source: kubernetes pkg/apis/networking/validation.

import { BlockList, isIP } from 'node:net';
import { type FieldError, forbidden, invalid, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { IPAddress, NetworkPolicy, ServiceCIDR } from '../types.ts';
import { whyNotPort, whyNotPortName } from './names.ts';
import {
  each,
  immutable,
  invalidFor,
  requireText,
  strictlyOneOf,
  validCidr,
  validIp,
  validLabelSelector,
} from './rules.ts';

const networking = 'io.k8s.api.networking.v1';
const policyTypes = valuesOf(`${networking}.NetworkPolicySpec`, 'policyTypes');
const protocols = valuesOf(`${networking}.NetworkPolicyPort`, 'protocol');

type PolicySpec = NonNullable<NetworkPolicy['spec']>;
type PolicyPort = NonNullable<NonNullable<PolicySpec['ingress']>[number]['ports']>[number];
type Block = NonNullable<Peer['ipBlock']>;
type Peer = NonNullable<NonNullable<PolicySpec['ingress']>[number]['_from']>[number];

export function validateNetworkPolicy({ spec }: NetworkPolicy): readonly FieldError[] {
  if (spec === undefined) return [];
  const types = spec.policyTypes ?? [];
  return [
    ...validLabelSelector('spec.podSelector', spec.podSelector),
    ...each('spec.ingress', spec.ingress, (rule, at) => [
      ...each(`${at}.ports`, rule.ports, validatePolicyPort),
      // The wire's name is `from`, which the type cannot be called.
      ...each(`${at}.from`, (rule as { readonly from?: readonly Peer[] }).from, validatePeer),
    ]),
    ...each('spec.egress', spec.egress, (rule, at) => [
      ...each(`${at}.ports`, rule.ports, validatePolicyPort),
      ...each(`${at}.to`, rule.to, validatePeer),
    ]),
    ...(types.length > policyTypes().length
      ? [invalid('spec.policyTypes', types, 'may not specify more than two policyTypes')]
      : each('spec.policyTypes', types, (type, at) => strictlyOneOf(at, type, policyTypes()))),
  ];
}

function validatePolicyPort({ port, endPort, protocol }: PolicyPort, field: string): FieldError[] {
  const errors = strictlyOneOf(`${field}.protocol`, protocol, protocols());
  const at = `${field}.endPort`;
  if (port === undefined) {
    if (endPort !== undefined) errors.push(invalid(at, endPort, 'may not be specified when `port` is not specified'));
  } else if (typeof port === 'string') {
    if (endPort !== undefined) errors.push(invalid(at, endPort, 'may not be specified when `port` is non-numeric'));
    errors.push(...invalidFor(`${field}.port`, port, whyNotPortName(port)));
  } else {
    errors.push(...invalidFor(`${field}.port`, port, whyNotPort(port)));
    if (endPort === undefined) return errors;
    if (endPort < port) errors.push(invalid(at, endPort, 'must be greater than or equal to `port`'));
    errors.push(...invalidFor(at, endPort, whyNotPort(endPort)));
  }
  return errors;
}

function validatePeer({ podSelector, namespaceSelector, ipBlock }: Peer, field: string): FieldError[] {
  const errors = [
    ...validLabelSelector(`${field}.podSelector`, podSelector),
    ...validLabelSelector(`${field}.namespaceSelector`, namespaceSelector),
  ];
  const hasSelector = podSelector !== undefined || namespaceSelector !== undefined;
  if (ipBlock !== undefined) {
    errors.push(...validateBlock(ipBlock, `${field}.ipBlock`));
    if (hasSelector) errors.push(forbidden(field, 'may not specify both ipBlock and another peer'));
  } else if (!hasSelector) errors.push(required(field, 'must specify a peer'));
  return errors;
}

function validateBlock({ cidr = '', except }: Partial<Block>, field: string): FieldError[] {
  if (cidr === '') return [required(`${field}.cidr`)];
  const errors = validCidr(`${field}.cidr`, cidr);
  if (errors.length > 0) return errors;
  return each(`${field}.except`, except, (one, at) => {
    const wrong = validCidr(at, one);
    if (wrong.length > 0 || isStrictSubnet(one, cidr)) return wrong;
    return [invalid(at, one, 'must be a strict subset of `cidr`')];
  });
}

/** Both are well-formed CIDRs. */
function isStrictSubnet(inner: string, outer: string): boolean {
  const [network = '', bits = ''] = outer.split('/');
  const [address = '', innerBits = ''] = inner.split('/');
  if (isIP(network) !== isIP(address) || Number(innerBits) <= Number(bits)) return false;
  const family = isIP(network) === 4 ? 'ipv4' : 'ipv6';
  const block = new BlockList();
  block.addSubnet(network, Number(bits), family);
  return block.check(address, family);
}

export function validateIpAddress({ metadata, spec }: IPAddress): readonly FieldError[] {
  const name = metadata?.name ?? '';
  const errors = validIp('metadata.name', name);
  if (spec?.parentRef === undefined) return [...errors, required('spec.parentRef')];
  const { resource, name: parent } = spec.parentRef;
  return [
    ...errors,
    ...requireText('spec.parentRef.resource', resource),
    ...requireText('spec.parentRef.name', parent),
  ];
}

export function validateServiceCidr({ spec }: ServiceCIDR): readonly FieldError[] {
  const cidrs = spec?.cidrs ?? [];
  if (cidrs.length === 0) return [required('spec.cidrs', 'at least one CIDR required')];
  if (cidrs.length > 2) return [invalid('spec', spec, 'may only hold up to 2 values')];
  return each('spec.cidrs', cidrs, (one, at) => validCidr(at, one));
}

/** A single-stack range may get its second address family. */
export function validateServiceCidrUpdate({ spec }: ServiceCIDR, { spec: old }: ServiceCIDR): readonly FieldError[] {
  const before = old?.cidrs ?? [];
  return immutable('spec.cidrs', before.length === 1 ? spec?.cidrs?.slice(0, 1) : spec?.cidrs, before);
}

export function validateIpAddressUpdate({ spec }: IPAddress, { spec: old }: IPAddress): readonly FieldError[] {
  return immutable('spec.parentRef', spec?.parentRef, old?.parentRef);
}
