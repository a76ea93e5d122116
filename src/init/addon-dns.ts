// The kube-dns Service: the address that every pod's resolv.conf names. It has no selector and needs no endpoints, because
// each node's agent answers on that address itself; it exists so that the address is taken, and so that tools which look
// the cluster's DNS up find it where it has always been.

import { kinds, type Service } from '../api/index.ts';
import { ensureObject } from '../bootstrap/index.ts';
import type { Phase } from '../workflow/index.ts';
import type { InitContext } from './context.ts';

export const addonDns: Phase<InitContext> = {
  name: 'addon-dns',
  title: 'Announcing the cluster DNS',
  skipReason: ({ config }) => (config.cluster.dns === 'off' ? 'networking.dns is off' : undefined),
  run: async ({ config, client }, { signal }) =>
    ensureObject<Service>(await client(), kinds.service, dnsService(config.cluster.clusterDns), signal),
};

function dnsService(clusterIP: string): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'kube-dns',
      namespace: 'kube-system',
      labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'k8ts-dns' },
    },
    spec: {
      type: 'ClusterIP',
      clusterIP,
      clusterIPs: [clusterIP],
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
        { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
      ],
    },
  };
}
