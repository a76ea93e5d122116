// The spec of a pod, in a Pod or in a template. Source: kubernetes pkg/apis/core/validation (ValidatePodSpec).

import { type FieldError, invalid, notSupported, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { PodSpec, Toleration } from '../types.ts';
import { validateContainer } from './container.ts';
import { whyNotDnsLabel, whyNotDnsSubdomain, whyNotLabelValue, whyNotQualifiedName } from './names.ts';
import { hostPortConflicts, validatePodParts } from './pod-parts.ts';
import { each, inRange, invalidFor, noDuplicates, oneOf, validLabels } from './rules.ts';
import { validateVolume } from './volumes.ts';

const maxInt32 = 2_147_483_647;
const containerLists = [
  ['containers', 'main'],
  ['initContainers', 'init'],
  ['ephemeralContainers', 'ephemeral'],
] as const;
const core = 'io.k8s.api.core.v1';
const restartPolicies = valuesOf(`${core}.PodSpec`, 'restartPolicy');
const dnsPolicies = valuesOf(`${core}.PodSpec`, 'dnsPolicy');
const operators = valuesOf(`${core}.Toleration`, 'operator');
const effects = valuesOf(`${core}.Toleration`, 'effect');

/** @param claims names of volumes that every pod gets beside those of the spec (StatefulSet). */
export function validatePodSpec(
  field: string,
  spec: PodSpec | undefined,
  claims: readonly string[] = [],
): FieldError[] {
  if (spec === undefined) return [required(`${field}.containers`)];
  const { volumes = [], containers = [] } = spec;
  const known = new Set([...volumes.map(({ name }) => name), ...claims]);
  const errors = each(`${field}.volumes`, volumes, validateVolume);
  errors.push(...noDuplicates(volumes.map(({ name }, index) => [`${field}.volumes[${index}].name`, name])));
  if (containers.length === 0) errors.push(required(`${field}.containers`));
  const pod = { volumes: known, hostNetwork: spec.hostNetwork === true, restarts: spec.restartPolicy };
  const named: (readonly [string, string | undefined])[] = [];
  for (const [list, role] of containerLists) {
    for (const [index, container] of (spec[list] ?? []).entries()) {
      const at = `${field}.${list}[${index}]`;
      named.push([`${at}.name`, container.name]);
      errors.push(...validateContainer(container, { ...pod, field: at, role }));
    }
  }
  errors.push(...noDuplicates(named));
  errors.push(...hostPortConflicts(field, spec), ...validateScalars(field, spec), ...validatePodParts(field, spec));
  for (const [index, toleration] of (spec.tolerations ?? []).entries()) {
    errors.push(...validateToleration(`${field}.tolerations[${index}]`, toleration));
  }
  return errors;
}

function validateScalars(field: string, spec: PodSpec): FieldError[] {
  const errors = [
    ...oneOf(`${field}.restartPolicy`, spec.restartPolicy, restartPolicies()),
    ...oneOf(`${field}.dnsPolicy`, spec.dnsPolicy, dnsPolicies()),
    ...inRange(`${field}.activeDeadlineSeconds`, spec.activeDeadlineSeconds, 1, maxInt32),
    ...validLabels(`${field}.nodeSelector`, spec.nodeSelector),
  ];
  if (spec.dnsPolicy === 'None' && (spec.dnsConfig?.nameservers ?? []).length === 0) {
    errors.push(
      required(`${field}.dnsConfig.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'),
    );
  }
  const grace = spec.terminationGracePeriodSeconds;
  if (grace !== undefined && grace < 0) {
    errors.push(invalid(`${field}.terminationGracePeriodSeconds`, grace, 'must be greater than or equal to 0'));
  }
  for (const key of ['serviceAccountName', 'nodeName', 'priorityClassName', 'runtimeClassName'] as const) {
    const name = spec[key];
    if (name) errors.push(...invalidFor(`${field}.${key}`, name, whyNotDnsSubdomain(name)));
  }
  for (const key of ['hostname', 'subdomain'] as const) {
    const name = spec[key];
    if (name) errors.push(...invalidFor(`${field}.${key}`, name, whyNotDnsLabel(name)));
  }
  for (const [index, { name }] of (spec.imagePullSecrets ?? []).entries()) {
    if (name === undefined) errors.push(required(`${field}.imagePullSecrets[${index}].name`));
  }
  return errors;
}

function validateToleration(field: string, toleration: Toleration): FieldError[] {
  const { key = '', operator = 'Equal', value = '', effect, tolerationSeconds } = toleration;
  const errors = key === '' ? [] : invalidFor(`${field}.key`, key, whyNotQualifiedName(key));
  if (key === '' && operator !== 'Exists') {
    errors.push(
      invalid(
        `${field}.operator`,
        operator,
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ),
    );
  }
  if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
    errors.push(invalid(`${field}.effect`, effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set"));
  }
  if (operator === 'Equal' || operator === '')
    errors.push(...invalidFor(`${field}.operator`, value, whyNotLabelValue(value)));
  else if (operator === 'Exists') {
    if (value !== '')
      errors.push(invalid(`${field}.operator`, toleration, "value must be empty when `operator` is 'Exists'"));
  } else errors.push(notSupported(`${field}.operator`, operator, operators()));
  return [...errors, ...oneOf(`${field}.effect`, effect, effects())];
}
