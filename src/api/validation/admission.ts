// Webhook configurations and admission policies. Source: kubernetes pkg/apis/admissionregistration/validation.

import { duplicate, type FieldError, invalid, notSupported, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type {
  MutatingWebhookConfiguration,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
} from '../types.ts';
import { whyNotDns1035Label, whyNotDnsSubdomain, whyNotPort, whyNotQualifiedName } from './names.ts';
import { each, invalidFor, oneOf, requireOneOf, requireText, validLabelSelector } from './rules.ts';

type Webhook = NonNullable<MutatingWebhookConfiguration['webhooks']>[number];
type Rule = NonNullable<Webhook['rules']>[number];
type Client = Webhook['clientConfig'];
type PolicySpec = NonNullable<ValidatingAdmissionPolicy['spec']>;
type Resources = NonNullable<PolicySpec['matchConstraints']>;

const admission = 'io.k8s.api.admissionregistration.v1';
const failurePolicies = valuesOf(`${admission}.MutatingWebhook`, 'failurePolicy');
const matchPolicies = valuesOf(`${admission}.MutatingWebhook`, 'matchPolicy');
const effects = valuesOf(`${admission}.MutatingWebhook`, 'sideEffects');
const reinvocations = valuesOf(`${admission}.MutatingWebhook`, 'reinvocationPolicy');
const operations = valuesOf(`${admission}.RuleWithOperations`, 'operations');
const scopes = valuesOf(`${admission}.RuleWithOperations`, 'scope');
const reasons = valuesOf(`${admission}.Validation`, 'reason');
const actions = valuesOf(`${admission}.ValidatingAdmissionPolicyBindingSpec`, 'validationActions');
const notFoundActions = valuesOf(`${admission}.ParamRef`, 'parameterNotFoundAction');
const reviewVersions = ['v1', 'v1beta1'];

export function validateMutatingWebhooks({ webhooks }: MutatingWebhookConfiguration): readonly FieldError[] {
  return validateWebhooks(webhooks, (hook, at) =>
    oneOf(`${at}.reinvocationPolicy`, hook.reinvocationPolicy, reinvocations()),
  );
}

export function validateValidatingWebhooks({ webhooks }: ValidatingWebhookConfiguration): readonly FieldError[] {
  return validateWebhooks(webhooks, () => []);
}

function validateWebhooks(
  webhooks: readonly Webhook[] = [],
  more: (hook: Webhook, at: string) => readonly FieldError[],
): FieldError[] {
  const names = new Set<string>();
  return each('webhooks', webhooks, (hook, at) => {
    const errors = [...validateWebhook(hook, at), ...more(hook, at)];
    if (names.has(hook.name)) errors.push(duplicate(`${at}.name`, hook.name));
    names.add(hook.name);
    return errors;
  });
}

const minSegments = 3;

function validateWebhook(hook: Webhook, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const { name = '', admissionReviewVersions: versions = [], sideEffects = '', timeoutSeconds: timeout } = hook;
  if (name === '') errors.push(required(`${at}.name`));
  else {
    const wrong = invalidFor(`${at}.name`, name, whyNotDnsSubdomain(name));
    errors.push(...wrong);
    if (wrong.length === 0 && name.split('.').length < minSegments) {
      errors.push(invalid(`${at}.name`, name, 'should be a domain with at least three segments separated by dots'));
    }
  }
  if (versions.length === 0) {
    errors.push(required(`${at}.admissionReviewVersions`, `must specify one of ${reviewVersions.join(', ')}`));
  } else if (!versions.some((one) => reviewVersions.includes(one))) {
    const why = `must include at least one of ${reviewVersions.join(', ')}`;
    errors.push(invalid(`${at}.admissionReviewVersions`, versions, why));
  }
  errors.push(...each(`${at}.rules`, hook.rules, validateRule));
  errors.push(...oneOf(`${at}.failurePolicy`, hook.failurePolicy, failurePolicies()));
  errors.push(...oneOf(`${at}.matchPolicy`, hook.matchPolicy, matchPolicies()));
  if (sideEffects === '') errors.push(required(`${at}.sideEffects`, `must specify one of ${effects().join(', ')}`));
  else errors.push(...oneOf(`${at}.sideEffects`, sideEffects, effects()));
  if (timeout !== undefined && (timeout < 1 || timeout > 30)) {
    errors.push(invalid(`${at}.timeoutSeconds`, timeout, 'the timeout value must be between 1 and 30 seconds'));
  }
  errors.push(...validLabelSelector(`${at}.namespaceSelector`, hook.namespaceSelector));
  errors.push(...validLabelSelector(`${at}.objectSelector`, hook.objectSelector));
  errors.push(...validateClient(`${at}.clientConfig`, hook.clientConfig));
  return [...errors, ...validateConditions(`${at}.matchConditions`, hook.matchConditions)];
}

const maxConditions = 64;

function validateConditions(field: string, conditions: Webhook['matchConditions'] = []): FieldError[] {
  const names = new Set<string>();
  const errors = each(field, conditions, ({ name, expression }, at) => {
    const wrong = requireText(`${at}.expression`, expression?.trim());
    if (!name) return [...wrong, required(`${at}.name`)];
    wrong.push(...invalidFor(`${at}.name`, name, whyNotQualifiedName(name)));
    if (names.has(name)) wrong.push(duplicate(`${at}.name`, name));
    names.add(name);
    return wrong;
  });
  if (conditions.length <= maxConditions) return errors;
  const message = `Too many: ${conditions.length}: must have at most ${maxConditions} items`;
  return [...errors, { type: 'TooMany', field, message }];
}

/** Of a webhook: where it is. */
export function validateClient(field: string, client: Client | undefined): FieldError[] {
  const { url, service } = client ?? {};
  if ((url === undefined) === (service === undefined)) {
    return [required(field, 'exactly one of url or service is required')];
  }
  if (url !== undefined) return validateUrl(`${field}.url`, url);
  const at = `${field}.service`;
  const errors = [...requireText(`${at}.name`, service?.name), ...requireText(`${at}.namespace`, service?.namespace)];
  const { path, port = 443 } = service ?? {};
  if (path !== undefined && !path.startsWith('/')) errors.push(invalid(`${at}.path`, path, "must start with a '/'"));
  return whyNotPort(port).length === 0
    ? errors
    : [...errors, invalid(`${at}.port`, port, 'port is not valid: must be between 1 and 65535, inclusive')];
}

function validateUrl(field: string, text: string): FieldError[] {
  const form = '; desired format: https://host[/path]';
  if (!URL.canParse(text)) return [required(field, `url must be a valid URL${form}`)];
  const url = new URL(text);
  const errors: FieldError[] = [];
  if (url.protocol !== 'https:') {
    errors.push(invalid(field, url.protocol.replace(/:$/, ''), `'https' is the only allowed URL scheme${form}`));
  }
  if (url.host === '') errors.push(invalid(field, url.host, `host must be specified${form}`));
  if (url.username !== '') errors.push(invalid(field, url.username, 'user information is not permitted in the URL'));
  if (url.hash !== '') errors.push(invalid(field, url.hash.slice(1), 'fragments are not permitted in the URL'));
  if (url.search !== '')
    errors.push(invalid(field, url.search.slice(1), 'query parameters are not permitted in the URL'));
  return errors;
}

function validateRule(rule: Rule, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const lists = [
    ['operations', 'operations', rule.operations],
    ['apiGroups', 'API groups', rule.apiGroups],
    ['apiVersions', 'API versions', rule.apiVersions],
  ] as const;
  for (const [key, what, values = []] of lists) {
    const field = `${at}.${key}`;
    if (values.length === 0) errors.push(required(field));
    if (values.length > 1 && values.includes('*')) {
      errors.push(invalid(field, values, `if '*' is present, must not specify other ${what}`));
    }
    if (key === 'operations') {
      errors.push(
        ...each(field, values, (one, nth) =>
          operations().includes(one) ? [] : [notSupported(nth, one, operations())],
        ),
      );
    } else if (key === 'apiVersions') {
      errors.push(
        ...each(field, values, (one, nth) => {
          if (one === '') return [required(nth)];
          return one === '*' ? [] : invalidFor(nth, one, whyNotDns1035Label(one));
        }),
      );
    }
  }
  if ((rule.resources ?? []).length === 0) errors.push(required(`${at}.resources`));
  errors.push(...each(`${at}.resources`, rule.resources, (one, nth) => (one === '' ? [required(nth)] : [])));
  return [...errors, ...oneOf(`${at}.scope`, rule.scope, scopes())];
}

export function validateAdmissionPolicy({ spec }: ValidatingAdmissionPolicy): readonly FieldError[] {
  if (spec === undefined) return [required('spec.matchConstraints')];
  const { validations = [], auditAnnotations = [], paramKind, matchConstraints } = spec;
  const errors = oneOf('spec.failurePolicy', spec.failurePolicy, failurePolicies());
  if (paramKind !== undefined) {
    errors.push(...requireText('spec.paramKind.apiVersion', paramKind.apiVersion));
    errors.push(...requireText('spec.paramKind.kind', paramKind.kind));
  }
  if (matchConstraints === undefined) errors.push(required('spec.matchConstraints'));
  else {
    errors.push(...validateResources('spec.matchConstraints', matchConstraints));
    if ((matchConstraints.resourceRules ?? []).length === 0)
      errors.push(required('spec.matchConstraints.resourceRules'));
  }
  errors.push(...validateConditions('spec.matchConditions', spec.matchConditions));
  const names = new Set<string>();
  errors.push(
    ...each('spec.variables', spec.variables, ({ name, expression }, at) => {
      const wrong = [...requireText(`${at}.name`, name), ...requireText(`${at}.expression`, expression?.trim())];
      if (name && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
        wrong.push(invalid(`${at}.name`, name, 'name is not a valid CEL identifier'));
      }
      if (names.has(name)) wrong.push(duplicate(`${at}.name`, name));
      names.add(name);
      return wrong;
    }),
  );
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const why = 'validations or auditAnnotations must contain at least one item';
    errors.push(required('spec.validations', why), required('spec.auditAnnotations', why));
  }
  errors.push(
    ...each('spec.validations', validations, ({ expression, message, reason }, at) => [
      ...requireText(`${at}.expression`, expression?.trim(), 'expression is not specified'),
      ...(message !== undefined && message !== '' && message.trim() === ''
        ? [invalid(`${at}.message`, message, 'message must be non-empty if specified')]
        : []),
      ...oneOf(`${at}.reason`, reason, reasons()),
    ]),
    ...each('spec.auditAnnotations', auditAnnotations, ({ key, valueExpression }, at) => [
      ...requireText(`${at}.key`, key),
      ...requireText(`${at}.valueExpression`, valueExpression?.trim(), 'valueExpression is not specified'),
    ]),
  );
  return errors;
}

