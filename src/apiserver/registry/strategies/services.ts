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
  const addressed = withAddress(keepAllocated(spec, old?.spec), { service, owner, context, old: old?.spec });
  return withPorts(addressed, { service, owner, context });
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
