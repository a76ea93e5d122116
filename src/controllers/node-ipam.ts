// node-ipam: gives every node its share of the pod CIDR, once. The key is the whole list of nodes, because shares must
// not overlap: nodes that wait are served in the order of their creation, the lowest free share first, one patch after
// the other. A patch whose answer was lost is repeated with the same share, because the choice is a function of what is.
// A deleted node's share is free again at once.

import { kinds, type Node, type Stored } from '../api/index.ts';
import { announce, patch } from './actions.ts';
import { type Cidr, formatCidr, overlaps, parseCidr, subnets } from './cidr.ts';
import { type Action, type Controller, watch } from './controller.ts';
import type { ControllerOptions } from './options.ts';
import { timeOf } from './wire-time.ts';

const everyNode = 'nodes';

export const nodeIpamController: Controller = {
  name: 'node-ipam-controller',
  watches: [
    watch(kinds.node, (node, _view, { type }) =>
      type === 'deleted' || podCidrsOf(node).length === 0 ? [everyNode] : [],
    ),
  ],
  reconcile: (_key, { view, options }) => reconcileNodeCidrs(view.list(kinds.node), options),
};

export type NodeCidrOptions = Pick<ControllerOptions, 'podCidr' | 'serviceCidr' | 'nodeCidrMask' | 'nodeCidrMaskIpv6'>;

export function reconcileNodeCidrs(nodes: readonly Stored<Node>[], options: NodeCidrOptions): readonly Action[] {
  const waiting = nodes
    .filter((node) => podCidrsOf(node).length === 0 && node.metadata.deletionTimestamp === undefined)
    .sort(
      (a, b) =>
        timeOf(a.metadata.creationTimestamp) - timeOf(b.metadata.creationTimestamp) ||
        (a.metadata.name < b.metadata.name ? -1 : 1),
    );
  if (waiting.length === 0) return [];
  const taken: Cidr[] = [...nodes.flatMap(podCidrsOf), ...listed(options.serviceCidr)].map(parseCidr);
  const pools = listed(options.podCidr).map((text) => {
    const range = parseCidr(text);
    const mask = range.bits === 32 ? options.nodeCidrMask : options.nodeCidrMaskIpv6;
    return subnets(range, mask);
  });
  return waiting.flatMap((node) => {
    const shares = pools.map((pool) => nextFree(pool, taken));
    const found = shares.filter((share) => share !== undefined);
    if (found.length < shares.length) return [exhausted(node)];
    taken.push(...found);
    const podCIDRs = found.map(formatCidr);
    return [patch(kinds.node, node, { spec: { podCIDR: podCIDRs[0], podCIDRs } })];
  });
}

/** Continues where the last search of this pool ended; everything before is taken. */
function nextFree(pool: Iterator<Cidr>, taken: readonly Cidr[]): Cidr | undefined {
  for (let next = pool.next(); next.done !== true; next = pool.next()) {
    const candidate = next.value;
    if (!taken.some((other) => overlaps(candidate, other))) return candidate;
  }
  return undefined;
}

function exhausted(node: Stored<Node>): Action {
  const message = `Node ${node.metadata.name} status is now: CIDRNotAvailable`;
  return announce(node, { type: 'Normal', reason: 'CIDRNotAvailable', message });
}

function podCidrsOf({ spec }: Node): readonly string[] {
  const { podCIDR, podCIDRs = [] } = spec ?? {};
  return podCIDRs.length > 0 || podCIDR === undefined || podCIDR === '' ? podCIDRs : [podCIDR];
}

function listed(text: string): readonly string[] {
  return text.split(',').filter((part) => part !== '');
}
