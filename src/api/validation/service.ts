// Services, as they are when addresses and ports have been allocated. Source: kubernetes pkg/apis/core/validation
// (ValidateService, ValidateServiceUpdate). What defaults or allocation always set is not asked for again.

import { duplicate, type FieldError, forbidden, invalid, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { Service, ServicePort } from '../types.ts';
import { ipVersion, validNonSpecialIp } from './addresses.ts';
import { whyNotDnsLabel, whyNotDnsSubdomain, whyNotPort, whyNotPortName, whyNotQualifiedName } from './names.ts';
import { each, invalidFor, requireOneOf, strictlyOneOf, validCidr, validIp, validLabels } from './rules.ts';
import { isHeadless, validateAddressesUpdate, validateServiceAddresses } from './service-addresses.ts';

type ServiceSpec = NonNullable<Service['spec']>;
type LoadBalancerStatus = NonNullable<NonNullable<Service['status']>['loadBalancer']>;
type Ingress = NonNullable<LoadBalancerStatus['ingress']>[number];

const core = 'io.k8s.api.core.v1';
const types = valuesOf(`${core}.ServiceSpec`, 'type');
const affinities = valuesOf(`${core}.ServiceSpec`, 'sessionAffinity');
const externalPolicies = valuesOf(`${core}.ServiceSpec`, 'externalTrafficPolicy');
const internalPolicies = valuesOf(`${core}.ServiceSpec`, 'internalTrafficPolicy');
const protocols = valuesOf(`${core}.ServicePort`, 'protocol');
/** The published schemas have no list for them. */
const distributions = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];
const ipModes = ['Proxy', 'VIP'];

const hintsAnnotation = 'service.kubernetes.io/topology-aware-hints';
const modeAnnotation = 'service.kubernetes.io/topology-mode';
const rangesAnnotation = 'service.beta.kubernetes.io/load-balancer-source-ranges';
const onlyLoadBalancer = "may only be used when `type` is 'LoadBalancer'";

