// Classes that other objects name: what a change would silently alter under those who use them stays as it is.
// Source: kubernetes pkg/apis/{scheduling,storage,networking,node}/validation.

import { type FieldError, forbidden, invalid } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { IngressClass, PriorityClass, RuntimeClass, StorageClass } from '../types.ts';
import { whyNotDnsLabel, whyNotQualifiedName } from './names.ts';
import { immutable, invalidFor, oneOf, requireOneOf, requireText, sameJson, validLabels } from './rules.ts';

const preemptionPolicies = valuesOf('io.k8s.api.scheduling.v1.PriorityClass', 'preemptionPolicy');
const reclaimPolicies = valuesOf('io.k8s.api.storage.v1.StorageClass', 'reclaimPolicy');
const bindingModes = valuesOf('io.k8s.api.storage.v1.StorageClass', 'volumeBindingMode');

/** Source: HighestUserDefinablePriority. */
const highestPriority = 1_000_000_000;
/** The cluster's own classes and their values. */
const systemClasses: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};

export function validatePriorityClass(one: PriorityClass): readonly FieldError[] {
  const { metadata, value = 0, globalDefault, preemptionPolicy } = one;
  const name = metadata?.name ?? '';
  const errors: FieldError[] = [];
  if (name.startsWith('system-')) {
    if (systemClasses[name] !== value || globalDefault === true) {
      const why = "priority class names with 'system-' prefix are reserved for system use only";
      errors.push(forbidden('metadata.name', why));
    }
  } else if (value > highestPriority) {
    errors.push(forbidden('value', `maximum allowed value of a user defined priority is ${highestPriority}`));
  }
  return [...errors, ...oneOf('preemptionPolicy', preemptionPolicy, preemptionPolicies())];
}

export function validatePriorityClassUpdate(changed: PriorityClass, old: PriorityClass): readonly FieldError[] {
  const errors = immutable('preemptionPolicy', changed.preemptionPolicy, old.preemptionPolicy);
  if ((changed.value ?? 0) !== (old.value ?? 0)) errors.unshift(forbidden('value', 'may not be changed in an update.'));
  return errors;
}

export function validateStorageClass(one: StorageClass): readonly FieldError[] {
  const { provisioner, parameters = {} } = one;
  const errors = requireText('provisioner', provisioner);
  if (provisioner)
    errors.push(...invalidFor('provisioner', provisioner, whyNotQualifiedName(provisioner.toLowerCase())));
  for (const key of Object.keys(parameters))
    if (key === '') errors.push(invalid('parameters', key, 'field can not be empty.'));
  return [
    ...errors,
    ...oneOf('reclaimPolicy', one.reclaimPolicy, reclaimPolicies()),
    ...requireOneOf('volumeBindingMode', one.volumeBindingMode, bindingModes()),
  ];
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

export function validateRuntimeClass({ handler, scheduling }: RuntimeClass): readonly FieldError[] {
  return [
    ...(handler ? invalidFor('handler', handler, whyNotDnsLabel(handler)) : requireText('handler', handler)),
    ...validLabels('scheduling.nodeSelector', scheduling?.nodeSelector),
  ];
}

export function validateRuntimeClassUpdate(changed: RuntimeClass, old: RuntimeClass): readonly FieldError[] {
  return immutable('handler', changed.handler, old.handler);
}
