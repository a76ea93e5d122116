// Upstream's defaults of Services, Endpoints and EndpointSlices. Addresses and node ports are allocated elsewhere.
// Source: kubernetes pkg/apis/core/v1/defaults.go, pkg/apis/discovery/v1/defaults.go.

import type { Draft, EndpointSlice, Endpoints, Service } from '../types.ts';

const clientIpTimeoutSeconds = 10_800;

export function defaultService(service: Draft<Service>): void {
  service.status ??= { loadBalancer: {} };
  service.spec ??= {};
  const { spec } = service;
  spec.sessionAffinity ||= 'None';
  spec.type ||= 'ClusterIP';
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'ClientIP') {
    spec.sessionAffinityConfig ??= {};
    spec.sessionAffinityConfig.clientIP ??= {};
    spec.sessionAffinityConfig.clientIP.timeoutSeconds ??= clientIpTimeoutSeconds;
  }
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP';
    port.targetPort ||= port.port;
  }
  const reachable = spec.type === 'NodePort' || spec.type === 'LoadBalancer';
  if (reachable || (spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0))
    spec.externalTrafficPolicy ||= 'Cluster';
  if (reachable || spec.type === 'ClusterIP') spec.internalTrafficPolicy ||= 'Cluster';
  if (spec.type !== 'LoadBalancer') return;
  spec.allocateLoadBalancerNodePorts ??= true;
  for (const point of service.status.loadBalancer?.ingress ?? []) if (point.ip) point.ipMode ??= 'VIP';
}

export function defaultEndpoints({ subsets = [] }: Draft<Endpoints>): void {
  for (const { ports = [] } of subsets) for (const port of ports) port.protocol ||= 'TCP';
}

export function defaultEndpointSlice({ ports = [] }: Draft<EndpointSlice>): void {
  for (const port of ports) {
    port.name ??= '';
    port.protocol ??= 'TCP';
  }
}
