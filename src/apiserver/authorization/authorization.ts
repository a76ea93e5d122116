// May this user do this? system:masters first (nothing may lock an operator out), then the node rules, then RBAC; the first
// that allows wins, none denies. Everything is looked up in memory: a decision costs a few microseconds.

import type { PolicyRule } from '../../api/index.ts';
import type { AdmissionPlugin, Authorizer, Decision, ObjectReader, UserInfo } from '../contracts.ts';
import { createEscalationCheck } from './escalation.ts';
import { createNodeAuthorizer } from './node-authorizer.ts';
import { createRbacPolicy } from './rbac-policy.ts';
import { allows } from './rules.ts';

export interface Authorization {
  readonly authorize: Authorizer;
  /** All RBAC rules of a user in a namespace, for SelfSubjectRulesReview. */
  rulesFor(user: UserInfo, namespace: string): readonly PolicyRule[];
  /** Refuses writes of roles and bindings that would grant more than the writer holds. Belongs after all other plugins. */
  readonly escalationCheck: AdmissionPlugin;
}

const masters: Decision = { decision: 'allow', reason: '' };
const superuserRules: readonly PolicyRule[] = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { nonResourceURLs: ['*'], verbs: ['*'] },
];

/** The reader must be loaded before the first question is put. */
export function createAuthorization(reader: ObjectReader): Authorization {
  const policy = createRbacPolicy(reader);
  const authorizeNode = createNodeAuthorizer(reader);
  const authorize: Authorizer = (attributes) => {
    const { user } = attributes;
    if (user.groups.includes('system:masters')) return masters;
    const node = authorizeNode(attributes);
    if (node.decision === 'allow') return node;
    const allowed = policy.some(user, attributes.namespace, (rules) => rules.some((rule) => allows(rule, attributes)));
    return allowed ? { decision: 'allow', reason: '' } : node;
  };
  return {
    authorize,
    rulesFor: (user, namespace) =>
      user.groups.includes('system:masters')
        ? superuserRules
        : policy.rulesFor(user, namespace).map((rule) => rule.source),
    escalationCheck: createEscalationCheck(policy, authorize),
  };
}
