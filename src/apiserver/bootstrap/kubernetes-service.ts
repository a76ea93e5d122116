// The `kubernetes` Service in `default` with its endpoints: how pods reach this API server. Made at the start, and again when
// somebody deletes it (keep.ts).

import { type EndpointSlice, type Endpoints, kinds, type Service } from '../../api/index.ts';
import type { ObjectWriter } from '../contracts.ts';
import { ensureReconciled, type Named } from './ensure.ts';
import { firstServiceIp } from './service-ip.ts';

export interface KubernetesServiceOptions {
  /** 10.96.0.0/12; its first address is the `kubernetes` Service's. */
  readonly serviceCidr: string;
  /** Where clients reach this API server: the endpoint behind the `kubernetes` Service, unless it is this machine alone. */
  readonly advertiseAddress: string;
  readonly securePort: number;
}

const meta = { name: 'kubernetes', namespace: 'default' };
export async function ensureKubernetesService(writer: ObjectWriter, options: KubernetesServiceOptions): Promise<void> {
  const { advertiseAddress: ip, securePort } = options;
  const labels = { component: 'apiserver', provider: 'kubernetes' };
  const clusterIP = firstServiceIp(options.serviceCidr);
  const ipv6 = clusterIP.includes(':');
  const service: Named<Service> = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...meta, labels },
    spec: {
      clusterIP,
      clusterIPs: [clusterIP],
      internalTrafficPolicy: 'Cluster',
      ipFamilies: [ipv6 ? 'IPv6' : 'IPv4'],
      ipFamilyPolicy: 'SingleStack',
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: securePort }],
      sessionAffinity: 'None',
      type: 'ClusterIP',
    },
  };
  const endpoints: Named<Endpoints> = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    // The mirroring controller leaves it alone: the slice below is made here.
    metadata: { ...meta, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: [{ addresses: [{ ip }], ports: [{ name: 'https', port: securePort, protocol: 'TCP' }] }],
  };
  const slice: Named<EndpointSlice> = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...meta, labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: ip.includes(':') ? 'IPv6' : 'IPv4',
    endpoints: [{ addresses: [ip], conditions: { ready: true } }],
    ports: [{ name: 'https', port: securePort, protocol: 'TCP' }],
  };
  const differs = (have: unknown, want: unknown): boolean => JSON.stringify(have) !== JSON.stringify(want);
  await ensureReconciled(writer, kinds.service, service, (have) => {
    const [port, spec] = [have.spec?.ports?.[0], have.spec];
    if (spec === undefined || port?.targetPort === securePort) return undefined;
    return { ...have, spec: { ...spec, ...(service.spec?.ports && { ports: service.spec.ports }) } };
  });
  // In a pod a loopback address is the pod itself: nothing may have it as endpoint, and the Service goes without.
  if (ip.startsWith('127.') || ip === '::1') return;
  await ensureReconciled(writer, kinds.endpoints, endpoints, (have) =>
    differs(have.subsets, endpoints.subsets)
      ? { ...have, ...(endpoints.subsets && { subsets: endpoints.subsets }) }
      : undefined,
  );
  await ensureReconciled(writer, kinds.endpointSlice, slice, (have) => {
    const same = have.endpoints?.[0]?.addresses[0] === ip && have.ports?.[0]?.port === securePort;
    return same
      ? undefined
      : { ...have, ...(slice.endpoints && { endpoints: slice.endpoints }), ...(slice.ports && { ports: slice.ports }) };
  });
}
