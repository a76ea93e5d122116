// What a Service keeps and gives up from one state to the next, before anything is allocated. All pure. Source: kubernetes
// pkg/registry/core/service/storage (patchAllocatedValues, normalizeClusterIPs), strategy.go (dropTypeDependentFields).

import { isDeepStrictEqual } from 'node:util';
import { isExternallyAccessible, needsHealthCheck, type Service } from '../../../api/index.ts';

export type ServiceSpec = NonNullable<Service['spec']>;

export function hasAddress({ type }: ServiceSpec): boolean {
  return type !== 'ExternalName';
}

export function hasNodePorts({ type, allocateLoadBalancerNodePorts }: ServiceSpec): boolean {
  return type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false);
}

function nodePortsOf({ ports = [] }: ServiceSpec): ReadonlySet<number> {
  return new Set(ports.flatMap(({ nodePort }) => (nodePort ? [nodePort] : [])));
}

/** A PUT that leaves allocated fields out keeps what the Service has; ports are known by their names. */
export function withAllocated(spec: ServiceSpec, old: ServiceSpec): ServiceSpec {
  const kept: { -readonly [Key in keyof ServiceSpec]: ServiceSpec[Key] } = { ...spec };
  if (hasAddress(old) && hasAddress(spec)) {
    if (!kept.clusterIP && old.clusterIP) kept.clusterIP = old.clusterIP;
    if ((kept.clusterIPs ?? []).length === 0 && kept.clusterIP === old.clusterIP && old.clusterIPs !== undefined) {
      kept.clusterIPs = old.clusterIPs;
    }
  }
  if (hasNodePorts(old) && hasNodePorts(spec)) {
    const wanted = nodePortsOf(spec);
    const used = new Set([...nodePortsOf(old)].filter((port) => wanted.has(port)));
    const known = new Map((old.ports ?? []).map(({ name = '', nodePort }) => [name, nodePort]));
    kept.ports = (spec.ports ?? []).map((port) => {
      const before = known.get(port.name ?? '');
      if (port.nodePort || !before || used.has(before)) return port;
      used.add(before);
      return { ...port, nodePort: before };
    });
  }
  if (needsHealthCheck(old) && needsHealthCheck(spec) && !kept.healthCheckNodePort && old.healthCheckNodePort) {
    kept.healthCheckNodePort = old.healthCheckNodePort;
  }
  return kept;
}

/** `clusterIP` and the first of `clusterIPs` are one value, and who changes one of them means both. */
export function withOneAddress(spec: ServiceSpec, old: ServiceSpec = {}): ServiceSpec {
  const { clusterIP = '', clusterIPs = [], ...rest } = spec;
  const isListOld = clusterIPs.length === 0 || isDeepStrictEqual(clusterIPs, old.clusterIPs);
  if (clusterIP === '') return isListOld ? rest : { ...rest, clusterIPs };
  if (!isListOld || clusterIP === clusterIPs[0]) return spec;
  return { ...rest, clusterIP, clusterIPs: [clusterIP] };
}

/** Without what another type has no use for, where nobody changed it at the same time: that would be a mistake to tell. */
export function withoutUnneeded(spec: ServiceSpec, old: ServiceSpec): ServiceSpec {
  const left: { -readonly [Key in keyof ServiceSpec]: ServiceSpec[Key] } = { ...spec };
  const drop = (...names: readonly (keyof ServiceSpec)[]): void => {
    for (const name of names) if (isDeepStrictEqual(spec[name], old[name])) delete left[name];
  };
  if (hasAddress(old) && !hasAddress(spec)) {
    if (spec.clusterIP === old.clusterIP) drop('clusterIP', 'clusterIPs');
    drop('ipFamilies', 'ipFamilyPolicy');
  }
  if (hasNodePorts(old) && !hasNodePorts(spec) && spec.ports !== undefined) {
    const before = nodePortsOf(old);
    if ([...nodePortsOf(spec)].every((port) => before.has(port))) {
      left.ports = spec.ports.map(({ nodePort: _unneeded, ...port }) => port);
    }
  }
  if (needsHealthCheck(old) && !needsHealthCheck(spec)) drop('healthCheckNodePort');
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    drop('allocateLoadBalancerNodePorts', 'loadBalancerClass');
  }
  if (isExternallyAccessible(old) && !isExternallyAccessible(spec)) drop('externalTrafficPolicy');
  return left;
}
