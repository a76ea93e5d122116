// The scheduler's picture of the cluster: each node with what runs on it and what that adds up to, kept by increments.
// A pod that was just given to a node stands here at once (assumed), so that the next decision counts it although its
// binding is still on its way to the API server.

import type { Node, Pod, Stored, Taint } from '../api/index.ts';
import type { HostPort, PodNeeds } from './pod-needs.ts';
import { type Resources, resourcesOf } from './resources.ts';
import { noStorage, type StorageView } from './storage.ts';

export interface NodeState {
  readonly name: string;
  readonly node: Stored<Node>;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly unschedulable: boolean;
  readonly allocatable: Resources;
  readonly maxPods: number;
  readonly pods: ReadonlyMap<string, PodNeeds>;
  readonly used: Used;
  /** Pods here by the uid of their controller. */
  readonly owners: ReadonlyMap<string, number>;
  /** Host ports in use here, by `protocol/port`. */
  readonly hostPorts: ReadonlyMap<string, readonly HostPort[]>;
}

export interface Used {
  readonly milliCpu: number;
  readonly memory: number;
  readonly ephemeralStorage: number;
  readonly extended: ReadonlyMap<string, number>;
  /** With assumed requests for containers that name none; for scoring. */
  readonly weightMilliCpu: number;
  readonly weightMemory: number;
}

export interface ClusterState {
  /** In a stable order. */
  readonly nodes: readonly NodeState[];
  /** Nodes that hold a pod with required anti-affinity: the only ones that can refuse somebody else's pod. */
  readonly nodesWithAntiAffinity: ReadonlySet<NodeState>;
  /** Nodes with a pod that has preferences about its company. */
  readonly nodesWithPreferences: ReadonlySet<NodeState>;
  /** Claims and volumes. */
  readonly storage: StorageView;
  node(name: string): NodeState | undefined;
  putNode(node: Stored<Node>): void;
  removeNode(name: string): void;
  /** Puts a pod on a node, or moves it there; the node may not be known yet. */
  placePod(needs: PodNeeds, nodeName: string): void;
  /** Answers whether it was on a node. */
  removePod(key: string): boolean;
  /** The node that a pod is on, assumed ones included. */
  nodeOf(key: string): string | undefined;
}

interface MutableUsed {
  milliCpu: number;
  memory: number;
  ephemeralStorage: number;
  readonly extended: Map<string, number>;
  weightMilliCpu: number;
  weightMemory: number;
}

interface MutableNode extends NodeState {
  readonly used: MutableUsed;
  readonly pods: Map<string, PodNeeds>;
  readonly owners: Map<string, number>;
  readonly hostPorts: Map<string, HostPort[]>;
}

