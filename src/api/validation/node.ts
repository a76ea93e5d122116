// Nodes, Leases and Events. Source: kubernetes pkg/apis/{core,coordination}/validation.

import { duplicate, type FieldError, forbidden, invalid } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { CoreEvent, Lease, Node } from '../types.ts';
import { whyNotLabelValue, whyNotQualifiedName } from './names.ts';
import { invalidFor, nonNegative, requireOneOf, sameJson } from './rules.ts';

const taintEffects = valuesOf('io.k8s.api.core.v1.Taint', 'effect');

export function validateNode({ spec }: Node): readonly FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, { key, value = '', effect }] of (spec?.taints ?? []).entries()) {
    const field = `spec.taints[${index}]`;
    errors.push(...invalidFor(`${field}.key`, key, whyNotQualifiedName(key)));
    errors.push(...invalidFor(`${field}.value`, value, whyNotLabelValue(value)));
    errors.push(...requireOneOf(`${field}.effect`, effect, taintEffects()));
    if (seen.has(`${key}:${effect}`)) errors.push(duplicate(field, { key, value, effect }));
    seen.add(`${key}:${effect}`);
  }
  return errors;
}

export function validateNodeUpdate({ spec }: Node, { spec: old }: Node): readonly FieldError[] {
  const errors: FieldError[] = [];
  if ((old?.podCIDRs ?? []).length > 0 && !sameJson(spec?.podCIDRs, old?.podCIDRs)) {
    errors.push(forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'));
  }
  if (old?.providerID && spec?.providerID !== old.providerID) {
    errors.push(forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'));
  }
  return errors;
}

export function validateLease({ spec }: Lease): readonly FieldError[] {
  const seconds = spec?.leaseDurationSeconds;
  return [
    ...(seconds !== undefined && seconds <= 0
      ? [invalid('spec.leaseDurationSeconds', seconds, 'must be greater than 0')]
      : []),
    ...nonNegative('spec.leaseTransitions', spec?.leaseTransitions),
  ];
}

export function validateLeaseUpdate({ spec }: Lease, { spec: old }: Lease): readonly FieldError[] {
  const before = old?.leaseTransitions ?? 0;
  const now = spec?.leaseTransitions ?? 0;
  return now < before ? [invalid('spec.leaseTransitions', now, 'must not be less than the previous value')] : [];
}

/** An event lives beside what it is about; what is about the cluster lives in `default` (or kube-system). */
export function validateEvent({ metadata, involvedObject }: CoreEvent): readonly FieldError[] {
  const about = involvedObject?.namespace ?? '';
  const own = metadata?.namespace ?? '';
  if (about === own || (about === '' && (own === 'default' || own === 'kube-system'))) return [];
  return [invalid('involvedObject.namespace', about, 'does not match event.namespace')];
}
