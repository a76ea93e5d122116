// The spec of a pod, in a Pod or in a template. Source: kubernetes pkg/apis/core/validation (ValidatePodSpec).

import { type FieldError, invalid, notSupported, required } from '../field-error.ts';
import type { PodSpec, Toleration } from '../types.ts';
import { validateContainer } from './container.ts';
import { whyNotDnsLabel, whyNotDnsSubdomain, whyNotLabelValue, whyNotQualifiedName } from './names.ts';
import { hostPortConflicts, validatePodParts } from './pod-parts.ts';
import { each, inRange, invalidFor, noDuplicates, oneOf, validLabels } from './rules.ts';
import { validateVolume } from './volumes.ts';

const maxInt32 = 2_147_483_647;

/** @param claims names of volumes that every pod gets beside those of the spec (StatefulSet). */
export function validatePodSpec(
  field: string,
  spec: PodSpec | undefined,
  claims: readonly string[] = [],
): FieldError[] {
  if (spec === undefined) return [required(`${field}.containers`)];
  const { volumes = [], containers = [], initContainers = [], ephemeralContainers = [] } = spec;
  const known = new Set([...volumes.map(({ name }) => name), ...claims]);
  const errors = each(`${field}.volumes`, volumes, validateVolume);
  errors.push(...noDuplicates(volumes.map(({ name }, index) => [`${field}.volumes[${index}].name`, name])));
  if (containers.length === 0) errors.push(required(`${field}.containers`));
  const hostNetwork = spec.hostNetwork === true;
  const named: (readonly [string, string | undefined])[] = [];
  for (const [index, container] of containers.entries()) {
    const at = `${field}.containers[${index}]`;
    named.push([`${at}.name`, container.name]);
    errors.push(...validateContainer(container, { field: at, volumes: known, hostNetwork, role: 'main' }));
  }
  for (const [index, container] of initContainers.entries()) {
    const at = `${field}.initContainers[${index}]`;
    named.push([`${at}.name`, container.name]);
    errors.push(...validateContainer(container, { field: at, volumes: known, hostNetwork, role: 'init' }));
  }
  for (const [index, container] of ephemeralContainers.entries()) {
    const at = `${field}.ephemeralContainers[${index}]`;
    named.push([`${at}.name`, container.name]);
    errors.push(...validateContainer(container, { field: at, volumes: known, hostNetwork, role: 'ephemeral' }));
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
    ...oneOf(`${field}.restartPolicy`, spec.restartPolicy, ['Always', 'OnFailure', 'Never']),
    ...oneOf(`${field}.dnsPolicy`, spec.dnsPolicy, ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None']),
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
  } else errors.push(notSupported(`${field}.operator`, operator, ['Equal', 'Exists']));
  return [...errors, ...oneOf(`${field}.effect`, effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute'])];
}
