// Roles and bindings. Source: kubernetes pkg/apis/rbac/validation.

import { type FieldError, invalid, notSupported, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { ClusterRole, ClusterRoleBinding, PolicyRule } from '../types.ts';
import { whyNotDnsSubdomain, whyNotPathSegment } from './names.ts';
import { each, invalidFor, requireText, sameJson, validLabelSelector } from './rules.ts';

const group = 'rbac.authorization.k8s.io';
const subjectKinds = valuesOf('io.k8s.api.rbac.v1.Subject', 'kind');

/** Roles and ClusterRoles; the aggregation rule is a ClusterRole's alone. */
export function validateRole({ kind, rules = [], aggregationRule }: ClusterRole): readonly FieldError[] {
  const errors = rules.flatMap((rule, index) => validateRule(rule, `rules[${index}]`, kind === 'Role'));
  if (aggregationRule === undefined) return errors;
  const selectors = aggregationRule.clusterRoleSelectors ?? [];
  if (selectors.length === 0) {
    errors.push(
      required(
        'aggregationRule.clusterRoleSelectors',
        'at least one clusterRoleSelector required if aggregationRule is non-nil',
      ),
    );
  }
  return [
    ...errors,
    ...each('aggregationRule.clusterRoleSelectors', selectors, (one, at) => {
      const wrong = validLabelSelector(at, one);
      return wrong.length === 0 ? wrong : [...wrong, invalid(at, null, 'invalid label selector.')];
    }),
  ];
}

function validateRule(rule: PolicyRule, field: string, namespaced: boolean): FieldError[] {
  const { verbs, apiGroups = [], resources = [], nonResourceURLs = [] } = rule;
  const errors: FieldError[] = [];
  if ((verbs ?? []).length === 0) errors.push(required(`${field}.verbs`, 'verbs must contain at least one value'));
  if (nonResourceURLs.length > 0) {
    if (namespaced) {
      errors.push(
        invalid(`${field}.nonResourceURLs`, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'),
      );
    }
    if (apiGroups.length > 0 || resources.length > 0 || (rule.resourceNames ?? []).length > 0) {
      errors.push(
        invalid(
          `${field}.nonResourceURLs`,
          nonResourceURLs,
          'rules cannot apply to both regular resources and non-resource URLs',
        ),
      );
    }
    return errors;
  }
  if (apiGroups.length === 0)
    errors.push(required(`${field}.apiGroups`, 'resource rules must supply at least one api group'));
  if (resources.length === 0)
    errors.push(required(`${field}.resources`, 'resource rules must supply at least one resource'));
  return errors;
}

export function validateRoleBinding({ kind, roleRef, subjects = [] }: ClusterRoleBinding): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (roleRef?.apiGroup !== group) errors.push(notSupported('roleRef.apiGroup', roleRef?.apiGroup ?? '', [group]));
  const kinds = kind === 'RoleBinding' ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  if (!kinds.includes(roleRef?.kind ?? '')) errors.push(notSupported('roleRef.kind', roleRef?.kind ?? '', kinds));
  errors.push(...requireText('roleRef.name', roleRef?.name));
  if (roleRef?.name) errors.push(...invalidFor('roleRef.name', roleRef.name, whyNotPathSegment(roleRef.name)));
  for (const [index, subject] of subjects.entries()) {
    const field = `subjects[${index}]`;
    errors.push(...requireText(`${field}.name`, subject.name));
    if (subject.kind === 'ServiceAccount') {
      if (subject.name) errors.push(...invalidFor(`${field}.name`, subject.name, whyNotDnsSubdomain(subject.name)));
      if (subject.apiGroup) errors.push(notSupported(`${field}.apiGroup`, subject.apiGroup, ['']));
      if (kind !== 'RoleBinding') errors.push(...requireText(`${field}.namespace`, subject.namespace));
    } else if (subject.kind === 'User' || subject.kind === 'Group') {
      if (subject.apiGroup !== group) errors.push(notSupported(`${field}.apiGroup`, subject.apiGroup ?? '', [group]));
    } else errors.push(notSupported(`${field}.kind`, subject.kind ?? '', subjectKinds()));
  }
  return errors;
}

export function validateRoleBindingUpdate(binding: ClusterRoleBinding, old: ClusterRoleBinding): readonly FieldError[] {
  return sameJson(binding.roleRef, old.roleRef) ? [] : [invalid('roleRef', binding.roleRef, 'cannot change roleRef')];
}