export function createClusterState(storage: StorageView = noStorage): ClusterState {
  const nodes = new Map<string, MutableNode>();
  const places = new Map<string, { readonly nodeName: string; readonly needs: PodNeeds }>();
  /** Pods on nodes that are not known (yet): counted when the node appears. */
  const homeless = new Map<string, Map<string, PodNeeds>>();
  const nodesWithAntiAffinity = new Set<NodeState>();
  const nodesWithPreferences = new Set<NodeState>();
  let ordered: readonly NodeState[] | undefined;

  return {
    get nodes() {
      ordered ??= [...nodes.values()];
      return ordered;
    },
    nodesWithAntiAffinity,
    nodesWithPreferences,
    storage,
    node: (name) => nodes.get(name),
    putNode(node) {
      const name = node.metadata.name;
      const held = nodes.get(name);
      const pods = held?.pods ?? homeless.get(name);
      homeless.delete(name);
      if (held !== undefined) forget(held);
      const next = emptyNode(node);
      for (const needs of pods?.values() ?? []) count(next, needs, 1);
      nodes.set(name, next);
      note(next);
      ordered = undefined;
    },
    removeNode(name) {
      const held = nodes.get(name);
      if (held === undefined) return;
      forget(held);
      nodes.delete(name);
      if (held.pods.size > 0) homeless.set(name, new Map(held.pods));
      ordered = undefined;
    },
    placePod(needs, nodeName) {
      remove(needs.key);
      places.set(needs.key, { nodeName, needs });
      const node = nodes.get(nodeName);
      if (node === undefined) {
        const waiting = homeless.get(nodeName) ?? new Map<string, PodNeeds>();
        homeless.set(nodeName, waiting.set(needs.key, needs));
        return;
      }
      count(node, needs, 1);
      if (minds(needs)) note(node);
    },
    removePod: remove,
    nodeOf: (key) => places.get(key)?.nodeName,
  };

  function remove(key: string): boolean {
    const place = places.get(key);
    if (place === undefined) return false;
    places.delete(key);
    const waiting = homeless.get(place.nodeName);
    waiting?.delete(key);
    if (waiting?.size === 0) homeless.delete(place.nodeName);
    const node = nodes.get(place.nodeName);
    if (node !== undefined) {
      count(node, place.needs, -1);
      if (minds(place.needs)) note(node);
    }
    return true;
  }

  function note(node: NodeState): void {
    toggle(nodesWithAntiAffinity, node, (needs) => needs.antiAffinity.length > 0);
    toggle(nodesWithPreferences, node, (needs) => needs.preferredPods.length + needs.affinity.length > 0);
  }

  function forget(node: NodeState): void {
    nodesWithAntiAffinity.delete(node);
    nodesWithPreferences.delete(node);
  }
}

/** Whether a pod has a say in who else comes to its node. */
function minds({ antiAffinity, affinity, preferredPods }: PodNeeds): boolean {
  return antiAffinity.length + affinity.length + preferredPods.length > 0;
}

function toggle(set: Set<NodeState>, node: NodeState, has: (needs: PodNeeds) => boolean): void {
  for (const needs of node.pods.values()) {
    if (has(needs)) {
      set.add(node);
      return;
    }
  }
  set.delete(node);
}

function emptyNode(node: Stored<Node>): MutableNode {
  const allocatable = node.status?.allocatable ?? {};
  return {
    name: node.metadata.name,
    node,
    labels: node.metadata.labels ?? {},
    taints: node.spec?.taints ?? [],
    unschedulable: node.spec?.unschedulable ?? false,
    allocatable: resourcesOf(allocatable),
    maxPods: Number(allocatable['pods'] ?? 0),
    pods: new Map(),
    used: {
      milliCpu: 0,
      memory: 0,
      ephemeralStorage: 0,
      extended: new Map(),
      weightMilliCpu: 0,
      weightMemory: 0,
    },
    owners: new Map(),
    hostPorts: new Map(),
  };
}

function count(node: MutableNode, needs: PodNeeds, sign: 1 | -1): void {
  const { used, pods, owners, hostPorts } = node;
  const { requests, weight, owner } = needs;
  if (sign === 1) pods.set(needs.key, needs);
  else pods.delete(needs.key);
  used.milliCpu += sign * requests.milliCpu;
  used.memory += sign * requests.memory;
  used.ephemeralStorage += sign * requests.ephemeralStorage;
  used.weightMilliCpu += sign * weight.milliCpu;
  used.weightMemory += sign * weight.memory;
  for (const [name, amount] of requests.extended) bump(used.extended, name, sign * amount);
  if (owner !== undefined) bump(owners, owner, sign);
  for (const port of needs.hostPorts) {
    const id = `${port.protocol}/${port.port}`;
    const taken = hostPorts.get(id) ?? [];
    const index = taken.findIndex(({ ip }) => ip === port.ip);
    const next = sign === 1 ? [...taken, port] : taken.toSpliced(index, index === -1 ? 0 : 1);
    if (next.length === 0) hostPorts.delete(id);
    else hostPorts.set(id, next);
  }
}

function bump(counts: Map<string, number>, name: string, by: number): void {
  const next = (counts.get(name) ?? 0) + by;
  if (next === 0) counts.delete(name);
  else counts.set(name, next);
}

/** Whether a pod has ended: it holds nothing on its node any more. */
export function isFinished({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}
