// Services and EndpointSlices for tests, short to write.

import type { EndpointSlice, Service } from '../../src/api/index.ts';

export function service(name: string, spec: Service['spec'], status: Service['status'] = {}): Service {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' }, spec: { ...spec }, status };
}

export interface EndpointLike {
  readonly ip: string;
  readonly node?: string;
  readonly hostname?: string;
  readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean };
}

export function slice(name: string, ports: EndpointSlice['ports'], endpoints: readonly EndpointLike[]): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: ports ?? [],
    endpoints: endpoints.map(({ ip, node, hostname, conditions = {} }) => ({
      addresses: [ip],
      conditions,
      ...(node === undefined ? {} : { nodeName: node }),
      ...(hostname === undefined ? {} : { hostname }),
    })),
  };
}
