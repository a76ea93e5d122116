// What containers, and pods as a whole, ask of a node. Source: kubernetes pkg/apis/core/validation
// (validateResourceRequirements, validateResourceClaimNames, validatePodResources), pkg/apis/core/helper.

import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../field-error.ts';
import { compareQuantities, formatQuantity, parseQuantity, type Quantity, quantityValue, signOf } from '../quantity.ts';
import { podResources } from '../quota/pod-resources.ts';
import type { Container, PodSpec } from '../types.ts';
import { whyNotDnsLabel } from './names.ts';
import { isOvercommitAllowed, validLimitedResource, validResourceAmount, validResourceName } from './resource-names.ts';
import { each, invalidFor } from './rules.ts';

type Requirements = NonNullable<Container['resources']>;
type Amounts = Readonly<Record<string, string>>;

const wholePodResources = /^(cpu|memory|hugepages-.*)$/;
const hugePages = 'hugepages-';

function validateContainerName(field: string, name: string): FieldError[] {
  return validLimitedResource(field, name, 'Container');
}

function validatePodName(field: string, name: string): FieldError[] {
  const errors = validResourceName(field, name);
  return errors.length > 0 || wholePodResources.test(name)
    ? errors
    : [notSupported(field, name, ['cpu', hugePages, 'memory'])];
}

/** @param claims names of the pod's resource claims. */
export function validateContainerResources(
  field: string,
  resources: Requirements | undefined,
  claims: readonly string[],
): FieldError[] {
  return resources === undefined ? [] : validateRequirements(field, resources, validateContainerName, claims);
}

function validateRequirements(
  field: string,
  { limits = {}, requests = {}, claims }: Requirements,
  validate: (field: string, name: string) => FieldError[],
  known: readonly string[],
): FieldError[] {
  const errors: FieldError[] = [];
  for (const name in limits) {
    const at = `${field}.limits[${name}]`;
    errors.push(...validate(at, name), ...validateAmount(at, name, limits[name] ?? ''));
  }
  for (const name in requests) {
    const amount = requests[name] ?? '';
    const at = `${field}.requests[${name}]`;
    errors.push(
      ...validate(at, name),
      ...againstLimit(field, name, amount, limits),
      ...validateAmount(at, name, amount),
    );
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some((name) => name.startsWith(hugePages)) && !names.includes('cpu') && !names.includes('memory')) {
    errors.push(forbidden(field, 'HugePages require cpu or memory'));
  }
  if (claims !== undefined) errors.push(...validateClaims(`${field}.claims`, claims, known));
  return errors;
}

function validateAmount(field: string, name: string, amount: string): FieldError[] {
  const errors = validResourceAmount(field, name, amount);
  if (name.startsWith(hugePages) && !isPages(parseQuantity(amount), name.slice(hugePages.length))) {
    errors.push(invalid(field, amount, `${amount} is not positive integer multiple of ${name}`));
  }
  return errors;
}

function isPages(quantity: Quantity, size: string): boolean {
  try {
    const page = parseQuantity(size);
    return signOf(page) > 0 && quantityValue(quantity) % quantityValue(page) === 0;
  } catch {
    return false;
  }
}

function againstLimit(field: string, name: string, amount: string, limits: Amounts): FieldError[] {
  const limit = limits[name];
  if (limit === undefined) {
    const why = 'Limit must be set for non overcommitable resources';
    return isOvercommitAllowed(name) ? [] : [required(`${field}.limits`, why)];
  }
  const order = compareQuantities(parseQuantity(amount), parseQuantity(limit));
  if (order === 0 || (order < 0 && isOvercommitAllowed(name))) return [];
  const rule = isOvercommitAllowed(name) ? 'less than or equal' : 'equal';
  return [invalid(`${field}.requests`, amount, `must be ${rule} to ${name} limit of ${limit}`)];
}

function validateClaims(
  field: string,
  claims: NonNullable<Requirements['claims']>,
  known: readonly string[],
): FieldError[] {
  const seen = new Set<string>();
  return each(field, claims, ({ name, request }, at) => {
    if (!name) return [required(at)];
    const errors: FieldError[] = [];
    const key = request ? `${name}/${request}` : name;
    if (request && !seen.has(name)) errors.push(...invalidFor(`${at}.request`, request, whyNotDnsLabel(request)));
    const covered = !request && [...seen].some((other) => other.startsWith(`${name}/`));
    if (seen.has(name) || covered) errors.push(duplicate(at, name));
    else if (seen.has(key)) errors.push(duplicate(at, key));
    seen.add(key);
    if (!known.includes(name)) {
      const names = known.length === 0 ? ' which is empty' : `: ${[...known].sort().join(', ')}`;
      const message = `Not found: ${JSON.stringify(name)}: must be one of the names in pod.spec.resourceClaims${names}`;
      errors.push({ type: 'NotFound', field: at, message });
    }
    return errors;
  });
}

/** Resources of the pod as a whole: enough for what its containers ask together. */
export function validatePodResources(field: string, spec: PodSpec): FieldError[] {
  const { resources } = spec;
  if (resources === undefined) return [];
  const errors: FieldError[] = [];
  if (resources.claims !== undefined) {
    errors.push(forbidden(`${field}.claims`, 'claims cannot be set for Resources at pod-level'));
  }
  const names = (spec.resourceClaims ?? []).map(({ name }) => name);
  errors.push(...validateRequirements(field, resources, validatePodName, names));
  // Without what the pod as a whole says: what its containers ask together.
  const { resources: _own, overhead: _overhead, ...others } = spec;
  for (const [name, sum] of Object.entries(podResources({ spec: others }, 'requests'))) {
    if (!wholePodResources.test(name)) continue;
    const given = resources.requests?.[name] ?? '0';
    if (compareQuantities(sum, parseQuantity(given)) <= 0) continue;
    const why = `must be greater than or equal to aggregate container requests of ${formatQuantity(sum)}`;
    errors.push(invalid(`${field}.requests[${name}]`, given, why));
  }
  for (const [index, container] of (spec.containers ?? []).entries()) {
    for (const [name, limit] of Object.entries(container.resources?.limits ?? {})) {
      const most = resources.limits?.[name];
      if (most === undefined || compareQuantities(parseQuantity(limit), parseQuantity(most)) <= 0) continue;
      const at = `${field}.containers[${index}][${name}].limits`;
      errors.push(invalid(at, limit, `must be less than or equal to pod limits of ${most}`));
    }
  }
  return errors;
}
