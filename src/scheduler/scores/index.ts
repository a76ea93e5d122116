// The scores with upstream's weights. Left out on purpose: image locality (a pull is cheap beside a bad placement).

import { tolerates } from '../../api/index.ts';
import type { NodeState } from '../cluster-state.ts';
import { isEligible } from '../filters/spread.ts';
import type { PodNeeds } from '../pod-needs.ts';
import { countByDomain } from '../topology.ts';
import { maxScore, type Score, spreadOut, stretched } from './score.ts';

/** The share of a node that is free once the pod is there. */
const leastAllocated: Score = {
  name: 'NodeResourcesFit',
  weight: 1,
  prepare: (pod) => (node) => {
    const { cpu, memory } = fractions(pod, node);
    return ((1 - Math.min(cpu, 1) + 1 - Math.min(memory, 1)) / 2) * maxScore;
  },
};

/** CPU and memory used to the same degree, so that neither is left over alone. */
const balancedAllocation: Score = {
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  prepare: (pod) => (node) => {
    const { cpu, memory } = fractions(pod, node);
    return (1 - Math.abs(Math.min(cpu, 1) - Math.min(memory, 1)) / 2) * maxScore;
  },
};

const taints: Score = {
  name: 'TaintToleration',
  weight: 3,
  prepare: ({ tolerations }, _cluster, feasible) =>
    stretched(
      feasible,
      (node) =>
        node.taints.filter(
          (taint) => taint.effect === 'PreferNoSchedule' && !tolerations.some((one) => tolerates(one, taint)),
        ).length,
      { reversed: true },
    ),
};

const preferredNodes: Score = {
  name: 'NodeAffinity',
  weight: 2,
  prepare: ({ preferredNodes: preferences }, _cluster, feasible) => {
    if (preferences.length === 0) return undefined;
    const total = ({ node }: NodeState): number =>
      preferences.reduce((sum, { weight, matches }) => sum + (matches(node) ? weight : 0), 0);
    return stretched(feasible, total);
  },
};

/** Soft spread constraints; without any, the pods of one controller are kept on different nodes. */
const spread: Score = {
  name: 'PodTopologySpread',
  weight: 2,
  prepare: (pod, cluster, feasible) => {
    const soft = pod.spread.filter(({ hard }) => !hard);
    if (soft.length > 0) {
      const counted = soft.map((constraint) => ({
        ...constraint,
        counts: countByDomain(
          cluster.nodes.filter((node) => isEligible(constraint, pod, node)),
          constraint.topologyKey,
          constraint.matches,
        ),
      }));
      const crowd = ({ labels }: NodeState): number =>
        counted.reduce((sum, { topologyKey, maxSkew, counts }) => {
          const here = counts.get(labels[topologyKey] ?? '') ?? Math.max(0, ...counts.values());
          // Many small domains weigh more than few large ones, as upstream: a zone of three is no host of fifty.
          return sum + here * Math.log(counts.size + 2) + (maxSkew - 1);
        }, 0);
      return spreadOut(feasible, crowd, { reversed: true });
    }
    const { owner } = pod;
    if (owner === undefined || pod.spread.length > 0) return undefined;
    return spreadOut(feasible, ({ owners }) => owners.get(owner) ?? 0, { reversed: true });
  },
};

/** How much the company on a node's domains is liked: by this pod, and by those that are there already. */
const company: Score = {
  name: 'InterPodAffinity',
  weight: 2,
  prepare: (pod, cluster, feasible) => {
    const liking = new Map<string, Map<string, number>>();
    const add = (topologyKey: string, { labels }: NodeState, weight: number): void => {
      const domain = labels[topologyKey];
      if (domain === undefined) return;
      const domains = liking.get(topologyKey) ?? new Map<string, number>();
      liking.set(topologyKey, domains.set(domain, (domains.get(domain) ?? 0) + weight));
    };
    if (pod.preferredPods.length > 0) {
      for (const node of cluster.nodes) {
        for (const other of node.pods.values()) ofOne(pod, other, (key, weight) => add(key, node, weight));
      }
    }
    for (const node of cluster.nodesWithPreferences) {
      for (const other of node.pods.values()) ofOne(other, pod, (key, weight) => add(key, node, weight));
    }
    if (liking.size === 0) return undefined;
    return spreadOut(feasible, ({ labels }) =>
      [...liking].reduce((sum, [key, domains]) => sum + (domains.get(labels[key] ?? '') ?? 0), 0),
    );
  },
};

export const scores: readonly Score[] = [leastAllocated, balancedAllocation, taints, preferredNodes, spread, company];

function ofOne(pod: PodNeeds, other: PodNeeds, add: (topologyKey: string, weight: number) => void): void {
  for (const term of pod.preferredPods) {
    if (term.matches(other)) add(term.topologyKey, term.weight);
  }
}

function fractions({ weight }: PodNeeds, { allocatable, used }: NodeState): { cpu: number; memory: number } {
  return {
    cpu: (used.weightMilliCpu + weight.milliCpu) / Math.max(allocatable.milliCpu, 1),
    memory: (used.weightMemory + weight.memory) / Math.max(allocatable.memory, 1),
  };
}
