import t from 'tap';
import { restartsAfter } from '../../src/agent/pods/restart.ts';
import { container } from './builders.ts';

type Rules = Parameters<typeof container>[1];

t.test('whether a container starts again', async (t) => {
  const rule = (operator: string, ...values: number[]) => ({ action: 'Restart', exitCodes: { operator, values } });
  const cases: readonly (readonly [what: string, pod: string, own: Rules, code: number, want: boolean])[] = [
    ['always', 'Always', {}, 0, true],
    ['failed', 'OnFailure', {}, 1, true],
    ['done', 'OnFailure', {}, 0, false],
    ['never', 'Never', {}, 1, false],
    ['its own policy goes before the pod’s', 'Never', { restartPolicy: 'OnFailure' }, 1, true],
    ['in both directions', 'Always', { restartPolicy: 'Never' }, 1, false],
    ['a rule goes before both', 'Never', { restartPolicy: 'Never', restartPolicyRules: [rule('In', 7, 42)] }, 42, true],
    ['that fits', 'Never', { restartPolicy: 'Never', restartPolicyRules: [rule('In', 7, 42)] }, 1, false],
    ['all but some codes', 'Always', { restartPolicy: 'Never', restartPolicyRules: [rule('NotIn', 3)] }, 4, true],
    ['and none of them', 'Always', { restartPolicy: 'Never', restartPolicyRules: [rule('NotIn', 3)] }, 3, false],
  ];
  for (const [what, policy, own, code, want] of cases) {
    t.equal(restartsAfter(container('main', own), policy, code), want, what);
  }
});
