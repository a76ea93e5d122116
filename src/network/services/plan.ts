// What one Service needs in the table, as a pure function of the Service and its EndpointSlices. A front is one way in: a
// ClusterIP, an external or load balancer address, a node port. Semantics are those of kube-proxy's nftables mode:
//   ClusterIP                        keeps the source when that is a pod; marks others for masquerading
//   external front, policy Cluster   always masquerades, as the answer must come back through this node
//   external front, policy Local     keeps the source and uses endpoints of this node; sources inside of the cluster use
//                                    all endpoints
// Not served, by name: health check node ports (spec.healthCheckNodePort), IPv6 addresses, node ports on 127.0.0.0/8.

import type { EndpointSlice, Service, ServicePort } from '../../api/index.ts';
import { isIpv4 } from '../ipv4.ts';
import {
  addressFront,
  balancer,
  type Front,
  mapOf,
  masqueraded,
  portFront,
  type Scope,
  stickyBalancer,
} from './balancing.ts';
import { chains, sets } from './base-table.ts';
import { chooseEndpoints, keepOrder } from './endpoints.ts';
import { type Element, type Part, type ServicePlan, table, type UdpFlow } from './model.ts';
import { withoutOverlap } from './source-ranges.ts';

export interface PlanContext {
  readonly nodeName: string;
  /** Fronts on this address and port 53 are left to the node's own DNS. */
  readonly dnsAddress: string | undefined;
}

export const emptyPlan: ServicePlan = { elements: [], parts: [], udpFlows: [], orders: new Map() };

const defaultAffinitySeconds = 10_800;

/** True for Services that have fronts: not headless, not ExternalName, not left to another proxy. */
export function isProxied(service: Service): boolean {
  const { labels = {} } = service.metadata ?? {};
  if ('service.kubernetes.io/service-proxy-name' in labels || 'service.kubernetes.io/headless' in labels) return false;
  const { type, clusterIP = '' } = service.spec ?? {};
  return type !== 'ExternalName' && isIpv4(clusterIP);
}

/** @param previous the plan of the same Service that is in the table now. */
export function planService(
  service: Service,
  slices: readonly EndpointSlice[],
  context: PlanContext,
  previous: ServicePlan = emptyPlan,
): ServicePlan {
  if (!isProxied(service)) return emptyPlan;
  const plans = (service.spec?.ports ?? []).map((port) => planPort({ service, slices, context, previous, port }));
  return {
    elements: plans.flatMap((plan) => plan.elements),
    parts: plans.flatMap((plan) => plan.parts),
    udpFlows: plans.flatMap((plan) => plan.udpFlows),
    orders: new Map(plans.flatMap((plan) => [...plan.orders])),
  };
}

interface PortInput {
  readonly service: Service;
  readonly slices: readonly EndpointSlice[];
  readonly context: PlanContext;
  readonly previous: ServicePlan;
  readonly port: ServicePort;
}

/** One port of one Service: its endpoint lists and the way from a front to each of them. */
interface PortView {
  readonly owner: string;
  readonly protocol: string;
  readonly all: readonly string[];
  readonly local: readonly string[];
  /** Seconds of session affinity; undefined: none. */
  readonly affinity: number | undefined;
}

interface Out {
  readonly elements: Element[];
  readonly parts: Part[];
  readonly udpFlows: UdpFlow[];
}

function planPort({ service, slices, context, previous, port }: PortInput): ServicePlan {
  const { namespace = '', name = '' } = service.metadata ?? {};
  const { spec = {} } = service;
  const owner = `${namespace}/${name}:${port.name ?? ''}`;
  const choice = chooseEndpoints(slices, port.name ?? '', port.protocol ?? 'TCP', context.nodeName);
  const orders = new Map([
    [`${owner} all`, keepOrder(previous.orders.get(`${owner} all`) ?? [], choice.all)],
    [`${owner} local`, keepOrder(previous.orders.get(`${owner} local`) ?? [], choice.local)],
  ]);
  const view: PortView = {
    owner,
    protocol: (port.protocol ?? 'TCP').toLowerCase(),
    all: orders.get(`${owner} all`) ?? [],
    local: orders.get(`${owner} local`) ?? [],
    affinity:
      spec.sessionAffinity === 'ClientIP'
        ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds)
        : undefined,
  };
  const out: Out = { elements: [], parts: [], udpFlows: [] };
  const clusterIp = spec.clusterIP ?? '';
  if (clusterIp !== context.dnsAddress || port.port !== 53) {
    planClusterIp(out, view, `${clusterIp} . ${view.protocol} . ${port.port}`, spec.internalTrafficPolicy === 'Local');
  }
  const policyLocal = spec.externalTrafficPolicy === 'Local';
  for (const address of externalAddresses(service)) {
    planExternal(out, view, addressFront, `${address} . ${view.protocol} . ${port.port}`, policyLocal);
  }
  for (const address of loadBalancerAddresses(service)) {
    planSourceRanges(out, service, `${address} . ${view.protocol} . ${port.port}`);
  }
  if (port.nodePort !== undefined && port.nodePort !== 0) {
    planExternal(out, view, portFront, `${view.protocol} . ${port.nodePort}`, policyLocal);
  }
  out.parts.push(...view.local.map((endpoint) => hairpin(endpoint.split(' ')[0] ?? '')));
  return { ...out, orders };
}

