// ValidatingAdmissionPolicies and their bindings. Whether the expressions compile is asked by those who know CEL.
// Source: kubernetes pkg/apis/admissionregistration/validation.

import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from '../types.ts';
import { validateConditions, validateRule } from './admission.ts';
import { whyNotDns1035Label, whyNotDnsSubdomain, whyNotPathSegment, whyNotQualifiedName } from './names.ts';
import { each, invalidFor, requireOneOf, requireText, strictlyOneOf, validLabelSelector } from './rules.ts';

type PolicySpec = NonNullable<ValidatingAdmissionPolicy['spec']>;
type BindingSpec = NonNullable<ValidatingAdmissionPolicyBinding['spec']>;
type Resources = NonNullable<PolicySpec['matchConstraints']>;
type Validation = NonNullable<PolicySpec['validations']>[number];
type Annotation = NonNullable<PolicySpec['auditAnnotations']>[number];
type NamedRule = NonNullable<Resources['resourceRules']>[number];

const admission = 'io.k8s.api.admissionregistration.v1';
const failurePolicies = valuesOf(`${admission}.ValidatingAdmissionPolicySpec`, 'failurePolicy');
const matchPolicies = valuesOf(`${admission}.MatchResources`, 'matchPolicy');
const reasons = valuesOf(`${admission}.Validation`, 'reason');
const actions = valuesOf(`${admission}.ValidatingAdmissionPolicyBindingSpec`, 'validationActions');
const notFoundActions = valuesOf(`${admission}.ParamRef`, 'parameterNotFoundAction');

export function validateAdmissionPolicy({
  metadata,
  spec = {} as PolicySpec,
}: ValidatingAdmissionPolicy): readonly FieldError[] {
  const { validations = [], auditAnnotations = [], paramKind, matchConstraints } = spec;
  const errors = strictlyOneOf('spec.failurePolicy', spec.failurePolicy, failurePolicies());
  if (paramKind !== undefined) errors.push(...validateParamKind('spec.paramKind', paramKind));
  if (matchConstraints === undefined) errors.push(required('spec.matchConstraints'));
  else {
    errors.push(...validateResources('spec.matchConstraints', matchConstraints));
    if ((matchConstraints.resourceRules ?? []).length === 0) {
      errors.push(required('spec.matchConstraints.resourceRules'));
    }
  }
  errors.push(...validateConditions('spec.matchConditions', spec.matchConditions));
  errors.push(...validateVariables('spec.variables', spec.variables));
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const why = 'validations or auditAnnotations must contain at least one item';
    return [...errors, required('spec.validations', why), required('spec.auditAnnotations', why)];
  }
  return [
    ...errors,
    ...each('spec.validations', validations, validateValidation),
    ...validateAnnotations('spec.auditAnnotations', auditAnnotations, metadata?.name ?? ''),
  ];
}

function validateParamKind(
  field: string,
  { apiVersion = '', kind = '' }: NonNullable<PolicySpec['paramKind']>,
): FieldError[] {
  return [...validateApiVersion(`${field}.apiVersion`, apiVersion), ...validateKind(`${field}.kind`, kind)];
}

function validateApiVersion(field: string, text: string): FieldError[] {
  if (text === '') return [required(field)];
  const parts = text.split('/');
  if (parts.length > 2) return [invalid(field, text, `unexpected GroupVersion string: ${text}`)];
  const [version = '', group = ''] = parts.reverse();
  const errors = group === '' ? [] : joined(field, group, whyNotDnsSubdomain(group));
  if (version === '') return [...errors, invalid(field, text, 'version must be specified')];
  return [...errors, ...joined(field, version, whyNotDns1035Label(version))];
}

function validateKind(field: string, kind: string): FieldError[] {
  if (kind === '') return [required(field)];
  const why = whyNotDns1035Label(kind.toLowerCase());
  return why.length === 0
    ? []
    : [invalid(field, kind, `may have mixed case, but should otherwise match: ${why.join(',')}`)];
}

/** All reasons in one error. */
function joined(field: string, value: string, reasons: readonly string[]): FieldError[] {
  return reasons.length === 0 ? [] : [invalid(field, value, reasons.join(','))];
}

/** Words of CEL, which are no identifiers. */
const reserved =
  /^(true|false|null|in|as|break|const|continue|else|for|function|if|import|let|loop|package|namespace|return|var|void|while)$/;

function validateVariables(field: string, variables: PolicySpec['variables']): FieldError[] {
  return each(field, variables, ({ name = '', expression = '' }, at) => {
    const errors = requireText(`${at}.name`, name.trim(), 'name is not specified');
    if (errors.length === 0 && (reserved.test(name) || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))) {
      errors.push(invalid(`${at}.name`, name, 'name is not a valid CEL identifier'));
    }
    return [...errors, ...requireText(`${at}.expression`, expression.trim(), 'expression is not specified')];
  });
}

