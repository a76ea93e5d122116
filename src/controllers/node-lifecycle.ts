// node-lifecycle: notices nodes that fell silent. A node speaks through its Lease and through its Ready condition; when
// neither has changed for the grace period, by this process's own clock, its conditions become Unknown, its pods stop
// being Ready (so Services stop using them) and taints keep new pods away and let old ones leave (node-taints.ts).
//
// One timer a node, moved on by each heartbeat; nothing polls. Keys are node names, and one of its own for the news that a
// node came or went.

import { kinds, type Lease, type Node, type NodeCondition, type Pod, type Stored, timestamp } from '../api/index.ts';
import { announce, batch, enqueue, later, patch } from './actions.ts';
import { type Action, type Controller, type View, watch } from './controller.ts';
import { isSame } from './equality.ts';
import { planTaints, readyStatus } from './node-taints.ts';
import type { ControllerOptions } from './options.ts';
import { isReady, needsPodsByNode, podCondition, podsByNode, withPodCondition } from './pod-state.ts';
import { timeOf } from './wire-time.ts';

const leaseNamespace = 'kube-node-lease';
/** Keys that are no node's name. */
const registered = 'registered:';
const removed = 'removed:';

export const nodeLifecycleController: Controller = {
  name: 'node-lifecycle-controller',
  indexes: [needsPodsByNode],
  reads: [kinds.pod],
  watches: [
    // Whether a node may be evicted depends on how many others are ready.
    watch(kinds.node, (node, view, { previous, object }) =>
      previous !== undefined && readyStatus(previous) === readyStatus(object)
        ? [node.metadata.name]
        : namesOf(view, node),
    ),
    // Looked at once each, only to be told: after the deletion there is no object that a key could name.
    watch(kinds.node, ({ metadata: { name, uid } }, _view, { type }) =>
      type === 'updated' ? [] : [`${type === 'added' ? registered : removed} ${name} ${uid}`],
    ),
    watch(kinds.lease, ({ metadata }) => (metadata.namespace === leaseNamespace ? [metadata.name] : [])),
  ],
  reconcile(name, { view, options, now, unchangedSince }) {
    if (name.startsWith(registered) || name.startsWith(removed)) return [tellOf(name)];
    const node = view.get(kinds.node, name);
    if (node === undefined) return [];
    const lease = view.get(kinds.lease, `${leaseNamespace}/${name}`);
    const pods = view.byIndex(podsByNode, name);
    const silentSince = unchangedSince(node.metadata.uid, heartbeatOf(node, lease));
    return reconcileNode({ node, nodes: view.list(kinds.node), pods, silentSince, options, now });
  },
};

function tellOf(key: string): Action {
  const [word, name = '', uid = ''] = key.split(' ');
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name, uid } };
  return word === registered
    ? announce(node, {
        type: 'Normal',
        reason: 'RegisteredNode',
        message: `Node ${name} event: Registered Node ${name} in Controller`,
      })
    : announce(node, {
        type: 'Normal',
        reason: 'RemovingNode',
        message: `Node ${name} event: Removing Node ${name} from Controller`,
      });
}

function namesOf(view: View, node: Stored<Node>): readonly string[] {
  return [...new Set([node.metadata.name, ...view.list(kinds.node).map(({ metadata }) => metadata.name)])];
}

/** Changes with each sign of life; its text means nothing. */
function heartbeatOf({ status }: Node, lease: Lease | undefined): string {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  // The Unknown that this controller wrote is no sign of life: it keeps the node's own heartbeat time.
  return `${lease?.spec?.renewTime} ${ready?.lastHeartbeatTime}`;
}

export interface NodeRequest {
  readonly node: Stored<Node>;
  readonly nodes: readonly Stored<Node>[];
  readonly pods: readonly Stored<Pod>[];
  /** When the last heartbeat was seen, ms since the epoch. */
  readonly silentSince: number;
  readonly options: Pick<
    ControllerOptions,
    'nodeMonitorGracePeriod' | 'nodeStartupGracePeriod' | 'evictionInterval' | 'secondaryEvictionInterval'
  >;
  readonly now: number;
}

