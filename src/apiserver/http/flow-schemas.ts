// Which priority level a request is of, and which flow within it: the FlowSchema of the least matchingPrecedence whose rules
// fit. Schemas whose subjects are not the user are left out once a user, so that a request tests two or three rules.
// Source: flowcontrol.apiserver.k8s.io/v1; k8s.io/apiserver pkg/util/flowcontrol/rule.go.

import type { FlowSchema } from '../../api/index.ts';
import type { RequestAttributes, UserInfo } from '../contracts.ts';

type Spec = NonNullable<FlowSchema['spec']>;
type Rules = NonNullable<Spec['rules']>[number];
type Subject = Rules['subjects'][number];
type ResourceRule = NonNullable<Rules['resourceRules']>[number];
type NonResourceRule = NonNullable<Rules['nonResourceRules']>[number];

export interface FlowOf {
  readonly level: string;
  /** Requests of one flow wait in one row. */
  readonly flow: string;
}

interface OfUser {
  readonly name: string;
  readonly level: string;
  readonly by: string | undefined;
  readonly rules: readonly Rules[];
}

const accountPrefix = 'system:serviceaccount:';

/** @param hasLevel schemas that point at no level are passed over, except that catch-all always has one. */
export function compileFlowSchemas(
  schemas: readonly FlowSchema[],
  hasLevel: (name: string) => boolean,
): (attributes: RequestAttributes) => FlowOf {
  const inOrder = schemas
    .filter(({ spec }) => hasLevel(spec?.priorityLevelConfiguration.name ?? ''))
    .toSorted((a, b) => precedenceOf(a) - precedenceOf(b) || (nameOf(a) < nameOf(b) ? -1 : 1));
  const byUser = new WeakMap<UserInfo, readonly OfUser[]>();

  const ofUser = (user: UserInfo): readonly OfUser[] => {
    const known = byUser.get(user);
    if (known !== undefined) return known;
    const fitting = inOrder.flatMap((schema): OfUser[] => {
      const rules = (schema.spec?.rules ?? []).filter(({ subjects }) => subjects.some((one) => isSubject(one, user)));
      const level = schema.spec?.priorityLevelConfiguration.name ?? '';
      const by = schema.spec?.distinguisherMethod?.type;
      return rules.length === 0 ? [] : [{ name: nameOf(schema), level, by, rules }];
    });
    byUser.set(user, fitting);
    return fitting;
  };

  return (attributes) => {
    for (const { name, level, by, rules } of ofUser(attributes.user)) {
      if (!rules.some((one) => fits(one, attributes))) continue;
      const distinguisher = by === 'ByUser' ? attributes.user.name : by === 'ByNamespace' ? attributes.namespace : '';
      return { level, flow: `${name}/${distinguisher}` };
    }
    return { level: 'catch-all', flow: `catch-all/${attributes.user.name}` };
  };
}

function precedenceOf({ spec }: FlowSchema): number {
  return spec?.matchingPrecedence ?? 1000;
}

function nameOf({ metadata }: FlowSchema): string {
  return metadata?.name ?? '';
}

function isSubject({ kind, user, group, serviceAccount }: Subject, { name, groups }: UserInfo): boolean {
  switch (kind) {
    case 'User':
      return user?.name === '*' || user?.name === name;
    case 'Group':
      return group !== undefined && (group.name === '*' || groups.includes(group.name));
    default: {
      if (serviceAccount === undefined || !name.startsWith(accountPrefix)) return false;
      const [namespace, account] = name.slice(accountPrefix.length).split(':');
      return namespace === serviceAccount.namespace && (serviceAccount.name === '*' || serviceAccount.name === account);
    }
  }
}

function fits({ resourceRules = [], nonResourceRules = [] }: Rules, attributes: RequestAttributes): boolean {
  return attributes.isResourceRequest
    ? resourceRules.some((rule) => fitsResource(rule, attributes))
    : nonResourceRules.some((rule) => fitsPath(rule, attributes));
}

function fitsResource(
  rule: ResourceRule,
  { verb, apiGroup, resource, subresource, namespace }: RequestAttributes,
): boolean {
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  return (
    has(rule.verbs, verb) &&
    has(rule.apiGroups, apiGroup) &&
    has(rule.resources, full) &&
    (namespace === '' ? rule.clusterScope === true : has(rule.namespaces ?? [], namespace))
  );
}

function fitsPath({ verbs, nonResourceURLs }: NonResourceRule, { verb, path }: RequestAttributes): boolean {
  return (
    has(verbs, verb) &&
    nonResourceURLs.some(
      (url) => url === '*' || url === path || (url.endsWith('/*') && path.startsWith(url.slice(0, -1))),
    )
  );
}

function has(list: readonly string[], wanted: string): boolean {
  return list.includes('*') || list.includes(wanted);
}
