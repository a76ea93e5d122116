// Upstream's defaults of the small core kinds and of RBAC. Source: kubernetes pkg/apis/{core,rbac}/v1/defaults.go.

import type { ClusterRoleBinding, Draft, Namespace, Node, Secret } from '../types.ts';

/** Needs the final name: call it after generateName did its work. */
export function defaultNamespace(namespace: Draft<Namespace>): void {
  const { metadata } = namespace;
  if (!metadata?.name) return;
  metadata.labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name };
}

/** A node's first range is in two fields; where they differ, the older one counts. */
export function defaultNode({ spec, status }: Draft<Node>): void {
  const first = spec?.podCIDR || spec?.podCIDRs?.[0];
  if (spec !== undefined && first) {
    if (spec.podCIDRs?.[0] !== first) spec.podCIDRs = [first];
    spec.podCIDR = first;
  }
  if (status?.capacity !== undefined) status.allocatable ??= { ...status.capacity };
}

/** `stringData` is for writing only: it is stored, encoded, in `data`. */
export function defaultSecret(secret: Draft<Secret>): void {
  secret.type ||= 'Opaque';
  if (secret.stringData === undefined) return;
  const encoded = Object.entries(secret.stringData).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  secret.data = { ...secret.data, ...(Object.fromEntries(encoded) as Record<string, string>) };
  delete secret.stringData;
}

const rbac = 'rbac.authorization.k8s.io';

export function defaultRoleBinding(binding: Draft<ClusterRoleBinding>): void {
  binding.roleRef ??= { apiGroup: '', kind: '', name: '' };
  binding.roleRef.apiGroup ||= rbac;
  for (const subject of binding.subjects ?? []) {
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= rbac;
  }
}
