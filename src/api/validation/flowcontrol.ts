// FlowSchemas and PriorityLevelConfigurations. Source: kubernetes pkg/apis/flowcontrol/validation.

import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { FlowSchema, PriorityLevelConfiguration } from '../types.ts';
import { isAllowedSpec } from './flowcontrol-mandatory.ts';
import { whyNotDnsLabel, whyNotDnsSubdomain } from './names.ts';
import { each, inRange, invalidFor, requireText } from './rules.ts';

type Conditions = NonNullable<FlowSchema['status']>['conditions'];
type PolicyRules = NonNullable<NonNullable<FlowSchema['spec']>['rules']>[number];
type Subject = PolicyRules['subjects'][number];
type ResourceRule = NonNullable<PolicyRules['resourceRules']>[number];

const maxPrecedence = 10_000;
const flowcontrol = 'io.k8s.api.flowcontrol.v1';
const methods = valuesOf(`${flowcontrol}.FlowDistinguisherMethod`, 'type');
const subjectKinds = valuesOf(`${flowcontrol}.Subject`, 'kind');
const resourceVerbs = valuesOf(`${flowcontrol}.ResourcePolicyRule`, 'verbs');
const pathVerbs = valuesOf(`${flowcontrol}.NonResourcePolicyRule`, 'verbs');
const levelTypes = valuesOf(`${flowcontrol}.PriorityLevelConfigurationSpec`, 'type');
const responses = valuesOf(`${flowcontrol}.LimitResponse`, 'type');

export function validateFlowSchema({ metadata, spec, status }: FlowSchema): readonly FieldError[] {
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
    errors.push(notSupported('spec.distinguisherMethod.type', method.type ?? '', methods()));
  }
  const at = 'spec.priorityLevelConfiguration.name';
  errors.push(...requireText(at, level?.name, 'must reference a priority level'));
  if (level?.name) errors.push(...invalidFor(at, level.name, whyNotDnsSubdomain(level.name)));
  errors.push(...each('spec.rules', spec?.rules, validateRules));
  if (!isAllowedSpec('FlowSchema', metadata?.name, spec)) errors.push(notTheFixed(metadata?.name, spec));
  return [...errors, ...validateConditions(status?.conditions)];
}

function notTheFixed(name: string | undefined, spec: unknown, exception = ''): FieldError {
  return invalid('spec', spec, `spec of '${name}'${exception} must equal the fixed value`);
}

function validateConditions(conditions: Conditions): FieldError[] {
  const seen = new Set<string>();
  return each('status.conditions', conditions, ({ type = '' }, at) => {
    const errors = seen.has(type) ? [duplicate(`${at}.type`, type)] : [];
    seen.add(type);
    return [...errors, ...requireText(`${at}.type`, type, 'must not be empty')];
  });
}

const subjectParts = { Group: 'group', ServiceAccount: 'serviceAccount', User: 'user' } as const;

