// Where a node's agent and its end of the overlay are.

import type { Node, Stored } from '../api/index.ts';
import type { Observations, ReportedNode } from './observations.ts';

export interface NodeAddresses {
  readonly name: string;
  /** address:port of its agent. */
  readonly direct: string | undefined;
  /** The same by its address in the overlay; undefined: it is not part of one. */
  readonly overlay: string | undefined;
}

/** The inner address of a node's end of the overlay is the first of its pod range, as flannel has it. */
export function addressesOf({ metadata, spec, status }: Stored<Node>): NodeAddresses {
  const port = status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 10250;
  const address = status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
  const isVxlan = metadata.annotations?.['flannel.alpha.coreos.com/backend-type'] === 'vxlan';
  const inner = isVxlan ? spec?.podCIDR?.split('/')[0] : undefined;
  return {
    name: metadata.name,
    direct: address === undefined ? undefined : `${address}:${port}`,
    overlay: inner === undefined || inner === '' ? undefined : `${inner}:${port}`,
  };
}

/** Everything that the node `from` is to try. */
export function targetsOf(nodes: readonly Stored<Node>[], from: string): readonly string[] {
  return nodes
    .map(addressesOf)
    .filter(({ name }) => name !== from)
    .flatMap(({ direct, overlay }) => [direct, overlay].filter((target) => target !== undefined));
}

/** Nodes that reported, by name. */
export function reported({ cluster }: Observations): readonly (readonly [string, ReportedNode])[] {
  return Object.entries(cluster?.reports ?? {}).flatMap(([name, found]) =>
    'problem' in found ? [] : [[name, found] as const],
  );
}
