// Jobs and CronJobs. Source: kubernetes pkg/apis/batch/validation.

import { type FieldError, invalid, notSupported, required, tooLong } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { CronJob, Job, PodTemplateSpec } from '../types.ts';
import { whyNotSchedule } from './cron.ts';
import { validateFailurePolicy, validateSuccessPolicy } from './job-policies.ts';
import { whyNotDnsLabel, whyNotDnsSubdomain } from './names.ts';
import { mismatch, selects, validatePodTemplateSpec } from './pod-template.ts';
import { immutable, nonNegative, oneOf, sameJson, validLabelSelector } from './rules.ts';

type JobSpec = NonNullable<Job['spec']>;
type CronJobSpec = NonNullable<CronJob['spec']>;

const batch = 'io.k8s.api.batch.v1';
const completionModes = valuesOf(`${batch}.JobSpec`, 'completionMode');
const replacements = valuesOf(`${batch}.JobSpec`, 'podReplacementPolicy');
const concurrencies = valuesOf(`${batch}.CronJobSpec`, 'concurrencyPolicy');

const counts = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const;

export function validateJob(job: Job): readonly FieldError[] {
  const { spec = {} as JobSpec } = job;
  const { selector, template } = spec;
  const errors = [...validateGenerated(job), ...validateJobSpec('spec', spec)];
  const wrong = selector === undefined ? [required('spec.selector')] : validLabelSelector('spec.selector', selector);
  errors.push(...wrong);
  if ((wrong.length === 0 || selector === undefined) && !selects(selector, template)) {
    errors.push(mismatch('spec.template', template));
  }
  return [...errors, ...validateHostnames(job)];
}

const prefix = 'batch.kubernetes.io/';

/** Without manualSelector the server makes selector and labels, of the Job's uid and name; nobody may say otherwise. */
function validateGenerated({ metadata, spec }: Job): FieldError[] {
  if (spec?.selector === undefined || spec.manualSelector === true) return [];
  const [uid, name] = [metadata?.uid ?? '', metadata?.name ?? ''];
  const made = {
    'controller-uid': uid,
    'job-name': name,
    [`${prefix}controller-uid`]: uid,
    [`${prefix}job-name`]: name,
  };
  const errors: FieldError[] = [];
  const labels = spec.template?.metadata?.labels;
  for (const [key, value] of Object.entries(made)) {
    const field = `spec.template.metadata.labels[${key}]`;
    const have = labels?.[key];
    if (have === undefined) errors.push(required(field, `must be '${value}'`));
    else if (have !== value) errors.push(invalid(field, labels, `must be '${value}'`));
  }
  const { selector } = spec;
  const isValid = validLabelSelector('', selector).length === 0;
  if (isValid && !selects(selector, { metadata: { labels: made } })) {
    errors.push(invalid('spec.selector', selector, '`selector` not auto-generated'));
  }
  return errors;
}

/** Pods of an indexed Job are called by its name and their index. */
function validateHostnames({ metadata, spec }: Job): FieldError[] {
  const { completionMode, completions = 0 } = spec ?? {};
  if (completionMode !== 'Indexed' || completions <= 0) return [];
  const last = `${metadata?.name ?? ''}-${completions - 1}`;
  if (whyNotDnsLabel(last).length === 0) return [];
  return [invalid('metadata.name', metadata?.name, `will not able to create pod with invalid DNS label: ${last}`)];
}

