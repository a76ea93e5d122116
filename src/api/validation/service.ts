// Services, Endpoints and EndpointSlices. Source: kubernetes pkg/apis/{core,discovery}/validation.

import { duplicate, type FieldError, forbidden, invalid, notSupported, required, tooMany } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { EndpointSlice, Endpoints, Service, ServicePort } from '../types.ts';
import { whyNotDnsLabel, whyNotDnsSubdomain, whyNotPort, whyNotPortName } from './names.ts';
import { each, immutable, inRange, invalidFor, oneOf, requireOneOf, validIp, validLabels } from './rules.ts';

const core = 'io.k8s.api.core.v1';
const types = valuesOf(`${core}.ServiceSpec`, 'type');
const affinities = valuesOf(`${core}.ServiceSpec`, 'sessionAffinity');
const externalPolicies = valuesOf(`${core}.ServiceSpec`, 'externalTrafficPolicy');
const internalPolicies = valuesOf(`${core}.ServiceSpec`, 'internalTrafficPolicy');
const families = valuesOf(`${core}.ServiceSpec`, 'ipFamilies');
const familyPolicies = valuesOf(`${core}.ServiceSpec`, 'ipFamilyPolicy');
const protocols = valuesOf(`${core}.ServicePort`, 'protocol');
const endpointProtocols = valuesOf(`${core}.EndpointPort`, 'protocol');
const slice = 'io.k8s.api.discovery.v1';
const addressTypes = valuesOf(`${slice}.EndpointSlice`, 'addressType');
const sliceProtocols = valuesOf(`${slice}.EndpointPort`, 'protocol');
const none = 'None';

export function validateService({ spec }: Service): readonly FieldError[] {
  if (spec === undefined) return [required('spec.ports')];
  const ports = spec.ports ?? [];
  const errors: FieldError[] = [];
  if (ports.length === 0 && spec.clusterIP !== none && spec.type !== 'ExternalName')
    errors.push(required('spec.ports'));
  errors.push(...oneOf('spec.type', spec.type, types()));
  errors.push(...oneOf('spec.sessionAffinity', spec.sessionAffinity, affinities()));
  errors.push(...validatePorts(ports, spec.type));
  errors.push(...validLabels('spec.selector', spec.selector));
  if (spec.type === 'ExternalName') {
    if (spec.clusterIP && spec.clusterIP !== none) {
      errors.push(forbidden('spec.clusterIPs', 'may not be set for ExternalName services'));
    }
    const name = (spec.externalName ?? '').replace(/\.$/, '');
    if (name === '') errors.push(required('spec.externalName'));
    else errors.push(...invalidFor('spec.externalName', spec.externalName, whyNotDnsSubdomain(name)));
  }
  if (spec.clusterIP === none && (spec.type === 'NodePort' || spec.type === 'LoadBalancer')) {
    errors.push(invalid('spec.clusterIPs[0]', none, `may not be set to 'None' for ${spec.type} services`));
  }
  for (const [index, ip] of (spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : [])).entries()) {
    if (ip !== none) errors.push(...validIp(`spec.clusterIPs[${index}]`, ip));
  }
  for (const [index, ip] of (spec.externalIPs ?? []).entries())
    errors.push(...validIp(`spec.externalIPs[${index}]`, ip));
  errors.push(...oneOf('spec.externalTrafficPolicy', spec.externalTrafficPolicy, externalPolicies()));
  errors.push(...oneOf('spec.internalTrafficPolicy', spec.internalTrafficPolicy, internalPolicies()));
  errors.push(
    ...each('spec.ipFamilies', spec.ipFamilies, (family, at) =>
      families().includes(family) ? [] : [notSupported(at, family, families())],
    ),
    ...oneOf('spec.ipFamilyPolicy', spec.ipFamilyPolicy, familyPolicies()),
  );
  const timeout = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  errors.push(...inRange('spec.sessionAffinityConfig.clientIP.timeoutSeconds', timeout, 1, 86_400));
  return errors;
}

