// host:port where one of a Service's ready endpoints listens; its ClusterIP when no endpoint is known.

import { randomInt } from 'node:crypto';
import { type EndpointSlice, kinds, type Service } from '../../../api/index.ts';
import type { ObjectReader } from '../../contracts.ts';

/** Throws Error for a Service, or a port of it, that does not exist. */
export function serviceEndpoint(
  reader: ObjectReader,
  { namespace, name, port }: { readonly namespace: string; readonly name: string; readonly port: number },
): string {
  const service = reader.get<Service>(kinds.service, namespace, name);
  if (service === undefined) throw new Error(`service "${name}" not found`);
  const wanted = service.spec?.ports?.find((one) => one.port === port);
  if (service.spec?.type === 'ExternalName') return `${service.spec.externalName ?? ''}:${port}`;
  if (wanted === undefined) throw new Error(`service "${name}" has no port ${port}`);
  const slices = reader
    .list<EndpointSlice>(kinds.endpointSlice, namespace)
    .filter(({ metadata }) => metadata?.labels?.['kubernetes.io/service-name'] === name);
  const found = slices.flatMap(({ ports = [], endpoints = [] }) => {
    const target = ports.find((one) => (one.name ?? '') === (wanted.name ?? ''))?.port;
    if (target === undefined) return [];
    const ready = endpoints.filter(({ conditions }) => conditions?.ready !== false);
    return ready.flatMap(({ addresses }) => addresses.map((address) => `${hostOf(address)}:${target}`));
  });
  const chosen = found.length === 0 ? undefined : found[randomInt(found.length)];
  if (chosen !== undefined) return chosen;
  const { clusterIP = '' } = service.spec ?? {};
  if (clusterIP === '' || clusterIP === 'None') throw new Error(`no endpoints available for service "${name}"`);
  return `${hostOf(clusterIP)}:${port}`;
}

function hostOf(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
