// Webhook configurations, and what policies share with them: rules, conditions.
// Source: kubernetes pkg/apis/admissionregistration/validation, k8s.io/apiserver pkg/util/webhook/validation.go.

import { duplicate, type FieldError, invalid, notSupported, required, tooMany } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { MutatingWebhookConfiguration, ValidatingWebhookConfiguration } from '../types.ts';
import { whyNotDns1035Label, whyNotDnsSubdomain, whyNotPort, whyNotQualifiedName } from './names.ts';
import { each, invalidFor, requireText, strictlyOneOf, validLabelSelector } from './rules.ts';

type Webhook = NonNullable<MutatingWebhookConfiguration['webhooks']>[number];
type Rule = NonNullable<Webhook['rules']>[number];
type Client = Webhook['clientConfig'];

const admission = 'io.k8s.api.admissionregistration.v1';
const failurePolicies = valuesOf(`${admission}.MutatingWebhook`, 'failurePolicy');
const matchPolicies = valuesOf(`${admission}.MutatingWebhook`, 'matchPolicy');
const effects = valuesOf(`${admission}.MutatingWebhook`, 'sideEffects');
const reinvocations = valuesOf(`${admission}.MutatingWebhook`, 'reinvocationPolicy');
const operations = valuesOf(`${admission}.RuleWithOperations`, 'operations');
const scopes = valuesOf(`${admission}.RuleWithOperations`, 'scope');
const reviewVersions = ['v1', 'v1beta1'];

export function validateMutatingWebhooks({ webhooks }: MutatingWebhookConfiguration): readonly FieldError[] {
  return validateWebhooks(webhooks, (hook, at) =>
    strictlyOneOf(`${at}.reinvocationPolicy`, hook.reinvocationPolicy, reinvocations()),
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
    const { name = '' } = hook;
    const errors = [...validateWebhook(hook, at), ...more(hook, at)];
    if (name !== '' && names.has(name)) errors.push(duplicate(`${at}.name`, name));
    names.add(name);
    return errors;
  });
}

const minSegments = 3;

function validateWebhook(hook: Webhook, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const { name = '', sideEffects, timeoutSeconds: timeout } = hook;
  if (name === '') errors.push(required(`${at}.name`));
  else {
    const wrong = invalidFor(`${at}.name`, name, whyNotDnsSubdomain(name));
    errors.push(...wrong);
    if (wrong.length === 0 && name.split('.').length < minSegments) {
      errors.push(invalid(`${at}.name`, name, 'should be a domain with at least three segments separated by dots'));
    }
  }
  errors.push(
    ...each(`${at}.rules`, hook.rules, validateRule),
    ...strictlyOneOf(`${at}.failurePolicy`, hook.failurePolicy, failurePolicies()),
    ...strictlyOneOf(`${at}.matchPolicy`, hook.matchPolicy, matchPolicies()),
    ...strictlyOneOf(`${at}.sideEffects`, sideEffects, effects()),
  );
  if (sideEffects === undefined) {
    errors.push(required(`${at}.sideEffects`, `must specify one of ${effects().join(', ')}`));
  }
  if (timeout !== undefined && (timeout < 1 || timeout > 30)) {
    errors.push(invalid(`${at}.timeoutSeconds`, timeout, 'the timeout value must be between 1 and 30 seconds'));
  }
  return [
    ...errors,
    ...validLabelSelector(`${at}.namespaceSelector`, hook.namespaceSelector),
    ...validLabelSelector(`${at}.objectSelector`, hook.objectSelector),
    ...validateClient(`${at}.clientConfig`, hook.clientConfig),
    ...validateConditions(`${at}.matchConditions`, hook.matchConditions),
    ...validateReviewVersions(`${at}.admissionReviewVersions`, hook.admissionReviewVersions),
  ];
}

function validateReviewVersions(field: string, versions: readonly string[] = []): FieldError[] {
  const known = reviewVersions.join(', ');
  if (versions.length === 0) return [required(field, `must specify one of ${known}`)];
  const errors = each(field, versions, (version, at) =>
    at === `${field}[${versions.indexOf(version)}]`
      ? invalidFor(at, version, whyNotDns1035Label(version))
      : [invalid(at, version, 'duplicate version')],
  );
  return versions.some((one) => reviewVersions.includes(one))
    ? errors
    : [...errors, invalid(field, versions, `must include at least one of ${known}`)];
}

const maxConditions = 64;

export function validateConditions(field: string, conditions: Webhook['matchConditions'] = []): FieldError[] {
  const names = new Set<string>();
  const errors = conditions.length > maxConditions ? [tooMany(field, conditions.length, maxConditions)] : [];
  const found = each(field, conditions, ({ name, expression }, at) => {
    const wrong = requireText(`${at}.expression`, expression?.trim());
    if (!name) return [...wrong, required(`${at}.name`)];
    wrong.push(...invalidFor(`${at}.name`, name, whyNotQualifiedName(name)));
    if (names.has(name)) wrong.push(duplicate(`${at}.name`, name));
    names.add(name);
    return wrong;
  });
  return [...errors, ...found];
}

