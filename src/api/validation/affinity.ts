// Where a pod wants to run: node and pod affinity, spread constraints. Source: kubernetes pkg/apis/core/validation.

import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { PodSpec } from '../types.ts';
import { whyNotDnsLabel, whyNotDnsSubdomain, whyNotLabelValue, whyNotQualifiedName } from './names.ts';
import { each, invalidFor, strictlyOneOf, validLabelSelector } from './rules.ts';

type Affinity = NonNullable<PodSpec['affinity']>;
type NodeAffinity = NonNullable<Affinity['nodeAffinity']>;
type NodeSelector = NonNullable<NodeAffinity['requiredDuringSchedulingIgnoredDuringExecution']>;
type NodeTerm = NodeSelector['nodeSelectorTerms'][number];
type Requirement = NonNullable<NodeTerm['matchExpressions']>[number];
type PodTerms = NonNullable<Affinity['podAffinity']>;
type PodTerm = NonNullable<PodTerms['requiredDuringSchedulingIgnoredDuringExecution']>[number];
type Spread = NonNullable<PodSpec['topologySpreadConstraints']>[number];

const mandatory = 'requiredDuringSchedulingIgnoredDuringExecution';
const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';

export function validateAffinity(field: string, affinity: Affinity | undefined): FieldError[] {
  if (affinity === undefined) return [];
  const { nodeAffinity: node, podAffinity, podAntiAffinity } = affinity;
  const errors: FieldError[] = [];
  if (node !== undefined) {
    const at = `${field}.nodeAffinity`;
    const must = node[mandatory];
    if (must !== undefined) errors.push(...validateNodeSelector(`${at}.${mandatory}`, must));
    errors.push(
      ...each(`${at}.${preferred}`, node[preferred], ({ weight, preference }, one) => [
        ...validWeight(one, weight),
        ...validateNodeTerm(preference ?? {}, `${one}.preference`, validatePreference),
      ]),
    );
  }
  for (const [name, terms] of [
    ['podAffinity', podAffinity],
    ['podAntiAffinity', podAntiAffinity],
  ] as const) {
    if (terms === undefined) continue;
    errors.push(...each(`${field}.${name}.${mandatory}`, terms[mandatory], validatePodTerm));
    errors.push(
      ...each(`${field}.${name}.${preferred}`, terms[preferred], ({ weight, podAffinityTerm }, one) => [
        ...validWeight(one, weight),
        ...validatePodTerm(podAffinityTerm, `${one}.podAffinityTerm`),
      ]),
    );
  }
  return errors;
}

function validWeight(field: string, weight: number): FieldError[] {
  return weight >= 1 && weight <= 100 ? [] : [invalid(`${field}.weight`, weight ?? 0, 'must be in the range 1-100')];
}

/** A required selector of nodes: at least one term. */
export function validateNodeSelector(field: string, { nodeSelectorTerms = [] }: NodeSelector): FieldError[] {
  const at = `${field}.nodeSelectorTerms`;
  if (nodeSelectorTerms.length === 0) return [required(at, 'must have at least one node selector term')];
  return each(at, nodeSelectorTerms, (term, one) => validateNodeTerm(term, one, validateRequirement));
}

function validateNodeTerm(
  { matchExpressions, matchFields }: NodeTerm,
  field: string,
  validate: (requirement: Requirement, field: string) => FieldError[],
): FieldError[] {
  return [
    ...each(`${field}.matchExpressions`, matchExpressions, validate),
    ...each(`${field}.matchFields`, matchFields, validateFieldRequirement),
  ];
}

/** Values that no label can have are only refused where a node must match. */
function validateRequirement(requirement: Requirement, field: string): FieldError[] {
  return [
    ...validatePreference(requirement, field),
    ...each(`${field}.values`, requirement.values, (value, at) => invalidFor(at, value, whyNotLabelValue(value))),
  ];
}

function validatePreference({ key = '', operator = '', values = [] }: Requirement, field: string): FieldError[] {
  const at = `${field}.values`;
  const errors: FieldError[] = [];
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) errors.push(required(at, "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
    if (values.length > 0) errors.push(forbidden(at, why));
  } else if (operator === 'Gt' || operator === 'Lt') {
    const why = "must be specified single value when `operator` is 'Lt' or 'Gt'";
    if (values.length !== 1) errors.push(required(at, why));
  } else errors.push(invalid(`${field}.operator`, operator, 'not a valid selector operator'));
  errors.push(...invalidFor(`${field}.key`, key, whyNotQualifiedName(key)));
  return errors;
}

