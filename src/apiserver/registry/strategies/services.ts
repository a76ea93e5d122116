// Services: cluster address, node ports and the fields that follow from them. Source: pkg/registry/core/service/storage
// (alloc.go, storage.go: patchAllocatedValues, defaultOnRead).

import type { KubeObject, Service, ServicePort } from '../../../api/index.ts';
import { type FieldCause, invalid } from '../../http/status-body.ts';
import type { Strategy, StrategyContext } from '../strategy.ts';
import { section, withField } from './fields.ts';

type Spec = NonNullable<Service['spec']>;

const kind = { group: '', kind: 'Service' };

export const services: Strategy = {
  answersDeleted: true,
  create: (object, context) =>
    withField(withField(object, 'spec', allocate(object as Service, undefined, context)), 'status', {
      loadBalancer: {},
    }),
  update: (object, old, context) => withField(object, 'spec', allocate(object as Service, old as Service, context)),
};

function allocate(service: Service, old: Service | undefined, context: StrategyContext): KubeObject | Spec {
  const owner = `/registry/core/services/${service.metadata?.namespace ?? ''}/${service.metadata?.name ?? ''}`;
  context.onDone(() => context.services.release(owner));
  const spec = (section(service as KubeObject, 'spec') as Spec) ?? {};
  refuseOtherFamilies(service, spec);
  const addressed = withAddress(keepAllocated(spec, old?.spec), { service, owner, context, old: old?.spec });
  return withHealthPort(withPorts(addressed, { service, owner, context }), { service, owner, context, old: old?.spec });
}

/** IPv4 is the one family of this cluster's Services. Source: alloc.go, initIPFamilyFields. */
function refuseOtherFamilies(service: Service, { type, ipFamilies = [], ipFamilyPolicy }: Spec): void {
  if (type === 'ExternalName') return;
  const at = ipFamilies.findIndex((family) => family !== 'IPv4');
  if (at >= 0) refuse(service, `spec.ipFamilies[${at}]`, ipFamilies[at], 'not configured on this cluster');
  if (ipFamilyPolicy === 'RequireDualStack') {
    refuse(service, 'spec.ipFamilyPolicy', ipFamilyPolicy, 'this cluster is not configured for dual-stack services');
  }
}

/** Where load balancers ask whether a node has endpoints of the Service. Source: alloc.go, allocHealthCheckNodePort. */
function withHealthPort(spec: Spec, { service, owner, context, old }: Allocating): Spec {
  const { healthCheckNodePort, ...rest } = spec;
  const given = healthCheckNodePort === 0 ? undefined : healthCheckNodePort;
  if (!needsHealthPort(spec)) {
    if (given === undefined || given === old?.healthCheckNodePort) return rest;
    const why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    return refuse(service, 'spec.healthCheckNodePort', given, why);
  }
  const before = old !== undefined && needsHealthPort(old) ? old.healthCheckNodePort : undefined;
  if (before !== undefined && given !== undefined && given !== before) {
    refuse(service, 'spec.healthCheckNodePort', given, 'field is immutable');
  }
  const taken = context.services.takePort(given ?? before, owner);
  if ('why' in taken) return refuse(service, 'spec.healthCheckNodePort', given ?? 0, taken.why);
  return { ...spec, healthCheckNodePort: taken.port };
}

function needsHealthPort({ type, externalTrafficPolicy }: Spec): boolean {
  return type === 'LoadBalancer' && externalTrafficPolicy === 'Local';
}

interface Allocating {
  readonly service: Service;
  readonly owner: string;
  readonly context: StrategyContext;
  readonly old?: Spec | undefined;
}

/** A PUT that leaves allocated fields out keeps what the Service has. */
function keepAllocated(spec: Spec, old: Spec | undefined): Spec {
  if (old === undefined || spec.type === 'ExternalName' || old.type === 'ExternalName') return spec;
  const kept: Spec = {
    ...spec,
    clusterIP: spec.clusterIP === undefined || spec.clusterIP === '' ? old.clusterIP : spec.clusterIP,
    clusterIPs:
      (spec.clusterIPs?.length ?? 0) === 0 && (spec.clusterIP ?? '') === '' ? old.clusterIPs : spec.clusterIPs,
  } as Spec;
  if (!hasNodePorts(spec) || !hasNodePorts(old)) return kept;
  const known = new Map((old.ports ?? []).map((port) => [portKey(port), port.nodePort]));
  const ports = (spec.ports ?? []).map((port) => {
    const nodePort = port.nodePort ?? known.get(portKey(port));
    return nodePort === undefined ? port : { ...port, nodePort };
  });
  return { ...kept, ports };
}

function withAddress(spec: Spec, { service, owner, context, old }: Allocating): Spec {
  if (spec.type === 'ExternalName') {
    const { clusterIP: _one, clusterIPs: _all, ipFamilies: _families, ipFamilyPolicy: _policy, ...rest } = spec;
    return rest;
  }
  const wanted = spec.clusterIP === '' ? undefined : (spec.clusterIP ?? spec.clusterIPs?.[0]);
  const before = old?.clusterIP ?? '';
  if (before !== '' && wanted !== undefined && wanted !== before) {
    refuse(service, 'spec.clusterIPs[0]', [wanted], 'may not change once set');
  }
  const families = { ipFamilies: spec.ipFamilies ?? ['IPv4'], ipFamilyPolicy: spec.ipFamilyPolicy ?? 'SingleStack' };
  if (wanted === 'None') return { ...spec, clusterIP: 'None', clusterIPs: ['None'], ...families };
  const taken = context.services.takeAddress(wanted, owner);
  if ('why' in taken) refuse(service, 'spec.clusterIPs', [wanted ?? ''], taken.why);
  return { ...spec, clusterIP: taken.address, clusterIPs: [taken.address], ...families };
}

function withPorts(spec: Spec, { service, owner, context }: Allocating): Spec {
  if (!hasNodePorts(spec)) {
    const ports = spec.ports?.map(({ nodePort: _unused, ...port }) => port as ServicePort);
    return { ...spec, ...(ports === undefined ? {} : { ports }) };
  }
  const ports = (spec.ports ?? []).map((port, index) => {
    const taken = context.services.takePort(port.nodePort === 0 ? undefined : port.nodePort, owner);
    if ('why' in taken) return refuse(service, `spec.ports[${index}].nodePort`, port.nodePort ?? 0, taken.why);
    return { ...port, nodePort: taken.port };
  });
  return { ...spec, ports, externalTrafficPolicy: spec.externalTrafficPolicy ?? 'Cluster' };
}

function hasNodePorts(spec: Spec): boolean {
  return spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
}

function portKey(port: ServicePort): string {
  return `${port.protocol ?? 'TCP'}/${port.port}`;
}

function refuse(service: Service, field: string, value: unknown, why: string): never {
  const cause: FieldCause = {
    field,
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
  };
  throw invalid(kind, service.metadata?.name ?? '', [cause]);
}