function validatePorts(ports: readonly ServicePort[], type: string | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  const numbers = new Set<string>();
  const nodePorts = new Set<string>();
  for (const [index, { name = '', port, protocol = 'TCP', targetPort, nodePort }] of ports.entries()) {
    const field = `spec.ports[${index}]`;
    if (name === '') {
      if (ports.length > 1) errors.push(required(`${field}.name`));
    } else {
      errors.push(...invalidFor(`${field}.name`, name, whyNotDnsLabel(name)));
      if (names.has(name)) errors.push(duplicate(`${field}.name`, name));
      names.add(name);
    }
    errors.push(...invalidFor(`${field}.port`, port ?? 0, whyNotPort(port ?? 0)));
    errors.push(...oneOf(`${field}.protocol`, protocol, protocols()));
    if (typeof targetPort === 'number')
      errors.push(...invalidFor(`${field}.targetPort`, targetPort, whyNotPort(targetPort)));
    if (typeof targetPort === 'string')
      errors.push(...invalidFor(`${field}.targetPort`, targetPort, whyNotPortName(targetPort)));
    const key = `${protocol}:${port}`;
    if (numbers.has(key)) errors.push(duplicate(field, { protocol, port }));
    numbers.add(key);
    if (!nodePort) continue;
    if (type === 'ClusterIP') errors.push(forbidden(`${field}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
    const nodeKey = `${protocol}:${nodePort}`;
    if (nodePorts.has(nodeKey)) errors.push(duplicate(`${field}.nodePort`, nodePort));
    nodePorts.add(nodeKey);
  }
  return errors;
}

/** A service keeps its address as long as it has one: another type (ExternalName) may give it up. */
export function validateServiceUpdate({ spec }: Service, { spec: old }: Service): readonly FieldError[] {
  if (!old?.clusterIP || old.type === 'ExternalName' || spec?.type === 'ExternalName') return [];
  if (spec?.clusterIP === old.clusterIP) return [];
  return [invalid('spec.clusterIPs[0]', spec?.clusterIPs ?? [spec?.clusterIP ?? ''], 'may not change once set')];
}

export function validateEndpoints({ subsets = [] }: Endpoints): readonly FieldError[] {
  return subsets.flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }, index) => {
    const field = `subsets[${index}]`;
    const errors: FieldError[] = [];
    if (addresses.length + notReadyAddresses.length === 0) {
      errors.push(required(field, 'must specify `addresses` or `notReadyAddresses`'));
    }
    for (const [nth, { ip }] of addresses.entries()) errors.push(...validIp(`${field}.addresses[${nth}].ip`, ip));
    for (const [nth, { ip }] of notReadyAddresses.entries()) {
      errors.push(...validIp(`${field}.notReadyAddresses[${nth}].ip`, ip));
    }
    for (const [nth, { port, name, protocol }] of ports.entries()) {
      const at = `${field}.ports[${nth}]`;
      if (!name && ports.length > 1) errors.push(required(`${at}.name`));
      errors.push(
        ...invalidFor(`${at}.port`, port, whyNotPort(port)),
        ...oneOf(`${at}.protocol`, protocol, endpointProtocols()),
      );
    }
    return errors;
  });
}

const maxEndpoints = 1000;
const maxAddresses = 100;

export function validateEndpointSlice({
  addressType,
  endpoints = [],
  ports = [],
}: EndpointSlice): readonly FieldError[] {
  const errors: FieldError[] = [];
  errors.push(...requireOneOf('addressType', addressType, addressTypes()));
  if (endpoints.length > maxEndpoints) errors.push(tooMany('endpoints', endpoints.length, maxEndpoints));
  for (const [index, { addresses = [] }] of endpoints.entries()) {
    const field = `endpoints[${index}].addresses`;
    if (addresses.length === 0) errors.push(required(field, 'must contain at least 1 address'));
    if (addresses.length > maxAddresses) errors.push(tooMany(field, addresses.length, maxAddresses));
    for (const [nth, address] of addresses.entries()) {
      if (addressType === 'FQDN') errors.push(...invalidFor(`${field}[${nth}]`, address, whyNotDnsSubdomain(address)));
      else errors.push(...validIp(`${field}[${nth}]`, address));
    }
  }
  const names = new Set<string>();
  for (const [index, { name = '', protocol }] of ports.entries()) {
    if (names.has(name)) errors.push(duplicate(`ports[${index}].name`, name));
    names.add(name);
    errors.push(...oneOf(`ports[${index}].protocol`, protocol, sliceProtocols()));
  }
  return errors;
}

export function validateEndpointSliceUpdate(slice: EndpointSlice, old: EndpointSlice): readonly FieldError[] {
  return immutable('addressType', slice.addressType, old.addressType);
}
