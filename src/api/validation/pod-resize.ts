// What may change of a pod through its `resize` subresource: cpu and memory of its containers and sidecars, within the
// pod's quality-of-service class. What else a request changes never gets here, but for containers that are other ones.
// Source: kubernetes pkg/apis/core/validation (ValidatePodResize); KEP-1287.

import { type FieldError, forbidden, invalid } from '../field-error.ts';
import { qosClassOf } from '../quota/qos.ts';
import type { Container, Pod } from '../types.ts';
import { sameJson } from './rules.ts';

type Resources = NonNullable<Container['resources']>;

const mirrorAnnotation = 'kubernetes.io/config.mirror';
const lists = ['containers', 'initContainers'] as const;
const sides = ['requests', 'limits'] as const;

export function validatePodResize(pod: Pod, old: Pod): readonly FieldError[] {
  const mirrored = old.metadata?.annotations?.[mirrorAnnotation] !== undefined;
  if (mirrored) return [forbidden('', 'static pods cannot be resized')];
  if (old.spec?.resources !== undefined) return [forbidden('', 'pods with pod-level resources cannot be resized')];
  if (old.spec?.os?.name === 'windows') return [forbidden('', 'windows pods cannot be resized')];
  const errors: FieldError[] = [];
  const qosClass = qosClassOf(pod);
  if (qosClass !== (old.status?.qosClass ?? qosClassOf(old))) {
    errors.push(invalid('spec', qosClass, 'Pod QOS Class may not change as a result of resizing'));
  }
  for (const list of lists) errors.push(...changesIn(`spec.${list}`, pod.spec?.[list] ?? [], old.spec?.[list] ?? []));
  return errors;
}

function changesIn(field: string, now: readonly Container[], before: readonly Container[]): FieldError[] {
  if (now.length !== before.length) return [forbidden(field, 'containers may not be added or removed on resize')];
  if (now.some(({ name }, at) => name !== before[at]?.name)) {
    return [forbidden(field, 'containers may not be renamed or reordered on resize')];
  }
  return now.flatMap(({ resources = {} }, at) => {
    const old = before[at];
    if (old === undefined || sameJson(resources, old.resources ?? {})) return [];
    if (field === 'spec.initContainers' && old.restartPolicy !== 'Always') {
      return [forbidden('spec', 'resources for non-sidecar init containers are immutable')];
    }
    return changesOf(`${field}[${at}].resources`, resources, old.resources ?? {});
  });
}

function changesOf(field: string, now: Resources, before: Resources): FieldError[] {
  const removed = sides
    .filter((side) => Object.keys(before[side] ?? {}).some((name) => now[side]?.[name] === undefined))
    .map((side) => forbidden(`${field}.${side}`, `resource ${side} cannot be removed`));
  if (removed.length > 0) return removed;
  return sameJson(fixed(now), fixed(before)) ? [] : [forbidden('spec', 'only cpu and memory resources are mutable')];
}

/** Resources without what a resize may change. */
function fixed(resources: Resources): unknown {
  const without = (side: (typeof sides)[number]): unknown => {
    const { cpu: _cpu, memory: _memory, ...others } = resources[side] ?? {};
    return others;
  };
  return { claims: resources.claims ?? [], requests: without('requests'), limits: without('limits') };
}
