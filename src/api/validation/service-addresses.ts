// Cluster addresses and IP families of Services: what may be asked for, before and after allocation, and what may change.
// Source: kubernetes pkg/apis/core/validation (ValidateServiceClusterIPsRelatedFields, validateUpgradeDowngrade…).

import { duplicate, type FieldError, invalid, notSupported, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { Service } from '../types.ts';
import { ipVersion } from './addresses.ts';
import { each, sameJson, strictlyOneOf, validIp } from './rules.ts';

type Spec = NonNullable<Service['spec']>;

const families = valuesOf('io.k8s.api.core.v1.ServiceSpec', 'ipFamilies');
const policies = valuesOf('io.k8s.api.core.v1.ServiceSpec', 'ipFamilyPolicy');
const maxAddresses = 2;

/** Whether the Service has the addresses of its endpoints and none of its own. */
export function isHeadless({ clusterIPs = [] }: Spec): boolean {
  return clusterIPs.length === 1 && clusterIPs[0] === 'None';
}

export function validateServiceAddresses(spec: Spec): FieldError[] {
  if (spec.type === 'ExternalName') return [];
  const { clusterIP = '', clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec;
  const field = 'spec.clusterIPs';
  const errors: FieldError[] = [];
  if (clusterIP !== '') {
    if (clusterIPs.length === 0) errors.push(required(field));
    else if (clusterIPs[0] !== clusterIP) errors.push(invalid(field, clusterIPs, 'first value must match `clusterIP`'));
  } else if (clusterIPs.length > 0) {
    errors.push(invalid(field, clusterIPs, 'must be empty when `clusterIP` is not specified'));
  }
  const seen = new Set<string>();
  errors.push(
    ...each('spec.ipFamilies', ipFamilies, (family, at) => {
      const wrong = families().includes(family) ? [] : [notSupported(at, family, families())];
      if (seen.has(family)) wrong.push(duplicate(at, family));
      seen.add(family);
      return wrong;
    }),
  );
  errors.push(...strictlyOneOf('spec.ipFamilyPolicy', ipFamilyPolicy, policies()));
  const misplaced = clusterIPs[0] === 'None' && clusterIPs.length > 1;
  if (misplaced) errors.push(invalid(field, clusterIPs, "'None' must be the first and only value"));
  const malformed = each(field, clusterIPs, (ip, at) => (ip === 'None' && at === `${field}[0]` ? [] : validIp(at, ip)));
  errors.push(...malformed);
  if (clusterIPs.length > maxAddresses) {
    errors.push(invalid(field, clusterIPs, `may only hold up to ${maxAddresses} values`));
  }
  if (misplaced || malformed.length > 0) return errors;
  const versions = clusterIPs.map(ipVersion);
  if (versions.length > 1 && !(versions.includes(4) && versions.includes(6))) {
    errors.push(invalid(field, clusterIPs, 'may specify no more than one IP for each IP family'));
  }
  if (isHeadless(spec)) return errors;
  for (const [at, ip] of clusterIPs.entries()) {
    const family = ipFamilies[at];
    if ((family === 'IPv4' && versions[at] === 6) || (family === 'IPv6' && versions[at] === 4)) {
      errors.push(invalid(`${field}[${at}]`, ip, `expected an ${family} value as indicated by \`ipFamilies[${at}]\``));
    }
  }
  return errors;
}

/** A Service keeps its first address and family as long as it has some: only as an ExternalName it can give them up. */
export function validateAddressesUpdate(spec: Spec, old: Spec): FieldError[] {
  if (spec.type === 'ExternalName' || old.type === 'ExternalName') return [];
  const errors: FieldError[] = [];
  if (!isHeadless(spec) || !isHeadless(old)) {
    errors.push(...unchanged(['spec.clusterIPs', 'clusterIP'], spec.clusterIPs ?? [], old.clusterIPs ?? [], spec));
  }
  if (!isHeadless(spec) && !isHeadless(old)) {
    errors.push(...unchanged(['spec.ipFamilies', 'ipFamily'], spec.ipFamilies ?? [], old.ipFamilies ?? [], spec));
  }
  return errors;
}

/** A second value may come and, by a policy that says so, go. */
function unchanged(
  [field, one]: readonly [field: string, one: string],
  now: readonly string[],
  before: readonly string[],
  { ipFamilyPolicy }: Spec,
): FieldError[] {
  const mayNotChange = (at: number): FieldError => invalid(`${field}[${at}]`, now, 'may not change once set');
  if (now.length === before.length) {
    return sameJson(now, before) ? [] : before.flatMap((value, at) => (value === now[at] ? [] : [mayNotChange(at)]));
  }
  const errors: FieldError[] = [];
  if (before.length > 0 && now.length === 0) {
    errors.push(invalid(`${field}[0]`, now, `primary ${one} can not be unset`));
  } else if (before.length > 0 && now[0] !== before[0]) errors.push(mayNotChange(0));
  if (now.length === 1 && before.length === 2 && ipFamilyPolicy !== 'SingleStack') {
    const why = `must be set to 'SingleStack' when releasing the secondary ${one}`;
    errors.push(invalid('spec.ipFamilyPolicy', ipFamilyPolicy, why));
  }
  return errors;
}
