// Upstream's defaults of Jobs, CronJobs and HorizontalPodAutoscalers.
// Source: kubernetes pkg/apis/batch/v1/defaults.go, pkg/apis/autoscaling/v2/defaults.go.

import { hasMetrics } from '../kinds/autoscaler-annotations.ts';
import type { CronJob, Draft, HorizontalPodAutoscaler, HorizontalPodAutoscalerV1, Job } from '../types.ts';
import { defaultTemplate, specOf } from './workloads.ts';

const maxInt32 = 2_147_483_647;
/** Percent of what pods ask for. */
const cpuTarget = 80;

/** Labels follow the template's when they are not given; those of a new Job are still to be made, with its selector. */
export function defaultJob(job: Draft<Job>): void {
  const spec = specOf(job) as Draft<NonNullable<Job['spec']>>;
  defaultJobSpec(spec);
  const labels = spec.template?.metadata?.labels;
  if (labels === undefined || (spec.manualSelector !== true && spec.selector === undefined)) return;
  job.metadata ??= {};
  if (Object.keys(job.metadata.labels ?? {}).length === 0) job.metadata.labels = { ...labels };
}

function defaultJobSpec(spec: Draft<NonNullable<Job['spec']>>): void {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : maxInt32;
  spec.completionMode ??= 'NonIndexed';
  spec.suspend ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed';
  defaultTemplate(spec.template);
}

export function defaultCronJob(cronJob: Draft<CronJob>): void {
  const spec = specOf(cronJob);
  spec.concurrencyPolicy ||= 'Allow';
  spec.suspend ??= false;
  spec.successfulJobsHistoryLimit ??= 3;
  spec.failedJobsHistoryLimit ??= 1;
  // A Job's own defaults come when it is made of the template; the pods' are filled in here as well.
  defaultTemplate(spec.jobTemplate?.spec?.template);
}

export function defaultHorizontalPodAutoscaler(scaler: Draft<HorizontalPodAutoscaler>): void {
  const spec = specOf(scaler);
  spec.minReplicas ??= 1;
  if ((spec.metrics ?? []).length === 0) {
    spec.metrics = [
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: cpuTarget } } },
    ];
  }
  if (spec.behavior === undefined) return;
  const quickly = [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ];
  spec.behavior.scaleUp = {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: quickly,
    ...spec.behavior.scaleUp,
  };
  const all = [{ type: 'Percent', value: 100, periodSeconds: 15 }];
  spec.behavior.scaleDown = { selectPolicy: 'Max', policies: all, ...spec.behavior.scaleDown };
}

/** As v2, of whose metrics v1 has the one; others may be in its annotations. */
export function defaultHorizontalPodAutoscalerV1(scaler: Draft<HorizontalPodAutoscalerV1>): void {
  const spec = specOf(scaler);
  spec.minReplicas ??= 1;
  if (!hasMetrics(scaler.metadata?.annotations)) spec.targetCPUUtilizationPercentage ??= cpuTarget;
}
