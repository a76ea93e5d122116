// Kinds that are asked and answered but never stored, and the bodies of subresources. The latter have no collection of
// their own (plural ''): discovery lists them under their subresource.

import type * as t from '../types.ts';
import { defineReview } from './define.ts';

const authentication = { group: 'authentication.k8s.io', version: 'v1', namespaced: false } as const;
const authorization = { group: 'authorization.k8s.io', version: 'v1', namespaced: false } as const;
const body = { plural: '', singular: '', namespaced: true } as const;

export const reviewKinds = {
  tokenReview: defineReview<t.TokenReview>({
    ...authentication,
    kind: 'TokenReview',
    plural: 'tokenreviews',
    singular: 'tokenreview',
  }),
  selfSubjectReview: defineReview<t.SelfSubjectReview>({
    ...authentication,
    kind: 'SelfSubjectReview',
    plural: 'selfsubjectreviews',
    singular: 'selfsubjectreview',
  }),
  subjectAccessReview: defineReview<t.SubjectAccessReview>({
    ...authorization,
    kind: 'SubjectAccessReview',
    plural: 'subjectaccessreviews',
    singular: 'subjectaccessreview',
  }),
  selfSubjectAccessReview: defineReview<t.SelfSubjectAccessReview>({
    ...authorization,
    kind: 'SelfSubjectAccessReview',
    plural: 'selfsubjectaccessreviews',
    singular: 'selfsubjectaccessreview',
  }),
  selfSubjectRulesReview: defineReview<t.SelfSubjectRulesReview>({
    ...authorization,
    kind: 'SelfSubjectRulesReview',
    plural: 'selfsubjectrulesreviews',
    singular: 'selfsubjectrulesreview',
  }),
  localSubjectAccessReview: defineReview<t.LocalSubjectAccessReview>({
    ...authorization,
    kind: 'LocalSubjectAccessReview',
    plural: 'localsubjectaccessreviews',
    singular: 'localsubjectaccessreview',
    namespaced: true,
  }),
  binding: defineReview<t.Binding>({
    group: '',
    version: 'v1',
    kind: 'Binding',
    plural: 'bindings',
    singular: 'binding',
    namespaced: true,
  }),
  tokenRequest: defineReview<t.TokenRequest>({
    ...body,
    group: 'authentication.k8s.io',
    version: 'v1',
    kind: 'TokenRequest',
  }),
  eviction: defineReview<t.Eviction>({ ...body, group: 'policy', version: 'v1', kind: 'Eviction' }),
  scale: defineReview<t.Scale>({ ...body, group: 'autoscaling', version: 'v1', kind: 'Scale' }),
} as const;