export function reconcileNode(request: NodeRequest): readonly Action[] {
  const { node, nodes, pods, silentSince, options, now } = request;
  if (node.metadata.deletionTimestamp !== undefined) return [];
  const hasReported = (node.status?.conditions ?? []).some(({ type }) => type === 'Ready');
  const grace = hasReported ? options.nodeMonitorGracePeriod : options.nodeStartupGracePeriod;
  const silentIn = silentSince + grace - now;
  const judged = silentIn < 0 ? silenced(node, now) : node;
  const { taints, waitFor } = planTaints(
    judged,
    nodes.map((other) => (other.metadata.uid === node.metadata.uid ? judged : other)),
    options,
    now,
  );
  return [
    ...(silentIn < 0 ? [] : [later(silentIn + 1)]),
    ...(waitFor === undefined ? [] : [later(waitFor)]),
    ...(judged === node ? [] : [writeConditions(judged), ...tellNotReady(node)]),
    ...stopTraffic(judged, pods, now),
    ...writeTaints(node, judged === node, taints),
  ];
}

const reported = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const;

/** The node with its conditions Unknown; the same object when they are already. */
function silenced(node: Stored<Node>, now: number): Stored<Node> {
  const { conditions = [] } = node.status ?? {};
  const next = reported.map((type) =>
    unknown(
      type,
      conditions.find((one) => one.type === type),
      node,
      now,
    ),
  );
  const others = conditions.filter(({ type }) => !reported.some((one) => one === type));
  const whole = [...others, ...next];
  const isUnchanged = next.every((condition) => conditions.includes(condition));
  return isUnchanged ? node : { ...node, status: { ...node.status, conditions: whole } };
}

function unknown(type: string, current: NodeCondition | undefined, node: Stored<Node>, now: number): NodeCondition {
  if (current?.status === 'Unknown') return current;
  const lastTransitionTime = timestamp(now);
  if (current === undefined) {
    const { creationTimestamp = lastTransitionTime } = node.metadata;
    const message = 'Kubelet never posted node status.';
    const reason = 'NodeStatusNeverUpdated';
    return { type, status: 'Unknown', reason, message, lastHeartbeatTime: creationTimestamp, lastTransitionTime };
  }
  const message = 'Kubelet stopped posting node status.';
  return { ...current, status: 'Unknown', reason: 'NodeStatusUnknown', message, lastTransitionTime };
}

function writeConditions({ metadata, status }: Stored<Node>): Action {
  const { name, resourceVersion } = metadata;
  return {
    do: 'patch',
    kind: kinds.node,
    at: { name },
    type: 'merge',
    subresource: 'status',
    body: { metadata: { resourceVersion }, status: { conditions: status?.conditions } },
  };
}

function tellNotReady(node: Stored<Node>): readonly Action[] {
  if (readyStatus(node) !== 'True') return [];
  const message = `Node ${node.metadata.name} status is now: NodeNotReady`;
  return [announce(node, { type: 'Normal', reason: 'NodeNotReady', message })];
}

/** Pods that were Ready before their node ceased to be are no longer; what the node reports later counts again. */
function stopTraffic(node: Node, pods: readonly Stored<Pod>[], now: number): readonly Action[] {
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready === undefined || ready.status === 'True') return [];
  const since = timeOf(ready.lastTransitionTime);
  const stale = pods.filter((pod) => isReady(pod) && timeOf(podCondition(pod, 'Ready')?.lastTransitionTime) <= since);
  if (stale.length === 0) return [];
  return [batch(stale.flatMap((pod) => [unready(pod, now), announce(pod, nodeIsNotReady)]))];
}

const nodeIsNotReady = { type: 'Warning', reason: 'NodeNotReady', message: 'Node is not ready' } as const;

function unready(pod: Stored<Pod>, now: number): Action {
  const conditions = withPodCondition(
    pod,
    { ...podCondition(pod, 'Ready'), type: 'Ready', status: 'False' },
    timestamp(now),
  );
  const { resourceVersion } = pod.metadata;
  return patch(kinds.pod, pod, { metadata: { resourceVersion }, status: { conditions } }, { subresource: 'status' });
}

/** Conditional on the version seen, because others taint nodes too; after an own write this look comes again first. */
function writeTaints(
  node: Stored<Node>,
  isVersionCurrent: boolean,
  taints: NonNullable<Node['spec']>['taints'] & object,
): readonly Action[] {
  if (isSame(taints, node.spec?.taints ?? [])) return [];
  if (!isVersionCurrent) return [enqueue([node.metadata.name])];
  const { resourceVersion } = node.metadata;
  return [
    patch(kinds.node, node, { metadata: { resourceVersion }, spec: { taints: taints.length === 0 ? null : taints } }),
  ];
}
