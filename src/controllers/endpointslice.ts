// EndpointSlice: the addresses of a Service's pods, in slices of at most 100, for proxies and DNS.
//
// Slices are grouped by address family and by the ports that their pods serve. Within a group the plan changes as few
// slices as it can: what is still right stays where it is, additions go to slices that change anyway, then to the
// fullest slice with room, and only then to a new one. A Service without pods has one empty slice, so that readers can
// tell "nothing" from "not yet looked at". Source: KEP-752 and KEP-1672 (terminating endpoints).

import { type EndpointSlice, kinds, type Node, type Pod, type Service, type Stored } from '../api/index.ts';
import { keyOf } from '../client/index.ts';
import { create, remove, update } from './actions.ts';
import { type Action, type Controller, type Index, needs, watch } from './controller.ts';
import { canonical, isSame } from './equality.ts';
import { controllerRefTo } from './ownership.ts';
import { isReady } from './pod-state.ts';
import {
  addressesOf,
  headlessLabel,
  hostnameFor,
  isHeadless,
  isIpv6,
  isOurs,
  nodeWatch,
  podsBehind,
  portsOn,
  serviceIndexes,
  serviceWatches,
  zoneLabel,
} from './service-endpoints.ts';
import { type Endpoint, planSlices } from './slice-plan.ts';

type AddressType = 'IPv4' | 'IPv6';
type Ports = NonNullable<EndpointSlice['ports']>;

const serviceNameLabel = 'kubernetes.io/service-name';
const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
const managedBy = 'endpointslice-controller.k8s.io';
const reservedLabels = new Set([serviceNameLabel, managedByLabel, headlessLabel]);

/** Slices that this controller made, by namespace/name of their Service. */
const slicesByService: Index<EndpointSlice> = {
  kind: kinds.endpointSlice,
  name: 'service',
  valuesOf: (slice) => (slice.metadata.labels?.[managedByLabel] === managedBy ? [serviceKeyOf(slice)] : []),
};

export const endpointSliceController: Controller = {
  name: 'endpointslice-controller',
  parallel: 5,
  indexes: [...serviceIndexes, needs(slicesByService)],
  watches: [
    ...serviceWatches,
    nodeWatch,
    watch(kinds.endpointSlice, (slice) => (slicesByService.valuesOf(slice).length === 0 ? [] : [serviceKeyOf(slice)])),
  ],
  reconcile(key, { view }) {
    const service = view.get(kinds.service, key);
    if (service === undefined) return [];
    const { namespace } = service.metadata;
    return reconcileEndpointSlices({
      service,
      pods: view.list(kinds.pod, namespace),
      slices: view.byIndex(slicesByService, keyOf(service)),
      nodeOf: (name) => view.get(kinds.node, name),
    });
  },
};

function serviceKeyOf(slice: EndpointSlice): string {
  return `${slice.metadata?.namespace}/${slice.metadata?.labels?.[serviceNameLabel]}`;
}

export interface EndpointSlicesRequest {
  readonly service: Stored<Service>;
  readonly pods: readonly Stored<Pod>[];
  /** The controller's slices of this Service. */
  readonly slices: readonly Stored<EndpointSlice>[];
  readonly nodeOf: (name: string) => Stored<Node> | undefined;
}

export function reconcileEndpointSlices(request: EndpointSlicesRequest): readonly Action[] {
  const { service, slices } = request;
  if (!isOurs(service)) return [];
  const alive = slices.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const types = addressTypesOf(service);
  const unwanted = alive.filter((slice) => !types.some((type) => type === slice.addressType));
  return [
    ...types.flatMap((type) =>
      reconcileType(
        request,
        type,
        alive.filter((slice) => slice.addressType === type),
      ),
    ),
    ...unwanted.map((slice) => remove(kinds.endpointSlice, slice)),
  ];
}

function addressTypesOf({ spec }: Service): readonly AddressType[] {
  const families = spec?.ipFamilies ?? [];
  if (families.length > 0) return families.map((family) => (family === 'IPv6' ? 'IPv6' : 'IPv4'));
  const clusterIP = spec?.clusterIP ?? '';
  if (clusterIP !== '' && clusterIP !== 'None') return [isIpv6(clusterIP) ? 'IPv6' : 'IPv4'];
  return ['IPv4', 'IPv6'];
}

interface Group {
  readonly ports: Ports;
  readonly endpoints: Endpoint[];
  readonly slices: Stored<EndpointSlice>[];
}

