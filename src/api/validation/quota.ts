// ResourceQuotas and LimitRanges. Source: kubernetes pkg/apis/core/validation (ValidateResourceQuota, ValidateLimitRange).

import { duplicate, type FieldError, forbidden, invalid, required } from '../field-error.ts';
import { compareQuantities, parseQuantity, quantityMilliValue } from '../quantity.ts';
import { valuesOf } from '../schema/values.ts';
import type { LimitRange, ResourceQuota } from '../types.ts';
import { whyNotQualifiedName } from './names.ts';
import {
  isOvercommitAllowed,
  isQuotaResource,
  validLimitedResource,
  validQuotaResource,
  validResourceAmount,
} from './resource-names.ts';
import { each, immutable, invalidFor, sameJson } from './rules.ts';

type QuotaSpec = NonNullable<ResourceQuota['spec']>;
type ScopeExpression = NonNullable<NonNullable<QuotaSpec['scopeSelector']>['matchExpressions']>[number];
type Amounts = Readonly<Record<string, string>>;
/** The wire's name is `default`, which the generated class cannot use. */
type Limit = NonNullable<LimitRange['spec']>['limits'][number] & { readonly default?: Amounts };

const core = 'io.k8s.api.core.v1';
const scopes = valuesOf(`${core}.ResourceQuotaSpec`, 'scopes');
const selectorScopes = valuesOf(`${core}.ScopedResourceSelectorRequirement`, 'scopeName');
const operators = valuesOf(`${core}.ScopedResourceSelectorRequirement`, 'operator');
const podScopes = ['Terminating', 'NotTerminating', 'NotBestEffort', 'PriorityClass', 'CrossNamespacePodAffinity'];
/** What a quota of some pods can count of them. */
const podResources = ['pods', ...['cpu', 'memory'].flatMap((name) => [name, `requests.${name}`, `limits.${name}`])];
const volumeResources = ['persistentvolumeclaims', 'requests.storage'];
/** Pods have them or not. */
const scopesWithoutValue = [
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'CrossNamespacePodAffinity',
];
const opposites = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const;

export function validateResourceQuota({ spec, status }: ResourceQuota): readonly FieldError[] {
  return [
    ...validateHard('spec.hard', spec?.hard),
    ...validateScopes(spec),
    ...validateHard('status.hard', status?.hard),
    ...validateHard('status.used', status?.used),
  ];
}

function validateHard(field: string, amounts: Amounts = {}): FieldError[] {
  return Object.entries(amounts).flatMap(([name, amount]) => {
    const at = `${field}[${name}]`;
    return [...validQuotaResource(at, name), ...validResourceAmount(at, name, amount)];
  });
}

function validateScopes(spec: QuotaSpec | undefined): FieldError[] {
  const { hard, scopes: given = [], scopeSelector } = spec ?? {};
  const field = 'spec.scopes';
  const errors = given.flatMap((scope) => [
    ...(scopes().includes(scope) ? [] : [invalid(field, given, 'unsupported scope')]),
    ...misapplied(scope, hard, () => invalid(field, given, 'unsupported scope applied to resource')),
  ]);
  if (areOpposites(given)) errors.push(invalid(field, given, 'conflicting scopes'));
  if (scopeSelector === undefined) return errors;
  const expressions = scopeSelector.matchExpressions ?? [];
  const selected = expressions.flatMap((expression) => [
    ...validateScopeExpression(expression),
    ...misapplied(expression.scopeName, hard, () =>
      invalid('spec.scopeSelector.matchExpressions', scopeSelector, 'unsupported scope applied to resource'),
    ),
  ]);
  if (areOpposites(expressions.map(({ scopeName }) => scopeName))) {
    selected.push(invalid('spec.scopeSelector.matchExpressions', given, 'conflicting scopes'));
  }
  return [...errors, ...selected];
}

/** All expressions are told of by one path, as upstream does. */
function validateScopeExpression(expression: Partial<ScopeExpression>): FieldError[] {
  const { scopeName = '', operator = '', values = [] } = expression;
  const field = 'spec.scopeSelector.matchExpressions';
  const errors: FieldError[] = [];
  if (!selectorScopes().includes(scopeName)) {
    errors.push(invalid(`${field}.scopeName`, scopeName, 'unsupported scope'));
  }
  if (scopesWithoutValue.includes(scopeName) && operator !== 'Exists') {
    const why =
      "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
    errors.push(invalid(`${field}.operator`, operator, why));
  }
  if (!operators().includes(operator)) {
    errors.push(invalid(`${field}.operator`, operator, 'not a valid selector operator'));
  } else if (operator === 'In' || operator === 'NotIn') {
    const why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
    if (values.length === 0) errors.push(required(`${field}.values`, why));
  } else if (values.length > 0) {
    const why = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
    errors.push(invalid(`${field}.values`, values, why));
  }
  return errors;
}

function areOpposites(given: readonly string[]): boolean {
  return opposites.some((pair) => pair.every((scope) => given.includes(scope)));
}

