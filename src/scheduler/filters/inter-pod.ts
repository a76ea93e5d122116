// Required affinity and anti-affinity between pods: those of the pod itself, and the anti-affinity of pods that run
// already. Source: k8s.io/kubernetes docs/concepts/scheduling-eviction/assign-pod-node (inter-pod affinity).

import type { ClusterState, NodeState } from '../cluster-state.ts';
import type { PodNeeds, PodTerm } from '../pod-needs.ts';
import { countByDomain } from '../topology.ts';
import type { Filter, Judge } from './filter.ts';

export const interPodAffinity = {
  name: 'InterPodAffinity',
  helpedBy: ['node-labels', 'pod-added', 'pod-removed', 'pod-labels'],
  prepare: (pod, cluster) => {
    const judges = [ofAffinity(pod, cluster), ofAntiAffinity(pod, cluster), ofOthers(pod, cluster)];
    const active = judges.filter((judge) => judge !== undefined);
    if (active.length === 0) return undefined;
    return (node) => {
      for (const judge of active) {
        const reasons = judge(node);
        if (reasons !== undefined) return reasons;
      }
      return undefined;
    };
  },
} as const satisfies Filter;

/** Every term must find company in the node's domain; one pod must match all terms at once, as upstream. */
function ofAffinity({ affinity, ...pod }: PodNeeds, cluster: ClusterState): Judge | undefined {
  if (affinity.length === 0) return undefined;
  const needs = { affinity, ...pod };
  const matchesAll = (other: PodNeeds): boolean => affinity.every((term) => term.matches(other));
  const counts = affinity.map(({ topologyKey }) => countByDomain(cluster.nodes, topologyKey, matchesAll));
  const nobody = counts.every((domains) => [...domains.values()].every((count) => count === 0));
  // The first pod of a group that wants each other's company: someone has to begin.
  const mayBegin = nobody && matchesAll(needs);
  const reason = ["node(s) didn't match pod affinity rules"];
  return ({ labels }) => {
    const met = affinity.every(({ topologyKey }, index) => {
      const domain = labels[topologyKey];
      return domain !== undefined && (mayBegin || (counts[index]?.get(domain) ?? 0) > 0);
    });
    return met ? undefined : reason;
  };
}

function ofAntiAffinity({ antiAffinity }: PodNeeds, cluster: ClusterState): Judge | undefined {
  if (antiAffinity.length === 0) return undefined;
  const counts = antiAffinity.map(({ topologyKey, matches }) => countByDomain(cluster.nodes, topologyKey, matches));
  const reason = ["node(s) didn't match pod anti-affinity rules"];
  return ({ labels }) => {
    const clash = antiAffinity.some(({ topologyKey }, index) => {
      const domain = labels[topologyKey];
      return domain !== undefined && (counts[index]?.get(domain) ?? 0) > 0;
    });
    return clash ? reason : undefined;
  };
}

function ofOthers(pod: PodNeeds, cluster: ClusterState): Judge | undefined {
  const refused = new Set<string>();
  for (const node of cluster.nodesWithAntiAffinity) {
    for (const other of node.pods.values()) {
      for (const term of other.antiAffinity) addRefusal(refused, term, node, pod);
    }
  }
  if (refused.size === 0) return undefined;
  const keys = new Set([...refused].map((entry) => entry.slice(0, entry.indexOf('='))));
  const reason = ["node(s) didn't satisfy existing pods anti-affinity rules"];
  return ({ labels }) => {
    for (const key of keys) {
      if (labels[key] !== undefined && refused.has(`${key}=${labels[key]}`)) return reason;
    }
    return undefined;
  };
}

function addRefusal(refused: Set<string>, term: PodTerm, { labels }: NodeState, pod: PodNeeds): void {
  const domain = labels[term.topologyKey];
  if (domain !== undefined && term.matches(pod)) refused.add(`${term.topologyKey}=${domain}`);
}
