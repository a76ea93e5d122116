// What a score is: how well a node that can take the pod suits it. As with filters, `prepare` runs once per pod; a score
// that has nothing to say answers undefined.

import type { ClusterState, NodeState } from '../cluster-state.ts';
import type { PodNeeds } from '../pod-needs.ts';

export const maxScore = 100;

export interface Score {
  /** Upstream's plugin name. */
  readonly name: string;
  readonly weight: number;
  /** Answers a rating of nodes among `feasible`, 0 to 100, more is better. */
  readonly prepare: (
    pod: PodNeeds,
    cluster: ClusterState,
    feasible: readonly NodeState[],
  ) => ((node: NodeState) => number) | undefined;
}

/** Stretches raw values so that the best node gets 100; `reversed`: fewer is better. undefined when all are 0. */
export function stretched(
  feasible: readonly NodeState[],
  raw: (node: NodeState) => number,
  { reversed = false } = {},
): ((node: NodeState) => number) | undefined {
  const values = new Map(feasible.map((node) => [node, raw(node)]));
  const most = Math.max(...values.values());
  if (most === 0) return undefined;
  return (node) => {
    const score = ((values.get(node) ?? 0) * maxScore) / most;
    return reversed ? maxScore - score : score;
  };
}

/** As stretched, with the worst node at 0: for values that may be negative or far from 0. */
export function spreadOut(
  feasible: readonly NodeState[],
  raw: (node: NodeState) => number,
  { reversed = false } = {},
): ((node: NodeState) => number) | undefined {
  const values = new Map(feasible.map((node) => [node, raw(node)]));
  const most = Math.max(...values.values());
  const least = Math.min(...values.values());
  if (most === least) return undefined;
  return (node) => {
    const score = (((values.get(node) ?? least) - least) * maxScore) / (most - least);
    return reversed ? maxScore - score : score;
  };
}
