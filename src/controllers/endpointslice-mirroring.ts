// endpointslicemirroring: Endpoints that people write for Services without a selector, as EndpointSlices, because proxies
// and DNS read only those. Endpoints that a controller makes are left alone: their pods have slices already.
// Source: "EndpointSlice mirroring" in the Kubernetes documentation.

import { type EndpointSlice, type Endpoints, kinds, type Service, type Stored } from '../api/index.ts';
import { keyOf } from '../client/index.ts';
import { create, remove, update } from './actions.ts';
import { type Action, type Controller, type Index, needs, watch } from './controller.ts';
import { canonical, isSame } from './equality.ts';
import { controllerRefTo } from './ownership.ts';
import { headlessLabel, isIpv6 } from './service-endpoints.ts';
import { type Endpoint, planSlices } from './slice-plan.ts';

type Ports = NonNullable<EndpointSlice['ports']>;
type Subset = NonNullable<Endpoints['subsets']>[number];
type Address = NonNullable<Subset['addresses']>[number];

const serviceNameLabel = 'kubernetes.io/service-name';
const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
const managedBy = 'endpointslicemirroring-controller.k8s.io';
const skipLabel = 'endpointslice.kubernetes.io/skip-mirror';
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader';
const ownAnnotations = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'endpoints.kubernetes.io/last-change-trigger-time',
]);
/** Addresses of one subset that are mirrored; as upstream's --mirroring-max-endpoints-per-subset. */
const mostInSubset = 1000;

const mirrors: Index<EndpointSlice> = {
  kind: kinds.endpointSlice,
  name: 'mirrored-service',
  valuesOf: (slice) => (slice.metadata.labels?.[managedByLabel] === managedBy ? [serviceKeyOf(slice)] : []),
};

export const endpointSliceMirroringController: Controller = {
  name: 'endpointslice-mirroring-controller',
  parallel: 5,
  indexes: [needs(mirrors)],
  watches: [
    watch(kinds.endpoints, (endpoints) => [keyOf(endpoints)]),
    watch(kinds.service, (service) => [keyOf(service)]),
    watch(kinds.endpointSlice, (slice) => (mirrors.valuesOf(slice).length === 0 ? [] : [serviceKeyOf(slice)])),
  ],
  reconcile(key, { view }) {
    const slices = view.byIndex(mirrors, key).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const endpoints = view.get(kinds.endpoints, key);
    const service = view.get(kinds.service, key);
    if (endpoints === undefined || !isMirrored(endpoints, service)) {
      return slices.map((slice) => remove(kinds.endpointSlice, slice));
    }
    return reconcileMirrors(endpoints, slices);
  },
};

function serviceKeyOf({ metadata }: EndpointSlice): string {
  return `${metadata?.namespace}/${metadata?.labels?.[serviceNameLabel]}`;
}

function isMirrored({ metadata }: Stored<Endpoints>, service: Service | undefined): boolean {
  if (service === undefined || service.spec?.selector !== undefined) return false;
  const { labels = {}, annotations = {}, deletionTimestamp } = metadata;
  return labels[skipLabel] !== 'true' && annotations[leaderAnnotation] === undefined && deletionTimestamp === undefined;
}

interface Group {
  readonly addressType: 'IPv4' | 'IPv6';
  readonly ports: Ports;
  readonly endpoints: Endpoint[];
  readonly slices: Stored<EndpointSlice>[];
}

/** @param slices the mirrors that exist */
function reconcileMirrors(endpoints: Stored<Endpoints>, slices: readonly Stored<EndpointSlice>[]): readonly Action[] {
  const groups = groupsOf(endpoints);
  const stray: Stored<EndpointSlice>[] = [];
  for (const slice of slices) {
    const group = groups.get(groupKey(slice.addressType, slice.ports ?? []));
    if (group === undefined) stray.push(slice);
    else group.slices.push(slice);
  }
  const actions = [...groups.values()].flatMap((group) => {
    const plan = planSlices(group);
    return [
      ...plan.keep.flatMap(({ slice, endpoints: kept }) => write(endpoints, slice, kept)),
      ...plan.create.map((some) => make(endpoints, group, some)),
      ...plan.drop.map((slice) => remove(kinds.endpointSlice, slice)),
    ];
  });
  return [...actions, ...stray.map((slice) => remove(kinds.endpointSlice, slice))];
}

function groupsOf({ subsets = [] }: Endpoints): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of subsets) {
    const named = ports.map(({ name = '', port, protocol = 'TCP', appProtocol }) => ({
      name,
      port,
      protocol,
      ...(appProtocol === undefined ? {} : { appProtocol }),
    }));
    const all = [
      ...addresses.map((address) => ({ address, ready: true })),
      ...notReadyAddresses.map((address) => ({ address, ready: false })),
    ];
    for (const { address, ready } of all.slice(0, mostInSubset)) {
      const addressType = isIpv6(address.ip) ? 'IPv6' : 'IPv4';
      const key = groupKey(addressType, named);
      const group = groups.get(key) ?? { addressType, ports: named, endpoints: [], slices: [] };
      groups.set(key, group);
      group.endpoints.push(endpointOf(address, ready));
    }
  }
  return groups;
}

function groupKey(addressType: string, ports: Ports): string {
  return `${addressType} ${ports.map(canonical).sort().join()}`;
}

function endpointOf({ ip, hostname, nodeName, targetRef }: Address, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname === undefined || hostname === '' ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef === undefined ? {} : { targetRef }),
  };
}

function labelsFor({ metadata }: Stored<Endpoints>): Readonly<Record<string, string>> {
  const { [headlessLabel]: _headless, ...labels } = metadata.labels ?? {};
  return { ...labels, [serviceNameLabel]: metadata.name, [managedByLabel]: managedBy };
}

function annotationsFor({ metadata }: Stored<Endpoints>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([key]) => !ownAnnotations.has(key)));
}

function write(
  from: Stored<Endpoints>,
  slice: Stored<EndpointSlice>,
  endpoints: readonly Endpoint[],
): readonly Action[] {
  const held = {
    ...slice,
    metadata: { ...slice.metadata, annotations: slice.metadata.annotations ?? {} },
    endpoints: slice.endpoints ?? [],
  };
  const metadata = { ...held.metadata, labels: labelsFor(from), annotations: annotationsFor(from) };
  const next = { ...held, metadata, endpoints };
  return isSame(next, held) ? [] : [update(kinds.endpointSlice, next)];
}

function make(from: Stored<Endpoints>, { addressType, ports }: Group, endpoints: readonly Endpoint[]): Action {
  const { namespace, name } = from.metadata;
  const slice: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${name}-`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: labelsFor(from),
      annotations: annotationsFor(from),
      ownerReferences: [controllerRefTo(kinds.endpoints, from)],
    },
    addressType,
    ports,
    endpoints,
  };
  return create(kinds.endpointSlice, slice, {
    about: from,
    failed: (message) => ({
      type: 'Warning',
      reason: 'FailedToUpdateEndpointSlices',
      message: `Error updating Endpoint Slices for Endpoints ${namespace}/${name}: ${message}`,
    }),
  });
}