/** An error for each resource that a quota of this scope can't count. */
function misapplied(scope: string, hard: Amounts = {}, error: () => FieldError): FieldError[] {
  return Object.keys(hard)
    .filter((name) => isQuotaResource(name) && !scopeCovers(scope, name))
    .map(error);
}

function scopeCovers(scope: string, resource: string): boolean {
  if (scope === 'BestEffort') return resource === 'pods';
  if (scope === 'VolumeAttributesClass') return volumeResources.includes(resource);
  return !podScopes.includes(scope) || podResources.includes(resource);
}

export function validateResourceQuotaUpdate(
  { spec }: ResourceQuota,
  { spec: old }: ResourceQuota,
): readonly FieldError[] {
  const [now, before] = [spec, old].map((one) => [...new Set(one?.scopes)].sort());
  return sameJson(now, before) ? [] : immutable('spec.scopes', spec?.scopes, old?.scopes);
}

const limitTypes = ['Pod', 'Container', 'PersistentVolumeClaim'];

export function validateLimitRange({ spec }: LimitRange): readonly FieldError[] {
  const seen = new Set<string>();
  return each('spec.limits', spec?.limits, (limit, at) => {
    const { type = '' } = limit;
    const errors = invalidFor(`${at}.type`, type, whyNotQualifiedName(type));
    if (errors.length === 0 && !type.includes('/') && !limitTypes.includes(type)) {
      errors.push(invalid(`${at}.type`, type, 'must be a standard limit type or fully qualified'));
    }
    if (seen.has(type)) errors.push(duplicate(`${at}.type`, type));
    seen.add(type);
    return [...errors, ...validateLimit(limit, at)];
  });
}

/** Which lists of amounts have names to be checked; a pod has no defaults. */
const limitParts = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;

function validateLimit(limit: Limit, at: string): FieldError[] {
  const isPod = limit.type === 'Pod';
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const part of limitParts) {
    const amounts = Object.keys(limit[part] ?? {});
    if (isPod && (part === 'default' || part === 'defaultRequest')) {
      if (amounts.length > 0) errors.push(forbidden(`${at}.${part}`, "may not be specified when `type` is 'Pod'"));
      continue;
    }
    for (const name of amounts) {
      errors.push(...validLimitedResource(`${at}.${part}[${name}]`, name, limit.type));
      names.add(name);
    }
  }
  const { min, max } = limit;
  if (limit.type === 'PersistentVolumeClaim' && min?.['storage'] === undefined && max?.['storage'] === undefined) {
    const why = 'either minimum or maximum storage value is required, but neither was provided';
    errors.push(required(`${at}.limits`, why));
  }
  for (const name of names) errors.push(...validateAmounts(isPod ? { ...limit, ...noDefaults } : limit, at, name));
  return errors;
}

const noDefaults: Pick<Limit, 'default' | 'defaultRequest'> = { default: {}, defaultRequest: {} };

/** What the amounts of one resource say of each other. */
function validateAmounts(limit: Limit, at: string, name: string): FieldError[] {
  const errors: FieldError[] = [];
  const [low, high, limits, requests, ratio] = (
    ['min', 'max', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const
  ).map((part) => limit[part]?.[name]);
  const say = (part: string, value: string | undefined, why: string): void => {
    errors.push(invalid(`${at}.${part}[${name}]`, value, why));
  };
  if (more(low, high)) say('min', low, `min value ${low} is greater than max value ${high}`);
  if (more(low, requests)) {
    say('defaultRequest', requests, `min value ${low} is greater than default request value ${requests}`);
  }
  if (more(requests, high)) {
    say('defaultRequest', requests, `default request value ${requests} is greater than max value ${high}`);
  }
  if (more(requests, limits)) {
    say('defaultRequest', requests, `default request value ${requests} is greater than default limit value ${limits}`);
  }
  // Of the default limit, the value that is shown is the one it is compared with.
  if (more(low, limits)) say('default', low, `min value ${low} is greater than default value ${limits}`);
  if (more(limits, high)) say('default', high, `default value ${limits} is greater than max value ${high}`);
  if (more('1', ratio)) say('maxLimitRequestRatio', ratio, `ratio ${ratio} is less than 1`);
  if (ratio !== undefined && low !== undefined && high !== undefined) {
    const [least, most, factor] = [low, high, ratio].map((amount) => quantityMilliValue(parseQuantity(amount)));
    const largest = (most ?? 0) / (least ?? 0);
    if ((factor ?? 0) / 1000 > largest) {
      say('maxLimitRequestRatio', ratio, `ratio ${ratio} is greater than max/min = ${largest.toFixed(6)}`);
    }
  }
  if (!isOvercommitAllowed(name) && (more(limits, requests) || more(requests, limits))) {
    say(
      'defaultRequest',
      requests,
      `default value ${limits} must equal to defaultRequest value ${requests} in ${name}`,
    );
  }
  return errors;
}

/** Whether both are there and `a` is the greater one. */
function more(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && compareQuantities(parseQuantity(a), parseQuantity(b)) > 0;
}
