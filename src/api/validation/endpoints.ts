// Endpoints and EndpointSlices. Source: kubernetes pkg/apis/{core,discovery}/validation.

import { duplicate, type FieldError, required, tooMany } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { EndpointSlice, Endpoints } from '../types.ts';
import { validDomainName, validIpOfVersion, validNonSpecialIp } from './addresses.ts';
import { whyNotDnsLabel, whyNotDnsSubdomain, whyNotLabelValue, whyNotPort, whyNotQualifiedName } from './names.ts';
import { each, immutable, invalidFor, requireOneOf, strictlyOneOf, validIp, validLabels } from './rules.ts';

type Subset = NonNullable<Endpoints['subsets']>[number];
type Address = NonNullable<Subset['addresses']>[number];
type Port = NonNullable<Subset['ports']>[number];
type Endpoint = NonNullable<EndpointSlice['endpoints']>[number];
type SlicePort = NonNullable<EndpointSlice['ports']>[number];

const protocols = valuesOf('io.k8s.api.core.v1.EndpointPort', 'protocol');
const slice = 'io.k8s.api.discovery.v1';
const addressTypes = valuesOf(`${slice}.EndpointSlice`, 'addressType');
const sliceProtocols = valuesOf(`${slice}.EndpointPort`, 'protocol');

export function validateEndpoints({ subsets }: Endpoints): readonly FieldError[] {
  return each('subsets', subsets, ({ addresses = [], notReadyAddresses = [], ports = [] }, field) => {
    const errors: FieldError[] = [];
    if (addresses.length + notReadyAddresses.length === 0) {
      errors.push(required(field, 'must specify `addresses` or `notReadyAddresses`'));
    }
    errors.push(
      ...each(`${field}.addresses`, addresses, validateAddress),
      ...each(`${field}.notReadyAddresses`, notReadyAddresses, validateAddress),
      ...each(`${field}.ports`, ports, (port, at) => validatePort(port, at, ports.length > 1)),
    );
    return errors;
  });
}

function validateAddress({ ip = '', hostname, nodeName }: Partial<Address>, field: string): FieldError[] {
  const errors = validIp(`${field}.ip`, ip);
  if (hostname) errors.push(...invalidFor(`${field}.hostname`, hostname, whyNotDnsLabel(hostname)));
  if (nodeName !== undefined) {
    errors.push(...invalidFor(`${field}.nodeName`, nodeName, whyNotDnsSubdomain(nodeName)));
  }
  // It says once more that a malformed address is none.
  errors.push(...validNonSpecialIp(`${field}.ip`, ip));
  return errors;
}

function validatePort(
  { name, port = 0, protocol, appProtocol }: Partial<Port>,
  field: string,
  isNameNeeded: boolean,
): FieldError[] {
  const errors: FieldError[] = [];
  if (name) errors.push(...invalidFor(`${field}.name`, name, whyNotDnsLabel(name)));
  else if (isNameNeeded) errors.push(required(`${field}.name`));
  errors.push(
    ...invalidFor(`${field}.port`, port, whyNotPort(port)),
    ...requireOneOf(`${field}.protocol`, protocol, protocols()),
    ...validAppProtocol(`${field}.appProtocol`, appProtocol),
  );
  return errors;
}

function validAppProtocol(field: string, value: string | undefined): FieldError[] {
  return value === undefined ? [] : invalidFor(field, value, whyNotQualifiedName(value));
}

const maxEndpoints = 1000;
const maxAddresses = 100;
const maxPorts = 20_000;
const maxTopologyLabels = 16;
const maxHints = 8;

export function validateEndpointSlice({ addressType, endpoints, ports }: EndpointSlice): readonly FieldError[] {
  const errors = requireOneOf('addressType', addressType, addressTypes());
  errors.push(
    ...atMost('endpoints', endpoints, maxEndpoints, (one, at) => validateEndpoint(one, at, addressType)),
    ...validateSlicePorts(ports),
  );
  return errors;
}

/** Too many items are not looked at one by one. */
function atMost<T>(
  field: string,
  items: readonly T[] | undefined,
  max: number,
  check: (item: T, field: string) => readonly FieldError[],
): FieldError[] {
  const have = items?.length ?? 0;
  return have > max ? [tooMany(field, have, max)] : each(field, items, check);
}

function validateEndpoint(endpoint: Partial<Endpoint>, field: string, addressType: string): FieldError[] {
  const { addresses = [], nodeName, hostname, hints, deprecatedTopology: topology } = endpoint;
  const errors: FieldError[] = [];
  if (addresses.length === 0) errors.push(required(`${field}.addresses`, 'must contain at least 1 address'));
  if (addresses.length > maxAddresses) errors.push(tooMany(`${field}.addresses`, addresses.length, maxAddresses));
  errors.push(...each(`${field}.addresses`, addresses, (address, at) => validateByType(address, at, addressType)));
  if (nodeName !== undefined) {
    errors.push(...invalidFor(`${field}.nodeName`, nodeName, whyNotDnsSubdomain(nodeName)));
  }
  if (topology !== undefined) {
    const have = Object.keys(topology).length;
    if (have > maxTopologyLabels) errors.push(tooMany(`${field}.deprecatedTopology`, have, maxTopologyLabels));
    errors.push(...validLabels(`${field}.deprecatedTopology`, topology));
  }
  if (hostname !== undefined) errors.push(...invalidFor(`${field}.hostname`, hostname, whyNotDnsLabel(hostname)));
  if (hints === undefined) return errors;
  return [
    ...errors,
    ...validateHints(`${field}.hints.forZones`, hints.forZones, whyNotLabelValue),
    ...validateHints(`${field}.hints.forNodes`, hints.forNodes, whyNotDnsSubdomain),
  ];
}

function validateByType(address: string, field: string, type: string): FieldError[] {
  if (type === 'FQDN') return validDomainName(field, address);
  if (type !== 'IPv4' && type !== 'IPv6') return [];
  const errors = validIpOfVersion(field, address, type === 'IPv4' ? 4 : 6);
  errors.push(...validNonSpecialIp(field, address));
  return errors;
}

function validateHints(
  field: string,
  hints: readonly { readonly name: string }[] | undefined,
  whyNot: (name: string) => readonly string[],
): FieldError[] {
  const seen = new Set<string>();
  return atMost(field, hints, maxHints, ({ name = '' }, at) => {
    const isTwice = seen.has(name);
    seen.add(name);
    return [...(isTwice ? [duplicate(`${at}.name`, name)] : []), ...invalidFor(`${at}.name`, name, whyNot(name))];
  });
}

function validateSlicePorts(ports: readonly SlicePort[] | undefined): FieldError[] {
  const names = new Set<string>();
  return atMost('ports', ports, maxPorts, ({ name = '', protocol, appProtocol }, at) => {
    const errors = name === '' ? [] : invalidFor(`${at}.name`, name, whyNotDnsLabel(name));
    if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
    names.add(name);
    errors.push(
      ...strictlyOneOf(`${at}.protocol`, protocol, sliceProtocols()),
      ...validAppProtocol(`${at}.appProtocol`, appProtocol),
    );
    return errors;
  });
}

export function validateEndpointSliceUpdate(one: EndpointSlice, old: EndpointSlice): readonly FieldError[] {
  return immutable('addressType', one.addressType, old.addressType);
}
