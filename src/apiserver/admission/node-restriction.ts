// What a node may write, beyond which objects it may touch (the Node authorizer's question): its own Node without taints,
// owner references and labels that place workloads; status of its own pods; mirror pods of itself; its own lease.
// Source: Kubernetes documentation, "Admission Controllers", NodeRestriction.

import { type KubeObject, kinds, type Node, type Pod } from '../../api/index.ts';
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from '../contracts.ts';
import { refuse } from './refuse.ts';

const userPrefix = 'system:node:';
const mirrorAnnotation = 'kubernetes.io/config.mirror';
/** Labels of kubernetes.io and k8s.io that a node may set on itself. */
const ownLabels = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.kubernetes.io/region',
  'failure-domain.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
]);
const ownLabelDomains = ['kubelet.kubernetes.io', 'node.kubernetes.io'];

export function nodeRestriction(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    validate(request) {
      const { user, kind } = request;
      if (!user.groups.includes('system:nodes') || !user.name.startsWith(userPrefix)) return;
      const node = user.name.slice(userPrefix.length);
      const why = whyNot(node, request, reader);
      if (why !== undefined) throw refuse(request, `node "${node}" ${why}`);
      if (kind.group === '' && kind.plural === 'nodes') checkNode(node, request);
    },
  };
}

function whyNot(node: string, request: AdmissionRequest, reader: ObjectReader): string | undefined {
  const { kind, operation } = request;
  if (kind.group === '' && kind.plural === 'pods') return whyNotPod(node, request, reader);
  if (kind.group === 'coordination.k8s.io' && kind.plural === 'leases') {
    if (request.namespace !== 'kube-node-lease') return 'can only access leases in the "kube-node-lease" namespace';
    return nameOf(request) === node
      ? undefined
      : 'can only access node lease with the same name as the requesting node';
  }
  if (kind.group === 'storage.k8s.io' && kind.plural === 'csinodes' && operation !== 'DELETE') {
    return nameOf(request) === node ? undefined : 'can only access CSINode with the same name as the requesting node';
  }
  return undefined;
}

function whyNotPod(node: string, request: AdmissionRequest, reader: ObjectReader): string | undefined {
  const { operation, subresource, namespace, name } = request;
  const bound = (): string | undefined =>
    (reader.get<Pod>(kinds.pod, namespace, name)?.spec?.nodeName ?? '') === node
      ? undefined
      : `can only ${subresource === 'eviction' ? 'evict' : operation === 'DELETE' ? 'delete' : 'update'} pods with spec.nodeName set to itself`;
  if (subresource === 'eviction') return bound();
  if (subresource === 'status' && operation === 'UPDATE') {
    const [pod, old] = [request.object as Pod, request.oldObject as Pod | undefined];
    if (!sameJson(pod.metadata?.labels, old?.metadata?.labels)) return 'cannot update labels through pod status';
    return bound();
  }
  if (subresource !== '') return `may not write pods/${subresource}`;
  if (operation === 'DELETE') return bound();
  if (operation !== 'CREATE') return 'can only create, delete and update the status of pods';
  return whyNotMirror(node, request.object as Pod);
}

function whyNotMirror(node: string, pod: Pod): string | undefined {
  if (pod.metadata?.annotations?.[mirrorAnnotation] === undefined)
    return `can only create pods with "${mirrorAnnotation}" annotation`;
  if (pod.spec?.nodeName !== node) return 'can only create pods with spec.nodeName set to itself';
  const [owner, ...others] = pod.metadata?.ownerReferences ?? [];
  const owned = owner === undefined || (owner.kind === 'Node' && owner.name === node && owner.controller === true);
  if (!owned || others.length > 0) return 'can only create pods whose single owner is itself';
  if ((pod.spec.serviceAccountName ?? '') !== '') return 'can not create pods that reference a service account';
  for (const volume of pod.spec.volumes ?? []) {
    const named = volume.secret ?? volume.configMap ?? volume.persistentVolumeClaim ?? volume.projected;
    if (named !== undefined) return 'can not create pods that reference secrets, configmaps or persistentvolumeclaims';
  }
  return undefined;
}

function checkNode(node: string, request: AdmissionRequest): void {
  const { operation, subresource } = request;
  const [object, old] = [request.object as Node | undefined, request.oldObject as Node | undefined];
  const no = (why: string): never => {
    throw refuse(request, `node "${node}" is not allowed to ${why}`);
  };
  if (nameOf(request) !== node) no(`modify node "${nameOf(request)}"`);
  if (object === undefined || operation === 'DELETE') return;
  if (operation === 'UPDATE' && subresource === '') {
    if (!sameJson(object.spec?.taints, old?.spec?.taints)) no('modify taints');
    if (!sameJson(object.metadata?.ownerReferences, old?.metadata?.ownerReferences)) no('modify ownerReferences');
  }
  const changed = changedLabels(object, old).filter(isProtectedLabel);
  if (changed.length > 0) no(`set the following labels: ${changed.sort().join(', ')}`);
}

function changedLabels(object: KubeObject, old: KubeObject | undefined): string[] {
  const [now, before] = [object.metadata?.labels ?? {}, old?.metadata?.labels ?? {}];
  return [...new Set([...Object.keys(now), ...Object.keys(before)])].filter((key) => now[key] !== before[key]);
}

function isProtectedLabel(key: string): boolean {
  const domain = key.includes('/') ? (key.split('/')[0] ?? '') : '';
  const within = (parent: string): boolean => domain === parent || domain.endsWith(`.${parent}`);
  if (within('node-restriction.kubernetes.io')) return true;
  if (!within('kubernetes.io') && !within('k8s.io')) return false;
  return !ownLabels.has(key) && !ownLabelDomains.some(within);
}

function nameOf({ name, object }: AdmissionRequest): string {
  return name === '' ? (object?.metadata?.name ?? '') : name;
}

function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
}
