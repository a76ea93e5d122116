// Names of resources (cpu, requests.memory, example.com/gpu) where a list of amounts may have them, and the amounts.
// Source: kubernetes pkg/apis/core/helper, pkg/apis/core/validation (validateResourceName, ValidateResourceQuantityValue).

import { type FieldError, invalid } from '../field-error.ts';
import { parseQuantity, quantityMilliValue, signOf } from '../quantity.ts';
import { whyNotQualifiedName } from './names.ts';
import { invalidFor } from './rules.ts';

const compute = ['cpu', 'memory', 'ephemeral-storage'];
/** Counted in whole numbers. */
const counted: ReadonlySet<string> = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'persistentvolumeclaims',
  'configmaps',
  'services.nodeports',
  'services.loadbalancers',
]);
const quotas: ReadonlySet<string> = new Set([
  ...compute,
  ...compute.flatMap((name) => [`requests.${name}`, `limits.${name}`]),
  'requests.storage',
  ...counted,
]);

function isHugePages(name: string): boolean {
  return name.startsWith('hugepages-');
}

/** Whether a quota can have it without a domain. */
export function isQuotaResource(name: string): boolean {
  return quotas.has(name) || isHugePages(name) || name.startsWith('requests.hugepages-');
}

/** Kubernetes' own: without a domain, or with its domain. */
function isNative(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/');
}

/** A device or the like that a node offers under its own domain. */
function isExtended(name: string): boolean {
  return !isNative(name) && !name.startsWith('requests.') && whyNotQualifiedName(`requests.${name}`).length === 0;
}

/** Whether requests may be less than limits. */
export function isOvercommitAllowed(name: string): boolean {
  return isNative(name) && !isHugePages(name);
}

/** A standard name, or one with a domain. */
export function validResourceName(field: string, name: string): FieldError[] {
  const errors = invalidFor(field, name, whyNotQualifiedName(name));
  if (errors.length > 0 || name.includes('/') || name === 'storage' || isQuotaResource(name)) return errors;
  return [invalid(field, name, 'must be a standard resource type or fully qualified')];
}

export function validQuotaResource(field: string, name: string): FieldError[] {
  const errors = validResourceName(field, name);
  if (name.includes('/') || isQuotaResource(name)) return errors;
  return [...errors, invalid(field, name, 'must be a standard resource for quota')];
}

/** Of pods and containers; a claim's limits may have any standard name. */
export function validLimitedResource(field: string, name: string, limited: string | undefined): FieldError[] {
  const errors = validResourceName(field, name);
  if (limited !== 'Pod' && limited !== 'Container') return errors;
  if (!name.includes('/')) {
    if (compute.includes(name) || isHugePages(name)) return errors;
    return [...errors, invalid(field, name, 'must be a standard resource for containers')];
  }
  if (isNative(name) || isExtended(name)) return errors;
  return [...errors, invalid(field, name, "doesn't follow extended resource name standard")];
}

/** Not negative, and whole where things are counted. */
export function validResourceAmount(field: string, name: string, amount: string): FieldError[] {
  const quantity = parseQuantity(amount);
  const errors = signOf(quantity) < 0 ? [invalid(field, amount, 'must be greater than or equal to 0')] : [];
  if ((counted.has(name) || isExtended(name)) && quantityMilliValue(quantity) % 1000 !== 0) {
    errors.push(invalid(field, amount, 'must be an integer'));
  }
  return errors;
}
