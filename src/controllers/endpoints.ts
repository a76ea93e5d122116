// Endpoints: the addresses of a Service's pods in one object, for clients from before EndpointSlices. At most 1000
// addresses: past that, ready ones are kept first and the annotation endpoints.kubernetes.io/over-capacity says that
// some are missing.

import { type Endpoints, kinds, type Pod, type Service, type Stored } from '../api/index.ts';
import { keyOf } from '../client/index.ts';
import { create, remove, update } from './actions.ts';
import { type Action, type Announcement, type Controller, watch } from './controller.ts';
import { canonical, isSame } from './equality.ts';
import { isReady } from './pod-state.ts';
import {
  addressesOf,
  headlessLabel,
  hostnameFor,
  isHeadless,
  isIpv6,
  isOurs,
  podsBehind,
  portsOn,
  serviceIndexes,
  serviceWatches,
} from './service-endpoints.ts';

type Subset = NonNullable<Endpoints['subsets']>[number];
type Address = NonNullable<Subset['addresses']>[number];

const capacity = 1000;
const overCapacity = 'endpoints.kubernetes.io/over-capacity';
/** Tells the controller's objects from those that people write, which may exist before their Service. */
const managedByLabel = 'endpoints.kubernetes.io/managed-by';
const managedBy = 'endpoint-controller';

export const endpointsController: Controller = {
  name: 'endpoints-controller',
  parallel: 5,
  indexes: serviceIndexes,
  watches: [
    ...serviceWatches,
    watch(kinds.endpoints, (endpoints) =>
      endpoints.metadata.labels?.[managedByLabel] === managedBy ? [keyOf(endpoints)] : [],
    ),
  ],
  reconcile(key, { view }) {
    const service = view.get(kinds.service, key);
    const present = view.get(kinds.endpoints, key);
    if (service === undefined) return present === undefined ? [] : [remove(kinds.endpoints, present)];
    return reconcileEndpoints(service, view.list(kinds.pod, service.metadata.namespace), present);
  },
};

export function reconcileEndpoints(
  service: Stored<Service>,
  pods: readonly Stored<Pod>[],
  present: Stored<Endpoints> | undefined,
): readonly Action[] {
  if (!isOurs(service)) return [];
  const all = subsetsOf(service, podsBehind(service, pods, service.spec?.publishNotReadyAddresses === true));
  const subsets = truncated(all);
  const { [overCapacity]: _old, ...others } = present?.metadata.annotations ?? {};
  const annotations = subsets === all ? others : { ...others, [overCapacity]: 'truncated' };
  const labels = {
    ...service.metadata.labels,
    [managedByLabel]: managedBy,
    ...(isHeadless(service) ? { [headlessLabel]: '' } : {}),
  };
  if (present === undefined) {
    if (service.metadata.deletionTimestamp !== undefined) return [];
    const { namespace, name } = service.metadata;
    const metadata = { name, ...(namespace === undefined ? {} : { namespace }), labels, ...noEmpty({ annotations }) };
    const made: Endpoints = { apiVersion: 'v1', kind: 'Endpoints', metadata, ...noEmpty({ subsets }) };
    return [create(kinds.endpoints, made, failure(service, 'FailedToCreateEndpoint', 'create endpoint for service'))];
  }
  const held = { ...present, subsets: present.subsets ?? [] };
  const { annotations: _replaced, ...metadata } = held.metadata;
  const next = { ...held, metadata: { ...metadata, labels, ...noEmpty({ annotations }) }, subsets };
  if (isSame(next, held)) return [];
  return [update(kinds.endpoints, next, failure(service, 'FailedToUpdateEndpoint', 'update endpoint'))];
}

function noEmpty<T extends Readonly<Record<string, object>>>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => Object.keys(value).length > 0)) as Partial<T>;
}

function failure(service: Stored<Service>, reason: string, what: string): Announcement {
  return {
    about: service,
    failed: (message) => ({ type: 'Warning', reason, message: `Failed to ${what} ${keyOf(service)}: ${message}` }),
  };
}

/** One subset for each set of ports that pods serve together. */
function subsetsOf(service: Stored<Service>, pods: readonly Stored<Pod>[]): readonly Subset[] {
  const groups = new Map<
    string,
    { readonly ports: NonNullable<Subset['ports']>; ready: Address[]; notReady: Address[] }
  >();
  for (const pod of pods) {
    const ports = portsOn(pod, service).map(({ name, ...rest }) => ({ ...(name === '' ? {} : { name }), ...rest }));
    const address = addressOf(pod, service);
    const isPortless = (service.spec?.ports ?? []).length === 0 && isHeadless(service);
    if (address === undefined || (ports.length === 0 && !isPortless)) continue;
    const key = ports.map(canonical).sort().join();
    const group = groups.get(key) ?? { ports, ready: [], notReady: [] };
    groups.set(key, group);
    const isServing = service.spec?.publishNotReadyAddresses === true || isReady(pod);
    (isServing ? group.ready : group.notReady).push(address);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { ports, ready, notReady }]) => ({
      ...noEmpty({ addresses: byAddress(ready), notReadyAddresses: byAddress(notReady), ports }),
    }));
}

function addressOf(pod: Stored<Pod>, service: Service): Address | undefined {
  const { ipFamilies = [], clusterIP = '' } = service.spec ?? {};
  const wantsIpv6 = ipFamilies[0] === undefined ? isIpv6(clusterIP) : ipFamilies[0] === 'IPv6';
  const ip = addressesOf(pod).find((address) => isIpv6(address) === wantsIpv6);
  if (ip === undefined) return undefined;
  const hostname = hostnameFor(pod, service);
  const { namespace, name, uid } = pod.metadata;
  return {
    ip,
    ...(hostname === undefined ? {} : { hostname }),
    ...(pod.spec?.nodeName === undefined ? {} : { nodeName: pod.spec.nodeName }),
    targetRef: { kind: 'Pod', ...(namespace === undefined ? {} : { namespace }), name, uid },
  };
}

function byAddress(addresses: readonly Address[]): readonly Address[] {
  return [...addresses].sort((a, b) => (a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : 0));
}

/** The same subsets when they fit; otherwise each gets its share of the capacity, ready addresses before others. */
function truncated(subsets: readonly Subset[]): readonly Subset[] {
  const ready = subsets.reduce((sum, subset) => sum + (subset.addresses ?? []).length, 0);
  const notReady = subsets.reduce((sum, subset) => sum + (subset.notReadyAddresses ?? []).length, 0);
  if (ready + notReady <= capacity) return subsets;
  const cutReady = ready > capacity;
  const room = cutReady ? capacity : capacity - ready;
  let left = room;
  return subsets.map(({ ports = [], addresses = [], notReadyAddresses = [] }) => {
    const cuttable = cutReady ? addresses : notReadyAddresses;
    const share = Math.min(left, Math.ceil((cuttable.length * room) / (cutReady ? ready : notReady)));
    const kept = cuttable.slice(0, share);
    left -= kept.length;
    return cutReady ? noEmpty({ addresses: kept, ports }) : noEmpty({ addresses, notReadyAddresses: kept, ports });
  });
}
