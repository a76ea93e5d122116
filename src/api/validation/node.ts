// Nodes. Source: kubernetes pkg/apis/core/validation (ValidateNode, ValidateNodeUpdate).

import { duplicate, type FieldError, forbidden, invalid } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { Node } from '../types.ts';
import { ipVersion } from './addresses.ts';
import { whyNotLabelValue, whyNotQualifiedName } from './names.ts';
import { validResourceAmount } from './resource-names.ts';
import { each, invalidFor, noDuplicates, requireOneOf, sameJson, validCidr } from './rules.ts';

type Spec = NonNullable<Node['spec']>;

const taintEffects = valuesOf('io.k8s.api.core.v1.Taint', 'effect');

export function validateNode({ spec, status }: Node): readonly FieldError[] {
  return [
    ...validateTaints(spec?.taints),
    ...validateAmounts('status.capacity', status?.capacity),
    ...validateAmounts('status.allocatable', status?.allocatable),
    ...validatePodCidrs(spec?.podCIDRs),
  ];
}

/** The path is upstream's: it looks for taints where they once were, in an annotation. */
function validateTaints(taints: Spec['taints']): FieldError[] {
  const seen = new Set<string>();
  return each('metadata.taints', taints, (taint, field) => {
    const { key = '', value = '', effect } = taint as Partial<typeof taint>;
    const errors = invalidFor(`${field}.key`, key, whyNotQualifiedName(key));
    const wrong = whyNotLabelValue(value);
    if (wrong.length > 0) errors.push(invalid(`${field}.value`, value, wrong.join(';')));
    errors.push(...requireOneOf(`${field}.effect`, effect, taintEffects()));
    const pair = `${key}:${effect}`;
    if (seen.has(pair)) {
      const { message, ...rest } = duplicate(field, taint);
      errors.push({ ...rest, message: `${message}: taints must be unique by key and effect pair` });
    }
    seen.add(pair);
    return errors;
  });
}

/** Pods and extended resources are counted, the others measured. */
function validateAmounts(field: string, amounts: Readonly<Record<string, string>> = {}): FieldError[] {
  const errors: FieldError[] = [];
  for (const name in amounts) errors.push(...validResourceAmount(`${field}.${name}`, name, amounts[name] ?? '0'));
  return errors;
}

function validatePodCidrs(cidrs: readonly string[] = []): FieldError[] {
  const field = 'spec.podCIDRs';
  const errors = each(field, cidrs, (cidr, at) => validCidr(at, cidr));
  if (cidrs.length < 2) return errors;
  const versions = cidrs.map((cidr) => ipVersion(cidr.split('/')[0] ?? ''));
  if (cidrs.length > 2 || versions[0] === versions[1]) {
    errors.push(invalid(field, cidrs, 'may specify no more than one CIDR for each IP family'));
  }
  return [...errors, ...noDuplicates(cidrs.map((cidr, at) => [`${field}[${at}]`, cidr]))];
}

export function validateNodeUpdate({ spec, status }: Node, { spec: old }: Node): readonly FieldError[] {
  const seen = new Set<string>();
  const errors = each('status.addresses', status?.addresses, (address, at) => {
    const key = `${address.type}:${address.address}`;
    const isTwice = seen.has(key);
    seen.add(key);
    return isTwice ? [duplicate(at, address)] : [];
  });
  if ((old?.podCIDRs ?? []).length > 0 && !sameJson(spec?.podCIDRs, old?.podCIDRs)) {
    errors.push(forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'));
  }
  if (old?.providerID && spec?.providerID !== old.providerID) {
    errors.push(forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'));
  }
  return errors;
}
