// NetworkPolicies, Ingresses, IngressClasses, IPAddresses and ServiceCIDRs.
// Source: kubernetes pkg/apis/networking/validation.

import { isIP } from 'node:net';
import { type FieldError, forbidden, invalid, notSupported, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { Ingress, IngressClass, IPAddress, NetworkPolicy, ServiceCIDR } from '../types.ts';
import { whyNotDns1035Label, whyNotDnsSubdomain, whyNotPathSegment, whyNotPort, whyNotPortName } from './names.ts';
import {
  each,
  immutable,
  invalidFor,
  oneOf,
  requireOneOf,
  requireText,
  validCidr,
  validIp,
  validLabelSelector,
} from './rules.ts';

const networking = 'io.k8s.api.networking.v1';
const policyTypes = valuesOf(`${networking}.NetworkPolicySpec`, 'policyTypes');
const protocols = valuesOf(`${networking}.NetworkPolicyPort`, 'protocol');
const pathTypes = valuesOf(`${networking}.HTTPIngressPath`, 'pathType');
const parameterScopes = valuesOf(`${networking}.IngressClassParametersReference`, 'scope');

type PolicySpec = NonNullable<NetworkPolicy['spec']>;
type PolicyPort = NonNullable<NonNullable<PolicySpec['ingress']>[number]['ports']>[number];
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
    ...(types.length > 2 ? [invalid('spec.policyTypes', types, 'may not specify more than two policyTypes')] : []),
    ...each('spec.policyTypes', types, (type, at) => requireOneOf(at, type, policyTypes())),
  ];
}

function validatePolicyPort({ port, endPort, protocol }: PolicyPort, field: string): FieldError[] {
  const errors = oneOf(`${field}.protocol`, protocol, protocols());
  if (typeof port === 'number') errors.push(...invalidFor(`${field}.port`, port, whyNotPort(port)));
  if (typeof port === 'string') errors.push(...invalidFor(`${field}.port`, port, whyNotPortName(port)));
  if (endPort === undefined) return errors;
  const at = `${field}.endPort`;
  if (port === undefined) errors.push(invalid(at, endPort, 'may not be specified when `port` is not specified'));
  else if (typeof port === 'string')
    errors.push(invalid(at, endPort, 'may not be specified when `port` is non-numeric'));
  else if (endPort < port) errors.push(invalid(at, endPort, 'must be greater than or equal to `port`'));
  return [...errors, ...invalidFor(at, endPort, whyNotPort(endPort))];
}

function validatePeer(peer: Peer, field: string): FieldError[] {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  if (podSelector === undefined && namespaceSelector === undefined && ipBlock === undefined) {
    return [required(field, 'must specify a peer')];
  }
  if (ipBlock !== undefined && (podSelector !== undefined || namespaceSelector !== undefined)) {
    return [forbidden(field, 'may not specify both ipBlock and another peer')];
  }
  if (ipBlock === undefined) {
    return [
      ...validLabelSelector(`${field}.podSelector`, podSelector),
      ...validLabelSelector(`${field}.namespaceSelector`, namespaceSelector),
    ];
  }
  if (!ipBlock.cidr) return [required(`${field}.ipBlock.cidr`)];
  return [
    ...validCidr(`${field}.ipBlock.cidr`, ipBlock.cidr),
    ...each(`${field}.ipBlock.except`, ipBlock.except, (one, at) => validCidr(at, one)),
  ];
}

type IngressSpec = NonNullable<Ingress['spec']>;
type Backend = NonNullable<IngressSpec['defaultBackend']>;
type IngressPath = NonNullable<NonNullable<IngressSpec['rules']>[number]['http']>['paths'][number];

export function validateIngress({ spec }: Ingress): readonly FieldError[] {
  const { defaultBackend, rules = [], tls, ingressClassName } = spec ?? {};
  const errors: FieldError[] = [];
  if (rules.length === 0 && defaultBackend === undefined) {
    errors.push(invalid('spec', rules, 'either `defaultBackend` or `rules` must be specified'));
  }
  if (defaultBackend !== undefined) errors.push(...validateBackend('spec.defaultBackend', defaultBackend));
  if (ingressClassName !== undefined) {
    errors.push(...invalidFor('spec.ingressClassName', ingressClassName, whyNotDnsSubdomain(ingressClassName)));
  }
  errors.push(
    ...each('spec.rules', rules, ({ host, http }, at) => [
      ...validateHost(`${at}.host`, host),
      ...(http !== undefined && (http.paths ?? []).length === 0 ? [required(`${at}.http.paths`)] : []),
      ...each(`${at}.http.paths`, http?.paths, validatePath),
    ]),
    ...each('spec.tls', tls, ({ hosts }, at) =>
      each(`${at}.hosts`, hosts, (host, field) => (host === '' ? [required(field)] : validateHost(field, host))),
    ),
  );
  return errors;
}

