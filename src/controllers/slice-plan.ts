// Which endpoint goes to which slice, changing as few slices as possible. Pure; see endpointslice.ts for the idea.

import type { EndpointSlice, Stored } from '../api/index.ts';
import { canonical, isSame } from './equality.ts';

export type Endpoint = NonNullable<EndpointSlice['endpoints']>[number];

/** As upstream's --max-endpoints-per-slice. */
const mostInSlice = 100;

export interface SlicePlan {
  readonly keep: readonly { readonly slice: Stored<EndpointSlice>; readonly endpoints: readonly Endpoint[] }[];
  readonly drop: readonly Stored<EndpointSlice>[];
  /** The endpoints of each slice to create. */
  readonly create: readonly (readonly Endpoint[])[];
}

export function planSlices(group: {
  readonly endpoints: readonly Endpoint[];
  readonly slices: readonly Stored<EndpointSlice>[];
}): SlicePlan {
  const missing = new Map(group.endpoints.map((endpoint) => [identityOf(endpoint), endpoint]));
  const bins = group.slices.map((slice) => {
    const held = slice.endpoints ?? [];
    const endpoints = held.flatMap((endpoint) => {
      const wanted = missing.get(identityOf(endpoint));
      missing.delete(identityOf(endpoint));
      return wanted === undefined ? [] : [wanted];
    });
    return { slice, endpoints, isChanged: !isSame(endpoints, held) };
  });
  const full = (bin: (typeof bins)[number]): number => bin.endpoints.length;
  const filled = bins.filter((bin) => full(bin) > 0);
  for (const bin of filled.filter(({ isChanged }) => isChanged).sort((a, b) => full(b) - full(a))) {
    take(missing, mostInSlice - full(bin), bin.endpoints);
  }
  if (missing.size > 0 && missing.size < mostInSlice) {
    const fits = filled.filter((bin) => full(bin) + missing.size <= mostInSlice).sort((a, b) => full(b) - full(a))[0];
    if (fits !== undefined) take(missing, missing.size, fits.endpoints);
  }
  const created: Endpoint[][] = [];
  while (missing.size > 0) created.push(take(missing, mostInSlice, []));
  return {
    keep: filled.map(({ slice, endpoints }) => ({ slice, endpoints })),
    drop: bins.filter((bin) => full(bin) === 0).map(({ slice }) => slice),
    create: created,
  };
}

/** Moves up to `count` endpoints from `missing` into `into`, which it answers. */
function take(missing: Map<string, Endpoint>, count: number, into: Endpoint[]): Endpoint[] {
  for (const [identity, endpoint] of [...missing].slice(0, Math.max(0, count))) {
    missing.delete(identity);
    into.push(endpoint);
  }
  return into;
}

/** Conditions, zone and node may change without the endpoint being another one. */
function identityOf({ addresses, hostname, targetRef }: Endpoint): string {
  return canonical([[...addresses].sort(), hostname, targetRef?.uid]);
}
