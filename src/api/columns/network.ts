// The columns of Services, Endpoints and EndpointSlices.

import type { Column } from '../kind.ts';
import type { EndpointSlice, Endpoints, Service } from '../types.ts';
import { age, joined, labelText, orNone, text, wide } from './column.ts';

export const serviceColumns: readonly Column<Service>[] = [
  text('Type', 'How the service is reached.', ({ spec }) => spec?.type ?? ''),
  text('Cluster-IP', 'Virtual address inside the cluster.', ({ spec }) =>
    orNone(spec?.clusterIPs?.[0] ?? spec?.clusterIP),
  ),
  text('External-IP', 'Addresses outside the cluster.', externalIp),
  text('Port(s)', 'Service ports, with node ports.', ({ spec }) =>
    joined(
      (spec?.ports ?? []).map(({ port, nodePort, protocol = 'TCP' }) =>
        nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
      ),
    ),
  ),
  age,
  wide('Selector', 'Labels of the pods behind the service.', ({ spec }) => labelText(spec?.selector)),
];

function externalIp({ spec, status }: Service): string {
  const own = spec?.externalIPs ?? [];
  if (spec?.type === 'ExternalName') return spec.externalName ?? '';
  if (spec?.type !== 'LoadBalancer') return joined(own);
  const balanced = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '');
  const all = [...balanced, ...own].filter((one) => one !== '');
  return all.length === 0 ? '<pending>' : all.join(',');
}

const maxShown = 3;

/** The first three, and how many more there are. */
function shortList(all: readonly string[]): string {
  if (all.length === 0) return '<none>';
  const shown = all.slice(0, maxShown).join(',');
  return all.length > maxShown ? `${shown} + ${all.length - maxShown} more...` : shown;
}

function bracketed(ip: string): string {
  return ip.includes(':') ? `[${ip}]` : ip;
}

export const endpointsColumns: readonly Column<Endpoints>[] = [
  text('Endpoints', 'Ready addresses and ports.', ({ subsets = [] }) =>
    shortList(
      subsets.flatMap(({ addresses = [], ports = [] }) =>
        ports.length === 0
          ? addresses.map(({ ip }) => ip)
          : ports.flatMap(({ port }) => addresses.map(({ ip }) => `${bracketed(ip)}:${port}`)),
      ),
    ),
  ),
  age,
];

export const endpointSliceColumns: readonly Column<EndpointSlice>[] = [
  text('AddressType', 'Kind of addresses in the slice.', ({ addressType }) => addressType),
  text('Ports', 'Port numbers.', ({ ports }) => {
    if (ports === undefined || ports.length === 0) return '<unset>';
    return shortList(ports.map(({ name, port }) => (port === undefined ? (name ?? '*') : `${port}`)));
  }),
  text('Endpoints', 'Addresses.', ({ endpoints = [] }) =>
    endpoints.length === 0 ? '<unset>' : shortList(endpoints.flatMap(({ addresses }) => addresses)),
  ),
  age,
];