function validateFieldRequirement({ key = '', operator = '', values = [] }: Requirement, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (operator !== 'In' && operator !== 'NotIn') {
    errors.push(invalid(`${field}.operator`, operator, 'not a valid selector operator'));
  } else if (values.length !== 1) {
    errors.push(
      required(`${field}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"),
    );
  }
  if (key !== 'metadata.name') return [...errors, invalid(`${field}.key`, key, 'not a valid field selector key')];
  return [
    ...errors,
    ...each(`${field}.values`, values, (value, at) => invalidFor(at, value, whyNotDnsSubdomain(value))),
  ];
}

function validatePodTerm(term: PodTerm | undefined, field: string): FieldError[] {
  const { topologyKey = '', labelSelector, namespaceSelector, namespaces } = term ?? {};
  const errors = [
    ...validLabelSelector(`${field}.labelSelector`, labelSelector),
    ...validLabelSelector(`${field}.namespaceSelector`, namespaceSelector),
    ...each(`${field}.namespaces`, namespaces, (name) => invalidFor(`${field}.namespace`, name, whyNotDnsLabel(name))),
  ];
  if (term !== undefined) errors.push(...validateLabelKeys(field, term));
  if (topologyKey === '') errors.push(required(`${field}.topologyKey`, 'can not be empty'));
  errors.push(...invalidFor(`${field}.topologyKey`, topologyKey, whyNotQualifiedName(topologyKey)));
  return errors;
}

/** Keys whose values are the pod's own: only beside a selector, and never both wanted and unwanted. */
function validateLabelKeys(field: string, term: PodTerm): FieldError[] {
  const { matchLabelKeys = [], mismatchLabelKeys = [], labelSelector } = term;
  const errors: FieldError[] = [];
  for (const key of ['matchLabelKeys', 'mismatchLabelKeys'] as const) {
    const at = `${field}.${key}`;
    const keys = term[key] ?? [];
    if (keys.length > 0 && labelSelector === undefined) errors.push(forbidden(at, withoutSelector));
    else errors.push(...each(at, keys, (name, one) => invalidFor(one, name, whyNotQualifiedName(name))));
  }
  // What matchLabelKeys asks for was added to the selector before, so that a key of its own stands there twice.
  const seen = new Set(Object.keys(labelSelector?.matchLabels ?? {}));
  for (const { key = '' } of labelSelector?.matchExpressions ?? []) {
    const index = matchLabelKeys.lastIndexOf(key);
    if (index >= 0 && seen.has(key)) errors.push(invalid(`${field}[${index}]`, key, inBoth));
    seen.add(key);
  }
  for (const [index, key] of matchLabelKeys.entries()) {
    if (!mismatchLabelKeys.includes(key)) continue;
    const why = 'exists in both matchLabelKeys and mismatchLabelKeys';
    errors.push(invalid(`${field}.matchLabelKeys[${index}]`, key, why));
  }
  return errors;
}

const withoutSelector = 'must not be specified when labelSelector is not set';
const inBoth = 'exists in both matchLabelKeys and labelSelector';
const spread = 'io.k8s.api.core.v1.TopologySpreadConstraint';
const unsatisfied = valuesOf(spread, 'whenUnsatisfiable');
const inclusions = {
  nodeAffinityPolicy: valuesOf(spread, 'nodeAffinityPolicy'),
  nodeTaintsPolicy: valuesOf(spread, 'nodeTaintsPolicy'),
};

export function validateSpread(field: string, constraints: readonly Spread[] = []): FieldError[] {
  return each(field, constraints, (one, at) => {
    const { maxSkew = 0, minDomains, topologyKey = '', whenUnsatisfiable = '', labelSelector } = one;
    const errors: FieldError[] = [];
    if (maxSkew <= 0) errors.push(invalid(`${at}.maxSkew`, maxSkew, 'must be greater than zero'));
    if (topologyKey === '') errors.push(required(`${at}.topologyKey`, 'can not be empty'));
    if (!unsatisfied().includes(whenUnsatisfiable)) {
      errors.push(notSupported(`${at}.whenUnsatisfiable`, whenUnsatisfiable, unsatisfied()));
    }
    const others = constraints.slice(constraints.indexOf(one) + 1);
    if (others.some((other) => sameAim(other, one))) {
      errors.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${whenUnsatisfiable}}`));
    }
    if (minDomains !== undefined) {
      if (minDomains <= 0) errors.push(invalid(`${at}.minDomains`, minDomains, 'must be greater than zero'));
      if (whenUnsatisfiable !== 'DoNotSchedule') {
        const why = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
        errors.push(invalid(`${at}.minDomains`, minDomains, why));
      }
    }
    for (const key of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const) {
      errors.push(...strictlyOneOf(`${at}.${key}`, one[key], inclusions[key]()));
    }
    errors.push(...validateSpreadKeys(`${at}.matchLabelKeys`, one));
    errors.push(...validLabelSelector(`${at}.labelSelector`, labelSelector));
    return errors;
  });
}

function sameAim(a: Spread, b: Spread): boolean {
  return (a.topologyKey ?? '') === (b.topologyKey ?? '') && (a.whenUnsatisfiable ?? '') === (b.whenUnsatisfiable ?? '');
}

function validateSpreadKeys(field: string, { matchLabelKeys = [], labelSelector }: Spread): FieldError[] {
  if (matchLabelKeys.length === 0) return [];
  const errors = labelSelector === undefined ? [forbidden(field, withoutSelector)] : [];
  const selected = [
    ...Object.keys(labelSelector?.matchLabels ?? {}),
    ...(labelSelector?.matchExpressions ?? []).map(({ key }) => key),
  ];
  for (const [index, key] of matchLabelKeys.entries()) {
    errors.push(...invalidFor(`${field}[${index}]`, key, whyNotQualifiedName(key)));
    if (selected.includes(key)) errors.push(invalid(`${field}[${index}]`, key, inBoth));
  }
  return errors;
}
