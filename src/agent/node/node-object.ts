// The Node object: what this machine is and how it is. Pure; facts, runtime state and pressures are given.
// Source: kubernetes.io/docs/reference/node/node-status, pkg/kubelet/nodestatus/setters.go (reasons and messages).

import { type Node, type NodeCondition, timestamp } from '../../api/index.ts';
import type { Image, RuntimeCondition, RuntimeVersion } from '../../cri/index.ts';
import type { MachineFacts } from '../../host/index.ts';
import type { AgentOptions } from '../options.ts';

export interface NodeFacts {
  readonly machine: MachineFacts;
  readonly bootId: string;
  readonly systemUuid: string;
  readonly osImage: string;
  /** Bytes of the file system that holds pods. */
  readonly diskBytes: number;
  readonly version: string;
  readonly runtime: RuntimeVersion;
}

export interface NodePressure {
  readonly memory: boolean;
  readonly disk: boolean;
  readonly pid: boolean;
}

export interface NodeState {
  /** undefined when the runtime does not answer, with the reason. */
  readonly runtimeConditions: readonly RuntimeCondition[] | undefined;
  readonly runtimeError: string;
  readonly pressure: NodePressure;
}

/** Kept free for the system before pods are evicted; the kubelet's default. */
const reservedMemory = 100 * 1024 * 1024;
const reservedDiskShare = 0.1;
const shownImages = 50;

export function nodeLabels({ machine }: NodeFacts, options: AgentOptions): Record<string, string> {
  const arch = machine.architecture === 'x64' ? 'amd64' : machine.architecture;
  return {
    'kubernetes.io/hostname': options.nodeName.toLowerCase(),
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': arch,
    'beta.kubernetes.io/os': 'linux',
    'beta.kubernetes.io/arch': arch,
    ...options.labels,
  };
}

export function nodeCapacity({ machine, diskBytes }: NodeFacts, { maxPods }: Pick<AgentOptions, 'maxPods'>) {
  const common = { cpu: String(machine.processors), pods: String(maxPods), 'hugepages-1Gi': '0', 'hugepages-2Mi': '0' };
  return {
    capacity: { ...common, memory: kibibytes(machine.memoryBytes), 'ephemeral-storage': kibibytes(diskBytes) },
    allocatable: {
      ...common,
      memory: kibibytes(Math.max(0, machine.memoryBytes - reservedMemory)),
      'ephemeral-storage': String(Math.floor(diskBytes * (1 - reservedDiskShare))),
    },
  };
}

function kibibytes(bytes: number): string {
  return `${Math.floor(bytes / 1024)}Ki`;
}

/** The object that a node registers with. */
export function newNode(facts: NodeFacts, options: AgentOptions): Node {
  const taints = options.taints.map(({ key, value, effect }) => ({
    key,
    effect,
    ...(value === undefined ? {} : { value }),
  }));
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: options.nodeName, labels: nodeLabels(facts, options) },
    spec: taints.length === 0 ? {} : { taints },
  };
}

/** Everything in the status that does not change from one minute to the next. */
export function nodeStatus(
  facts: NodeFacts,
  options: AgentOptions,
  port: number,
  images: readonly Image[],
): NonNullable<Node['status']> {
  const { machine, runtime } = facts;
  return {
    ...nodeCapacity(facts, options),
    addresses: [
      { type: 'InternalIP', address: options.nodeIp },
      { type: 'Hostname', address: options.nodeName },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
    nodeInfo: {
      architecture: machine.architecture === 'x64' ? 'amd64' : machine.architecture,
      bootID: facts.bootId,
      containerRuntimeVersion: `${runtime.runtimeName}://${runtime.runtimeVersion}`,
      kernelVersion: machine.kernel,
      kubeProxyVersion: '',
      kubeletVersion: facts.version,
      machineID: machine.machineId,
      operatingSystem: 'linux',
      osImage: facts.osImage,
      systemUUID: facts.systemUuid,
    },
    images: images
      .toSorted((a, b) => b.size - a.size)
      .slice(0, shownImages)
      .map(({ repoDigests, repoTags, size }) => ({ names: [...repoDigests, ...repoTags], sizeBytes: size }))
      .filter(({ names }) => names.length > 0),
  };
}

/** @param before the conditions in the cluster, whose transition times hold while the status does. */
export function nodeConditions(
  state: NodeState,
  now: number,
  before: readonly NodeCondition[] = [],
): readonly NodeCondition[] {
  const { pressure } = state;
  const why = whyNotReady(state);
  const judged: readonly (readonly [type: string, isTrue: boolean, reason: string, message: string])[] = [
    pressure.memory
      ? ['MemoryPressure', true, 'KubeletHasInsufficientMemory', 'kubelet has insufficient memory available']
      : ['MemoryPressure', false, 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
    pressure.disk
      ? ['DiskPressure', true, 'KubeletHasDiskPressure', 'kubelet has disk pressure']
      : ['DiskPressure', false, 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
    pressure.pid
      ? ['PIDPressure', true, 'KubeletHasInsufficientPID', 'kubelet has insufficient PID available']
      : ['PIDPressure', false, 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
    why === undefined
      ? ['Ready', true, 'KubeletReady', 'kubelet is posting ready status']
      : ['Ready', false, 'KubeletNotReady', why],
  ];
  const own = judged.map(([type, isTrue, reason, message]) => {
    const status = isTrue ? 'True' : 'False';
    const known = before.find((one) => one.type === type);
    const since = known?.status === status ? known.lastTransitionTime : undefined;
    return {
      type,
      status,
      reason,
      message,
      lastHeartbeatTime: timestamp(now),
      lastTransitionTime: since ?? timestamp(now),
    };
  });
  const names = new Set<string>(own.map(({ type }) => type));
  return [...own, ...before.filter(({ type }) => !names.has(type))];
}

/** Why no pod can run here; undefined when it can. */
export function whyNotReady({ runtimeConditions, runtimeError }: NodeState): string | undefined {
  if (runtimeConditions === undefined) return `container runtime is down: ${runtimeError}`;
  const problems = runtimeConditions
    .filter(({ type, status }) => !status && (type === 'RuntimeReady' || type === 'NetworkReady'))
    .map(({ type, reason, message }) => {
      const what = type === 'NetworkReady' ? 'container runtime network not ready' : 'container runtime not ready';
      return `${what}: ${type}=false reason:${reason} message:${message}`;
    });
  return problems.length === 0 ? undefined : problems.join('; ');
}
