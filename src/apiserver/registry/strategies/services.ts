// Services: cluster address, node ports and the fields that follow from them. Allocation comes before validation, as
// upstream, so that what was allocated is validated too; what is malformed is left for validation to tell.
// Source: kubernetes pkg/registry/core/service/storage (alloc.go).

import {
  type KubeObject,
  needsHealthCheck,
  type Service,
  type ServicePort,
  validateServiceAddresses,
} from '../../../api/index.ts';
import { type FieldCause, invalid } from '../../http/status-body.ts';
import type { Strategy, StrategyContext } from '../strategy.ts';
import { section, withField } from './fields.ts';
import {
  hasAddress,
  hasNodePorts,
  type ServiceSpec,
  withAllocated,
  withOneAddress,
  withoutUnneeded,
} from './service-fields.ts';

const kind = { group: '', kind: 'Service' };
const noStatus = { loadBalancer: {} };

export const services: Strategy = {
  answersDeleted: true,
  create: (object, context) => {
    const spec = withOneAddress(specOf(object));
    return withField(withField(object, 'spec', allocate(spec, allocating(object, context))), 'status', noStatus);
  },
  update(object, old, context) {
    const before = specOf(old);
    const spec = withOneAddress(withAllocated(specOf(object), before), before);
    const allocated = allocate(spec, { ...allocating(object, context), old: before });
    const updated = withField(object, 'spec', withoutUnneeded(allocated, before));
    return allocated.type === 'LoadBalancer' ? updated : withField(updated, 'status', withoutBalancer(object));
  },
};

function specOf(object: KubeObject): ServiceSpec {
  return section(object, 'spec') as ServiceSpec;
}

function withoutBalancer(object: KubeObject): object {
  return { ...section(object, 'status'), ...noStatus };
}

interface Allocating {
  readonly service: Service;
  readonly owner: string;
  readonly context: StrategyContext;
  readonly old?: ServiceSpec;
}

function allocating(object: KubeObject, context: StrategyContext): Allocating {
  const owner = `/registry/core/services/${object.metadata?.namespace ?? ''}/${object.metadata?.name ?? ''}`;
  context.onDone(() => context.services.release(owner));
  return { service: object, owner, context };
}

function allocate(spec: ServiceSpec, at: Allocating): ServiceSpec {
  if (validateServiceAddresses(spec).length > 0) return spec;
  return withHealthPort(withPorts(withAddress(withFamilies(spec, at), at), at), at);
}

/** IPv4 is the one family of this cluster's Services. Source: initIPFamilyFields. */
function withFamilies(spec: ServiceSpec, { service, old }: Allocating): ServiceSpec {
  if (!hasAddress(spec)) return spec;
  const isSelectorless = spec.clusterIP === 'None' && Object.keys(spec.selector ?? {}).length === 0;
  const policy = spec.ipFamilyPolicy ?? old?.ipFamilyPolicy ?? (isSelectorless ? 'RequireDualStack' : 'SingleStack');
  const given = spec.ipFamilies ?? [];
  if (policy === 'SingleStack' && given.length > 1) {
    const why = "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified";
    refuse(service, 'spec.ipFamilyPolicy', policy, why);
  }
  if (isSelectorless) {
    // Its endpoints are somebody else's, so they may have any family.
    const [first = 'IPv4', second = first === 'IPv4' ? 'IPv6' : 'IPv4'] = given;
    const ipFamilies = given.length > 1 || policy === 'SingleStack' ? [first, ...given.slice(1)] : [first, second];
    return { ...spec, ipFamilyPolicy: policy, ipFamilies };
  }
  if (policy === 'RequireDualStack') {
    refuse(service, 'spec.ipFamilyPolicy', policy, 'this cluster is not configured for dual-stack services');
  }
  const other = given.findIndex((family) => family !== 'IPv4');
  if (other >= 0) refuse(service, `spec.ipFamilies[${other}]`, given[other], 'not configured on this cluster');
  return { ...spec, ipFamilyPolicy: policy, ipFamilies: ['IPv4'] };
}

function withAddress(spec: ServiceSpec, { service, owner, context, old }: Allocating): ServiceSpec {
  if (!hasAddress(spec) || spec.clusterIP === 'None') return spec;
  const wanted = spec.clusterIP;
  // Another address than the present one is for validation to refuse, whether it is free or not.
  if (wanted !== undefined && old?.clusterIP && wanted !== old.clusterIP) return spec;
  const taken = context.services.takeAddress(wanted, owner);
  if ('why' in taken) return refuse(service, 'spec.clusterIPs', [wanted ?? ''], taken.why);
  return { ...spec, clusterIP: taken.address, clusterIPs: [taken.address] };
}

/** Ports of one number, as DNS has them for TCP and UDP, get one node port. */
function withPorts(spec: ServiceSpec, { service, owner, context }: Allocating): ServiceSpec {
  if ((spec.type !== 'NodePort' && spec.type !== 'LoadBalancer') || spec.ports === undefined) return spec;
  const byNumber = new Map<number, number>();
  for (const { port, nodePort } of spec.ports) if (nodePort && !byNumber.has(port)) byNumber.set(port, nodePort);
  const ports = spec.ports.map((port, index): ServicePort => {
    if (!port.nodePort && !hasNodePorts(spec)) return port;
    const wanted = port.nodePort || byNumber.get(port.port);
    const taken = context.services.takePort(wanted, owner);
    if ('why' in taken) return refuse(service, `spec.ports[${index}].nodePort`, wanted ?? 0, taken.why);
    byNumber.set(port.port, taken.port);
    return { ...port, nodePort: taken.port };
  });
  return { ...spec, ports };
}

/** Source: allocHealthCheckNodePort. */
function withHealthPort(spec: ServiceSpec, { service, owner, context, old }: Allocating): ServiceSpec {
  if (!needsHealthCheck(spec)) return spec;
  const wanted = spec.healthCheckNodePort || undefined;
  // A change of it is for validation to refuse.
  if (wanted !== undefined && old?.healthCheckNodePort && wanted !== old.healthCheckNodePort) return spec;
  const taken = context.services.takePort(wanted, owner);
  if ('why' in taken) return refuse(service, 'spec.healthCheckNodePort', wanted ?? 0, taken.why);
  return { ...spec, healthCheckNodePort: taken.port };
}

function refuse(service: Service, field: string, value: unknown, why: string): never {
  const cause: FieldCause = {
    field,
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
  };
  throw invalid(kind, service.metadata?.name ?? '', [cause]);
}