function validateHost(field: string, host = ''): FieldError[] {
  if (host === '') return [];
  if (isIP(host) !== 0) return [invalid(field, host, 'must be a DNS name, not an IP address')];
  const plain = host.startsWith('*.') ? host.slice(2) : host;
  if (plain !== host && whyNotDnsSubdomain(plain).length > 0) {
    return [
      invalid(
        field,
        host,
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      ),
    ];
  }
  return invalidFor(field, host, whyNotDnsSubdomain(plain));
}

const badPathParts = ['//', '/./', '/../', '%2f', '%2F'];
const badPathEnds = ['/..', '/.'];

function validatePath({ path = '', pathType, backend }: IngressPath, field: string): FieldError[] {
  const at = `${field}.path`;
  const errors: FieldError[] = [];
  if (!pathType) errors.push(required(`${field}.pathType`, 'pathType must be specified'));
  else if (pathType === 'Exact' || pathType === 'Prefix') {
    if (!path.startsWith('/')) errors.push(invalid(at, path, 'must be an absolute path'));
    for (const part of badPathParts)
      if (path.includes(part)) errors.push(invalid(at, path, `must not contain '${part}'`));
    for (const end of badPathEnds) if (path.endsWith(end)) errors.push(invalid(at, path, `cannot end with '${end}'`));
  } else if (pathType === 'ImplementationSpecific') {
    if (path !== '' && !path.startsWith('/')) errors.push(invalid(at, path, 'must be an absolute path'));
  } else errors.push(notSupported(`${field}.pathType`, pathType, pathTypes()));
  return [...errors, ...validateBackend(`${field}.backend`, backend)];
}

function validateBackend(field: string, backend: Backend | undefined): FieldError[] {
  const { service, resource } = backend ?? {};
  if (service === undefined && resource === undefined) {
    return [required(field, 'resource or service backend is required')];
  }
  if (service !== undefined && resource !== undefined) {
    return [invalid(field, '', 'cannot set both resource and service backends')];
  }
  if (resource !== undefined) {
    return [
      ...requireText(`${field}.resource.kind`, resource.kind),
      ...requireText(`${field}.resource.name`, resource.name),
    ];
  }
  const at = `${field}.service`;
  const { name, port } = service ?? {};
  const errors = name ? invalidFor(`${at}.name`, name, whyNotDns1035Label(name)) : [required(`${at}.name`)];
  const { name: portName, number } = port ?? {};
  if (portName && number) errors.push(invalid(field, '', 'cannot set both port name & port number'));
  else if (portName) errors.push(...invalidFor(`${at}.port.name`, portName, whyNotPortName(portName)));
  else if (number) errors.push(...invalidFor(`${at}.port.number`, number, whyNotPort(number)));
  else errors.push(required(field, 'port name or number is required'));
  return errors;
}

const maxController = 250;

export function validateIngressClass({ spec }: IngressClass): readonly FieldError[] {
  const controller = spec?.controller;
  const errors: FieldError[] = [];
  if (!controller) errors.push(required('spec.controller'));
  else {
    if (controller.length > maxController) {
      errors.push({
        type: 'TooLong',
        field: 'spec.controller',
        message: `Too long: may not be more than ${maxController} bytes`,
      });
    }
    const [domain = '', ...path] = controller.split('/');
    if (path.join('/') === '') {
      errors.push(invalid('spec.controller', controller, 'must be a domain-prefixed path (such as "acme.io/foo")'));
    } else errors.push(...invalidFor('spec.controller', controller, whyNotDnsSubdomain(domain)));
  }
  return [...errors, ...validateClassParameters(spec?.parameters)];
}

function validateClassParameters(parameters: NonNullable<IngressClass['spec']>['parameters']): FieldError[] {
  if (parameters === undefined) return [];
  const field = 'spec.parameters';
  const { kind, name, scope, namespace } = parameters;
  const errors = [
    ...(kind
      ? invalidFor(`${field}.kind`, kind, whyNotPathSegment(kind))
      : [required(`${field}.kind`, 'kind is required')]),
    ...(name
      ? invalidFor(`${field}.name`, name, whyNotPathSegment(name))
      : [required(`${field}.name`, 'name is required')]),
    ...requireOneOf(`${field}.scope`, scope, parameterScopes()),
  ];
  if (scope === 'Namespace' && !namespace) {
    errors.push(required(`${field}.namespace`, "`parameters.scope` is set to 'Namespace'"));
  }
  if (scope === 'Cluster' && namespace !== undefined) {
    errors.push(forbidden(`${field}.namespace`, "`parameters.scope` is set to 'Cluster'"));
  }
  return errors;
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
