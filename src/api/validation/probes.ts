// How a container is asked whether it runs, is ready, has started. Source: kubernetes pkg/apis/core/validation
// (validateProbe, validateLivenessProbe, validateReadinessProbe, validateStartupProbe).

import { type FieldError, invalid } from '../field-error.ts';
import type { Probe } from '../types.ts';
import { validateHandler } from './handlers.ts';
import { nonNegative } from './rules.ts';

const counts = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const;

export function validateProbe(
  field: string,
  probe: Probe,
  name: 'livenessProbe' | 'readinessProbe' | 'startupProbe',
): FieldError[] {
  const errors = validateHandler(field, probe, undefined);
  for (const key of counts) errors.push(...nonNegative(`${field}.${key}`, probe[key]));
  const { terminationGracePeriodSeconds: grace, successThreshold = 0 } = probe;
  const at = `${field}.terminationGracePeriodSeconds`;
  if (grace !== undefined && grace <= 0) errors.push(invalid(at, grace, 'must be greater than 0'));
  if (name === 'readinessProbe') {
    if (grace !== undefined) errors.push(invalid(at, grace, 'must not be set for readinessProbes'));
  } else if (successThreshold !== 1) {
    errors.push(invalid(`${field}.successThreshold`, successThreshold, 'must be 1'));
  }
  return errors;
}
