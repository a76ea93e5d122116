// Requests and limits as the kernel takes them: the cgroup a pod lives in, CPU shares and quota, memory
// limit, OOM score. The rules are the kubelet's (pkg/kubelet/cm, pkg/kubelet/qos), so that a node with both kinds of
// agents shares its machine in the same way.

import {
  type Container,
  type Pod,
  parseQuantity,
  type QosClass,
  qosClassOf,
  quantityMilliValue,
  quantityValue,
} from '../../api/index.ts';
import type { CgroupDriver, ContainerResources } from '../../cri/index.ts';
import { isSidecar } from './identity.ts';

/** cpu in millicores, memory in bytes. */
export interface Amounts {
  readonly cpu: number;
  readonly memory: number;
}

export function amountsOf(list: Readonly<Record<string, string>> = {}): Partial<Amounts> {
  const { cpu, memory } = list;
  return {
    ...(cpu === undefined ? {} : { cpu: quantityMilliValue(parseQuantity(cpu)) }),
    ...(memory === undefined ? {} : { memory: quantityValue(parseQuantity(memory)) }),
  };
}

/** What the pod takes from the node: containers and sidecars together, or the largest init container if that is more. */
export function podRequests(pod: Pod): Amounts {
  return podAmounts(pod, ({ resources }) => amountsOf({ ...resources?.limits, ...resources?.requests }));
}

function podAmounts(pod: Pod, of: (container: Container) => Partial<Amounts>): Amounts {
  const { containers = [], initContainers = [], overhead } = pod.spec ?? {};
  let sidecars: Amounts = { cpu: 0, memory: 0 };
  let largest: Amounts = { cpu: 0, memory: 0 };
  for (const init of initContainers) {
    const own = add(sidecars, of(init));
    if (isSidecar(init)) sidecars = own;
    largest = { cpu: Math.max(largest.cpu, own.cpu), memory: Math.max(largest.memory, own.memory) };
  }
  const together = containers.map(of).reduce<Amounts>(add, sidecars);
  const most = { cpu: Math.max(together.cpu, largest.cpu), memory: Math.max(together.memory, largest.memory) };
  return add(most, amountsOf(overhead));
}

function add(a: Amounts, b: Partial<Amounts>): Amounts {
  return { cpu: a.cpu + (b.cpu ?? 0), memory: a.memory + (b.memory ?? 0) };
}

/** The pod's own cgroup, as path below the hierarchy's root (cgroupfs) or as slice name (systemd). */
export function podCgroup(uid: string, qos: QosClass, driver: CgroupDriver): string {
  const tier = qos === 'Guaranteed' ? [] : [qos.toLowerCase()];
  if (driver === 'cgroupfs') return `/${['kubepods', ...tier, `pod${uid}`].join('/')}`;
  return `${['kubepods', ...tier, `pod${uid.replaceAll('-', '_')}`].join('-')}.slice`;
}

const period = 100_000;
const minimumShares = 2;
const minimumQuota = 1000;

export function cpuShares(milli: number): number {
  return milli === 0 ? minimumShares : Math.min(262_144, Math.max(minimumShares, Math.floor((milli * 1024) / 1000)));
}

/** 2..262144 shares are 1..10000 of weight. Source: KEP-2254. */
export function cpuWeight(shares: number): number {
  return Math.floor(1 + ((shares - 2) * 9999) / 262_142);
}

/** µs of CPU time in each period of 100 ms. */
export function cpuQuota(milli: number): number {
  return Math.max(minimumQuota, Math.floor((milli * period) / 1000));
}

/** What of the machine a container's limits depend on. */
export interface NodeKernel {
  /** For the OOM score of burstable pods. */
  readonly memoryBytes: number;
  /** Version 2 of cgroups, alone. */
  readonly isUnified: boolean;
}

/**
 * Under cgroup v2 all processes of a container end when one is over its limit, as with the kubelet since 1.28: a container
 * of which a part was killed is worse than one that starts again.
 */
export function containerResources(pod: Pod, container: Container, kernel: NodeKernel): ContainerResources {
  const limits = amountsOf(container.resources?.limits);
  const requests = amountsOf({ ...container.resources?.limits, ...container.resources?.requests });
  return {
    cpuShares: cpuShares(requests.cpu ?? 0),
    ...(limits.cpu === undefined || limits.cpu === 0 ? {} : { cpuPeriod: period, cpuQuota: cpuQuota(limits.cpu) }),
    ...(limits.memory === undefined ? {} : { memoryLimitInBytes: limits.memory }),
    oomScoreAdj: oomScore(qosClassOf(pod), requests.memory ?? 0, kernel.memoryBytes),
    ...(kernel.isUnified ? { unified: { 'memory.oom.group': '1' } } : {}),
  };
}

/** -997 is killed last, 1000 first. Source: pkg/kubelet/qos/policy.go. */
function oomScore(qos: QosClass, memoryRequest: number, nodeMemory: number): number {
  if (qos === 'Guaranteed') return -997;
  if (qos === 'BestEffort') return 1000;
  const score = 1000 - Math.floor((1000 * memoryRequest) / Math.max(1, nodeMemory));
  return Math.min(999, Math.max(3, score));
}

/** Limits of the pod's own cgroup; undefined where a container has no limit and so the pod has none. */
export function podLimits(pod: Pod): { readonly shares: number; readonly quota?: number; readonly memory?: number } {
  const { cpu } = podRequests(pod);
  const everyLimit = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? []).filter(isSidecar)].map(
    ({ resources }) => amountsOf(resources?.limits),
  );
  const total = podAmounts(pod, ({ resources }) => amountsOf(resources?.limits));
  return {
    shares: cpuShares(cpu),
    ...(everyLimit.every((limits) => (limits.cpu ?? 0) > 0) ? { quota: cpuQuota(total.cpu) } : {}),
    ...(everyLimit.every((limits) => (limits.memory ?? 0) > 0) ? { memory: total.memory } : {}),
  };
}
