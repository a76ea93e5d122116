// How many replicas each metric of a HorizontalPodAutoscaler asks for. Only resource metrics (cpu, memory) are known, from
// metrics.k8s.io; pods, object and external metrics come from APIs that need adapters, and say so.
// Source: "Horizontal Pod Autoscaling", algorithm details; k8s.io/kubernetes pkg/controller/podautoscaler/replica_calculator.go.

import {
  type HorizontalPodAutoscaler,
  type Pod,
  parseQuantity,
  quantityMilliValue,
  type Stored,
} from '../api/index.ts';
import { isReady } from './pod-state.ts';

type Spec = NonNullable<HorizontalPodAutoscaler['spec']>;
export type MetricSpec = NonNullable<Spec['metrics']>[number];
export type MetricStatus = NonNullable<NonNullable<HorizontalPodAutoscaler['status']>['currentMetrics']>[number];

/** metrics.k8s.io/v1beta1 PodMetrics. */
export interface PodMetrics {
  readonly metadata?: { readonly name?: string };
  readonly containers?: readonly { readonly name: string; readonly usage?: Readonly<Record<string, string>> }[];
}

export interface Measured {
  readonly replicas: number;
  readonly metric: MetricStatus;
  /** As in events: `cpu resource utilization (percentage of request)`. */
  readonly name: string;
}

/** Why a metric says nothing; `reason` as in conditions and events. */
export interface Unmeasured {
  readonly reason: string;
  readonly message: string;
}

export interface Measuring {
  readonly current: number;
  readonly pods: readonly Stored<Pod>[];
  readonly usage: ReadonlyMap<string, PodMetrics>;
}

/** A ratio that close to 1 changes nothing. */
const tolerance = 0.1;

export function measure(spec: MetricSpec, measuring: Measuring): Measured | Unmeasured {
  const { type, resource, containerResource } = spec;
  if (type === 'Resource' && resource !== undefined) return measureResource(resource, undefined, measuring);
  if (type === 'ContainerResource' && containerResource !== undefined) {
    return measureResource(containerResource, containerResource.container, measuring);
  }
  const reason = `FailedGet${type}Metric`;
  return { reason, message: `metrics of type ${type} are not supported: no adapter is asked` };
}

interface ResourceTarget {
  readonly name: string;
  readonly target: { readonly type: string; readonly averageUtilization?: number; readonly averageValue?: string };
}

function measureResource(
  { name, target }: ResourceTarget,
  container: string | undefined,
  { current, pods, usage }: Measuring,
): Measured | Unmeasured {
  const reason = container === undefined ? 'FailedGetResourceMetric' : 'FailedGetContainerResourceMetric';
  const living = pods.filter(
    ({ metadata, status }) => metadata.deletionTimestamp === undefined && status?.phase !== 'Failed',
  );
  const known = living.flatMap((pod) => {
    const used = usedBy(usage.get(pod.metadata.name), name, container);
    return used === undefined || !isReady(pod) ? [] : [{ used, requested: requestedBy(pod, name, container) }];
  });
  if (known.length === 0) {
    return {
      reason,
      message: `failed to get ${name} utilization: unable to get metrics for resource ${name}: no metrics returned from resource metrics API`,
    };
  }
  const used = known.reduce((sum, one) => sum + one.used, 0);
  const averageValue = `${Math.round(used / known.length)}m`;
  const missing = living.length - known.length;
  const wanted = target.averageUtilization;
  if (wanted !== undefined) {
    if (known.some(({ requested }) => requested === 0)) {
      return {
        reason,
        message: `failed to get ${name} utilization: missing request for ${name}${container === undefined ? '' : ` in container ${container}`}`,
      };
    }
    const requested = known.reduce((sum, one) => sum + one.requested, 0);
    const utilization = Math.round((used * 100) / requested);
    return {
      replicas: replicasFor(used / requested / (wanted / 100), { current, known: known.length, missing }),
      metric: statusOf(name, container, { averageValue, averageUtilization: utilization }),
      name: `${name} resource utilization (percentage of request)`,
    };
  }
  const limit = quantityMilliValue(parseQuantity(target.averageValue ?? '0'));
  return {
    replicas: replicasFor(used / known.length / Math.max(limit, 1), { current, known: known.length, missing }),
    metric: statusOf(name, container, { averageValue }),
    name: `${name} resource`,
  };
}

/** Pods that say nothing count as idle when there would be more, as busy when there would be fewer: changes stay small. */
function replicasFor(
  ratio: number,
  { current, known, missing }: { readonly current: number; readonly known: number; readonly missing: number },
): number {
  if (Math.abs(1 - ratio) <= tolerance) return current;
  if (missing === 0) return Math.ceil(ratio * known);
  const others = ratio < 1 ? missing : 0;
  const damped = (ratio * known + others) / (known + missing);
  if (Math.abs(1 - damped) <= tolerance || ratio < 1 !== damped < 1) return current;
  const next = Math.ceil(damped * (known + missing));
  return (ratio < 1 && next > current) || (ratio > 1 && next < current) ? current : next;
}

function statusOf(name: string, container: string | undefined, current: object): MetricStatus {
  return container === undefined
    ? { type: 'Resource', resource: { name, current } }
    : { type: 'ContainerResource', containerResource: { name, container, current } };
}

/** Milli-units; undefined: it is not told for every container. */
function usedBy(metrics: PodMetrics | undefined, name: string, container: string | undefined): number | undefined {
  const meant = (metrics?.containers ?? []).filter((one) => container === undefined || one.name === container);
  if (meant.length === 0 || meant.some(({ usage }) => usage?.[name] === undefined)) return undefined;
  return meant.reduce((sum, { usage }) => sum + quantityMilliValue(parseQuantity(usage?.[name] ?? '0')), 0);
}

/** Milli-units; 0: some container asks for nothing. */
function requestedBy({ spec }: Stored<Pod>, name: string, container: string | undefined): number {
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  const meant = [...(spec?.containers ?? []), ...sidecars].filter(
    (one) => container === undefined || one.name === container,
  );
  const requests = meant.map(({ resources }) => resources?.requests?.[name]);
  if (requests.length === 0 || requests.some((one) => one === undefined)) return 0;
  return requests.reduce<number>((sum, one) => sum + quantityMilliValue(parseQuantity(one ?? '0')), 0);
}
