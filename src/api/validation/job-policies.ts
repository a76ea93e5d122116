// When pods that fail or succeed end a Job: spec.podFailurePolicy, spec.successPolicy, and the lists of indexes
// (`1,3-5`) that the latter and status are written in. Source: kubernetes pkg/apis/batch/validation.

import {
  duplicate,
  type FieldError,
  invalid,
  invalidAsWhole,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { Job } from '../types.ts';
import { whyNotQualifiedName } from './names.ts';
import { each, invalidFor, nonNegative } from './rules.ts';

type JobSpec = NonNullable<Job['spec']>;
type FailureRule = NonNullable<JobSpec['podFailurePolicy']>['rules'][number];
type ExitCodes = NonNullable<FailureRule['onExitCodes']>;
type SuccessPolicy = NonNullable<JobSpec['successPolicy']>;

const batch = 'io.k8s.api.batch.v1';
const actions = valuesOf(`${batch}.PodFailurePolicyRule`, 'action');
const exitCodeOperators = valuesOf(`${batch}.PodFailurePolicyOnExitCodesRequirement`, 'operator');
const conditionStatuses = valuesOf(`${batch}.PodFailurePolicyOnPodConditionsPattern`, 'status');

const maxRules = 20;
const maxConditions = 20;
const maxExitCodes = 255;

export function validateFailurePolicy(field: string, spec: JobSpec): FieldError[] {
  const { podFailurePolicy, template, backoffLimitPerIndex } = spec;
  const { containers = [], initContainers = [] } = template?.spec ?? {};
  const names = [...containers, ...initContainers].map(({ name }) => name);
  const rules = podFailurePolicy?.rules ?? [];
  return [
    ...notMore(`${field}.rules`, rules, maxRules),
    ...each(`${field}.rules`, rules, (rule, at) => [
      ...(rule.action === 'FailIndex'
        ? backoffLimitPerIndex === undefined
          ? [invalid(`${at}.action`, rule.action, 'requires the backoffLimitPerIndex to be set')]
          : []
        : requireListed(`${at}.action`, rule.action, actions())),
      ...validateFailureRule(rule, at, names),
    ]),
  ];
}

function validateFailureRule(rule: FailureRule, at: string, names: readonly string[]): FieldError[] {
  const { onExitCodes: codes, onPodConditions: conditions = [] } = rule;
  const errors = codes === undefined ? [] : validateExitCodes(`${at}.onExitCodes`, codes, names);
  errors.push(
    ...notMore(`${at}.onPodConditions`, conditions, maxConditions),
    ...each(`${at}.onPodConditions`, conditions, ({ type = '', status = '' }, nth) => [
      ...invalidFor(`${nth}.type`, type, whyNotQualifiedName(type)),
      ...requireListed(`${nth}.status`, status, conditionStatuses()),
    ]),
  );
  if (codes !== undefined && conditions.length > 0) {
    errors.push(invalidAsWhole(at, 'specifying both OnExitCodes and OnPodConditions is not supported'));
  }
  if (codes === undefined && conditions.length === 0) {
    errors.push(invalidAsWhole(at, 'specifying one of OnExitCodes and OnPodConditions is required'));
  }
  return errors;
}

function validateExitCodes(field: string, codes: ExitCodes, names: readonly string[]): FieldError[] {
  const { operator, containerName: container, values = [] } = codes;
  const errors = requireListed(`${field}.operator`, operator, exitCodeOperators());
  if (container !== undefined && !names.includes(container)) {
    const why = 'must be one of the container or initContainer names in the pod template';
    errors.push(invalid(`${field}.containerName`, container, why));
  }
  const at = `${field}.values`;
  if (values.length === 0) errors.push(invalid(at, codes.values, 'at least one value is required'));
  errors.push(...notMore(at, values, maxExitCodes));
  const seen = new Set<number>();
  for (const [index, value] of values.entries()) {
    const nth = `${at}[${index}]`;
    if (operator === 'In' && value === 0) errors.push(invalid(nth, value, 'must not be 0 for the In operator'));
    if (seen.has(value)) errors.push(duplicate(nth, value));
    seen.add(value);
  }
  const isOrdered = values.every((value, index) => index === 0 || (values[index - 1] ?? value) <= value);
  return isOrdered ? errors : [...errors, invalid(at, values, 'must be ordered')];
}

const maxIndexesText = 64 * 1024;

export function validateSuccessPolicy(field: string, { rules = [] }: SuccessPolicy, completions: number): FieldError[] {
  const errors = notMore(`${field}.rules`, rules, maxRules);
  if (rules.length === 0) {
    const why = 'at least one rules must be specified when the successPolicy is specified';
    errors.push(required(`${field}.rules`, why));
  }
  const found = each(`${field}.rules`, rules, ({ succeededCount: count, succeededIndexes: indexes }, at) => {
    if (count === undefined && indexes === undefined) {
      return [required(at, 'at least one of succeededCount or succeededIndexes must be specified')];
    }
    const wrong: FieldError[] = [];
    const read = readIndexes(indexes ?? '', completions);
    if (indexes !== undefined && indexes.length > maxIndexesText) {
      wrong.push(tooLong(`${at}.succeededIndexes`, maxIndexesText));
    }
    if (typeof read === 'string') {
      wrong.push(invalid(`${at}.succeededIndexes`, indexes, `error parsing succeededIndexes: ${read}`));
    }
    if (count === undefined) return wrong;
    const field = `${at}.succeededCount`;
    const limit = 'must be less than or equal to';
    wrong.push(...nonNegative(field, count));
    if (count > completions) {
      wrong.push(invalid(field, count, `${limit} ${completions} (the number of specified completions)`));
    }
    const total = typeof read === 'string' ? 0 : read;
    if (indexes !== undefined && count > total) {
      const why = `${limit} ${total} (the number of indexes in the specified succeededIndexes field)`;
      wrong.push(invalid(field, count, why));
    }
    return wrong;
  });
  return [...errors, ...found];
}

/** How many indexes `1,3-5` are, each below `completions`; or why the text is no such list. */
export function readIndexes(text: string, completions: number): number | string {
  if (text === '') return 0;
  let [last, total] = [-1, 0];
  for (const interval of text.split(',')) {
    const [low = '', high = low, ...more] = interval.split('-');
    if (more.length > 0) {
      return `the fragment ${JSON.stringify(interval)} violates the requirement that an index interval can have at most two parts separated by '-'`;
    }
    for (const bound of [low, high]) {
      if (!/^[+]?\d+$/.test(bound)) return `cannot convert string to integer for index: ${JSON.stringify(bound)}`;
      if (Number(bound) >= completions) return `too large index: ${JSON.stringify(bound)}`;
    }
    const [from, to] = [Number(low), Number(high)];
    if (interval.includes('-') && from >= to) {
      return `non-increasing order, previous: ${from}, current: ${to}`;
    }
    if (last >= from) return `non-increasing order, previous: ${last}, current: ${from}`;
    last = to;
    total += to - from + 1;
  }
  return total;
}

function notMore(field: string, items: readonly unknown[], max: number): FieldError[] {
  return items.length > max ? [tooMany(field, items.length, max)] : [];
}

/** Must be there and one of the values; who says nothing is told what there is. */
function requireListed(field: string, value: string | undefined, values: readonly string[]): FieldError[] {
  if (!value) return [required(field, `valid values: [${values.map((one) => JSON.stringify(one)).join(' ')}]`)];
  return values.includes(value) ? [] : [notSupported(field, value, values)];
}
