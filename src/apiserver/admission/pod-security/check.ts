// What the checks of the Pod Security Standards have in common: the shape of an answer and how containers are named in it.

import type { Container, ObjectMeta, PodSpec } from '../../../api/index.ts';

/** Why a pod is not allowed: the reason is stable, the detail names what to change. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

export type Check = (spec: PodSpec, metadata: ObjectMeta) => Violation | undefined;

export type SecurityContext = NonNullable<Container['securityContext']>;

/** Init, regular and ephemeral containers, in this order. */
export function containersOf(spec: PodSpec): readonly Container[] {
  return [
    ...(spec.initContainers ?? []),
    ...spec.containers,
    ...((spec.ephemeralContainers ?? []) as readonly unknown[] as readonly Container[]),
  ];
}

/** Names of the containers whose security context is judged bad. */
export function badContainers(spec: PodSpec, isBad: (context: SecurityContext) => boolean): readonly string[] {
  return containersOf(spec)
    .filter(({ securityContext }) => isBad(securityContext ?? {}))
    .map(({ name }) => name);
}

/** `container "a"`, `containers "a", "b"`. */
export function shown(what: string, names: readonly string[]): string {
  return `${names.length === 1 ? what : `${what}s`} ${quoted(names)}`;
}

/** `pod and container "a"`: who sets something at pod level and in containers. */
export function setters(pod: boolean, containers: readonly string[]): string {
  return [...(pod ? ['pod'] : []), ...(containers.length > 0 ? [shown('container', containers)] : [])].join(' and ');
}

export function quoted(names: Iterable<string>): string {
  return [...names].map((name) => JSON.stringify(name)).join(', ');
}

export function sorted(values: readonly string[]): readonly string[] {
  return [...new Set(values)].sort();
}

export function isWindows(spec: PodSpec): boolean {
  return spec.os?.name === 'windows';
}
