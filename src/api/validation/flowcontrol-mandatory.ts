// The flow control objects that no cluster can do without: what they say is fixed, so that whoever may write such objects
// cannot lock administrators out. The server makes them (apiserver/bootstrap); here is what a change of them is compared
// with, for the vocabulary knows no server. Source: k8s.io/apiserver pkg/apis/flowcontrol/bootstrap, kubernetes
// pkg/apis/flowcontrol/validation.

import type { FlowSchema, PriorityLevelConfiguration } from '../types.ts';
import { sameJson } from './rules.ts';

type Rules = NonNullable<NonNullable<FlowSchema['spec']>['rules']>[number];

const everything: Pick<Rules, 'resourceRules' | 'nonResourceRules'> = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
};

const schemas: Readonly<Record<string, FlowSchema['spec']>> = {
  exempt: {
    matchingPrecedence: 1,
    priorityLevelConfiguration: { name: 'exempt' },
    rules: [{ subjects: [{ kind: 'Group', group: { name: 'system:masters' } }], ...everything }],
  },
  'catch-all': {
    matchingPrecedence: 10_000,
    priorityLevelConfiguration: { name: 'catch-all' },
    distinguisherMethod: { type: 'ByUser' },
    rules: [
      {
        subjects: [
          { kind: 'Group', group: { name: 'system:unauthenticated' } },
          { kind: 'Group', group: { name: 'system:authenticated' } },
        ],
        ...everything,
      },
    ],
  },
};

/** How much of the exempt level is lent to others is for the user to say: it is not compared. */
const levels: Readonly<Record<string, PriorityLevelConfiguration['spec']>> = {
  exempt: { type: 'Exempt' },
  'catch-all': {
    type: 'Limited',
    limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: 'Reject' } },
  },
};

/** Whether an object of this name may have this spec: any, unless its name is a mandatory one's. */
export function isAllowedSpec(kind: 'FlowSchema' | 'PriorityLevelConfiguration', name = '', spec: unknown): boolean {
  const fixed = (kind === 'FlowSchema' ? schemas : levels)[name];
  return fixed === undefined || sameJson(fixed, spec);
}
