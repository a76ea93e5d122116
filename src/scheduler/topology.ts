// Counting pods by the topology domain of their nodes: the base of spreading and of inter-pod affinity.

import type { NodeState } from './cluster-state.ts';
import type { PodNeeds } from './pod-needs.ts';

/** Pods of `nodes` that match, by the value of the label `topologyKey`; nodes without it are left out. */
export function countByDomain(
  nodes: Iterable<NodeState>,
  topologyKey: string,
  matches: (pod: PodNeeds) => boolean,
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const node of nodes) {
    const domain = node.labels[topologyKey];
    if (domain === undefined) continue;
    counts.set(domain, (counts.get(domain) ?? 0) + countOn(node, matches));
  }
  return counts;
}

function countOn({ pods }: NodeState, matches: (pod: PodNeeds) => boolean): number {
  let count = 0;
  for (const pod of pods.values()) {
    if (!pod.terminating && matches(pod)) count += 1;
  }
  return count;
}
