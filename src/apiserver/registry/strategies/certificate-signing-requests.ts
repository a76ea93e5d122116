// Certificate signing requests: what was asked never changes. (Who asked is set by admission.) Source: pkg/registry/certificates/certificates/strategy.go.

import type { Strategy } from '../strategy.ts';
import { bodyOf, section, withField } from './fields.ts';

export const certificateSigningRequests: Strategy = {
  update: (object, old) => withField(object, 'spec', bodyOf(old)['spec']),
  // Conditions of approval belong to /approval, the certificate to /status; conditions other than those may go with it.
  status(object, old) {
    const approvals = conditionsOf(section(old, 'status')['conditions']).filter(isApproval);
    const others = conditionsOf(section(object, 'status')['conditions']).filter((one) => !isApproval(one));
    const conditions = [...approvals, ...others];
    return withField(object, 'status', {
      ...section(object, 'status'),
      ...(conditions.length === 0 ? {} : { conditions }),
    });
  },
};

interface Condition {
  readonly type?: string;
}

function conditionsOf(value: unknown): readonly Condition[] {
  return Array.isArray(value) ? (value as Condition[]) : [];
}

function isApproval({ type }: Condition): boolean {
  return type === 'Approved' || type === 'Denied';
}
