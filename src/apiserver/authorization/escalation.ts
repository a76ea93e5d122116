// Nobody may grant what they do not hold: writing a role or a binding needs the granted rules, or the verb `escalate` on
// the role (`bind` on the referenced role). Source: Kubernetes documentation, "Privilege escalation prevention and
// bootstrapping". It is an admission plugin because it needs both the new object and the requester.

import type { ClusterRole, KubeObject, PolicyRule, RoleBinding } from '../../api/index.ts';
import {
  type AdmissionPlugin,
  type AdmissionRequest,
  ApiError,
  type Authorizer,
  type RequestAttributes,
} from '../contracts.ts';
import type { RbacPolicy } from './rbac-policy.ts';
import { notCovered } from './rules.ts';

const rbacGroup = 'rbac.authorization.k8s.io';

export function createEscalationCheck(policy: RbacPolicy, authorize: Authorizer): AdmissionPlugin {
  const may = (request: AdmissionRequest, verb: 'escalate' | 'bind', resource: string, name: string): boolean => {
    const attributes: RequestAttributes = {
      user: request.user,
      verb,
      isResourceRequest: true,
      apiGroup: rbacGroup,
      apiVersion: 'v1',
      resource,
      subresource: '',
      namespace: request.namespace ?? '',
      name,
      path: '',
    };
    return authorize(attributes).decision === 'allow';
  };
  const requireHeld = (request: AdmissionRequest, rules: readonly PolicyRule[]): void => {
    const missing = notCovered(policy.rulesFor(request.user, request.namespace ?? ''), rules);
    if (missing.length === 0) return;
    const groups = request.user.groups.map((group) => JSON.stringify(group)).join(' ');
    throw refused(
      request,
      `user ${JSON.stringify(request.user.name)} (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${missing.map(show).join('\n')}`,
    );
  };
  const checkRole = (request: AdmissionRequest): void => {
    const [role, old] = [request.object as ClusterRole, request.oldObject as ClusterRole | undefined];
    if (sameJson(role.rules, old?.rules) && sameJson(role.aggregationRule, old?.aggregationRule)) return;
    if (may(request, 'escalate', request.kind.plural, request.name)) return;
    if (!sameJson(role.aggregationRule, old?.aggregationRule)) requireHeld(request, everything);
    requireHeld(request, role.rules ?? []);
  };
  const checkBinding = (request: AdmissionRequest): void => {
    const [binding, old] = [request.object as RoleBinding, request.oldObject as RoleBinding | undefined];
    if (sameJson(binding.roleRef, old?.roleRef) && sameJson(binding.subjects, old?.subjects)) return;
    const { kind, name } = binding.roleRef;
    if (may(request, 'bind', kind === 'Role' ? 'roles' : 'clusterroles', name)) return;
    const rules = policy.rulesOfRole(request.namespace ?? '', binding.roleRef);
    if (rules === undefined) {
      throw new ApiError('NotFound', `${kind === 'Role' ? 'roles' : 'clusterroles'}.${rbacGroup} "${name}" not found`);
    }
    requireHeld(request, rules);
  };
  return {
    name: 'RBACEscalation',
    validate(request) {
      const { kind, operation, object } = request;
      if (kind.group !== rbacGroup || object === undefined || operation === 'DELETE') return;
      if (request.user.groups.includes('system:masters')) return;
      if (kind.plural === 'roles' || kind.plural === 'clusterroles') checkRole(request);
      else checkBinding(request);
    },
  };
}

const everything: readonly PolicyRule[] = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { nonResourceURLs: ['*'], verbs: ['*'] },
];

function refused({ kind, name, object }: AdmissionRequest, why: string): ApiError {
  const shown = name === '' ? ((object as KubeObject).metadata?.name ?? '') : name;
  return new ApiError('Forbidden', `${kind.plural}.${rbacGroup} "${shown}" is forbidden: ${why}`, {
    details: { name: shown, group: rbacGroup, kind: kind.plural },
  });
}

/** A rule as upstream prints it: {APIGroups:[""], Resources:["pods"], Verbs:["get"]}. */
function show(rule: PolicyRule): string {
  const fields: readonly (readonly [string, readonly string[] | undefined])[] = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['ResourceNames', rule.resourceNames],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['Verbs', rule.verbs],
  ];
  const shown = fields.filter(([, values]) => values !== undefined && values.length > 0);
  return `{${shown.map(([label, values]) => `${label}:${JSON.stringify(values)}`).join(', ')}}`;
}

function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
}