function validateRules(rules: PolicyRules, at: string): FieldError[] {
  const { subjects = [], resourceRules = [], nonResourceRules = [] } = rules;
  const errors: FieldError[] = [];
  if (subjects.length === 0) errors.push(required(`${at}.subjects`, 'subjects must contain at least one value'));
  errors.push(...each(`${at}.subjects`, subjects, validateSubject));
  if (resourceRules.length + nonResourceRules.length === 0) {
    errors.push(required(at, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
  }
  return [
    ...errors,
    ...each(`${at}.resourceRules`, resourceRules, validateResourceRule),
    ...each(`${at}.nonResourceRules`, nonResourceRules, ({ verbs, nonResourceURLs }, field) => [
      ...validateVerbs(`${field}.verbs`, verbs, pathVerbs()),
      ...validatePaths(`${field}.nonResourceURLs`, nonResourceURLs),
    ]),
  ];
}

function validateSubject(subject: Subject, at: string): FieldError[] {
  const { kind = '' } = subject;
  if (!subjectKinds().includes(kind)) return [notSupported(`${at}.kind`, kind, subjectKinds())];
  const part = subjectParts[kind as keyof typeof subjectParts];
  const field = `${at}.${part}`;
  const errors: FieldError[] = [];
  if (subject[part] === undefined) errors.push(required(field, `${part} is required when subject kind is '${kind}'`));
  else errors.push(...requireText(`${field}.name`, subject[part].name));
  if (part === 'serviceAccount' && subject.serviceAccount !== undefined) {
    const { name = '', namespace = '' } = subject.serviceAccount;
    if (name !== '' && name !== '*') errors.push(...invalidFor(`${field}.name`, name, whyNotDnsSubdomain(name)));
    errors.push(...requireText(`${field}.namespace`, namespace, 'must specify namespace for service account'));
    if (namespace !== '') errors.push(...invalidFor(`${field}.namespace`, namespace, whyNotDnsLabel(namespace)));
  }
  for (const other of Object.values(subjectParts)) {
    if (other === part || subject[other] === undefined) continue;
    errors.push(forbidden(`${at}.${other}`, `${other} is forbidden when subject kind is not '${nameOf(other)}'`));
  }
  return errors;
}

function nameOf(part: string): string {
  return Object.entries(subjectParts).find(([, one]) => one === part)?.[0] ?? '';
}

function validateResourceRule(rule: ResourceRule, at: string): FieldError[] {
  const { verbs, apiGroups, resources, namespaces = [], clusterScope } = rule;
  const errors = [
    ...validateVerbs(`${at}.verbs`, verbs, resourceVerbs()),
    ...requireSome(`${at}.apiGroups`, apiGroups, ['api group', 'api groups']),
    ...requireSome(`${at}.resources`, resources, ['resource', 'resources']),
  ];
  const field = `${at}.namespaces`;
  if (namespaces.length === 0 && clusterScope !== true) {
    const why = 'resource rules that are not cluster scoped must supply at least one namespace';
    return [...errors, required(field, why)];
  }
  if (namespaces.includes('*')) {
    return namespaces.length === 1
      ? errors
      : [...errors, invalid(field, namespaces, "if '*' is present, must not specify other namespaces")];
  }
  const found = each(field, namespaces, (namespace, nth) =>
    whyNotDnsLabel(namespace).map((why) =>
      invalid(nth, namespace, `each member of this list must be '*' or a DNS-1123 label; ${why}`),
    ),
  );
  return [...errors, ...found];
}

function requireSome(
  field: string,
  values: readonly string[] = [],
  [one, many]: readonly [string, string],
): FieldError[] {
  if (values.length === 0) return [required(field, `resource rules must supply at least one ${one}`)];
  if (values.length === 1 || !values.includes('*')) return [];
  return [invalid(field, values, `if '*' is present, must not specify other ${many}`)];
}

function validatePaths(field: string, paths: readonly string[] = []): FieldError[] {
  if (paths.length === 0) return [required(field, 'nonResourceURLs must contain at least one value')];
  if (!paths.includes('*')) {
    return each(field, paths, (path, at) => {
      const why = whyNotPath(path);
      return why === undefined ? [] : [invalid(at, path, why)];
    });
  }
  return paths.length === 1
    ? []
    : [invalid(field, paths, "if '*' is present, must not specify other non-resource URLs")];
}

function whyNotPath(path: string): string | undefined {
  if (path === '') return 'must not be empty';
  if (!path.startsWith('/')) return 'must start with slash';
  if (path.includes(' ')) return 'must not contain white-space';
  if (path.includes('//')) return 'must not contain double slash';
  const star = path.indexOf('*');
  return star < 0 || (star === path.length - 1 && path.endsWith('/*'))
    ? undefined
    : 'wildcard can only do suffix matching';
}

function validateVerbs(field: string, given: readonly string[] = [], verbs: readonly string[]): FieldError[] {
  if (given.length === 0) return [required(field, 'verbs must contain at least one value')];
  if (given.includes('*')) {
    return given.length === 1 ? [] : [invalid(field, given, "if '*' is present, must not specify other verbs")];
  }
  return given.some((verb) => !verbs.includes(verb)) ? [notSupported(field, given, verbs)] : [];
}

type LevelSpec = NonNullable<PriorityLevelConfiguration['spec']>;
type Limited = NonNullable<LevelSpec['limited']>;
type Queuing = NonNullable<NonNullable<Limited['limitResponse']>['queuing']>;

export function validatePriorityLevel({
  metadata,
  spec = {} as LevelSpec,
  status,
}: PriorityLevelConfiguration): readonly FieldError[] {
  const { name } = metadata ?? {};
  const errors = validateLevelSpec(name, spec);
  // How much of the exempt is lent to others is for the user to say.
  const { exempt: _lent, ...others } = spec;
  const isExempt = name === 'exempt';
  if (!isAllowedSpec('PriorityLevelConfiguration', name, isExempt ? others : spec)) {
    errors.push(notTheFixed(name, spec, isExempt ? " except the 'spec.exempt' field" : ''));
  }
  return [...errors, ...validateConditions(status?.conditions)];
}

function validateLevelSpec(name: string | undefined, spec: LevelSpec): FieldError[] {
  const { type = '', limited, exempt } = spec;
  const errors: FieldError[] = [];
  if ((name === 'exempt') !== (type === 'Exempt')) {
    errors.push(invalid('spec.type', type, "type must be 'Exempt' if and only if name is 'exempt'"));
  }
  if (type === 'Exempt') {
    if (limited !== undefined) errors.push(forbidden('spec.limited', 'must be nil if the type is not Limited'));
    return exempt === undefined ? errors : [...errors, ...validateShares('spec.exempt', exempt)];
  }
  if (type !== 'Limited') return [...errors, notSupported('spec.type', type, levelTypes())];
  if (exempt !== undefined) errors.push(forbidden('spec.exempt', 'must be nil if the type is Limited'));
  if (limited === undefined) return [...errors, required('spec.limited', 'must not be empty when type is Limited')];
  return [...errors, ...validateLimited('spec.limited', limited)];
}

function validateShares(
  field: string,
  { nominalConcurrencyShares: shares, lendablePercent: lend }: Limited,
): FieldError[] {
  const errors: FieldError[] = [];
  if (shares !== undefined && shares < 0) {
    errors.push(invalid(`${field}.nominalConcurrencyShares`, shares, 'must be a non-negative integer'));
  }
  return [...errors, ...inRange(`${field}.lendablePercent`, lend, 0, 100)];
}

function validateLimited(field: string, limited: Limited): FieldError[] {
  const { borrowingLimitPercent: borrow, limitResponse } = limited;
  const errors = validateShares(field, limited);
  if (borrow !== undefined && borrow < 0) {
    errors.push(invalid(`${field}.borrowingLimitPercent`, borrow, 'if specified, must be a non-negative integer'));
  }
  const { type = '', queuing } = limitResponse ?? {};
  const at = `${field}.limitResponse`;
  if (type === 'Reject') {
    const why = 'must be nil if limited.limitResponse.type is not Limited';
    return queuing === undefined ? errors : [...errors, forbidden(`${at}.queuing`, why)];
  }
  if (type !== 'Queue') return [...errors, notSupported(`${at}.type`, type, responses())];
  if (queuing === undefined) {
    return [...errors, required(`${at}.queuing`, 'must not be empty if limited.limitResponse.type is Limited')];
  }
  return [...errors, ...validateQueuing(`${at}.queuing`, queuing)];
}

const maxQueues = 10_000_000;
/** Of the number that a flow's hand of queues is dealt by. */
const maxHashBits = 60;

function validateQueuing(
  field: string,
  { queueLengthLimit: length = 0, queues = 0, handSize = 0 }: Queuing,
): FieldError[] {
  const positive = 'must be positive';
  const errors = length > 0 ? [] : [invalid(`${field}.queueLengthLimit`, length, positive)];
  if (queues <= 0) errors.push(invalid(`${field}.queues`, queues, positive));
  else if (queues > maxQueues) errors.push(invalid(`${field}.queues`, queues, `must not be greater than ${maxQueues}`));
  const bits = Math.ceil(Math.log2(queues) * handSize);
  const at = `${field}.handSize`;
  if (handSize <= 0) errors.push(invalid(at, handSize, positive));
  else if (handSize > queues) errors.push(invalid(at, handSize, `should not be greater than queues (${queues})`));
  else if (bits > maxHashBits) {
    const why = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${maxHashBits}`;
    errors.push(invalid(at, handSize, why));
  }
  return errors;
}