function reconcileType(
  request: EndpointSlicesRequest,
  type: AddressType,
  slices: readonly Stored<EndpointSlice>[],
): readonly Action[] {
  const { service } = request;
  const isOwn = (slice: Stored<EndpointSlice>): boolean =>
    (slice.metadata.ownerReferences ?? []).some(({ uid }) => uid === service.metadata.uid);
  const groups = groupByPorts(request, type);
  const discarded = slices.filter((slice) => !isOwn(slice));
  for (const slice of slices.filter(isOwn)) {
    const group = groups.get(portsKey(slice.ports ?? []));
    if (group === undefined) discarded.push(slice);
    else group.slices.push(slice);
  }
  const wanted = [...groups.values()].map(planSlices);
  const updates = wanted.flatMap((plan) => plan.keep);
  const creations = wanted.flatMap((plan, at) => {
    const ports = [...groups.values()][at]?.ports ?? [];
    return plan.create.map((endpoints) => ({ ports, endpoints }));
  });
  const deletions = [...discarded, ...wanted.flatMap((plan) => plan.drop)];
  if (updates.length === 0 && creations.length === 0) creations.push({ ports: [], endpoints: [] });
  // A slice that would be deleted becomes one that would be created: one write instead of two.
  const reusable = deletions.filter(isOwn);
  const reused = creations.splice(0, reusable.length).map(({ ports, endpoints }, at) => ({
    slice: reusable[at] as Stored<EndpointSlice>,
    ports,
    endpoints,
  }));
  const spared = new Set(reused.map(({ slice }) => slice));
  return [
    ...updates.flatMap(({ slice, endpoints }) => write(service, slice, slice.ports ?? [], endpoints)),
    ...reused.flatMap(({ slice, ports, endpoints }) => write(service, slice, ports, endpoints)),
    ...creations.flatMap(({ ports, endpoints }) => make(service, type, ports, endpoints)),
    ...deletions.filter((slice) => !spared.has(slice)).map((slice) => remove(kinds.endpointSlice, slice)),
  ];
}

function groupByPorts({ service, pods, nodeOf }: EndpointSlicesRequest, type: AddressType): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const pod of podsBehind(service, pods, true)) {
    const addresses = addressesOf(pod).filter((address) => isIpv6(address) === (type === 'IPv6'));
    const node = nodeOf(pod.spec?.nodeName ?? '');
    // A pod whose node is gone is about to be collected; its address may be given out again at any time.
    if (node === undefined && service.spec?.publishNotReadyAddresses !== true) continue;
    if (addresses.length === 0) continue;
    const ports = portsOn(pod, service);
    const key = portsKey(ports);
    const group = groups.get(key) ?? { ports, endpoints: [], slices: [] };
    groups.set(key, group);
    group.endpoints.push(endpointOf(pod, service, node, addresses));
  }
  return groups;
}

function portsKey(ports: Ports): string {
  return ports.map(canonical).sort().join();
}

function endpointOf(
  pod: Stored<Pod>,
  service: Service,
  node: Node | undefined,
  addresses: readonly string[],
): Endpoint {
  const serving = isReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const hostname = hostnameFor(pod, service);
  const zone = node?.metadata?.labels?.[zoneLabel];
  const { namespace, name, uid } = pod.metadata;
  return {
    addresses,
    conditions: { ready, serving, terminating },
    ...(hostname === undefined ? {} : { hostname }),
    ...(pod.spec?.nodeName === undefined ? {} : { nodeName: pod.spec.nodeName }),
    ...(zone === undefined ? {} : { zone }),
    ...hintsFor(service, pod.spec?.nodeName, zone, ready),
    targetRef: { kind: 'Pod', ...(namespace === undefined ? {} : { namespace }), name, uid },
  };
}

/** spec.trafficDistribution as hints to proxies (KEP-3015, KEP-4444). */
function hintsFor(
  service: Service,
  nodeName: string | undefined,
  zone: string | undefined,
  ready: boolean,
): Pick<Endpoint, 'hints'> {
  const distribution = service.spec?.trafficDistribution ?? '';
  if (!ready || !['PreferClose', 'PreferSameZone', 'PreferSameNode'].includes(distribution)) return {};
  const forZones = zone === undefined ? {} : { forZones: [{ name: zone }] };
  const isSameNode = distribution === 'PreferSameNode' && nodeName !== undefined;
  const hints = { ...forZones, ...(isSameNode ? { forNodes: [{ name: nodeName }] } : {}) };
  return Object.keys(hints).length === 0 ? {} : { hints };
}

function labelsFor(service: Stored<Service>): Readonly<Record<string, string>> {
  const own = Object.entries(service.metadata.labels ?? {}).filter(([key]) => !reservedLabels.has(key));
  return {
    ...Object.fromEntries(own),
    ...(isHeadless(service) ? { [headlessLabel]: '' } : {}),
    [serviceNameLabel]: service.metadata.name,
    [managedByLabel]: managedBy,
  };
}

function write(
  service: Stored<Service>,
  slice: Stored<EndpointSlice>,
  ports: Ports,
  endpoints: readonly Endpoint[],
): readonly Action[] {
  const labels = labelsFor(service);
  const next = { ...slice, metadata: { ...slice.metadata, labels }, ports, endpoints };
  return isSame(next, { ...slice, ports: slice.ports ?? [], endpoints: slice.endpoints ?? [] })
    ? []
    : [update(kinds.endpointSlice, next)];
}

/** Nothing is created for a Service that is being deleted: it would race the collection of its slices. */
function make(
  service: Stored<Service>,
  addressType: AddressType,
  ports: Ports,
  endpoints: readonly Endpoint[],
): readonly Action[] {
  const { namespace, name, deletionTimestamp } = service.metadata;
  if (deletionTimestamp !== undefined) return [];
  const metadata = {
    generateName: `${name}-`,
    ...(namespace === undefined ? {} : { namespace }),
    labels: labelsFor(service),
    ownerReferences: [controllerRefTo(kinds.service, service)],
  };
  const slice: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata,
    addressType,
    ports,
    endpoints,
  };
  return [
    create(kinds.endpointSlice, slice, {
      about: service,
      failed: (message) => ({
        type: 'Warning',
        reason: 'FailedToUpdateEndpointSlices',
        message: `Error updating Endpoint Slices for Service ${namespace}/${name}: ${message}`,
      }),
    }),
  ];
}
