// What a pod says beside containers, volumes and security: its network identity, gates, claims, where it may run.
// Source: kubernetes pkg/apis/core/validation (ValidatePodSpec).

import { duplicate, type FieldError, invalid, notSupported, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { PodSpec, Toleration } from '../types.ts';
import {
  whyNotDnsLabel,
  whyNotDnsSubdomain,
  whyNotLabelValue,
  whyNotQualifiedName,
  whyNotSearchDomain,
} from './names.ts';
import { each, invalidFor, oneOf, validIp } from './rules.ts';

type Claim = NonNullable<PodSpec['resourceClaims']>[number];

const core = 'io.k8s.api.core.v1';
const operators = valuesOf(`${core}.Toleration`, 'operator');
const effects = valuesOf(`${core}.Toleration`, 'effect');
const maxNameservers = 3;
const maxSearches = 32;
const maxSearchBytes = 2048;

export function validateDns(field: string, { dnsConfig: config, dnsPolicy }: PodSpec): FieldError[] {
  const { nameservers = [], searches = [], options } = config ?? {};
  if (dnsPolicy === 'None') {
    if (config === undefined) return [required(field, 'must provide `dnsConfig` when `dnsPolicy` is None')];
    const why = 'must provide at least one DNS nameserver when `dnsPolicy` is None';
    if (nameservers.length === 0) return [required(`${field}.nameservers`, why)];
  }
  if (config === undefined) return [];
  const errors: FieldError[] = [];
  if (nameservers.length > maxNameservers) {
    errors.push(invalid(`${field}.nameservers`, nameservers, `must not have more than ${maxNameservers} nameservers`));
  }
  errors.push(...each(`${field}.nameservers`, nameservers, (ip, at) => validIp(at, ip)));
  if (searches.length > maxSearches) {
    errors.push(invalid(`${field}.searches`, searches, `must not have more than ${maxSearches} search paths`));
  }
  if (searches.join(' ').length > maxSearchBytes) {
    const why = `must not have more than ${maxSearchBytes} characters (including spaces) in the search list`;
    errors.push(invalid(`${field}.searches`, searches, why));
  }
  errors.push(
    ...each(`${field}.searches`, searches, (search, at) => {
      const domain = search.endsWith('.') ? search.slice(0, -1) : search;
      return search === '.' ? [] : invalidFor(at, domain, whyNotSearchDomain(domain));
    }),
    ...each(`${field}.options`, options, ({ name }, at) => (name ? [] : [required(at, 'must not be empty')])),
  );
  return errors;
}

export function validateHostAliases(field: string, aliases: PodSpec['hostAliases']): FieldError[] {
  return each(field, aliases, ({ ip, hostnames }, at) => [
    ...validIp(`${at}.ip`, ip ?? ''),
    ...each(`${at}.hostnames`, hostnames, (name, one) => invalidFor(one, name, whyNotDnsSubdomain(name))),
  ]);
}

export function validateReadinessGates(field: string, gates: PodSpec['readinessGates']): FieldError[] {
  return each(field, gates, ({ conditionType = '' }, at) =>
    invalidFor(`${at}.conditionType`, conditionType, whyNotQualifiedName(conditionType)),
  );
}

export function validateSchedulingGates(field: string, gates: PodSpec['schedulingGates']): FieldError[] {
  const seen = new Set<string>();
  return each(field, gates, ({ name = '' }, at) => {
    const errors = invalidFor(at, name, whyNotQualifiedName(name));
    if (seen.has(name)) errors.push(duplicate(at, name));
    seen.add(name);
    return errors;
  });
}

export function validateResourceClaims(field: string, claims: PodSpec['resourceClaims']): FieldError[] {
  const seen = new Set<string>();
  return each(field, claims, (claim, at) => {
    const { name } = claim;
    const errors: FieldError[] = [];
    if (!name) errors.push(required(`${at}.name`));
    else if (seen.has(name)) errors.push(duplicate(`${at}.name`, name));
    else errors.push(...invalidFor(`${at}.name`, name, whyNotDnsLabel(name)));
    seen.add(name);
    errors.push(...validateClaimSource(at, claim));
    return errors;
  });
}

function validateClaimSource(at: string, claim: Claim): FieldError[] {
  const { resourceClaimName: own, resourceClaimTemplateName: template } = claim;
  const errors: FieldError[] = [];
  if (own !== undefined && template !== undefined) {
    const why = 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified';
    errors.push(invalid(at, claim, why));
  }
  if (own === undefined && template === undefined) {
    errors.push(invalid(at, claim, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'));
  }
  for (const key of ['resourceClaimName', 'resourceClaimTemplateName'] as const) {
    const value = claim[key];
    if (value !== undefined) errors.push(...invalidFor(`${at}.${key}`, value, whyNotDnsSubdomain(value)));
  }
  return errors;
}

export function validateToleration(field: string, toleration: Toleration): FieldError[] {
  const { key = '', operator = '', value = '', effect, tolerationSeconds } = toleration;
  const at = `${field}.operator`;
  const errors = key === '' ? [] : invalidFor(`${field}.key`, key, whyNotQualifiedName(key));
  if (key === '' && operator !== 'Exists') {
    const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    errors.push(invalid(at, operator, why));
  }
  if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
    errors.push(invalid(`${field}.effect`, effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set"));
  }
  if (operator === 'Equal' || operator === '') {
    const why = whyNotLabelValue(value);
    if (why.length > 0) errors.push(invalid(at, value, why.join(';')));
  } else if (operator === 'Exists') {
    if (value !== '') errors.push(invalid(at, value, "value must be empty when `operator` is 'Exists'"));
  } else errors.push(notSupported(at, operator, operators()));
  errors.push(...oneOf(`${field}.effect`, effect, effects()));
  return errors;
}
