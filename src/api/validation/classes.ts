// Classes that other objects name: what a change would silently alter under those who use them stays as it is.
// Source: kubernetes pkg/apis/{scheduling,storage,networking,node}/validation.

import { type FieldError, forbidden } from '../field-error.ts';
import type { IngressClass, PriorityClass, RuntimeClass, StorageClass } from '../types.ts';
import { whyNotDnsLabel } from './names.ts';
import { immutable, invalidFor, requireText, sameJson } from './rules.ts';

/** Source: HighestUserDefinablePriority. */
const highestPriority = 1_000_000_000;
const systemPrefix = 'system-';

export function validatePriorityClass({ metadata, value = 0 }: PriorityClass): readonly FieldError[] {
  const name = metadata?.name ?? '';
  if (name.startsWith(systemPrefix)) return [];
  return value > highestPriority
    ? [forbidden('value', `maximum allowed value of a user defined priority is ${highestPriority}`)]
    : [];
}

export function validatePriorityClassUpdate(changed: PriorityClass, old: PriorityClass): readonly FieldError[] {
  const errors = immutable('preemptionPolicy', changed.preemptionPolicy, old.preemptionPolicy);
  if ((changed.value ?? 0) !== (old.value ?? 0)) errors.unshift(forbidden('value', 'may not be changed in an update.'));
  return errors;
}

export function validateStorageClass({ provisioner }: StorageClass): readonly FieldError[] {
  return requireText('provisioner', provisioner);
}

export function validateStorageClassUpdate(changed: StorageClass, old: StorageClass): readonly FieldError[] {
  const fixed = (['parameters', 'provisioner', 'reclaimPolicy'] as const).filter(
    (field) => !sameJson(changed[field], old[field]),
  );
  return [
    ...fixed.map((field) => forbidden(field, `updates to ${field} are forbidden.`)),
    ...immutable('volumeBindingMode', changed.volumeBindingMode, old.volumeBindingMode),
  ];
}

export function validateIngressClassUpdate({ spec }: IngressClass, { spec: old }: IngressClass): readonly FieldError[] {
  return immutable('spec.controller', spec?.controller, old?.controller);
}

export function validateRuntimeClass({ handler }: RuntimeClass): readonly FieldError[] {
  return handler ? invalidFor('handler', handler, whyNotDnsLabel(handler)) : requireText('handler', handler);
}

export function validateRuntimeClassUpdate(changed: RuntimeClass, old: RuntimeClass): readonly FieldError[] {
  return immutable('handler', changed.handler, old.handler);
}
