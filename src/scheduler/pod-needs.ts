// What scheduling has to know of a pod, read out of the object once, so that judging a thousand nodes parses nothing.

import {
  compileLabelSelector,
  compileNodeSelection,
  compileTerm,
  type LabelMatcher,
  type LabelSelector,
  type NodeTest,
  type Pod,
  type PodSpec,
  type Stored,
  type Toleration,
} from '../api/index.ts';
import { podRequests, podWeight, type Resources } from './resources.ts';

export interface HostPort {
  readonly ip: string;
  readonly port: number;
  readonly protocol: string;
}

/** One inter-pod affinity term: pods that match, in these namespaces, on nodes with the same value of topologyKey. */
export interface PodTerm {
  readonly topologyKey: string;
  matches(pod: PodNeeds): boolean;
}

interface WeightedTerm extends PodTerm {
  /** 1 to 100, negative for anti-affinity. */
  readonly weight: number;
}

export interface SpreadConstraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly hard: boolean;
  readonly honorNodeSelection: boolean;
  readonly honorTaints: boolean;
  matches(pod: PodNeeds): boolean;
}

export interface PodNeeds {
  readonly key: string;
  readonly pod: Stored<Pod>;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly priority: number;
  readonly requests: Resources;
  readonly weight: { readonly milliCpu: number; readonly memory: number };
  readonly hostPorts: readonly HostPort[];
  readonly tolerations: readonly Toleration[];
  /** nodeSelector and required node affinity; undefined: any node. */
  readonly nodeSelection: NodeTest | undefined;
  readonly preferredNodes: readonly { readonly weight: number; readonly matches: NodeTest }[];
  readonly affinity: readonly PodTerm[];
  readonly antiAffinity: readonly PodTerm[];
  readonly preferredPods: readonly WeightedTerm[];
  readonly spread: readonly SpreadConstraint[];
  /** uid of the controller that owns it; its pods are spread over nodes. */
  readonly owner: string | undefined;
  /** Being deleted: it holds its resources, but it is no company that anyone looks for. */
  readonly terminating: boolean;
}

type Affinity = NonNullable<PodSpec['affinity']>;
type AffinityTerm = NonNullable<
  NonNullable<Affinity['podAffinity']>['requiredDuringSchedulingIgnoredDuringExecution']
>[number];

export function podKey({ metadata }: Pod): string {
  return `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`;
}

export function podNeeds(pod: Stored<Pod>): PodNeeds {
  const { metadata, spec = { containers: [] } } = pod;
  const namespace = metadata.namespace ?? '';
  const labels = metadata.labels ?? {};
  const { nodeAffinity, podAffinity, podAntiAffinity } = spec.affinity ?? {};
  const terms = (list: readonly AffinityTerm[] = []): PodTerm[] =>
    list.map((term) => compileTermOf(term, namespace, labels));
  return {
    key: podKey(pod),
    pod,
    namespace,
    labels,
    priority: spec.priority ?? 0,
    requests: podRequests(spec, pod.status),
    weight: podWeight(spec),
    hostPorts: hostPortsOf(spec),
    tolerations: spec.tolerations ?? [],
    nodeSelection: compileNodeSelection(spec),
    preferredNodes: (nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      ({ weight, preference }) => ({ weight, matches: compileTerm(preference) }),
    ),
    affinity: terms(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    antiAffinity: terms(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferredPods: [
      ...weighted(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution, 1),
      ...weighted(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution, -1),
    ],
    spread: (spec.topologySpreadConstraints ?? []).map((constraint) => compileSpread(constraint, namespace, labels)),
    owner: metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid,
    terminating: metadata.deletionTimestamp !== undefined,
  };

  function weighted(
    list: readonly { readonly weight: number; readonly podAffinityTerm: AffinityTerm }[] = [],
    sign: 1 | -1,
  ): WeightedTerm[] {
    return list.map(({ weight, podAffinityTerm }) => ({
      ...compileTermOf(podAffinityTerm, namespace, labels),
      weight: sign * weight,
    }));
  }
}

function hostPortsOf({ containers, initContainers = [], hostNetwork = false }: PodSpec): HostPort[] {
  const sidecars = initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...containers, ...sidecars].flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, containerPort, hostIP = '', protocol = 'TCP' }) => {
      const port = hostPort ?? (hostNetwork ? containerPort : 0);
      return port === 0 ? [] : [{ ip: hostIP === '' ? '0.0.0.0' : hostIP, port, protocol }];
    }),
  );
}

/** Source: core/v1 PodAffinityTerm; without namespaces and namespaceSelector it means the pod's own namespace. */
function compileTermOf(term: AffinityTerm, namespace: string, labels: Readonly<Record<string, string>>): PodTerm {
  const { topologyKey, labelSelector, namespaces = [], namespaceSelector, matchLabelKeys, mismatchLabelKeys } = term;
  const matcher = compileLabelSelector(withKeys(labelSelector, labels, matchLabelKeys, mismatchLabelKeys));
  const named = new Set(namespaces.length === 0 && namespaceSelector === undefined ? [namespace] : namespaces);
  // An empty namespaceSelector means every namespace; others are refused before (see the filter Unsupported).
  const every = namespaceSelector !== undefined && isEmpty(namespaceSelector);
  return {
    topologyKey,
    matches: (pod) => (every || named.has(pod.namespace)) && matcher.matches(pod.labels),
  };
}

type Spread = NonNullable<PodSpec['topologySpreadConstraints']>[number];

function compileSpread(
  constraint: Spread,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): SpreadConstraint {
  const { topologyKey, maxSkew, minDomains = 1, whenUnsatisfiable, labelSelector, matchLabelKeys } = constraint;
  const matcher: LabelMatcher = compileLabelSelector(withKeys(labelSelector, labels, matchLabelKeys));
  return {
    topologyKey,
    maxSkew,
    minDomains,
    hard: whenUnsatisfiable === 'DoNotSchedule',
    honorNodeSelection: constraint.nodeAffinityPolicy !== 'Ignore',
    honorTaints: constraint.nodeTaintsPolicy === 'Honor',
    matches: (pod) => pod.namespace === namespace && matcher.matches(pod.labels),
  };
}

/** matchLabelKeys: the pod's own values of these labels become part of the selector. */
function withKeys(
  selector: LabelSelector | undefined,
  labels: Readonly<Record<string, string>>,
  same: readonly string[] = [],
  other: readonly string[] = [],
): LabelSelector | undefined {
  if (selector === undefined || same.length + other.length === 0) return selector;
  const expressions = (keys: readonly string[], operator: string) =>
    keys.flatMap((key) => (labels[key] === undefined ? [] : [{ key, operator, values: [labels[key]] }]));
  return {
    ...selector,
    matchExpressions: [
      ...(selector.matchExpressions ?? []),
      ...expressions(same, 'In'),
      ...expressions(other, 'NotIn'),
    ],
  };
}

export function isEmpty({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
}