/** Of a webhook: where it is. */
export function validateClient(field: string, client: Client | undefined): FieldError[] {
  const { url, service } = client ?? {};
  if ((url === undefined) === (service === undefined)) {
    return [required(field, 'exactly one of url or service is required')];
  }
  if (url !== undefined) return validateUrl(`${field}.url`, url);
  const at = `${field}.service`;
  const { path = '', port = 443 } = service ?? {};
  const errors = [
    ...requireText(`${at}.name`, service?.name, 'service name is required'),
    ...requireText(`${at}.namespace`, service?.namespace, 'service namespace is required'),
    ...invalidFor(
      `${at}.port`,
      port,
      whyNotPort(port).map((why) => `port is not valid: ${why}`),
    ),
  ];
  return [...errors, ...validatePath(`${at}.path`, path)];
}

/** Of a service; absent and '/' mean its root. */
function validatePath(field: string, path: string): FieldError[] {
  if (path === '' || path === '/') return [];
  if (path === '//') return [invalid(field, path, 'segment[0] may not be empty')];
  const errors = path.startsWith('/') ? [] : [invalid(field, path, "must start with a '/'")];
  for (const [index, segment] of path.slice(1).replace(/\/$/, '').split('/').entries()) {
    if (segment === '') errors.push(invalid(field, path, `segment[${index}] may not be empty`));
    else errors.push(...whyNotDnsSubdomain(segment).map((why) => invalid(field, path, `segment[${index}]: ${why}`)));
  }
  return errors;
}

function validateUrl(field: string, text: string): FieldError[] {
  const form = '; desired format: https://host[/path]';
  const [onlyHttps, needsHost] = [`'https' is the only allowed URL scheme${form}`, `host must be specified${form}`];
  if (!URL.canParse(text)) {
    // What begins with no scheme is read as a path.
    if (/^[a-z][a-z0-9+.-]*:/i.test(text)) return [required(field, `url must be a valid URL${form}`)];
    return [invalid(field, '', onlyHttps), invalid(field, '', needsHost)];
  }
  const url = new URL(text);
  const errors: FieldError[] = [];
  if (url.protocol !== 'https:') {
    errors.push(invalid(field, url.protocol.replace(/:$/, ''), onlyHttps));
  }
  if (url.host === '') errors.push(invalid(field, url.host, needsHost));
  if (url.username !== '') errors.push(invalid(field, url.username, 'user information is not permitted in the URL'));
  if (url.hash !== '') errors.push(invalid(field, url.hash.slice(1), 'fragments are not permitted in the URL'));
  if (url.search !== '')
    errors.push(invalid(field, url.search.slice(1), 'query parameters are not permitted in the URL'));
  return errors;
}

export function validateRule(rule: Rule, at: string): FieldError[] {
  const { apiVersions = [], resources } = rule;
  const versions = `${at}.apiVersions`;
  return [
    ...validateList(`${at}.operations`, 'operations', rule.operations),
    ...each(`${at}.operations`, rule.operations, (one, nth) =>
      operations().includes(one) ? [] : [notSupported(nth, one, operations())],
    ),
    ...validateList(`${at}.apiGroups`, 'API groups', rule.apiGroups),
    ...validateList(versions, 'API versions', apiVersions),
    ...each(versions, apiVersions, (one, nth) => requireText(nth, one)),
    ...validateRuleResources(`${at}.resources`, resources),
    ...strictlyOneOf(`${at}.scope`, rule.scope, scopes()),
  ];
}

function validateList(field: string, what: string, values: readonly string[] = []): FieldError[] {
  if (values.length === 0) return [required(field)];
  if (values.length === 1 || !values.includes('*')) return [];
  return [invalid(field, values, `if '*' is present, must not specify other ${what}`)];
}

/** `pods`, `pods/status`, and a `*` for either part, which may not be said twice. */
function validateRuleResources(field: string, resources: readonly string[] = []): FieldError[] {
  if (resources.length === 0) return [required(field)];
  const [whole, parts] = [new Set<string>(), new Set<string>()];
  const errors = each(field, resources, (one, at) => {
    const wrong = requireText(at, one);
    const [resource = '', ...rest] = one.split('/');
    if (rest.length === 0) return wrong;
    const part = rest.join('/');
    if (whole.has(resource)) wrong.push(invalid(at, one, `if '${resource}/*' is present, must not specify ${one}`));
    if (parts.has(part)) wrong.push(invalid(at, one, `if '*/${part}' is present, must not specify ${one}`));
    if (part === '*') whole.add(resource);
    if (resource === '*') parts.add(part);
    return wrong;
  });
  if (resources.length > 1 && resources.includes('*/*')) {
    errors.push(invalid(field, resources, "if '*/*' is present, must not specify other resources"));
  }
  if (resources.includes('*') && resources.some((one) => one !== '*' && !one.includes('/'))) {
    const why = "if '*' is present, must not specify other resources without subresources";
    errors.push(invalid(field, resources, why));
  }
  return errors;
}
