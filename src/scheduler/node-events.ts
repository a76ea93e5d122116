// What a change of a node can mean for pods that wait. Heartbeats change a node's status every few seconds and help
// nobody; they must not wake anyone.

import type { Node, Stored } from '../api/index.ts';
import type { ClusterEvent } from './filters/filter.ts';

export function nodeEvents(node: Stored<Node>, previous: Stored<Node>): ClusterEvent[] {
  const events: ClusterEvent[] = [];
  if (differ(node.metadata.labels, previous.metadata.labels)) events.push('node-labels');
  if (differ(node.spec?.taints, previous.spec?.taints) || node.spec?.unschedulable !== previous.spec?.unschedulable) {
    events.push('node-taints');
  }
  if (differ(node.status?.allocatable, previous.status?.allocatable)) events.push('node-allocatable');
  return events;
}

function differ(a: unknown, b: unknown): boolean {
  return JSON.stringify(a ?? null) !== JSON.stringify(b ?? null);
}
