// Hard topology spread constraints: after the pod is placed, its domain may have at most maxSkew more matching pods than
// the emptiest domain. Source: KEP-895, KEP-3022 (minDomains), KEP-3094 (node policies).

import { untoleratedTaint } from '../../api/index.ts';
import type { ClusterState, NodeState } from '../cluster-state.ts';
import type { PodNeeds, SpreadConstraint } from '../pod-needs.ts';
import { countByDomain } from '../topology.ts';
import type { Filter } from './filter.ts';

const didNotMatch = "node(s) didn't match pod topology spread constraints";

export const podTopologySpread = {
  name: 'PodTopologySpread',
  helpedBy: ['node-labels', 'node-taints', 'pod-added', 'pod-removed', 'pod-labels'],
  prepare: (pod, cluster) => {
    const judges = pod.spread.filter(({ hard }) => hard).map((constraint) => prepareOne(constraint, pod, cluster));
    if (judges.length === 0) return undefined;
    return (node) => {
      for (const judge of judges) {
        const reason = judge(node);
        if (reason !== undefined) return [reason];
      }
      return undefined;
    };
  },
} as const satisfies Filter;

function prepareOne(
  constraint: SpreadConstraint,
  pod: PodNeeds,
  cluster: ClusterState,
): (node: NodeState) => string | undefined {
  const { topologyKey, maxSkew, minDomains } = constraint;
  const eligible = cluster.nodes.filter((node) => isEligible(constraint, pod, node));
  const counts = countByDomain(eligible, topologyKey, constraint.matches);
  const smallest = counts.size < minDomains ? 0 : Math.min(...counts.values());
  const self = constraint.matches(pod) ? 1 : 0;
  return ({ labels }) => {
    const domain = labels[topologyKey];
    if (domain === undefined) return `${didNotMatch} (missing required label)`;
    return (counts.get(domain) ?? 0) + self - smallest > maxSkew ? didNotMatch : undefined;
  };
}

/** Nodes whose domains count: those that the pod could be on, as far as the constraint's policies say. */
export function isEligible(constraint: SpreadConstraint, pod: PodNeeds, { node, taints }: NodeState): boolean {
  if (constraint.honorNodeSelection && pod.nodeSelection !== undefined && !pod.nodeSelection(node)) return false;
  return (
    !constraint.honorTaints || untoleratedTaint(taints, pod.tolerations, ['NoSchedule', 'NoExecute']) === undefined
  );
}
