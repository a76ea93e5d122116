// PodDisruptionBudgets. Source: kubernetes pkg/apis/policy/validation.

import { type FieldError, invalid } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { PodDisruptionBudget } from '../types.ts';
import { amount, oneOf, validLabelSelector } from './rules.ts';

const evictions = valuesOf('io.k8s.api.policy.v1.PodDisruptionBudgetSpec', 'unhealthyPodEvictionPolicy');

export function validatePodDisruptionBudget({ spec }: PodDisruptionBudget): readonly FieldError[] {
  if (spec === undefined) return [];
  const errors: FieldError[] = [];
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
    errors.push(invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set'));
  }
  for (const key of ['minAvailable', 'maxUnavailable'] as const) {
    const value = spec[key];
    errors.push(...amount(`spec.${key}`, value));
    if (typeof value === 'string' && Number.parseInt(value, 10) > 100) {
      errors.push(invalid(`spec.${key}`, value, 'must not be greater than 100%'));
    }
  }
  errors.push(...validLabelSelector('spec.selector', spec.selector));
  return [...errors, ...oneOf('spec.unhealthyPodEvictionPolicy', spec.unhealthyPodEvictionPolicy, evictions())];
}
