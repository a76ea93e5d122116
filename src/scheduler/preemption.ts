// Which pods make room for one of higher priority that no node can take. Pure: candidates are tried out on the picture of the
// cluster, which is put back as it was. On each node all pods of lower priority are taken away; if that is enough, as many
// as possible are put back, the important ones first. Among nodes the one is chosen whose victims are missed least.
// Source: k8s.io/kubernetes pkg/scheduler/framework/plugins/defaultpreemption, framework/preemption.

import { compileLabelSelector, type PodDisruptionBudget } from '../api/index.ts';
import type { ClusterState, NodeState } from './cluster-state.ts';
import { canTake } from './place.ts';
import type { PodNeeds } from './pod-needs.ts';

export interface Preemption {
  readonly node: NodeState;
  readonly victims: readonly PodNeeds[];
}

interface Candidate extends Preemption {
  /** Victims that a PodDisruptionBudget would have kept. */
  readonly violations: number;
}

/** undefined: it helps nobody to take pods away, or the pod may not, or it waits for those that are on their way out. */
export function planPreemption(
  pod: PodNeeds,
  cluster: ClusterState,
  budgets: readonly PodDisruptionBudget[],
): Preemption | undefined {
  if (pod.pod.spec?.preemptionPolicy === 'Never' || waitsForVictims(pod, cluster)) return undefined;
  const candidates = cluster.nodes.flatMap((node) => candidateOn(node, pod, { cluster, budgets }) ?? []);
  return candidates.toSorted(byLoss)[0];
}

/** Room was made for it already, and is not free yet. */
function waitsForVictims({ pod, priority }: PodNeeds, cluster: ClusterState): boolean {
  const nominated = cluster.node(pod.status?.nominatedNodeName ?? '');
  if (nominated === undefined) return false;
  return [...nominated.pods.values()].some((other) => other.terminating && other.priority < priority);
}

function candidateOn(
  node: NodeState,
  pod: PodNeeds,
  { cluster, budgets }: { readonly cluster: ClusterState; readonly budgets: readonly PodDisruptionBudget[] },
): Candidate | undefined {
  const { name } = node;
  const lower = [...node.pods.values()].filter((other) => other.priority < pod.priority);
  if (lower.length === 0) return undefined;
  const fits = (): boolean => {
    const now = cluster.node(name);
    return now !== undefined && canTake(now, pod, cluster);
  };
  for (const { key } of lower) cluster.removePod(key);
  try {
    if (!fits()) return undefined;
    const [broken, free] = splitByBudgets(lower.toSorted(byImportance), budgets);
    const victims: PodNeeds[] = [];
    const reprieve = (other: PodNeeds): boolean => {
      cluster.placePod(other, name);
      if (fits()) return true;
      cluster.removePod(other.key);
      victims.push(other);
      return false;
    };
    const violations = broken.filter((other) => !reprieve(other)).length;
    for (const other of free) reprieve(other);
    return { node, victims: victims.toSorted(byImportance), violations };
  } finally {
    for (const other of lower) cluster.placePod(other, name);
  }
}

/** Pods whose eviction a budget would refuse, and the others. */
function splitByBudgets(
  pods: readonly PodNeeds[],
  budgets: readonly PodDisruptionBudget[],
): readonly [PodNeeds[], PodNeeds[]] {
  const left = budgets.map(({ metadata, spec, status }) => ({
    namespace: metadata?.namespace,
    selects: compileLabelSelector(spec?.selector),
    disrupted: status?.disruptedPods ?? {},
    allowed: status?.disruptionsAllowed ?? 0,
  }));
  const [broken, free]: [PodNeeds[], PodNeeds[]] = [[], []];
  for (const pod of pods) {
    let isBroken = false;
    for (const budget of left) {
      if (budget.namespace !== pod.namespace || !budget.selects.matches(pod.labels)) continue;
      // It goes already, and was counted then.
      if (Object.hasOwn(budget.disrupted, pod.pod.metadata.name)) continue;
      budget.allowed -= 1;
      if (budget.allowed < 0) isBroken = true;
    }
    (isBroken ? broken : free).push(pod);
  }
  return [broken, free];
}

/** Higher priority first, then who runs longer. */
function byImportance(a: PodNeeds, b: PodNeeds): number {
  return b.priority - a.priority || (startOf(a) < startOf(b) ? -1 : 1);
}

function startOf({ pod }: PodNeeds): string {
  return pod.status?.startTime ?? pod.metadata.creationTimestamp ?? '';
}

/** Fewest budgets broken, then the least important victim at the top, the least in sum, the fewest, the youngest. */
function byLoss(a: Candidate, b: Candidate): number {
  const top = ({ victims }: Candidate): number => victims[0]?.priority ?? Number.NEGATIVE_INFINITY;
  // Priorities may be negative: shifted, so that more pods are always more.
  const sum = ({ victims }: Candidate): number =>
    victims.reduce((total, { priority }) => total + priority + 2 ** 31, 0);
  return (
    a.violations - b.violations ||
    (top(a) === top(b) ? 0 : top(a) - top(b)) ||
    sum(a) - sum(b) ||
    a.victims.length - b.victims.length ||
    (earliest(a) > earliest(b) ? -1 : 1)
  );
}

/** When the oldest of the most important victims started. */
function earliest({ victims }: Candidate): string {
  const important = victims.filter(({ priority }) => priority === victims[0]?.priority);
  return important.map(startOf).sort()[0] ?? '';
}
