// Pods that were promised a node whose victims are still on their way out. Others of no higher priority are placed as if
// the promised ones were there already, so that nobody slips into the room that was made for them.
// Source: k8s.io/kubernetes pkg/scheduler, nominator; core/v1 PodStatus nominatedNodeName.

import type { ClusterState } from './cluster-state.ts';
import type { PodNeeds } from './pod-needs.ts';

export interface Nominations {
  set(pod: PodNeeds, nodeName: string): void;
  delete(key: string): void;
  /** Promised to a node and of less priority: it has to look elsewhere. */
  below(priority: number, nodeName: string): readonly PodNeeds[];
  /** Runs `decide` with those in place whom `pod` has to respect. */
  respecting<T>(pod: PodNeeds, cluster: ClusterState, decide: () => T): T;
}

export function createNominations(): Nominations {
  const promised = new Map<string, { readonly pod: PodNeeds; readonly nodeName: string }>();
  return {
    set: (pod, nodeName) => void promised.set(pod.key, { pod, nodeName }),
    delete: (key) => void promised.delete(key),
    below: (priority, nodeName) =>
      [...promised.values()].flatMap((one) =>
        one.nodeName === nodeName && one.pod.priority < priority ? [one.pod] : [],
      ),
    respecting(pod, cluster, decide) {
      if (promised.size === 0) return decide();
      const guests = [...promised.values()].filter(
        (one) =>
          one.pod.key !== pod.key && one.pod.priority >= pod.priority && cluster.nodeOf(one.pod.key) === undefined,
      );
      for (const guest of guests) cluster.placePod(guest.pod, guest.nodeName);
      try {
        return decide();
      } finally {
        for (const guest of guests) cluster.removePod(guest.pod.key);
      }
    },
  };
}
