// Templates of pods, in workloads and alone. Nearly every write of a workload passes here. A part that is not there counts
// as an empty one, as it does upstream, so that the answer names the field that is missing inside: `spec.containers`.
// Source: kubernetes pkg/apis/core/validation (ValidatePodTemplateSpec), pkg/apis/apps/validation.

import { type FieldError, forbidden, invalid, notSupported, required } from '../field-error.ts';
import { compileLabelSelector } from '../selectors/labels.ts';
import type { LabelSelector, PodTemplateSpec } from '../types.ts';
import { validateAnnotations } from './metadata.ts';
import { validatePodSpec } from './pod-spec.ts';
import { validLabelSelector, validLabels } from './rules.ts';

/** @param claims volumes that every pod gets beside those of the template (StatefulSet). */
export function validatePodTemplateSpec(
  field: string,
  template: PodTemplateSpec | undefined,
  claims: readonly string[] = [],
): FieldError[] {
  const { metadata, spec } = template ?? {};
  const errors = [
    ...validLabels(`${field}.labels`, metadata?.labels),
    ...validateAnnotations(`${field}.annotations`, metadata?.annotations),
    ...validatePodSpec(`${field}.spec`, spec, claims),
  ];
  if ((spec?.ephemeralContainers ?? []).length > 0) {
    errors.push(forbidden(`${field}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'));
  }
  return errors;
}

/** Pods that are to run for ever: always started again, never past a deadline. `owner` is their workload's kind. */
export function validateEndless(field: string, owner: string, template: PodTemplateSpec | undefined): FieldError[] {
  const { restartPolicy = 'Always', activeDeadlineSeconds } = template?.spec ?? {};
  const errors: FieldError[] = [];
  if (restartPolicy !== 'Always') {
    errors.push(notSupported(`${field}.spec.restartPolicy`, restartPolicy, ['Always']));
  }
  if (activeDeadlineSeconds !== undefined) {
    const why = `activeDeadlineSeconds in ${owner} is not Supported`;
    errors.push(forbidden(`${field}.spec.activeDeadlineSeconds`, why));
  }
  return errors;
}

export function mismatch(field: string, template: PodTemplateSpec | undefined): FieldError {
  return invalid(`${field}.metadata.labels`, template?.metadata?.labels, '`selector` does not match template `labels`');
}

/** A selector that fails these rules cannot be compiled, so that nothing can be said of the labels that it selects. */
export function selects(selector: LabelSelector | undefined, template: PodTemplateSpec | undefined): boolean {
  return compileLabelSelector(selector).matches(template?.metadata?.labels);
}

export interface Selected {
  readonly selector: LabelSelector | undefined;
  readonly template: PodTemplateSpec | undefined;
  /** What is said of a selector that selects everything. */
  readonly empty: string;
  /** What is said of one that cannot be compiled. */
  readonly broken: string;
  /** What the template must be beside having the labels; not asked when the selector is broken. */
  validate(template: PodTemplateSpec | undefined): readonly FieldError[];
}

/** `spec.selector` and `spec.template` of a workload that must have both. */
export function validateSelected({ selector, template, empty, broken, validate }: Selected): FieldError[] {
  const [at, below] = ['spec.selector', 'spec.template'];
  if (selector === undefined) return [required(at), mismatch(below, template), ...validate(template)];
  const errors = validLabelSelector(at, selector);
  if (errors.length > 0) return [...errors, invalid(at, selector, broken)];
  if (Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0) {
    errors.push(invalid(at, selector, empty));
  } else if (!selects(selector, template)) errors.push(mismatch(below, template));
  errors.push(...validate(template));
  return errors;
}
