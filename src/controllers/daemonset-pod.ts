// A pod of a DaemonSet: pinned to its node by affinity, so that the scheduler still decides whether it fits, and tolerant
// of what is wrong with the node, because daemons are there to run on sick nodes too. Source: the DaemonSet documentation,
// "Taints and tolerations" and "How Daemon Pods are scheduled".

import { type DaemonSet, kinds, type Pod, type PodSpec, type Stored, type Toleration } from '../api/index.ts';
import { controllerRefTo } from './ownership.ts';
import { revisionHashLabel } from './revisions.ts';

export function daemonPod(set: Stored<DaemonSet>, node: string, hash: string): Pod {
  const { name, namespace } = set.metadata;
  const template = set.spec?.template;
  const { labels, annotations, finalizers } = template?.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${name}-`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...labels, [revisionHashLabel]: hash },
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [controllerRefTo(kinds.daemonSet, set)],
    },
    ...(template?.spec === undefined ? {} : { spec: pinned(tolerant(template.spec), node) }),
  };
}

export function tolerant(spec: PodSpec): PodSpec {
  const own = spec.tolerations ?? [];
  const added = [
    exists('not-ready', 'NoExecute'),
    exists('unreachable', 'NoExecute'),
    exists('disk-pressure', 'NoSchedule'),
    exists('memory-pressure', 'NoSchedule'),
    exists('pid-pressure', 'NoSchedule'),
    exists('unschedulable', 'NoSchedule'),
    ...(spec.hostNetwork === true ? [exists('network-unavailable', 'NoSchedule')] : []),
  ].filter(
    (one) =>
      !own.some(({ key, effect, operator }) => key === one.key && effect === one.effect && operator === 'Exists'),
  );
  return { ...spec, tolerations: [...own, ...added] };
}

function exists(condition: string, effect: string): Toleration {
  return { key: `node.kubernetes.io/${condition}`, operator: 'Exists', effect };
}

/** The node was chosen by the set's own terms already, so its name is all that is left to require. */
function pinned(spec: PodSpec, node: string): PodSpec {
  const byName = { key: 'metadata.name', operator: 'In', values: [node] };
  const { nodeAffinity, ...affinity } = spec.affinity ?? {};
  const required = { nodeSelectorTerms: [{ matchFields: [byName] }] };
  const pinnedAffinity: PodSpec['affinity'] = {
    ...affinity,
    nodeAffinity: { ...nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: required },
  };
  return { ...spec, affinity: pinnedAffinity };
}

/** Where a pod is or is meant to be; undefined when it is not pinned. */
export function nodeOf({ spec }: Pod): string | undefined {
  if (spec?.nodeName !== undefined && spec.nodeName !== '') return spec.nodeName;
  const terms = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const field = terms.flatMap(({ matchFields = [] }) => matchFields).find(({ key }) => key === 'metadata.name');
  return field?.operator === 'In' ? field.values?.[0] : undefined;
}
