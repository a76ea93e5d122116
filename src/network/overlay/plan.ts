// What the kernel must know to reach each peer, and the difference to what it knows. For one peer:
//   route      10.244.2.0/24 via 10.244.2.0 dev k8ts.1 onlink     which vtep
//   neighbour  10.244.2.0 → its MAC, permanent                    so no ARP crosses the tunnel
//   fdb        its MAC → outer address                            so nothing is flooded
// Routes are added last and removed first, so that no packet meets a route whose neighbour is not there. Everything on
// the link belongs to the plan: what no peer needs is removed.

import type { FdbEntry, IpNeighbour, IpRoute } from './ip-json.ts';
import type { Peer } from './peers.ts';

export interface OverlayState {
  readonly routes: readonly IpRoute[];
  readonly neighbours: readonly IpNeighbour[];
  readonly fdb: readonly FdbEntry[];
}

/** Lines for `ip -batch -` and `bridge -batch -`, to be run in the order: ipRemove, bridge, ipAdd. */
export interface OverlayPlan {
  readonly ipRemove: readonly string[];
  readonly bridge: readonly string[];
  readonly ipAdd: readonly string[];
}

export function planOverlay(device: string, peers: readonly Peer[], have: OverlayState): OverlayPlan {
  const routes = diff(
    new Map(peers.map((peer) => [peer.podCidr, peer.vtepIp])),
    // `ip` prints a /32 without its length.
    new Map(have.routes.map((route) => [withLength(route.dst), usableGateway(route)])),
  );
  const neighbours = diff(
    new Map(peers.map((peer) => [peer.vtepIp, peer.vtepMac])),
    new Map(have.neighbours.map((entry) => [entry.dst, entry.lladdr])),
  );
  const fdb = diff(
    new Map(peers.map((peer) => [peer.vtepMac, peer.publicIp])),
    new Map(have.fdb.map((entry) => [entry.mac, entry.dst])),
  );
  return {
    ipRemove: [
      ...routes.remove.map(([destination]) => `route delete ${destination} dev ${device}`),
      ...neighbours.remove.map(([address]) => `neighbour delete ${address} dev ${device}`),
    ],
    bridge: [
      ...fdb.remove.map(
        ([mac, outer]) => `fdb delete ${mac} dev ${device}${outer === undefined ? '' : ` dst ${outer}`}`,
      ),
      ...fdb.set.map(([mac, outer]) => `fdb replace ${mac} dev ${device} dst ${outer} self permanent`),
    ],
    ipAdd: [
      ...neighbours.set.map(
        ([address, mac]) => `neighbour replace ${address} lladdr ${mac} dev ${device} nud permanent`,
      ),
      ...routes.set.map(([destination, via]) => `route replace ${destination} via ${via} dev ${device} onlink`),
    ],
  };
}

interface Difference {
  readonly remove: readonly (readonly [string, string | undefined])[];
  readonly set: readonly (readonly [string, string])[];
}

function diff(want: ReadonlyMap<string, string>, have: ReadonlyMap<string, string | undefined>): Difference {
  return {
    remove: [...have].filter(([key]) => !want.has(key)),
    set: [...want].filter(([key, value]) => have.get(key) !== value),
  };
}

function usableGateway(route: IpRoute): string | undefined {
  return route.flags?.includes('onlink') === true ? route.gateway : undefined;
}

function withLength(destination: string): string {
  return destination.includes('/') ? destination : `${destination}/32`;
}
