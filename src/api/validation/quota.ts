// ResourceQuotas and LimitRanges. Source: kubernetes pkg/apis/core/validation (ValidateResourceQuota, ValidateLimitRange).

import { duplicate, type FieldError, forbidden, invalid, required } from '../field-error.ts';
import { compareQuantities, parseQuantity, quantityMilliValue, signOf } from '../quantity.ts';
import { valuesOf } from '../schema/values.ts';
import type { LimitRange, ResourceQuota } from '../types.ts';
import { whyNotQualifiedName } from './names.ts';
import { each, immutable, invalidFor, sameJson } from './rules.ts';

type QuotaSpec = NonNullable<ResourceQuota['spec']>;
type Amounts = Readonly<Record<string, string>>;
/** The wire's name is `default`, which the generated class cannot use. */
type Limit = NonNullable<LimitRange['spec']>['limits'][number] & { readonly default?: Amounts };

const compute = ['cpu', 'memory', 'ephemeral-storage'];
const computeQuota = [...compute, ...compute.flatMap((name) => [`requests.${name}`, `limits.${name}`])];
const objectQuota = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'persistentvolumeclaims',
  'configmaps',
  'requests.storage',
  'services.nodeports',
  'services.loadbalancers',
];

function isQuotaResource(name: string): boolean {
  return computeQuota.includes(name) || objectQuota.includes(name) || /^(requests\.)?hugepages-/.test(name);
}

const core = 'io.k8s.api.core.v1';
const scopes = valuesOf(`${core}.ResourceQuotaSpec`, 'scopes');
const selectorScopes = valuesOf(`${core}.ScopedResourceSelectorRequirement`, 'scopeName');
const operators = valuesOf(`${core}.ScopedResourceSelectorRequirement`, 'operator');
const podScopes = [
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'PriorityClass',
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
    const errors = invalidFor(at, name, whyNotQualifiedName(name));
    if (!name.includes('/') && !isQuotaResource(name)) {
      errors.push(invalid(at, name, 'must be a standard resource type or fully qualified'));
      errors.push(invalid(at, name, 'must be a standard resource for quota'));
    }
    if (signOf(parseQuantity(amount)) < 0) errors.push(invalid(at, amount, 'must be greater than or equal to 0'));
    else if (
      objectQuota.includes(name) &&
      name !== 'requests.storage' &&
      quantityMilliValue(parseQuantity(amount)) % 1000 !== 0
    ) {
      errors.push(invalid(at, amount, 'must be an integer'));
    }
    return errors;
  });
}

