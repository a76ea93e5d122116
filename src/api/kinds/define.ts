// Shared words of the kinds tables: groups, verb lists and the subresources that many kinds have.

import type { KindOf, ScalePaths, SubresourceSpec, Verb } from '../kind.ts';
import type { KubeObject } from '../types.ts';

/** Names the TypeScript type of an entry; checks the entry at the same time. */
export function define<T extends KubeObject>(spec: KindOf<T>): KindOf<T> {
  return spec;
}

/** A kind that exists only as a request body and its answer. `plural` '' for bodies that have no collection. */
export function defineReview<T extends KubeObject>(spec: KindOf<T>): KindOf<T> {
  return { ...spec, verbs: ['create'], virtual: true, nameRule: 'any' };
}

const readWrite: readonly Verb[] = ['get', 'patch', 'update'];

export const status: SubresourceSpec = { name: 'status', verbs: readWrite };
export const scale: SubresourceSpec = {
  name: 'scale',
  verbs: readWrite,
  kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
};

export const replicasScale: ScalePaths = {
  specReplicas: 'spec.replicas',
  statusReplicas: 'status.replicas',
  selector: 'spec.selector',
};

/** A subresource in which the parent itself is changed: approval, ephemeralcontainers, resize. */
export function part(name: string, verbs: readonly Verb[] = readWrite): SubresourceSpec {
  return { name, verbs };
}

/** A stream; `kind` is the options kind that discovery names, in the core group. */
export function stream(name: string, kind: string, verbs: readonly Verb[] = ['create', 'get']): SubresourceSpec {
  return { name, verbs, kind: { group: '', version: 'v1', kind }, connect: true };
}

export const proxyVerbs: readonly Verb[] = ['create', 'delete', 'get', 'patch', 'update'];
