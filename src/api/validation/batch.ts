// Jobs and CronJobs. Source: kubernetes pkg/apis/batch/validation.

import { type FieldError, invalid, notSupported, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import { compileLabelSelector } from '../selectors/labels.ts';
import type { CronJob, Job, PodTemplateSpec } from '../types.ts';
import { whyNotSchedule } from './cron.ts';
import { validateAnnotations } from './metadata.ts';
import { validatePodSpec } from './pod-spec.ts';
import { each, immutable, nonNegative, oneOf, requireOneOf, validLabelSelector, validLabels } from './rules.ts';

type JobSpec = NonNullable<Job['spec']>;

const batch = 'io.k8s.api.batch.v1';
const completionModes = valuesOf(`${batch}.JobSpec`, 'completionMode');
const replacements = valuesOf(`${batch}.JobSpec`, 'podReplacementPolicy');
const actions = valuesOf(`${batch}.PodFailurePolicyRule`, 'action');
const exitCodeOperators = valuesOf(`${batch}.PodFailurePolicyOnExitCodesRequirement`, 'operator');
const conditionStatuses = valuesOf(`${batch}.PodFailurePolicyOnPodConditionsPattern`, 'status');
const concurrencies = valuesOf(`${batch}.CronJobSpec`, 'concurrencyPolicy');

const maxIndexedParallelism = 100_000;
const counts = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const;

export function validateJob({ spec }: Job): readonly FieldError[] {
  if (spec === undefined) return [required('spec.template')];
  const errors = validateJobSpec('spec', spec);
  // Without manualSelector the selector is made of the uid when the object is stored, labels included.
  if (spec.manualSelector !== true) return errors;
  if (spec.selector === undefined) return [...errors, required('spec.selector')];
  const wrong = validLabelSelector('spec.selector', spec.selector);
  errors.push(...wrong);
  const labels = spec.template?.metadata?.labels;
  if (wrong.length === 0 && !compileLabelSelector(spec.selector).matches(labels)) {
    errors.push(invalid('spec.template.metadata.labels', labels ?? {}, '`selector` does not match template `labels`'));
  }
  return errors;
}

function validateJobSpec(field: string, spec: JobSpec): FieldError[] {
  const errors = counts.flatMap((key) => nonNegative(`${field}.${key}`, spec[key]));
  const { template } = spec;
  const restart = template?.spec?.restartPolicy;
  if (template === undefined) return [...errors, required(`${field}.template`)];
  errors.push(
    ...requireOneOf(`${field}.completionMode`, spec.completionMode ?? 'NonIndexed', completionModes()),
    ...oneOf(`${field}.podReplacementPolicy`, spec.podReplacementPolicy, replacements()),
    ...validateIndexed(field, spec),
    ...validateFailurePolicy(field, spec),
    ...validLabels(`${field}.template.metadata.labels`, template.metadata?.labels),
    ...validateAnnotations(`${field}.template.metadata.annotations`, template.metadata?.annotations),
    ...validatePodSpec(`${field}.template.spec`, template.spec),
  );
  const at = `${field}.template.spec.restartPolicy`;
  if (restart === undefined || restart === 'Always') {
    errors.push(required(at, 'valid values: "OnFailure", "Never"'));
  } else if (restart !== 'OnFailure' && restart !== 'Never') {
    errors.push(notSupported(at, restart, ['OnFailure', 'Never']));
  }
  return errors;
}

function validateIndexed(field: string, spec: JobSpec): FieldError[] {
  const errors: FieldError[] = [];
  const { completions, parallelism = 1, backoffLimitPerIndex, maxFailedIndexes } = spec;
  if (spec.completionMode === 'Indexed') {
    if (completions === undefined) errors.push(required(`${field}.completions`, 'when completion mode is Indexed'));
    if (parallelism > maxIndexedParallelism) {
      const why = `must be less than or equal to ${maxIndexedParallelism} when completion mode is Indexed`;
      errors.push(invalid(`${field}.parallelism`, parallelism, why));
    }
    if (maxFailedIndexes !== undefined && completions !== undefined && maxFailedIndexes > completions) {
      errors.push(invalid(`${field}.maxFailedIndexes`, maxFailedIndexes, 'must be less than or equal to completions'));
    }
  } else {
    for (const key of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const) {
      const value = spec[key];
      if (value !== undefined) errors.push(invalid(`${field}.${key}`, value, 'requires indexed completion mode'));
    }
    if (spec.successPolicy !== undefined) {
      errors.push(invalid(`${field}.successPolicy`, spec.successPolicy, 'requires indexed completion mode'));
    }
  }
  if (maxFailedIndexes !== undefined && backoffLimitPerIndex === undefined) {
    errors.push(required(`${field}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  }
  if (spec.successPolicy !== undefined && (spec.successPolicy.rules ?? []).length === 0) {
    errors.push(
      required(
        `${field}.successPolicy.rules`,
        'at least one rules must be specified when the successPolicy is specified',
      ),
    );
  }
  return errors;
}

function validateFailurePolicy(
  field: string,
  { podFailurePolicy, template, podReplacementPolicy }: JobSpec,
): FieldError[] {
  if (podFailurePolicy === undefined) return [];
  const errors: FieldError[] = [];
  const restart = template.spec?.restartPolicy;
  if (restart !== 'Never') {
    const why = 'only "Never" is supported when podFailurePolicy is specified';
    errors.push(invalid(`${field}.template.spec.restartPolicy`, restart ?? '', why));
  }
  if (podReplacementPolicy !== undefined && podReplacementPolicy !== 'Failed') {
    errors.push(notSupported(`${field}.podReplacementPolicy`, podReplacementPolicy, ['Failed']));
  }
  const rules = each(`${field}.podFailurePolicy.rules`, podFailurePolicy.rules, (rule, at) => {
    const { onExitCodes: codes, onPodConditions: conditions = [] } = rule;
    const wrong = requireOneOf(`${at}.action`, rule.action, actions());
    if (codes !== undefined) {
      wrong.push(...requireOneOf(`${at}.onExitCodes.operator`, codes.operator, exitCodeOperators()));
      if ((codes.values ?? []).length === 0)
        wrong.push(invalid(`${at}.onExitCodes.values`, [], 'at least one value is required'));
    }
    wrong.push(
      ...each(`${at}.onPodConditions`, conditions, ({ status }, nth) =>
        oneOf(`${nth}.status`, status, conditionStatuses()),
      ),
    );
    if (codes !== undefined && conditions.length > 0) {
      wrong.push(invalid(at, '', 'specifying both OnExitCodes and OnPodConditions is not supported'));
    }
    if (codes === undefined && conditions.length === 0) {
      wrong.push(invalid(at, '', 'specifying one of OnExitCodes and OnPodConditions is required'));
    }
    return wrong;
  });
  return [...errors, ...rules];
}

export function validateJobUpdate(job: Job, old: Job): readonly FieldError[] {
  const { spec } = job;
  const before = old.spec;
  if (spec === undefined || before === undefined) return [];
  return [
    ...validateCompletions(spec, before),
    ...immutable('spec.selector', spec.selector, before.selector),
    ...immutable('spec.template', fixedTemplate(spec.template, old), fixedTemplate(before.template, old)),
    ...(['completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'] as const).flatMap(
      (key) => immutable(`spec.${key}`, spec[key], before[key]),
    ),
  ];
}

/** An indexed Job grows and shrinks when both of its numbers do so together. */
function validateCompletions(spec: JobSpec, old: JobSpec): FieldError[] {
  if (spec.completions === old.completions) return [];
  if (old.completionMode !== 'Indexed') return immutable('spec.completions', spec.completions, old.completions);
  if (spec.completions === spec.parallelism) return [];
  const why = 'can only be modified in tandem with spec.parallelism';
  return [invalid('spec.completions', spec.completions, why)];
}

/** Where its pods may run can be changed of a Job that is suspended and has not started. */
function fixedTemplate(template: PodTemplateSpec | undefined, { spec, status }: Job): unknown {
  if (spec?.suspend !== true || status?.startTime !== undefined || template?.spec === undefined) return template;
  const {
    nodeSelector: _nodes,
    affinity: _affinity,
    tolerations: _tolerations,
    schedulingGates: _gates,
    ...rest
  } = template.spec;
  return { spec: rest };
}

const maxCronJobName = 52;

export function validateCronJob({ metadata, spec }: CronJob): readonly FieldError[] {
  if (spec === undefined) return [required('spec.schedule')];
  const errors: FieldError[] = [];
  if ((metadata?.name ?? '').length > maxCronJobName) {
    errors.push(invalid('metadata.name', metadata?.name, `must be no more than ${maxCronJobName} characters`));
  }
  errors.push(
    ...validateSchedule(spec.schedule),
    ...validateTimeZone(spec.timeZone),
    ...nonNegative('spec.startingDeadlineSeconds', spec.startingDeadlineSeconds),
    ...requireOneOf('spec.concurrencyPolicy', spec.concurrencyPolicy, concurrencies()),
    ...nonNegative('spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit),
    ...nonNegative('spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit),
  );
  const job = spec.jobTemplate?.spec;
  const field = 'spec.jobTemplate.spec';
  if (job === undefined) return [...errors, required(`${field}.template`)];
  if (job.selector !== undefined) {
    errors.push(invalid(`${field}.selector`, job.selector, '`selector` will be auto-generated'));
  }
  if (job.manualSelector === true) errors.push(notSupported(`${field}.manualSelector`, true, ['nil', 'false']));
  return [...errors, ...validateJobSpec(field, job)];
}

function validateSchedule(schedule: string | undefined): FieldError[] {
  const field = 'spec.schedule';
  if (!schedule) return [required(field)];
  if (schedule.includes('TZ')) {
    return [invalid(field, schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead')];
  }
  const why = whyNotSchedule(schedule);
  return why === undefined ? [] : [invalid(field, schedule, why)];
}

function validateTimeZone(zone: string | undefined): FieldError[] {
  const field = 'spec.timeZone';
  if (zone === undefined) return [];
  if (zone === '') return [invalid(field, zone, 'timeZone must be nil or non-empty string')];
  if (zone.toLowerCase() === 'local') {
    const why = 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones';
    return [invalid(field, zone, why)];
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return [];
  } catch {
    return [invalid(field, zone, `unknown time zone ${zone}`)];
  }
}