function planClusterIp(out: Out, view: PortView, key: string, onlyLocal: boolean): void {
  const endpoints = onlyLocal ? view.local : view.all;
  if (endpoints.length > 0) {
    out.elements.push({
      set: sets.addresses,
      key,
      value: `goto ${send(out, view, addressFront, 'all', key, endpoints).name}`,
    });
  } else if (onlyLocal && view.all.length > 0) {
    // Refusing would tell the client that the Service has no endpoint at all.
    out.elements.push({ set: sets.unservedAddresses, key, value: 'drop' });
  }
}

function planExternal(out: Out, view: PortView, front: Front, key: string, policyLocal: boolean): void {
  const byAddress = front === addressFront;
  const entry = byAddress ? sets.addresses : sets.nodePorts;
  if (view.all.length === 0) {
    const set = byAddress ? sets.unservedAddresses : sets.unservedNodePorts;
    out.elements.push({ set, key, value: `goto ${chains.refuse}` });
    return;
  }
  const toAll = send(out, view, front, 'all', key, view.all);
  if (!policyLocal) {
    const masq = masqueraded(toAll);
    out.parts.push(masq);
    out.elements.push({ set: entry, key, value: `goto ${masq.name}` });
    return;
  }
  const outside = view.local.length === 0 ? 'drop' : `goto ${send(out, view, front, 'local', key, view.local).name}`;
  out.elements.push(
    { set: entry, key, value: `goto ${byAddress ? chains.addressByPolicy : chains.nodePortByPolicy}` },
    { set: byAddress ? sets.addressesInside : sets.nodePortsInside, key, value: `goto ${toAll.name}` },
    { set: byAddress ? sets.addressesOutside : sets.nodePortsOutside, key, value: outside },
  );
}

/** The chain that sends packets of the front `key` to one of `endpoints`; puts what it needs into `out`. */
function send(out: Out, view: PortView, front: Front, scope: Scope, key: string, endpoints: readonly string[]): Part {
  if (view.protocol === 'udp') {
    const words = key.split(' . ');
    const address = front === addressFront ? words[0] : undefined;
    out.udpFlows.push(...endpoints.map((endpoint) => ({ address, port: Number(words.at(-1)), endpoint })));
  }
  const { owner, protocol, affinity } = view;
  const part =
    affinity === undefined
      ? balancer(front, scope, endpoints.length)
      : stickyBalancer({ owner, protocol, endpoints, timeout: affinity });
  if (affinity === undefined) {
    out.elements.push(...endpoints.map((value, place) => ({ set: mapOf(front, scope, place), key, value })));
  }
  out.parts.push(part);
  return part;
}

function planSourceRanges(out: Out, service: Service, key: string): void {
  const ranges = (service.spec?.loadBalancerSourceRanges ?? []).map((range) => range.trim());
  if (ranges.length === 0) return;
  out.elements.push({ set: sets.guarded, key });
  for (const range of withoutOverlap(ranges)) out.elements.push({ set: sets.allowedSources, key: `${key} . ${range}` });
}

/** A pod that reaches itself through a Service must see another source than itself, or it answers past the bridge. */
function hairpin(address: string): Part {
  const element = `element ${table} ${sets.hairpins} { ${address} . ${address} }`;
  return { name: `hairpin ${address}`, needs: [], create: [`add ${element}`], destroy: [`delete ${element}`] };
}

function externalAddresses(service: Service): string[] {
  return [...new Set([...(service.spec?.externalIPs ?? []), ...loadBalancerAddresses(service)])].filter(isIpv4);
}

/** Ingress addresses whose packets arrive here unchanged; ipMode Proxy means that the load balancer changes them. */
function loadBalancerAddresses(service: Service): string[] {
  if (service.spec?.type !== 'LoadBalancer') return [];
  return (service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip, ipMode }) =>
    ip !== undefined && isIpv4(ip) && ipMode !== 'Proxy' ? [ip] : [],
  );
}