function validateValidation(validation: Validation, at: string): FieldError[] {
  const { expression = '', message = '', messageExpression = '', reason } = validation;
  const errors = requireText(`${at}.expression`, expression.trim(), 'expression is not specified');
  if (messageExpression !== '' && messageExpression.trim() === '') {
    errors.push(invalid(`${at}.messageExpression`, messageExpression, 'must be non-empty if specified'));
  }
  if (message !== '' && message.trim() === '') {
    errors.push(invalid(`${at}.message`, message, 'message must be non-empty if specified'));
  } else if (/[\n\r]/.test(message.trim())) {
    errors.push(invalid(`${at}.message`, message, 'message must not contain line breaks'));
  }
  return [...errors, ...strictlyOneOf(`${at}.reason`, reason, reasons())];
}

const maxAnnotations = 20;
const maxExpressionBytes = 5 * 1024;

function validateAnnotations(field: string, annotations: readonly Annotation[], policy: string): FieldError[] {
  const keys = new Set<string>();
  const errors = each(field, annotations, ({ key = '', valueExpression = '' }, at) => {
    const full = `${policy}/${key}`;
    const wrong = invalidFor(`${at}.key`, full, whyNotQualifiedName(full));
    const expression = valueExpression.trim();
    wrong.push(...requireText(`${at}.valueExpression`, expression, 'valueExpression is not specified'));
    if (Buffer.byteLength(expression) > maxExpressionBytes) {
      wrong.push(required(`${at}.valueExpression`, `must not exceed ${maxExpressionBytes} bytes in length`));
    }
    if (keys.has(key)) wrong.push(duplicate(`${at}.key`, key));
    keys.add(key);
    return wrong;
  });
  return annotations.length > maxAnnotations
    ? [invalid(field, annotations, `must not have more than ${maxAnnotations} auditAnnotations`), ...errors]
    : errors;
}

function validateResources(field: string, resources: Resources): FieldError[] {
  const { namespaceSelector, objectSelector, resourceRules, excludeResourceRules, matchPolicy } = resources;
  return [
    ...strictlyOneOf(`${field}.matchPolicy`, matchPolicy, matchPolicies()),
    ...validLabelSelector(`${field}.namespaceSelector`, namespaceSelector),
    ...validLabelSelector(`${field}.objectSelector`, objectSelector),
    ...each(`${field}.resourceRules`, resourceRules, validateNamedRule),
    ...each(`${field}.excludeResourceRules`, excludeResourceRules, validateNamedRule),
  ];
}

function validateNamedRule(rule: NamedRule, at: string): FieldError[] {
  const { resourceNames = [] } = rule;
  const names = new Set<string>();
  const errors = each(`${at}.resourceNames`, resourceNames, (name, nth) => {
    const wrong = invalidFor(nth, name, whyNotPathSegment(name));
    if (names.has(name)) wrong.push(duplicate(nth, name));
    names.add(name);
    return wrong;
  });
  return [...errors, ...validateRule(rule, at)];
}

export function validateAdmissionPolicyBinding({
  spec = {} as BindingSpec,
}: ValidatingAdmissionPolicyBinding): readonly FieldError[] {
  const { policyName = '', paramRef, matchResources } = spec;
  return [
    ...requireText('spec.policyName', policyName),
    ...(policyName === '' ? [] : invalidFor('spec.policyName', policyName, whyNotDnsSubdomain(policyName))),
    ...(paramRef === undefined ? [] : validateParamRef('spec.paramRef', paramRef)),
    ...(matchResources === undefined ? [] : validateResources('spec.matchResources', matchResources)),
    ...validateActions('spec.validationActions', spec.validationActions),
  ];
}

function validateActions(field: string, chosen: readonly string[] = []): FieldError[] {
  const seen = new Set<string>();
  const errors = each(field, chosen, (one, at) => {
    const wrong = actions().includes(one) ? [] : [notSupported(at, one, actions())];
    if (seen.has(one)) wrong.push(duplicate(at, one));
    seen.add(one);
    return wrong;
  });
  if (seen.has('Deny') && seen.has('Warn')) {
    const why =
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)';
    errors.push(invalid(field, chosen, why));
  }
  return chosen.length === 0 ? [required(field, 'at least one validation action is required')] : errors;
}

function validateParamRef(field: string, ref: NonNullable<BindingSpec['paramRef']>): FieldError[] {
  const { name = '', selector, parameterNotFoundAction: action } = ref;
  const errors = name === '' ? [] : invalidFor(`${field}.name`, name, whyNotPathSegment(name));
  if (selector !== undefined) {
    const exclusive = name === '' ? [] : ['name', 'selector'];
    errors.push(...validLabelSelector(`${field}.selector`, selector));
    errors.push(...exclusive.map((key) => forbidden(`${field}.${key}`, 'name and selector are mutually exclusive')));
  } else if (name === '') errors.push(required(field, 'one of name or selector must be specified'));
  return [...errors, ...requireOneOf(`${field}.parameterNotFoundAction`, action, notFoundActions())];
}