function validateResources(field: string, resources: Resources): FieldError[] {
  const { namespaceSelector, objectSelector, resourceRules, excludeResourceRules, matchPolicy } = resources;
  return [
    ...oneOf(`${field}.matchPolicy`, matchPolicy, matchPolicies()),
    ...validLabelSelector(`${field}.namespaceSelector`, namespaceSelector),
    ...validLabelSelector(`${field}.objectSelector`, objectSelector),
    ...each(`${field}.resourceRules`, resourceRules, validateRule),
    ...each(`${field}.excludeResourceRules`, excludeResourceRules, validateRule),
  ];
}

export function validateAdmissionPolicyBinding({ spec }: ValidatingAdmissionPolicyBinding): readonly FieldError[] {
  const { policyName, validationActions: chosen = [], paramRef, matchResources } = spec ?? {};
  const errors = requireText('spec.policyName', policyName);
  if (chosen.length === 0) errors.push(required('spec.validationActions'));
  const seen = new Set<string>();
  errors.push(
    ...each('spec.validationActions', chosen, (one, at) => {
      const wrong = actions().includes(one) ? [] : [notSupported(at, one, actions())];
      if (seen.has(one)) wrong.push(duplicate(at, one));
      seen.add(one);
      return wrong;
    }),
  );
  if (seen.has('Deny') && seen.has('Warn')) {
    const why =
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)';
    errors.push(invalid('spec.validationActions', chosen, why));
  }
  if (paramRef !== undefined) {
    const { name, selector, parameterNotFoundAction: action } = paramRef;
    if (name && selector !== undefined) {
      errors.push({
        type: 'Forbidden',
        field: 'spec.paramRef.name',
        message: 'Forbidden: name and selector are mutually exclusive',
      });
    }
    if (!name && selector === undefined)
      errors.push(required('spec.paramRef', 'one of name or selector must be specified'));
    errors.push(...requireOneOf('spec.paramRef.parameterNotFoundAction', action, notFoundActions()));
  }
  return matchResources === undefined
    ? errors
    : [...errors, ...validateResources('spec.matchResources', matchResources)];
}
