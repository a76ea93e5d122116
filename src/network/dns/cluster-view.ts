// What the zone's answers are made from: the informers' caches, looked up by key or index, so that a question costs the
// same in a large cluster. Namespaces are known by their Services, as an agent may not list namespaces.

import type { EndpointSlice, Service } from '../../api/index.ts';
import { type Informer, keyOf } from '../../client/index.ts';
import { serviceKeyOf, slicesByService } from '../service-index.ts';

export interface ClusterView {
  /** False until the first lists are there: nothing can be said to be absent before. */
  readonly synced: boolean;
  service(namespace: string, name: string): Service | undefined;
  slices(namespace: string, name: string): readonly EndpointSlice[];
  hasNamespace(namespace: string): boolean;
  /** The Service with this ClusterIP. */
  serviceAt(address: string): Service | undefined;
  /** Slices with an endpoint at this address. */
  slicesAt(address: string): readonly EndpointSlice[];
}

const servicesByAddress = 'network/cluster-ip';
const slicesByAddress = 'network/endpoint-address';

export function createClusterView(services: Informer<Service>, slices: Informer<EndpointSlice>): ClusterView {
  const perNamespace = new Map<string, number>();
  const count = (namespace: string, by: number): void => {
    const now = (perNamespace.get(namespace) ?? 0) + by;
    if (now > 0) perNamespace.set(namespace, now);
    else perNamespace.delete(namespace);
  };
  let synced = false;
  services.addIndex(servicesByAddress, (service) => service.spec?.clusterIPs ?? [service.spec?.clusterIP ?? '']);
  services.addHandler({
    added: (service) => count(service.metadata.namespace ?? '', 1),
    deleted: (service) => count(service.metadata.namespace ?? '', -1),
  });
  slices.addIndex(slicesByService, serviceKeyOf);
  slices.addIndex(slicesByAddress, (slice) => (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses));
  Promise.all([services.synced(), slices.synced()]).then(
    () => {
      synced = true;
    },
    () => undefined, // stopped before the first list: stays unsynced
  );
  return {
    get synced() {
      return synced;
    },
    service: (namespace, name) => services.get(keyOf({ metadata: { namespace, name } })),
    slices: (namespace, name) => slices.byIndex(slicesByService, `${namespace}/${name}`),
    hasNamespace: (namespace) => perNamespace.has(namespace),
    serviceAt: (address) => services.byIndex(servicesByAddress, address)[0],
    slicesAt: (address) => slices.byIndex(slicesByAddress, address),
  };
}
