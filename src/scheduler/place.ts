// The decision: which node a pod goes to, or why none. Pure and synchronous; it is the whole scheduler but for queues
// and requests. In large clusters not every node is judged: from a start that moves on with each pod, nodes are judged
// until enough have been found that can take the pod (upstream's rule), because the best of a hundred is good enough.

import type { ClusterState, NodeState } from './cluster-state.ts';
import type { Filter, Judge } from './filters/filter.ts';
import { filters } from './filters/index.ts';
import type { PodNeeds } from './pod-needs.ts';
import { scores } from './scores/index.ts';

type Placement =
  | { readonly node: NodeState }
  | {
      readonly node: undefined;
      /** For people, as upstream words it. */
      readonly message: string;
      /** The filters that refused a node: what they are helped by wakes the pod up. */
      readonly refusedBy: ReadonlySet<Filter>;
    };

interface PlaceOptions {
  /** Where among the nodes to begin. */
  readonly start?: number;
  /** Decides between equals; 0 ≤ r < 1. */
  readonly random?: () => number;
}

export function place(pod: PodNeeds, cluster: ClusterState, options: PlaceOptions = {}): Placement {
  const { start = 0, random = Math.random } = options;
  const { nodes } = cluster;
  const judges = judgesOf(pod, cluster);
  const refusals = new Map<string, number>();
  const refusedBy = new Set<Filter>();
  const enough = enoughNodes(nodes.length);
  const feasible: NodeState[] = [];
  for (let step = 0; step < nodes.length && feasible.length < enough; step += 1) {
    const node = nodes[(start + step) % nodes.length];
    if (node === undefined) break;
    const refusal = refusalOf(node, judges);
    if (refusal === undefined) {
      feasible.push(node);
      continue;
    }
    refusedBy.add(refusal.filter);
    for (const reason of refusal.reasons) refusals.set(reason, (refusals.get(reason) ?? 0) + 1);
  }
  const node = best(feasible, pod, cluster, random);
  return node === undefined ? { node, message: messageOf(nodes.length, refusals), refusedBy } : { node };
}

/** Whether one node could take the pod as the cluster is now. */
export function canTake(node: NodeState, pod: PodNeeds, cluster: ClusterState): boolean {
  return refusalOf(node, judgesOf(pod, cluster)) === undefined;
}

type Judges = readonly { readonly filter: Filter; readonly judge: Judge }[];

function judgesOf(pod: PodNeeds, cluster: ClusterState): Judges {
  return filters.flatMap((filter) => {
    const judge = filter.prepare(pod, cluster);
    return judge === undefined ? [] : [{ filter, judge }];
  });
}

function refusalOf(
  node: NodeState,
  judges: Judges,
): { readonly filter: Filter; readonly reasons: readonly string[] } | undefined {
  for (const { filter, judge } of judges) {
    const reasons = judge(node);
    if (reasons !== undefined) return { filter, reasons };
  }
  return undefined;
}

/** All nodes up to a hundred; then a share that shrinks from 50 to 5 percent, never under a hundred. */
function enoughNodes(count: number): number {
  if (count <= 100) return count;
  const percent = Math.max(5, 50 - Math.floor(count / 125));
  return Math.max(100, Math.floor((count * percent) / 100));
}

function best(
  feasible: readonly NodeState[],
  pod: PodNeeds,
  cluster: ClusterState,
  random: () => number,
): NodeState | undefined {
  if (feasible.length < 2) return feasible[0];
  const ratings = scores.flatMap(({ weight, prepare }) => {
    const rate = prepare(pod, cluster, feasible);
    return rate === undefined ? [] : [{ weight, rate }];
  });
  let chosen: NodeState | undefined;
  let most = Number.NEGATIVE_INFINITY;
  let equals = 0;
  for (const node of feasible) {
    let total = 0;
    for (const { weight, rate } of ratings) total += weight * Math.floor(rate(node));
    equals = total === most ? equals + 1 : 1;
    // Among equals each has the same chance, without a list of them.
    if (total > most || (total === most && random() * equals < 1)) chosen = node;
    most = Math.max(most, total);
  }
  return chosen;
}

/** `0/3 nodes are available: 1 node(s) had untolerated taint {…}, 2 Insufficient cpu.` */
function messageOf(nodeCount: number, refusals: ReadonlyMap<string, number>): string {
  if (nodeCount === 0) return 'no nodes available to schedule pods';
  const reasons = [...refusals].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${nodeCount} nodes are available: ${reasons.join(', ')}.`;
}
