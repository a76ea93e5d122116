// When a single container starts again: its own policy, and rules by exit code that go before it.
// Source: kubernetes pkg/apis/core/validation (validateContainerRestartPolicy), KEP-5307.

import { type FieldError, notSupported, required, tooMany } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { Container } from '../types.ts';
import { each, strictlyOneOf } from './rules.ts';

const policies = valuesOf('io.k8s.api.core.v1.Container', 'restartPolicy');
/** The published schemas have no list for them. */
const actions = ['Restart'];
const operators = ['In', 'NotIn'];
const maxRules = 20;
const maxCodes = 255;

export function validateRestart(
  { restartPolicy, restartPolicyRules: rules = [] }: Container,
  at: string,
): FieldError[] {
  const [policy, field] = [`${at}.restartPolicy`, `${at}.restartPolicyRules`];
  const errors = strictlyOneOf(policy, restartPolicy, policies());
  if (rules.length === 0) return errors;
  if (restartPolicy === undefined) {
    errors.push(required(policy, 'must specify restartPolicy when restart rules are used'));
  }
  if (rules.length > maxRules) errors.push(tooMany(field, rules.length, maxRules));
  const wrong = each(field, rules, ({ action = '', exitCodes: codes }, nth) => {
    const found = actions.includes(action) ? [] : [notSupported(`${nth}.action`, action, actions)];
    if (codes === undefined) return [...found, required(`${nth}.exitCodes`, 'must be specified')];
    const { operator = '', values = [] } = codes;
    if (!operators.includes(operator)) found.push(notSupported(`${nth}.exitCodes.operator`, operator, operators));
    if (values.length > maxCodes) found.push(tooMany(`${nth}.exitCodes.values`, values.length, maxCodes));
    return found;
  });
  return [...errors, ...wrong];
}
