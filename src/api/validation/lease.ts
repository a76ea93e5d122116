// Leases. Node agents and leaders renew theirs all the time: nothing here looks at more than numbers.
// Source: kubernetes pkg/apis/coordination/validation.

import { type FieldError, forbidden, invalid } from '../field-error.ts';
import type { Lease } from '../types.ts';
import { whyNotQualifiedName } from './names.ts';
import { invalidFor, nonNegative, strictlyOneOf } from './rules.ts';

const strategies = ['OldestEmulationVersion'];

export function validateLease({ spec }: Lease): readonly FieldError[] {
  const { leaseDurationSeconds: seconds, leaseTransitions, strategy, preferredHolder } = spec ?? {};
  const errors = nonNegative('spec.leaseTransitions', leaseTransitions);
  if (seconds !== undefined && seconds <= 0) {
    errors.unshift(invalid('spec.leaseDurationSeconds', seconds, 'must be greater than 0'));
  }
  // The field is named twice upstream; a name with a slash is somebody else's strategy.
  const field = 'spec.strategy.strategy';
  if (strategy?.includes('/')) errors.push(...invalidFor(field, strategy, whyNotQualifiedName(strategy)));
  else errors.push(...strictlyOneOf(field, strategy, strategies));
  if (preferredHolder && !strategy) {
    errors.push(forbidden('spec.preferredHolder', 'may only be specified if `strategy` is defined'));
  }
  return errors;
}
