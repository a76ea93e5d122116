// Which endpoints a Service port may send to, from its EndpointSlices: ready ones; when there is none, those that are
// terminating but still serve (KEP-1669). `Local` policies look at endpoints of this node alone.
// publishNotReadyAddresses needs nothing here: the EndpointSlice controller marks such endpoints ready.
// Topology hints (endpoints[].hints) are not used: every node may use every endpoint.

import type { EndpointSlice } from '../../api/index.ts';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
  readonly ready: boolean;
  /** Still answers although it is being taken down. */
  readonly draining: boolean;
  readonly local: boolean;
}

/** Usable endpoints as `address . port`, unordered and without duplicates. */
export interface EndpointChoice {
  readonly all: readonly string[];
  readonly local: readonly string[];
}

export function chooseEndpoints(
  slices: readonly EndpointSlice[],
  portName: string,
  protocol: string,
  nodeName: string,
): EndpointChoice {
  const endpoints = slices.flatMap((slice) => endpointsOf(slice, portName, protocol, nodeName));
  return { all: usable(endpoints), local: usable(endpoints.filter((endpoint) => endpoint.local)) };
}

function usable(endpoints: readonly Endpoint[]): string[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  const chosen = ready.length > 0 ? ready : endpoints.filter((endpoint) => endpoint.draining);
  return [...new Set(chosen.map(({ address, port }) => `${address} . ${port}`))];
}

function endpointsOf(slice: EndpointSlice, portName: string, protocol: string, nodeName: string): Endpoint[] {
  if (slice.addressType !== 'IPv4') return [];
  const ports = (slice.ports ?? []).filter(
    (port) => (port.name ?? '') === portName && (port.protocol ?? 'TCP') === protocol && port.port !== undefined,
  );
  return ports.flatMap(({ port = 0 }) =>
    (slice.endpoints ?? []).flatMap(({ addresses, conditions = {}, nodeName: node }) => {
      // One address per endpoint by contract; the others are reserved (discovery.k8s.io/v1 Endpoint.addresses).
      const address = addresses[0];
      if (address === undefined) return [];
      const ready = conditions.ready ?? true;
      const draining = (conditions.serving ?? ready) && (conditions.terminating ?? false);
      return [{ address, port, ready, draining, local: node === nodeName }];
    }),
  );
}

/**
 * `wanted` in an order close to `previous`: an endpoint keeps its place, the last one moves into a gap. One endpoint less
 * then changes two places of the list, not all behind it.
 */
export function keepOrder(previous: readonly string[], wanted: readonly string[]): string[] {
  const left = new Set(wanted);
  const places = previous.map((endpoint) => (left.delete(endpoint) ? endpoint : undefined));
  const fresh = [...left].sort();
  const order: string[] = [];
  let end = places.length;
  for (let at = 0; at < end; at++) {
    let endpoint = places[at] ?? fresh.shift();
    while (endpoint === undefined && end > at + 1) endpoint = places[--end];
    if (endpoint !== undefined) order.push(endpoint);
  }
  return [...order, ...fresh];
}
