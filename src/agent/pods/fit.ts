// Whether a pod that was given to this node fits it. The scheduler has looked already, but two schedulers, a static
// nodeName or a node that shrank can still bring too much. Pure. Reasons are the kubelet's.

import type { Pod } from '../../api/index.ts';
import { allContainers } from './identity.ts';
import { amountsOf, podRequests } from './resources.ts';

export interface Verdict {
  readonly reason: string;
  readonly message: string;
}

export interface NodeRoom {
  readonly allocatable: Readonly<Record<string, string>>;
  readonly maxPods: number;
  /** undefined while they are not known. */
  readonly labels: Readonly<Record<string, string>> | undefined;
  /** The other pods of this node that have not ended. */
  readonly others: readonly Pod[];
}

/** Why the pod cannot run here; undefined when it can. */
export function whyUnfit(pod: Pod, room: NodeRoom): Verdict | undefined {
  const missing = whyUnsupported(pod);
  if (missing !== undefined) return { reason: 'UnsupportedFeature', message: `Pod was rejected: ${missing}` };
  const selector = Object.entries(pod.spec?.nodeSelector ?? {});
  const { labels } = room;
  if (labels !== undefined && selector.some(([key, value]) => labels[key] !== value)) {
    return {
      reason: 'NodeAffinity',
      message: 'Pod was rejected: Predicate NodeAffinity failed: node selector does not match',
    };
  }
  if (room.others.length + 1 > room.maxPods) {
    return rejected('pods', 1, room.others.length, room.maxPods);
  }
  const wanted = podRequests(pod);
  const used = room.others.map(podRequests);
  const capacity = amountsOf(room.allocatable);
  for (const resource of ['cpu', 'memory'] as const) {
    const inUse = used.reduce((sum, one) => sum + one[resource], 0);
    const limit = capacity[resource] ?? 0;
    if (wanted[resource] > 0 && inUse + wanted[resource] > limit) {
      return rejected(resource, wanted[resource], inUse, limit);
    }
  }
  return undefined;
}

/** What the pod asks for that this agent does not do; said at once instead of running the pod without it. */
function whyUnsupported({ spec }: Pod): string | undefined {
  if (spec?.hostUsers === false) return 'user namespaces (hostUsers: false) are not supported by k8ts yet';
  if (spec?.os?.name === 'windows') return 'this is a Linux node';
  const blockDevice = allContainers({ ...(spec === undefined ? {} : { spec }) }).find(
    ({ volumeDevices = [] }) => volumeDevices.length > 0,
  );
  if (blockDevice !== undefined)
    return `volumeDevices of container "${blockDevice.name}" are not supported by k8ts yet`;
  return undefined;
}

function rejected(resource: string, requested: number, used: number, capacity: number): Verdict {
  return {
    reason: `OutOf${resource}`,
    message: `Pod was rejected: Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  };
}