function validateJobSpec(field: string, spec: JobSpec): FieldError[] {
  const errors = counts.flatMap((key) => nonNegative(`${field}.${key}`, spec[key]));
  const { template, podFailurePolicy, successPolicy, completionMode = 'NonIndexed' } = spec;
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(required(`${field}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  }
  errors.push(...validateManager(`${field}.managedBy`, spec.managedBy));
  if (!completionModes().includes(completionMode)) {
    errors.push(notSupported(`${field}.completionMode`, completionMode, completionModes()));
  }
  if (completionMode === 'Indexed') errors.push(...validateIndexed(field, spec));
  else if (completionMode === 'NonIndexed') errors.push(...validateNotIndexed(field, spec));
  if (podFailurePolicy !== undefined) errors.push(...validateFailurePolicy(`${field}.podFailurePolicy`, spec));
  if (successPolicy !== undefined) {
    errors.push(
      ...(completionMode === 'Indexed'
        ? validateSuccessPolicy(`${field}.successPolicy`, successPolicy, spec.completions ?? 0)
        : [invalid(`${field}.successPolicy`, successPolicy, 'requires indexed completion mode')]),
    );
  }
  errors.push(
    ...oneOf(
      `${field}.podReplacementPolicy`,
      spec.podReplacementPolicy,
      podFailurePolicy === undefined ? replacements() : ['Failed'],
    ),
    ...validatePodTemplateSpec(`${field}.template`, template),
  );
  const at = `${field}.template.spec.restartPolicy`;
  const restart = template?.spec?.restartPolicy;
  if (restart === undefined || restart === 'Always') {
    errors.push(required(at, 'valid values: "OnFailure", "Never"'));
  } else if (restart !== 'OnFailure' && restart !== 'Never') {
    errors.push(notSupported(at, restart, ['OnFailure', 'Never']));
  } else if (podFailurePolicy !== undefined && restart !== 'Never') {
    errors.push(invalid(at, restart, 'only "Never" is supported when podFailurePolicy is specified'));
  }
  return errors;
}

const maxManager = 63;

/** Who runs the Job instead of the cluster's own controller: `domain/path`. */
function validateManager(field: string, manager: string | undefined): FieldError[] {
  if (manager === undefined) return [];
  const slash = manager.indexOf('/');
  const [domain, path] = [manager.slice(0, slash), manager.slice(slash + 1)];
  if (manager === '') return [required(field)];
  if (slash < 0 || domain === '' || path === '') {
    return [invalid(field, manager, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  }
  const errors = whyNotDnsSubdomain(domain).map((why) => invalid(field, domain, why));
  // What a path of a URL is made of. Source: RFC 3986, sub-delims, ':', '@' and '/'.
  if (!/^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(path)) {
    const format = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
    errors.push(invalid(field, path, `Invalid path (regex used for validation is '${format}')`));
  }
  return manager.length > maxManager ? [...errors, tooLong(field, maxManager)] : errors;
}

const maxIndexes = 100_000;
const maxIndexesOfMany = 10_000;

function validateIndexed(field: string, spec: JobSpec): FieldError[] {
  const { completions, parallelism = 0, backoffLimitPerIndex, maxFailedIndexes } = spec;
  const errors: FieldError[] = [];
  const tooMany = (key: 'parallelism' | 'maxFailedIndexes', why: string): void => {
    errors.push(invalid(`${field}.${key}`, spec[key], `must be less than or equal to ${why}`));
  };
  if (completions === undefined) errors.push(required(`${field}.completions`, 'when completion mode is Indexed'));
  if (parallelism > maxIndexes) tooMany('parallelism', `${maxIndexes} when completion mode is Indexed`);
  if (maxFailedIndexes !== undefined) {
    if (completions !== undefined && maxFailedIndexes > completions) tooMany('maxFailedIndexes', 'completions');
    if (maxFailedIndexes > maxIndexes) tooMany('maxFailedIndexes', `${maxIndexes}`);
  }
  if (completions === undefined || completions <= maxIndexes || backoffLimitPerIndex === undefined) return errors;
  const many = `${maxIndexesOfMany} when completions are above ${maxIndexes} and used with backoff limit per index`;
  if (maxFailedIndexes === undefined) {
    const why = `must be specified when completions is above ${maxIndexes}`;
    errors.push(required(`${field}.maxFailedIndexes`, why));
  }
  if (parallelism > maxIndexesOfMany) tooMany('parallelism', many);
  if (maxFailedIndexes !== undefined && maxFailedIndexes > maxIndexesOfMany) tooMany('maxFailedIndexes', many);
  return errors;
}

function validateNotIndexed(field: string, spec: JobSpec): FieldError[] {
  return (['backoffLimitPerIndex', 'maxFailedIndexes'] as const).flatMap((key) =>
    spec[key] === undefined ? [] : [invalid(`${field}.${key}`, spec[key], 'requires indexed completion mode')],
  );
}

export function validateJobUpdate(job: Job, old: Job): readonly FieldError[] {
  const { spec = {} as JobSpec } = job;
  const { spec: before = {} as JobSpec } = old;
  const isFixed = sameJson(fixedTemplate(spec.template, old), fixedTemplate(before.template, old));
  return [
    ...validateCompletions(spec, before),
    ...immutable('spec.selector', spec.selector, before.selector),
    ...(isFixed ? [] : immutable('spec.template', spec.template, before.template)),
    ...(['completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'] as const).flatMap(
      (key) => immutable(`spec.${key}`, spec[key], before[key]),
    ),
  ];
}

/** An indexed Job grows and shrinks when both of its numbers do so together. */
function validateCompletions(spec: JobSpec, old: JobSpec): FieldError[] {
  const { completions } = spec;
  if (spec.completionMode !== 'Indexed') return immutable('spec.completions', completions, old.completions);
  if (completions === undefined || completions === old.completions || completions === spec.parallelism) return [];
  return [invalid('spec.completions', completions, 'can only be modified in tandem with spec.parallelism')];
}

/** Where its pods may run, and what they are labelled with, can be changed of a Job that is suspended and has not started. */
function fixedTemplate(template: PodTemplateSpec | undefined, { spec, status }: Job): unknown {
  if (spec?.suspend !== true || status?.startTime !== undefined) return template;
  const { labels: _labels, annotations: _annotations, ...metadata } = template?.metadata ?? {};
  const {
    nodeSelector: _nodes,
    tolerations: _tolerations,
    schedulingGates: _gates,
    affinity = {},
    ...rest
  } = template?.spec ?? {};
  const { nodeAffinity: _node, ...others } = affinity;
  return { metadata, spec: { ...rest, affinity: others } };
}

const maxCronJobName = 52;

export function validateCronJob({ spec = {} as CronJobSpec }: CronJob): readonly FieldError[] {
  const errors = [
    ...validateSchedule(spec.schedule),
    ...nonNegative('spec.startingDeadlineSeconds', spec.startingDeadlineSeconds),
    ...validateTimeZone(spec.timeZone),
    ...oneOf('spec.concurrencyPolicy', spec.concurrencyPolicy, concurrencies()),
  ];
  const { spec: job = {} as JobSpec } = spec.jobTemplate ?? {};
  const field = 'spec.jobTemplate.spec';
  errors.push(...validateJobSpec(field, job));
  if (job.selector !== undefined) {
    errors.push(invalid(`${field}.selector`, job.selector, '`selector` will be auto-generated'));
  }
  if (job.manualSelector === true) errors.push(notSupported(`${field}.manualSelector`, true, ['nil', 'false']));
  errors.push(
    ...nonNegative('spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit),
    ...nonNegative('spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit),
  );
  return errors;
}

/** The name of a Job that is made of it ends with eleven characters more. */
export function validateNewCronJob({ metadata }: CronJob): readonly FieldError[] {
  if ((metadata?.name ?? '').length <= maxCronJobName) return [];
  return [invalid('metadata.name', metadata?.name, `must be no more than ${maxCronJobName} characters`)];
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
