// Certificate signing requests: what was asked never changes (who asked is set by admission), and conditions say since when.
// Which conditions may come and go with a part is validation's question.
// Source: pkg/registry/certificates/certificates/strategy.go.

import type { KubeObject } from '../../../api/index.ts';
import type { Strategy } from '../strategy.ts';
import { bodyOf, section, withField } from './fields.ts';

export const certificateSigningRequests: Strategy = {
  update: (object, old) => withField(object, 'spec', bodyOf(old)['spec']),
  status(object, old, { now }) {
    const conditions = conditionsOf(object);
    if (conditions.length === 0) return object;
    const before = conditionsOf(old);
    const timed = conditions.map((one) => {
      const same = before.find(({ type, status }) => type === one.type && status === one.status);
      return {
        ...one,
        lastUpdateTime: one.lastUpdateTime ?? now,
        lastTransitionTime: one.lastTransitionTime ?? same?.lastTransitionTime ?? now,
      };
    });
    return withField(object, 'status', { ...section(object, 'status'), conditions: timed });
  },
};

interface Condition {
  readonly type?: string;
  readonly status?: string;
  readonly lastUpdateTime?: string;
  readonly lastTransitionTime?: string;
}

function conditionsOf(object: KubeObject): readonly Condition[] {
  const value = section(object, 'status')['conditions'];
  return Array.isArray(value) ? (value as Condition[]) : [];
}
