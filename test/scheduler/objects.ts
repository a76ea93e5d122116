// Nodes and pods for the scheduler's tests.
import type { Node, Pod, PodSpec, Stored } from '../../src/api/index.ts';
import { createClusterState } from '../../src/scheduler/cluster-state.ts';
import { place } from '../../src/scheduler/place.ts';
import { podNeeds } from '../../src/scheduler/pod-needs.ts';

export interface NodeOptions {
  readonly labels?: Record<string, string>;
  readonly taints?: { key: string; value?: string; effect: string }[];
  readonly unschedulable?: boolean;
  readonly allocatable?: Record<string, string>;
}

export function node(name: string, options: NodeOptions = {}): Stored<Node> {
  const { labels = {}, taints, unschedulable, allocatable = {} } = options;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid: name, resourceVersion: '1', labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec: { ...(taints === undefined ? {} : { taints }), ...(unschedulable === undefined ? {} : { unschedulable }) },
    status: { allocatable: { cpu: '4', memory: '8Gi', 'ephemeral-storage': '100Gi', pods: '110', ...allocatable } },
  };
}

export interface PodOptions {
  readonly labels?: Record<string, string>;
  readonly namespace?: string;
  readonly requests?: Record<string, string>;
  readonly owner?: string;
  readonly spec?: Partial<PodSpec>;
}

export function pod(name: string, options: PodOptions = {}): Stored<Pod> {
  const { labels = {}, namespace = 'default', requests, owner, spec = {} } = options;
  const owners = owner === undefined ? {} : { ownerReferences: [ownerReference(owner)] };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, uid: `uid-${name}`, resourceVersion: '1', labels, ...owners },
    spec: {
      containers: [{ name: 'c', image: 'i', ...(requests === undefined ? {} : { resources: { requests } }) }],
      ...spec,
    },
  };
}

function ownerReference(uid: string) {
  return { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: uid, uid, controller: true };
}

/** Where `wanting` goes in a cluster of these nodes and running pods: a node's name, or the message of why nowhere. */
export function placed(
  wanting: Stored<Pod>,
  nodes: readonly Stored<Node>[],
  running: readonly (readonly [Stored<Pod>, string])[] = [],
): string {
  const cluster = createClusterState();
  for (const one of nodes) cluster.putNode(one);
  for (const [there, on] of running) cluster.placePod(podNeeds(there), on);
  const placement = place(podNeeds(wanting), cluster, { random: () => 0.99 });
  return placement.node === undefined ? placement.message : placement.node.name;
}
