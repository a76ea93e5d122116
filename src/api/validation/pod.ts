// Pods: what may be created, and the few fields that may change afterwards.
// Source: kubernetes pkg/apis/core/validation (ValidatePodCreate, ValidatePodUpdate).

import { type FieldError, forbidden } from '../field-error.ts';
import type { Container, Pod, PodSpec, Toleration } from '../types.ts';
import { validatePodSpec } from './pod-spec.ts';
import { sameJson } from './rules.ts';

export function validatePod({ spec, metadata }: Pod): readonly FieldError[] {
  const errors = validatePodSpec('spec', spec);
  // Ephemeral containers come through their own subresource, to a pod that exists.
  const fresh = metadata?.resourceVersion === undefined || metadata.resourceVersion === '';
  if (fresh && (spec?.ephemeralContainers ?? []).length > 0) {
    errors.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'));
  }
  return errors;
}

export function validatePodUpdate({ spec }: Pod, { spec: old }: Pod): readonly FieldError[] {
  if (spec === undefined || old === undefined) return [];
  if (spec.containers.length !== old.containers.length) {
    return [forbidden('spec.containers', 'pod updates may not add or remove containers')];
  }
  if ((spec.initContainers ?? []).length !== (old.initContainers ?? []).length) {
    return [forbidden('spec.initContainers', 'pod updates may not add or remove containers')];
  }
  const errors: FieldError[] = [];
  const debug = spec.ephemeralContainers ?? [];
  for (const one of old.ephemeralContainers ?? []) {
    if (debug.some((other) => sameJson(other, one))) continue;
    const why = `existing ephemeral containers "${one.name}" may not be removed or changed`;
    errors.push(forbidden('spec.ephemeralContainers', why));
  }
  const kept = (old.tolerations ?? []).every((toleration) =>
    (spec.tolerations ?? []).some((one) => sameToleration(one, toleration)),
  );
  if (!kept) {
    errors.push(forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'));
  }
  const deadline = spec.activeDeadlineSeconds;
  const before = old.activeDeadlineSeconds;
  if (before !== undefined && (deadline === undefined || deadline > before)) {
    errors.push(forbidden('spec.activeDeadlineSeconds', 'must be less than or equal to previous value'));
  }
  if (!sameJson(fixed(spec), fixed(old))) {
    errors.push(
      forbidden(
        'spec',
        'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
      ),
    );
  }
  return errors;
}

/**
 * A pod's spec without what an update may change. Ephemeral containers have a subresource of their own for it, which
 * only adds to them.
 */
function fixed(spec: PodSpec): unknown {
  const { activeDeadlineSeconds: _deadline, tolerations: _tolerations, containers, initContainers, ...others } = spec;
  const { ephemeralContainers: _debug, ...rest } = others;
  return {
    ...rest,
    containers: containers.map(withoutImage),
    initContainers: (initContainers ?? []).map(withoutImage),
  };
}

function withoutImage({ image: _image, ...rest }: Container): unknown {
  return rest;
}

function sameToleration(a: Toleration, b: Toleration): boolean {
  return a.key === b.key && a.operator === b.operator && a.value === b.value && a.effect === b.effect;
}
