// Where a proxied request goes: a node's agent, a pod, or one endpoint of a service. Names may carry scheme and port as
// `scheme:name:port`. Source: Kubernetes documentation, "Accessing Clusters", manually constructing proxy URLs.

import { randomInt } from 'node:crypto';
import {
  type Endpoints,
  type KindOf,
  type KubeObject,
  kinds,
  type Node,
  type Pod,
  type Service,
} from '../../api/index.ts';
import { ApiError, type ObjectReader } from '../contracts.ts';

export interface ProxyName {
  readonly scheme: string;
  readonly name: string;
  readonly port: string;
}

/** Throws ApiError 400 for a form that is none of name, name:port, scheme:name:port. */
export function parseProxyName(text: string): ProxyName {
  const parts = text.split(':');
  const [first = '', second = '', third = ''] = parts;
  if (parts.length === 1) return { scheme: '', name: first, port: '' };
  if (parts.length === 2) return { scheme: '', name: first, port: second };
  const known = first === '' || first === 'http' || first === 'https';
  if (parts.length === 3 && known) return { scheme: first, name: second, port: third };
  throw new ApiError('BadRequest', `invalid proxy request "${text}": use name, name:port or scheme:name:port`);
}

/** The pod, which must be bound to a node. */
export function boundPod(reader: ObjectReader, namespace: string, name: string): Pod {
  const pod = mustGet<Pod>(reader, kinds.pod, namespace, name);
  if ((pod.spec?.nodeName ?? '') === '') throw new ApiError('BadRequest', `pod ${name} does not have a host assigned`);
  return pod;
}

/** https://<InternalIP>:<kubelet port> of a node. Throws ApiError 404, or 503 for a node without an address. */
export function agentOrigin(reader: ObjectReader, nodeName: string, port = ''): string {
  const node = mustGet<Node>(reader, kinds.node, undefined, nodeName);
  const addresses = node.status?.addresses ?? [];
  const address = ['InternalIP', 'ExternalIP', 'Hostname']
    .map((type) => addresses.find((one) => one.type === type)?.address)
    .find((found) => found !== undefined);
  if (address === undefined) {
    throw new ApiError('ServiceUnavailable', `node "${nodeName}" has reported no address yet: wait until it is Ready`);
  }
  const own = node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 10250;
  return `https://${hostOf(address)}:${port === '' ? own : port}`;
}

export function podOrigin(reader: ObjectReader, namespace: string, text: string): string {
  const { scheme, name, port } = parseProxyName(text);
  const pod = mustGet<Pod>(reader, kinds.pod, namespace, name);
  const ip = pod.status?.podIP ?? '';
  if (ip === '') throw new ApiError('BadRequest', `address not allowed: pod "${name}" has no IP address yet`);
  const first = pod.spec?.containers.flatMap((container) => container.ports ?? [])[0]?.containerPort;
  const number = port === '' ? String(first ?? '') : port;
  if (number !== '' && !/^\d+$/.test(number))
    throw new ApiError('BadRequest', `invalid port "${number}" for pod "${name}"`);
  return `${scheme === '' ? 'http' : scheme}://${hostOf(ip)}${number === '' ? '' : `:${number}`}`;
}

/** One ready endpoint, drawn anew for each request. */
export function serviceOrigin(reader: ObjectReader, namespace: string, text: string): string {
  const { scheme, name, port } = parseProxyName(text);
  const service = mustGet<Service>(reader, kinds.service, namespace, name);
  const ports = service.spec?.ports ?? [];
  const chosen =
    port === '' && ports.length === 1 ? ports[0] : ports.find((one) => one.name === port || String(one.port) === port);
  if (chosen === undefined) {
    throw new ApiError('ServiceUnavailable', `no service port "${port}" found for service "${name}"`);
  }
  const endpoints = reader.get<Endpoints>(kinds.endpoints, namespace, name);
  const ready = (endpoints?.subsets ?? []).flatMap((subset) => {
    const target = subset.ports?.find((one) => (one.name ?? '') === (chosen.name ?? ''));
    return target === undefined ? [] : (subset.addresses ?? []).map(({ ip }) => `${hostOf(ip)}:${target.port}`);
  });
  const host = ready.length === 0 ? undefined : ready[randomInt(ready.length)];
  if (host === undefined) throw new ApiError('ServiceUnavailable', `no endpoints available for service "${text}"`);
  return `${scheme === '' ? 'http' : scheme}://${host}`;
}

function mustGet<T extends KubeObject>(
  reader: ObjectReader,
  kind: KindOf<T>,
  namespace: string | undefined,
  name: string,
): T {
  const object = reader.get<T>(kind, namespace, name);
  if (object !== undefined) return object;
  throw new ApiError('NotFound', `${kind.plural} "${name}" not found`, { details: { name, kind: kind.plural } });
}

function hostOf(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