export function validateService({ metadata, spec = {} }: Service): readonly FieldError[] {
  const { ports = [], type } = spec;
  const annotations = metadata?.annotations ?? {};
  const errors: FieldError[] = [];
  const [mode, hints] = [annotations[modeAnnotation], annotations[hintsAnnotation]];
  if (mode !== undefined && hints !== undefined && mode !== hints) {
    const why = `must match annotations[${hintsAnnotation}] when both are specified`;
    errors.push(invalid(`metadata.annotations[${modeAnnotation}]`, mode, why));
  }
  if (ports.length === 0 && !isHeadless(spec) && type !== 'ExternalName') errors.push(required('spec.ports'));
  if (isHeadless(spec) && (type === 'LoadBalancer' || type === 'NodePort')) {
    errors.push(invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${type} services`));
  }
  if (type === 'ExternalName') errors.push(...validateExternalName(spec));
  errors.push(
    ...validatePorts(ports),
    ...validLabels('spec.selector', spec.selector),
    ...requireOneOf('spec.sessionAffinity', spec.sessionAffinity, affinities()),
    ...validateAffinity(spec),
    ...validateServiceAddresses(spec),
    ...each('spec.externalIPs', spec.externalIPs, (ip, at) =>
      ipVersion(ip) === 0 ? validIp(at, ip) : validNonSpecialIp(at, ip),
    ),
    ...requireOneOf('spec.type', type, types()),
    ...validateNumbers(ports, type),
    ...validateSourceRanges(spec, annotations[rangesAnnotation]),
  );
  if (spec.allocateLoadBalancerNodePorts !== undefined && type !== 'LoadBalancer') {
    errors.push(forbidden('spec.allocateLoadBalancerNodePorts', onlyLoadBalancer));
  }
  const { loadBalancerClass, trafficDistribution } = spec;
  if (loadBalancerClass !== undefined) {
    if (type !== 'LoadBalancer') errors.push(forbidden('spec.loadBalancerClass', onlyLoadBalancer));
    else
      errors.push(...invalidFor('spec.loadBalancerClass', loadBalancerClass, whyNotQualifiedName(loadBalancerClass)));
  }
  errors.push(
    ...validateExternalTraffic(spec),
    ...strictlyOneOf('spec.internalTrafficPolicy', spec.internalTrafficPolicy, internalPolicies()),
    ...strictlyOneOf('spec.trafficDistribution', trafficDistribution, distributions),
  );
  return errors;
}

function validateExternalName(spec: ServiceSpec): FieldError[] {
  const why = 'may not be set for ExternalName services';
  const errors: FieldError[] = [];
  if ((spec.clusterIPs ?? []).length > 0) errors.push(forbidden('spec.clusterIPs', why));
  if ((spec.ipFamilies ?? []).length > 0) errors.push(forbidden('spec.ipFamilies', why));
  if (spec.ipFamilyPolicy !== undefined) errors.push(forbidden('spec.ipFamilyPolicy', why));
  // A trailing dot says that the name is complete.
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  if (name === '') return [...errors, required('spec.externalName')];
  return [...errors, ...invalidFor('spec.externalName', name, whyNotDnsSubdomain(name))];
}

function validatePorts(ports: readonly ServicePort[]): FieldError[] {
  const names = new Set<string>();
  return each('spec.ports', ports, ({ name = '', port = 0, protocol, targetPort = 0, appProtocol }, field) => {
    const errors: FieldError[] = [];
    if (name === '') {
      if (ports.length > 1) errors.push(required(`${field}.name`));
    } else {
      errors.push(...invalidFor(`${field}.name`, name, whyNotDnsLabel(name)));
      if (names.has(name)) errors.push(duplicate(`${field}.name`, name));
      names.add(name);
    }
    errors.push(
      ...invalidFor(`${field}.port`, port, whyNotPort(port)),
      ...requireOneOf(`${field}.protocol`, protocol, protocols()),
    );
    const wrong = typeof targetPort === 'number' ? whyNotPort(targetPort) : whyNotPortName(targetPort);
    errors.push(...invalidFor(`${field}.targetPort`, targetPort, wrong));
    if (appProtocol !== undefined) {
      errors.push(...invalidFor(`${field}.appProtocol`, appProtocol, whyNotQualifiedName(appProtocol)));
    }
    return errors;
  });
}

/** Who has node ports, and that no number is there twice. */
function validateNumbers(ports: readonly ServicePort[], type: string | undefined): FieldError[] {
  const errors = each('spec.ports', type === 'ClusterIP' ? ports : [], ({ nodePort }, at) =>
    nodePort ? [forbidden(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'")] : [],
  );
  if (ports.length < 2) return errors;
  const nodePorts = new Set<string>();
  const numbers = new Set<string>();
  errors.push(
    ...each('spec.ports', ports, ({ protocol, nodePort }, at) => {
      const key = `${protocol}:${nodePort}`;
      const isTaken = Boolean(nodePort) && nodePorts.has(key);
      nodePorts.add(key);
      return isTaken ? [duplicate(`${at}.nodePort`, nodePort)] : [];
    }),
    ...each('spec.ports', ports, ({ protocol, port }, at) => {
      const key = `${protocol}:${port}`;
      const isTaken = numbers.has(key);
      numbers.add(key);
      return isTaken ? [duplicate(at, { protocol, port })] : [];
    }),
  );
  return errors;
}

const maxAffinitySeconds = 86_400;

function validateAffinity({ sessionAffinity, sessionAffinityConfig: config }: ServiceSpec): FieldError[] {
  const field = 'spec.sessionAffinityConfig';
  if (sessionAffinity === 'None' && config !== undefined) {
    return [forbidden(field, 'must not be set when session affinity is None')];
  }
  const seconds = config?.clientIP?.timeoutSeconds;
  if (sessionAffinity !== 'ClientIP' || seconds === undefined) return [];
  if (seconds > 0 && seconds <= maxAffinitySeconds) return [];
  const why = `must be greater than 0 and less than ${maxAffinitySeconds}`;
  return [invalid(`${field}.clientIP.timeoutSeconds`, seconds, why)];
}

/** Ranges may be padded with spaces, as they could be in the annotation that was there before the field. */
function validateSourceRanges(spec: ServiceSpec, annotation: string | undefined): FieldError[] {
  const ranges = spec.loadBalancerSourceRanges ?? [];
  const isInField = ranges.length > 0;
  if (!isInField && annotation === undefined) return [];
  // The capital letter is upstream's.
  const field = isInField ? 'spec.LoadBalancerSourceRanges' : `metadata.annotations[${rangesAnnotation}]`;
  const errors = spec.type === 'LoadBalancer' ? [] : [forbidden(field, onlyLoadBalancer)];
  if (isInField) return [...errors, ...each(field, ranges, (range, at) => validCidr(at, range.trim()))];
  const text = annotation?.trim() ?? '';
  return text === '' ? errors : [...errors, ...text.split(',').flatMap((range) => validCidr(field, range.trim()))];
}

/** Whether clients outside of the cluster reach it by an address of its own, a node's or a load balancer's. */
export function isExternallyAccessible({ type, externalIPs = [] }: ServiceSpec): boolean {
  return type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && externalIPs.length > 0);
}

/** Whether load balancers have to ask each node for endpoints of the Service. */
export function needsHealthCheck({ type, externalTrafficPolicy }: ServiceSpec): boolean {
  return type === 'LoadBalancer' && externalTrafficPolicy === 'Local';
}

function validateExternalTraffic(spec: ServiceSpec): FieldError[] {
  const { externalTrafficPolicy: policy, healthCheckNodePort: port } = spec;
  const errors: FieldError[] = [];
  if (isExternallyAccessible(spec)) {
    errors.push(...requireOneOf('spec.externalTrafficPolicy', policy, externalPolicies()));
  } else if (policy) {
    const why = 'may only be set for externally-accessible services';
    errors.push(invalid('spec.externalTrafficPolicy', policy, why));
  }
  if (!port) return errors;
  const at = 'spec.healthCheckNodePort';
  if (needsHealthCheck(spec)) return [...errors, ...invalidFor(at, port, whyNotPort(port))];
  const why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
  return [...errors, invalid(at, port, why)];
}

export function validateServiceUpdate({ spec = {} }: Service, { spec: old = {} }: Service): readonly FieldError[] {
  const errors = validateAddressesUpdate(spec, old);
  const { loadBalancerClass } = spec;
  if (spec.type === 'LoadBalancer' && old.type === 'LoadBalancer' && loadBalancerClass !== old.loadBalancerClass) {
    errors.push(invalid('spec.loadBalancerClass', loadBalancerClass, 'may not change once set'));
  }
  if (needsHealthCheck(old) && needsHealthCheck(spec) && spec.healthCheckNodePort !== old.healthCheckNodePort) {
    errors.push(forbidden('spec.healthCheckNodePort', 'field is immutable'));
  }
  return errors;
}

/** What load balancers report. Source: ValidateLoadBalancerStatus. */
export function validateServiceStatus({ spec, status }: Service): readonly FieldError[] {
  const field = 'status.loadBalancer.ingress';
  const points = status?.loadBalancer?.ingress ?? [];
  if (spec?.type === 'LoadBalancer') return each(field, points, validateIngressPoint);
  return points.length === 0 ? [] : [forbidden(field, "may only be used when `spec.type` is 'LoadBalancer'")];
}

function validateIngressPoint({ ip = '', ipMode, hostname = '' }: Ingress, field: string): FieldError[] {
  const errors = ip === '' ? [] : validIp(`${field}.ip`, ip);
  if (ipMode === undefined) {
    if (ip !== '') errors.push(required(`${field}.ipMode`, 'must be specified when `ip` is set'));
  } else if (ip === '') errors.push(forbidden(`${field}.ipMode`, 'may not be specified when `ip` is not set'));
  else errors.push(...strictlyOneOf(`${field}.ipMode`, ipMode, ipModes));
  return [...errors, ...validIngressHostname(`${field}.hostname`, hostname)];
}

/** A load balancer's name in DNS; '' is fine. */
export function validIngressHostname(field: string, hostname: string): FieldError[] {
  if (hostname === '') return [];
  const errors = invalidFor(field, hostname, whyNotDnsSubdomain(hostname));
  if (ipVersion(hostname) !== 0) errors.push(invalid(field, hostname, 'must be a DNS name, not an IP address'));
  return errors;
}
