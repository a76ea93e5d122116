// Pods as a Job sees them: which it still has to count, which failed, which completion index each works on, and what a new
// one looks like. Each pod carries a finalizer until it is counted, so that none vanishes uncounted (KEP-2307).

import { type Container, type Job, kinds, type Pod, type PodTemplateSpec, type Stored } from '../api/index.ts';
import { controllerRefTo } from './ownership.ts';
import { isFinished } from './pod-state.ts';
import { timeOf } from './wire-time.ts';

export const trackingFinalizer = 'batch.kubernetes.io/job-tracking';
const indexName = 'batch.kubernetes.io/job-completion-index';
/** Counted and ignored failures of an index before this pod; with backoffLimitPerIndex only. */
export const failureCountName = 'batch.kubernetes.io/job-index-failure-count';
export const ignoredCountName = 'batch.kubernetes.io/job-index-ignored-failure-count';

export function isTracked({ metadata }: Pod): boolean {
  return (metadata?.finalizers ?? []).includes(trackingFinalizer);
}

export function isSucceeded({ status }: Pod): boolean {
  return status?.phase === 'Succeeded';
}

export function isIndexed({ spec }: Job): boolean {
  return spec?.completionMode === 'Indexed';
}

/** Only pods that reached a final phase are replaced; otherwise one that is being deleted is as good as failed. */
export function waitsForFinalPhase({ spec }: Job): boolean {
  return spec?.podReplacementPolicy === 'Failed' || spec?.podFailurePolicy !== undefined;
}

export function hasFailed(pod: Pod, job: Job): boolean {
  if (pod.status?.phase === 'Failed') return true;
  return !waitsForFinalPhase(job) && pod.metadata?.deletionTimestamp !== undefined && !isSucceeded(pod);
}

export function isTerminating(pod: Pod): boolean {
  return pod.metadata?.deletionTimestamp !== undefined && !isFinished(pod);
}

/** undefined for a pod without a sound index within the Job's completions. */
export function indexOf(pod: Pod, job: Job): number | undefined {
  const text = pod.metadata?.annotations?.[indexName] ?? '';
  const index = /^\d+$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
  return index < (job.spec?.completions ?? 0) ? index : undefined;
}

export function countIn(pod: Pod, annotation: string): number {
  const text = pod.metadata?.annotations?.[annotation] ?? '';
  return /^\d+$/.test(text) ? Number(text) : 0;
}

/** When the pod's last container ended; of what it did not say, the next best. ms since the epoch. */
export function finishedAt({ metadata, status }: Pod): number {
  const ends = (status?.containerStatuses ?? []).map(({ state }) => state?.terminated?.finishedAt);
  if (ends.length > 0 && ends.every((end) => end !== undefined)) return Math.max(...ends.map((end) => timeOf(end)));
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime;
  return timeOf(metadata?.deletionTimestamp, timeOf(ready, timeOf(metadata?.creationTimestamp)));
}

export interface PodRequest {
  readonly job: Stored<Job>;
  /** Absent for Jobs without indexes. */
  readonly index?: number;
  /** Annotations that carry an index's failures on. */
  readonly annotations?: Readonly<Record<string, string>>;
}

export function jobPod({ job, index, annotations = {} }: PodRequest): Pod {
  const { name, namespace } = job.metadata;
  const template = job.spec?.template;
  const numbered = index === undefined ? {} : { [indexName]: String(index) };
  const { labels, annotations: own, finalizers = [] } = template?.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: index === undefined ? `${name}-` : `${name}-${index}-`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...labels, ...numbered },
      annotations: { ...own, ...numbered, ...annotations },
      finalizers: [...finalizers.filter((one) => one !== trackingFinalizer), trackingFinalizer],
      ownerReferences: [controllerRefTo(kinds.job, job)],
    },
    ...specOf(name, template, index),
  };
}

/** With an index the pod has a host name of its own, and its containers know the index. */
function specOf(jobName: string, template: PodTemplateSpec | undefined, index: number | undefined): Pick<Pod, 'spec'> {
  const spec = template?.spec;
  if (spec === undefined) return {};
  if (index === undefined) return { spec };
  const { containers, initContainers } = spec;
  return {
    spec: {
      ...spec,
      hostname: `${jobName}-${index}`,
      containers: containers.map(withIndex),
      ...(initContainers === undefined ? {} : { initContainers: initContainers.map(withIndex) }),
    },
  };
}

function withIndex(container: Container): Container {
  const env = container.env ?? [];
  if (env.some(({ name }) => name === 'JOB_COMPLETION_INDEX')) return container;
  const valueFrom = { fieldRef: { apiVersion: 'v1', fieldPath: `metadata.labels['${indexName}']` } };
  return { ...container, env: [...env, { name: 'JOB_COMPLETION_INDEX', valueFrom }] };
}
