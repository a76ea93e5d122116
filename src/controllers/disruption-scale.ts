// How many pods the controllers of a budget's pods want: what percentages and maxUnavailable are taken of.

import {
  type IntOrString,
  type KindOf,
  type KubeObject,
  kinds,
  type OwnerReference,
  type Pod,
  type PodDisruptionBudget,
  type Stored,
  scaleIntOrString,
} from '../api/index.ts';
import type { View } from './controller.ts';
import { controllerOf } from './ownership.ts';

interface Scaled extends KubeObject {
  readonly spec?: { readonly replicas?: number };
}

/** Kinds whose spec.replicas says how many pods they want. */
export const scaledKinds: readonly KindOf<Scaled>[] = [
  kinds.deployment as KindOf<Scaled>,
  kinds.replicaSet as KindOf<Scaled>,
  kinds.statefulSet as KindOf<Scaled>,
  kinds.replicationController as KindOf<Scaled>,
];

/** What a budget demands of its pods, or why that cannot be known. */
export type Demand = { readonly expectedPods: number; readonly desiredHealthy: number } | { readonly unknown: string };

export function demandOf(budget: PodDisruptionBudget, pods: readonly Stored<Pod>[], view: View): Demand {
  const { maxUnavailable, minAvailable } = budget.spec ?? {};
  if (maxUnavailable !== undefined) {
    return scaledDemand(pods, view, (expected) => Math.max(0, expected - share(maxUnavailable, expected)));
  }
  if (typeof minAvailable === 'string') return scaledDemand(pods, view, (expected) => share(minAvailable, expected));
  return { expectedPods: pods.length, desiredHealthy: minAvailable ?? 0 };
}

function share(value: IntOrString, of: number): number {
  return scaleIntOrString(value, of, 'up');
}

function scaledDemand(pods: readonly Stored<Pod>[], view: View, desired: (expected: number) => number): Demand {
  const scales = new Map<string, number>();
  for (const pod of pods) {
    const owner = controllerOf(pod);
    // A pod of nobody's says nothing about how many there should be.
    if (owner === undefined || scales.has(owner.uid)) continue;
    const found = scaleOf(owner, pod.metadata.namespace, view);
    if (typeof found === 'string') return { unknown: found };
    if (found !== undefined) scales.set(found.uid, found.replicas);
  }
  const expectedPods = [...scales.values()].reduce((sum, one) => sum + one, 0);
  return { expectedPods, desiredHealthy: desired(expectedPods) };
}

/** A ReplicaSet answers for its Deployment, whose number holds during a rollout too. */
function scaleOf(
  owner: OwnerReference,
  namespace: string | undefined,
  view: View,
): { readonly uid: string; readonly replicas: number } | string | undefined {
  const kind = scaledKinds.find((one) => one.kind === owner.kind && owner.apiVersion.startsWith(one.group));
  if (kind === undefined)
    return `${owner.apiVersion} ${owner.kind} "${owner.name}" has no scale that a budget could count on`;
  const found = view.get(kind, `${namespace}/${owner.name}`);
  if (found?.metadata.uid !== owner.uid) return undefined;
  const above = kind.kind === 'ReplicaSet' ? controllerOf(found) : undefined;
  if (above?.kind === 'Deployment') return scaleOf(above, namespace, view);
  return { uid: owner.uid, replicas: found.spec?.replicas ?? 1 };
}
