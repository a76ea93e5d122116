// Which pods stand behind a Service, at which addresses and ports: what EndpointSlices and the old Endpoints share.

import { kinds, type Pod, type Service, type ServicePort, type Stored } from '../api/index.ts';
import { keyOf } from '../client/index.ts';
import { type Change, type View, type Watch, watch } from './controller.ts';
import { containsLabels } from './labels.ts';
import { isFinished, isReady, needsPodsByNode, podsByNode } from './pod-state.ts';

export const headlessLabel = 'service.kubernetes.io/headless';
export const zoneLabel = 'topology.kubernetes.io/zone';

export const serviceWatches: readonly Watch[] = [
  watch(kinds.service, (service) => [keyOf(service)]),
  watch(kinds.pod, servicesOf),
];
export const serviceIndexes = [needsPodsByNode];

/** Services without a selector belong to whoever writes their endpoints; ExternalName ones have none. */
export function isOurs(service: Service): boolean {
  return service.spec?.selector !== undefined && service.spec.type !== 'ExternalName';
}

/** Keys of the Services that select this pod, unless the change cannot concern them. */
function servicesOf(pod: Stored<Pod>, view: View, change: Change<Pod>): readonly string[] {
  if (change.previous !== undefined && !isEndpointChange(change.previous, change.object)) return [];
  return view
    .list(kinds.service, pod.metadata.namespace)
    .filter((service) => isOurs(service) && containsLabels(pod.metadata.labels, service.spec?.selector ?? {}))
    .map(keyOf);
}

function isEndpointChange(before: Pod, after: Pod): boolean {
  return (
    isReady(before) !== isReady(after) ||
    before.status?.phase !== after.status?.phase ||
    before.metadata?.deletionTimestamp !== after.metadata?.deletionTimestamp ||
    before.spec?.nodeName !== after.spec?.nodeName ||
    addressesOf(before).join() !== addressesOf(after).join() ||
    JSON.stringify(before.metadata?.labels) !== JSON.stringify(after.metadata?.labels)
  );
}

/** Pods that the Service selects, have an address and still run; those being deleted only if `terminating`. */
export function podsBehind(
  service: Stored<Service>,
  pods: readonly Stored<Pod>[],
  terminating: boolean,
): readonly Stored<Pod>[] {
  const selector = service.spec?.selector;
  if (selector === undefined) return [];
  return pods.filter(
    (pod) =>
      containsLabels(pod.metadata.labels, selector) &&
      !isFinished(pod) &&
      addressesOf(pod).length > 0 &&
      (terminating || pod.metadata.deletionTimestamp === undefined),
  );
}

export function addressesOf(pod: Pod): readonly string[] {
  const { podIPs = [], podIP } = pod.status ?? {};
  const listed = podIPs.map(({ ip }) => ip).filter((ip) => ip !== '');
  return listed.length > 0 || podIP === undefined || podIP === '' ? listed : [podIP];
}

export function isIpv6(address: string): boolean {
  return address.includes(':');
}

export interface EndpointPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly appProtocol?: string;
}

/** The Service's ports as this pod has them; a port whose name the pod does not know is left out. */
export function portsOn(pod: Pod, service: Service): readonly EndpointPort[] {
  return (service.spec?.ports ?? []).flatMap((servicePort) => {
    const port = targetOf(servicePort, pod);
    if (port === undefined) return [];
    const { name = '', protocol = 'TCP', appProtocol } = servicePort;
    return [{ name, port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
}

function targetOf({ targetPort, port, protocol = 'TCP' }: ServicePort, pod: Pod): number | undefined {
  const target = targetPort ?? port;
  if (typeof target === 'number') return target;
  const { containers = [], initContainers = [] } = pod.spec ?? {};
  // Init containers that restart always are sidecars, and serve.
  const serving = [...containers, ...initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always')];
  const ports = serving.flatMap((container) => container.ports ?? []);
  return ports.find((one) => one.name === target && (one.protocol ?? 'TCP') === protocol)?.containerPort;
}

/** A pod is named in DNS by its hostname when its subdomain is the Service. */
export function hostnameFor(pod: Pod, service: Service): string | undefined {
  const { hostname, subdomain } = pod.spec ?? {};
  if (hostname === undefined || hostname === '') return undefined;
  return subdomain === service.metadata?.name ? hostname : undefined;
}

export function isHeadless(service: Service): boolean {
  const { clusterIP } = service.spec ?? {};
  return clusterIP === undefined || clusterIP === '' || clusterIP === 'None';
}

/** Keys of the Services with pods on a node that appeared or changed its zone. */
export const nodeWatch: Watch = watch(kinds.node, (node, view, { type, previous, object }) => {
  const movedZone = previous?.metadata.labels?.[zoneLabel] !== object.metadata.labels?.[zoneLabel];
  if (type === 'updated' && !movedZone) return [];
  return view
    .byIndex(podsByNode, node.metadata.name)
    .flatMap((pod) => servicesOf(pod, view, { type: 'added', object: pod, previous: undefined }));
});