function validateScopes(spec: QuotaSpec | undefined): FieldError[] {
  const given = spec?.scopes ?? [];
  const errors = checkScopes('spec.scopes', given, { hard: spec?.hard ?? {}, known: scopes() });
  const expressions = spec?.scopeSelector?.matchExpressions ?? [];
  const field = 'spec.scopeSelector.matchExpressions';
  errors.push(
    ...each(field, expressions, ({ scopeName, operator, values = [] }, at) => {
      const wrong = checkScopes(`${at}.scopeName`, [scopeName], { hard: spec?.hard ?? {}, known: selectorScopes() });
      const byValue = scopeName === 'PriorityClass' || scopeName === 'VolumeAttributesClass';
      const isKnown = operators().includes(operator);
      if (!isKnown) wrong.push(invalid(`${at}.operator`, operator, 'not a valid selector operator'));
      else if (!byValue && operator !== 'Exists') {
        const why =
          "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
        wrong.push(invalid(`${at}.operator`, operator, why));
      }
      const needsValues = operator === 'In' || operator === 'NotIn';
      if (needsValues && values.length === 0) {
        wrong.push(
          required(`${at}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"),
        );
      }
      if (isKnown && !needsValues && values.length > 0) {
        wrong.push(
          invalid(
            `${at}.values`,
            values,
            "must be no value when `operator` is 'Exists' or 'DoesNotExist' for scope selector",
          ),
        );
      }
      return wrong;
    }),
  );
  return errors;
}

function checkScopes(
  field: string,
  given: readonly string[],
  { hard, known }: { readonly hard: Amounts; readonly known: readonly string[] },
): FieldError[] {
  const errors: FieldError[] = [];
  for (const scope of given) {
    if (!known.includes(scope)) {
      errors.push(invalid(field, scope, 'unsupported scope'));
      continue;
    }
    for (const name of Object.keys(hard)) {
      if (!name.includes('/') && isQuotaResource(name) && !scopeCovers(scope, name)) {
        errors.push(invalid(field, given, 'unsupported scope applied to resource'));
      }
    }
  }
  if (opposites.some((pair) => pair.every((scope) => given.includes(scope)))) {
    errors.push(invalid(field, given, 'conflicting scopes'));
  }
  return errors;
}

function scopeCovers(scope: string, resource: string): boolean {
  if (scope === 'BestEffort') return resource === 'pods';
  if (scope === 'VolumeAttributesClass')
    return resource === 'persistentvolumeclaims' || resource === 'requests.storage';
  if (scope === 'NotBestEffort' || podScopes.includes(scope)) {
    return resource === 'pods' || computeQuota.includes(resource) || /hugepages-/.test(resource);
  }
  return true;
}

export function validateResourceQuotaUpdate(
  { spec }: ResourceQuota,
  { spec: old }: ResourceQuota,
): readonly FieldError[] {
  const sorted = (list: readonly string[] = []): unknown => [...list].sort();
  return sameJson(sorted(spec?.scopes), sorted(old?.scopes)) ? [] : immutable('spec.scopes', spec?.scopes, old?.scopes);
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

function validateLimit(limit: Limit, at: string): FieldError[] {
  const {
    type,
    min = {},
    max = {},
    default: normal = {},
    defaultRequest = {},
    maxLimitRequestRatio: ratio = {},
  } = limit;
  const errors: FieldError[] = [];
  if (type === 'Pod') {
    for (const key of ['default', 'defaultRequest'] as const) {
      if (Object.keys(limit[key] ?? {}).length > 0) {
        errors.push(forbidden(`${at}.${key}`, "may not be specified when `type` is 'Pod'"));
      }
    }
  }
  if (type === 'PersistentVolumeClaim' && min['storage'] === undefined && max['storage'] === undefined) {
    errors.push(required(at, 'either minimum or maximum storage value is required, but neither was provided'));
  }
  for (const name of Object.keys({ ...min, ...max, ...normal, ...defaultRequest, ...ratio })) {
    const more = (a: string | undefined, b: string | undefined): boolean =>
      a !== undefined && b !== undefined && compareQuantities(parseQuantity(a), parseQuantity(b)) > 0;
    const [low, high, limits, requests] = [min[name], max[name], normal[name], defaultRequest[name]];
    const say = (part: string, value: string | undefined, why: string): void => {
      errors.push(invalid(`${at}.${part}[${name}]`, value, why));
    };
    if (more(low, high)) say('min', low, `min value ${low} is greater than max value ${high}`);
    if (type !== 'Pod') {
      if (more(low, requests))
        say('defaultRequest', requests, `min value ${low} is greater than default request value ${requests}`);
      if (more(requests, high))
        say('defaultRequest', requests, `default request value ${requests} is greater than max value ${high}`);
      if (more(requests, limits))
        say(
          'defaultRequest',
          requests,
          `default request value ${requests} is greater than default limit value ${limits}`,
        );
      if (more(low, limits)) say('default', limits, `min value ${low} is greater than default value ${limits}`);
      if (more(limits, high)) say('default', limits, `default value ${limits} is greater than max value ${high}`);
    }
    const factor = ratio[name];
    if (more('1', factor)) say('maxLimitRequestRatio', factor, `ratio ${factor} is less than 1`);
  }
  return errors;
}
