// What a filter is: it says for one pod why a node can't take it. `prepare` runs once per pod and does what is the same
// for all nodes; a filter that has nothing to say about the pod answers undefined and costs nothing per node.

import type { ClusterState, NodeState } from '../cluster-state.ts';
import type { PodNeeds } from '../pod-needs.ts';

/** Why the node cannot take the pod, in upstream's words; undefined when it can. */
export type Judge = (node: NodeState) => readonly string[] | undefined;

/** What happened in the cluster, as far as it can make a pod schedulable. */
export type ClusterEvent =
  | 'node-added'
  | 'node-labels'
  | 'node-taints'
  | 'node-allocatable'
  | 'pod-added'
  | 'pod-removed'
  | 'pod-labels'
  | 'storage';

export interface Filter {
  /** Upstream's plugin name. */
  readonly name: string;
  /** Events after which a pod that this filter refused is worth another try; a new node always is. */
  readonly helpedBy: readonly ClusterEvent[];
  readonly prepare: (pod: PodNeeds, cluster: ClusterState) => Judge | undefined;
}
