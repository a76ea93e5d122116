// FlowSchemas and PriorityLevelConfigurations. Source: kubernetes pkg/apis/flowcontrol/validation.

import { type FieldError, forbidden, invalid, notSupported, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { FlowSchema, PriorityLevelConfiguration } from '../types.ts';
import { each, requireText } from './rules.ts';

type PolicyRules = NonNullable<NonNullable<FlowSchema['spec']>['rules']>[number];
type ResourceRule = NonNullable<PolicyRules['resourceRules']>[number];

const maxPrecedence = 10_000;
const flowcontrol = 'io.k8s.api.flowcontrol.v1';
const methods = valuesOf(`${flowcontrol}.FlowDistinguisherMethod`, 'type');
const subjectKinds = valuesOf(`${flowcontrol}.Subject`, 'kind');
const resourceVerbs = valuesOf(`${flowcontrol}.ResourcePolicyRule`, 'verbs');
const pathVerbs = valuesOf(`${flowcontrol}.NonResourcePolicyRule`, 'verbs');
const levelTypes = valuesOf(`${flowcontrol}.PriorityLevelConfigurationSpec`, 'type');
const responses = valuesOf(`${flowcontrol}.LimitResponse`, 'type');

export function validateFlowSchema({ metadata, spec }: FlowSchema): readonly FieldError[] {
  const {
    matchingPrecedence: precedence = 0,
    priorityLevelConfiguration: level,
    distinguisherMethod: method,
  } = spec ?? {};
  const errors: FieldError[] = [];
  if (precedence <= 0) errors.push(invalid('spec.matchingPrecedence', precedence, 'must be a positive value'));
  if (precedence > maxPrecedence) {
    errors.push(invalid('spec.matchingPrecedence', precedence, `must not be greater than ${maxPrecedence}`));
  }
  if (precedence === 1 && metadata?.name !== 'exempt') {
    errors.push(
      invalid('spec.matchingPrecedence', precedence, "only the schema named 'exempt' may have matchingPrecedence 1"),
    );
  }
  if (method !== undefined && !methods().includes(method.type)) {
    errors.push(notSupported('spec.distinguisherMethod.type', method.type, methods()));
  }
  errors.push(...requireText('spec.priorityLevelConfiguration.name', level?.name, 'must reference a priority level'));
  return [...errors, ...each('spec.rules', spec?.rules, validateRules)];
}

const subjectParts = { Group: 'group', ServiceAccount: 'serviceAccount', User: 'user' } as const;

function validateRules(rules: PolicyRules, at: string): FieldError[] {
  const { subjects = [], resourceRules = [], nonResourceRules = [] } = rules;
  const errors: FieldError[] = [];
  if (subjects.length === 0) errors.push(required(`${at}.subjects`, 'subjects must contain at least one value'));
  errors.push(
    ...each(`${at}.subjects`, subjects, (subject, field) => {
      if (!subjectKinds().includes(subject.kind)) {
        return [notSupported(`${field}.kind`, subject.kind ?? '', subjectKinds())];
      }
      const part = subjectParts[subject.kind as keyof typeof subjectParts];
      const named = subject[part];
      if (named === undefined)
        return [required(`${field}.${part}`, `${part} is required when subject kind is '${subject.kind}'`)];
      const wrong = requireText(`${field}.${part}.name`, named.name);
      for (const other of Object.values(subjectParts)) {
        if (other !== part && subject[other] !== undefined) {
          wrong.push(
            forbidden(`${field}.${other}`, `${other} is forbidden when subject kind is not '${nameOf(other)}'`),
          );
        }
      }
      return wrong;
    }),
  );
  if (resourceRules.length + nonResourceRules.length === 0) {
    errors.push(required(at, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
  }
  errors.push(...each(`${at}.resourceRules`, resourceRules, validateResourceRule));
  errors.push(
    ...each(`${at}.nonResourceRules`, nonResourceRules, (rule, field) => [
      ...validateVerbs(`${field}.verbs`, rule.verbs, pathVerbs()),
      ...((rule.nonResourceURLs ?? []).length === 0
        ? [required(`${field}.nonResourceURLs`, 'nonResourceURLs must contain at least one value')]
        : []),
    ]),
  );
  return errors;
}

function nameOf(part: string): string {
  return Object.entries(subjectParts).find(([, one]) => one === part)?.[0] ?? '';
}

function validateResourceRule(rule: ResourceRule, at: string): FieldError[] {
  const errors = validateVerbs(`${at}.verbs`, rule.verbs, resourceVerbs());
  for (const key of ['apiGroups', 'resources'] as const) {
    if ((rule[key] ?? []).length === 0) errors.push(required(`${at}.${key}`, 'at least one value is required'));
  }
  if ((rule.namespaces ?? []).length === 0 && rule.clusterScope !== true) {
    errors.push(
      required(`${at}.namespaces`, 'resource rules that are not cluster scoped must supply at least one namespace'),
    );
  }
  return errors;
}

function validateVerbs(field: string, given: readonly string[] = [], verbs: readonly string[]): FieldError[] {
  if (given.length === 0) return [required(field, 'verbs must contain at least one value')];
  if (given.includes('*') && given.length > 1) {
    return [invalid(field, given, "if '*' is present, must not specify other verbs")];
  }
  return given.some((verb) => !verbs.includes(verb)) ? [notSupported(field, given, verbs)] : [];
}

export function validatePriorityLevel({ metadata, spec }: PriorityLevelConfiguration): readonly FieldError[] {
  const { type = '', limited, exempt } = spec ?? {};
  if (type === 'Exempt') {
    const errors: FieldError[] = [];
    if (metadata?.name !== 'exempt') {
      errors.push(invalid('spec.type', type, "type must be 'Limited' unless the name is 'exempt'"));
    }
    return limited === undefined
      ? errors
      : [...errors, forbidden('spec.limited', 'must be nil if the type is not Limited')];
  }
  if (type !== 'Limited') return [notSupported('spec.type', type, levelTypes())];
  if (exempt !== undefined) return [forbidden('spec.exempt', 'must be nil if the type is Limited')];
  if (limited === undefined) return [required('spec.limited', 'must not be empty when type is Limited')];
  const errors: FieldError[] = [];
  const {
    nominalConcurrencyShares: shares,
    limitResponse,
    lendablePercent: lend,
    borrowingLimitPercent: borrow,
  } = limited;
  const at = 'spec.limited';
  if (shares !== undefined && shares < 0) {
    errors.push(invalid(`${at}.nominalConcurrencyShares`, shares, 'must be a non-negative integer'));
  }
  if (lend !== undefined && (lend < 0 || lend > 100)) {
    errors.push(invalid(`${at}.lendablePercent`, lend, 'must be between 0 and 100, inclusive'));
  }
  if (borrow !== undefined && borrow < 0) {
    errors.push(invalid(`${at}.borrowingLimitPercent`, borrow, 'if specified, must be a non-negative integer'));
  }
  const { type: response = '', queuing } = limitResponse ?? {};
  if (response === 'Reject') {
    if (queuing !== undefined) {
      errors.push(forbidden(`${at}.limitResponse.queuing`, 'must be nil if limited.limitResponse.type is not Limited'));
    }
  } else if (response === 'Queue') {
    if (queuing === undefined) {
      errors.push(
        required(`${at}.limitResponse.queuing`, 'must not be empty if limited.limitResponse.type is Limited'),
      );
    }
    for (const key of ['queueLengthLimit', 'queues', 'handSize'] as const) {
      const value = queuing?.[key];
      if (value !== undefined && value <= 0) {
        errors.push(invalid(`${at}.limitResponse.queuing.${key}`, value, 'must be positive'));
      }
    }
    const { handSize = 0, queues = 0 } = queuing ?? {};
    if (handSize > queues) {
      const why = `should not be greater than queues (${queues})`;
      errors.push(invalid(`${at}.limitResponse.queuing.handSize`, handSize, why));
    }
  } else errors.push(notSupported(`${at}.limitResponse.type`, response, responses()));
  return errors;
}
