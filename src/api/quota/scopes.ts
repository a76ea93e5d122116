// Which objects a ResourceQuota with scopes is about. Every scope of `scopes` and every expression of `scopeSelector` must
// hold; a quota without either is about everything. Scopes speak of pods (VolumeAttributesClass of claims), so an object of
// another kind never matches a quota that has one. Source: "Quota scopes" in the Kubernetes documentation.

import { parseQuantity } from '../quantity.ts';
import type { KubeObject, PersistentVolumeClaim, Pod, ResourceQuota } from '../types.ts';

type Expression = NonNullable<
  NonNullable<NonNullable<ResourceQuota['spec']>['scopeSelector']>['matchExpressions']
>[number];

/** @param object carries its `kind` */
export function matchesScopes(quota: ResourceQuota, object: KubeObject): boolean {
  return scopesOf(quota).every((scope) => holds(scope, object));
}

/** Both forms of scopes as expressions. */
function scopesOf({ spec }: ResourceQuota): readonly Expression[] {
  const named = (spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' }));
  return [...named, ...(spec?.scopeSelector?.matchExpressions ?? [])];
}

function holds(scope: Expression, object: KubeObject): boolean {
  if (object.kind === 'PersistentVolumeClaim') {
    return scope.scopeName === 'VolumeAttributesClass' && matchesAny(scope, classesOf(object));
  }
  if (object.kind !== 'Pod') return false;
  const pod: Pod = object;
  switch (scope.scopeName) {
    case 'Terminating':
      return isTerminating(pod);
    case 'NotTerminating':
      return !isTerminating(pod);
    case 'BestEffort':
      return isBestEffort(pod);
    case 'NotBestEffort':
      return !isBestEffort(pod);
    case 'PriorityClass':
      return matches(scope, pod.spec?.priorityClassName ?? '');
    case 'CrossNamespacePodAffinity':
      return looksAcrossNamespaces(pod);
    default:
      return false;
  }
}

/** '' is no value at all. */
function matches({ operator, values = [] }: Expression, value: string): boolean {
  switch (operator) {
    case 'Exists':
      return value !== '';
    case 'DoesNotExist':
      return value === '';
    case 'In':
      return value !== '' && values.includes(value);
    case 'NotIn':
      return value === '' || !values.includes(value);
    default:
      return false;
  }
}

function matchesAny(scope: Expression, values: readonly string[]): boolean {
  return values.length === 0 ? matches(scope, '') : values.some((value) => matches(scope, value));
}

/** The class that is asked for, that is in force, and that is being changed to. */
function classesOf({ spec, status }: PersistentVolumeClaim): readonly string[] {
  const { targetVolumeAttributesClassName } = status?.modifyVolumeStatus ?? {};
  const all = [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    targetVolumeAttributesClassName,
  ];
  return all.filter((name) => name !== undefined).filter((name) => name !== '');
}

function isTerminating({ spec }: Pod): boolean {
  return (spec?.activeDeadlineSeconds ?? -1) >= 0;
}

/** No container, nor the pod itself, asks for CPU or memory or limits it. */
function isBestEffort({ spec }: Pod): boolean {
  const { containers = [], initContainers = [], resources } = spec ?? {};
  const all = [resources, ...[...containers, ...initContainers].map((container) => container.resources)];
  return all.every((one) => !asksFor(one?.requests) && !asksFor(one?.limits));
}

function asksFor(named: Readonly<Record<string, string>> | undefined): boolean {
  const asked = [named?.['cpu'], named?.['memory']].filter((text) => text !== undefined);
  return asked.some((text) => parseQuantity(text).mantissa > 0);
}

function looksAcrossNamespaces({ spec }: Pod): boolean {
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {};
  const terms = [podAffinity, podAntiAffinity].flatMap((affinity) => [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
  ]);
  return terms.some(
    ({ namespaces = [], namespaceSelector }) => namespaces.length > 0 || namespaceSelector !== undefined,
  );
}
