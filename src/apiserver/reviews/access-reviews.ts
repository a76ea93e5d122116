// "May this user do that?": SubjectAccessReview and its three relatives, all answered by the server's own authorizer.
// Source: Kubernetes API reference, authorization.k8s.io/v1.

import type {
  FieldError,
  LocalSubjectAccessReview,
  PolicyRule,
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
} from '../../api/index.ts';
import type { Authorization, SelectingAttributes } from '../authorization/index.ts';
import { ApiError, type UserInfo } from '../contracts.ts';
import { invalidReview } from './invalid.ts';
import type { Review } from './types.ts';

const at = { group: 'authorization.k8s.io', version: 'v1' } as const;

type Spec = SubjectAccessReview['spec'];
type Question = Pick<Spec, 'resourceAttributes' | 'nonResourceAttributes'>;

export function accessReviews({ authorize, rulesFor }: Authorization): readonly Review[] {
  const answer = (user: UserInfo, question: Question): { allowed: boolean; denied?: boolean; reason?: string } => {
    const { decision, reason } = authorize(attributesOf(user, question));
    return {
      allowed: decision === 'allow',
      ...(decision === 'deny' && { denied: true }),
      ...(reason !== '' && { reason }),
    };
  };
  const review = (kind: string, namespaced: boolean, create: Review['create']): Review => ({
    ...at,
    kind,
    resource: `${kind.toLowerCase()}s`,
    servedUnder: at,
    namespaced,
    create,
  });
  return [
    review('SubjectAccessReview', false, ({ body }): SubjectAccessReview => {
      const { spec, ...rest } = body as SubjectAccessReview;
      check('SubjectAccessReview', [...whyNoQuestion(spec), ...whyNoSubject(spec)]);
      return { ...rest, spec, status: answer(subjectOf(spec), spec) };
    }),
    review('LocalSubjectAccessReview', true, ({ body, namespace }): LocalSubjectAccessReview => {
      const { spec, ...rest } = body as LocalSubjectAccessReview;
      check('LocalSubjectAccessReview', [
        ...whyNoQuestion(spec),
        ...whyNoSubject(spec),
        ...whyNotLocal(spec, namespace),
      ]);
      return { ...rest, spec, status: answer(subjectOf(spec), spec) };
    }),
    review('SelfSubjectAccessReview', false, ({ body, user }): SelfSubjectAccessReview => {
      const { spec, ...rest } = body as SelfSubjectAccessReview;
      check('SelfSubjectAccessReview', whyNoQuestion(spec));
      return { ...rest, spec, status: answer(user, spec) };
    }),
    review('SelfSubjectRulesReview', false, ({ body, user }): SelfSubjectRulesReview => {
      const { spec, ...rest } = body as SelfSubjectRulesReview;
      const { namespace = '' } = spec;
      if (namespace === '') throw new ApiError('BadRequest', 'no namespace on request');
      const rules = rulesFor(user, namespace);
      return {
        ...rest,
        spec,
        status: {
          incomplete: false,
          resourceRules: rules.filter(isResourceRule).map(resourceRule),
          nonResourceRules: rules.filter((rule) => !isResourceRule(rule)).map(nonResourceRule),
        },
      };
    }),
  ];
}

function attributesOf(user: UserInfo, question: Question): SelectingAttributes {
  const { resourceAttributes: resource, nonResourceAttributes: other } = question;
  return {
    user,
    verb: resource?.verb ?? other?.verb ?? '',
    isResourceRequest: resource !== undefined,
    apiGroup: resource?.group ?? '',
    apiVersion: resource?.version ?? '',
    resource: resource?.resource ?? '',
    subresource: resource?.subresource ?? '',
    namespace: resource?.namespace ?? '',
    name: resource?.name ?? '',
    path: other?.path ?? '',
    fieldSelector: fieldSelectorOf(resource),
  };
}

/** Requirements narrow what is asked for; only `In` with one value can be told in the short form. */
function fieldSelectorOf(resource: Question['resourceAttributes']): string {
  const { rawSelector, requirements = [] } = resource?.fieldSelector ?? {};
  if (rawSelector !== undefined && rawSelector !== '') return rawSelector;
  return requirements
    .filter(({ operator, values }) => operator === 'In' && values?.length === 1)
    .map(({ key, values }) => `${key}=${values?.[0] ?? ''}`)
    .join(',');
}

function subjectOf({ user = '', uid, groups = [], extra }: Spec): UserInfo {
  return { name: user, groups, ...(uid === undefined ? {} : { uid }), ...(extra === undefined ? {} : { extra }) };
}

function whyNoQuestion({ resourceAttributes, nonResourceAttributes }: Question): readonly FieldError[] {
  if ((resourceAttributes === undefined) !== (nonResourceAttributes === undefined)) return [];
  const value = resourceAttributes === undefined ? 'null' : JSON.stringify(resourceAttributes);
  const detail = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
  return [{ type: 'Invalid', field: 'spec.resourceAttributes', message: `Invalid value: ${value}: ${detail}` }];
}

function whyNoSubject({ user = '', groups = [] }: Spec): readonly FieldError[] {
  if (user !== '' || groups.length > 0) return [];
  const message = 'Invalid value: "": at least one of user or group must be specified';
  return [{ type: 'Invalid', field: 'spec.user', message }];
}

function whyNotLocal({ resourceAttributes, nonResourceAttributes }: Spec, namespace: string): readonly FieldError[] {
  if (nonResourceAttributes !== undefined) {
    const message = 'Invalid value: disallowed on this kind of request';
    return [{ type: 'Invalid', field: 'spec.nonResourceAttributes', message }];
  }
  if (resourceAttributes?.namespace === namespace) return [];
  const message = `Invalid value: ${JSON.stringify(resourceAttributes?.namespace ?? '')}: must match metadata.namespace`;
  return [{ type: 'Invalid', field: 'spec.resourceAttributes.namespace', message }];
}

function check(kind: string, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidReview({ group: at.group, kind }, '', errors);
}

function isResourceRule(rule: PolicyRule): boolean {
  return (rule.resources ?? []).length > 0;
}

type RulesStatus = NonNullable<SelfSubjectRulesReview['status']>;

function resourceRule(rule: PolicyRule): RulesStatus['resourceRules'][number] {
  const { verbs, apiGroups = [], resources = [], resourceNames } = rule;
  return { verbs, apiGroups, resources, ...(resourceNames === undefined ? {} : { resourceNames }) };
}

function nonResourceRule({ verbs, nonResourceURLs = [] }: PolicyRule): RulesStatus['nonResourceRules'][number] {
  return { verbs, nonResourceURLs };
}
