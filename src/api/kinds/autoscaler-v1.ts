// autoscaling/v1 HorizontalPodAutoscalers are kept as v2: the one target of v1 is v2's CPU utilization metric, and what v1 has
// no fields for is shown in annotations, and taken from there when the object is written.
// Source: k8s.io/api autoscaling/v1, v2; kubernetes pkg/apis/autoscaling/v1/conversion.go.

import type { StoredAs } from '../kind.ts';
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerV1, KubeObject } from '../types.ts';
import { fromAnnotations, type Metric, ownAnnotations, toAnnotations } from './autoscaler-annotations.ts';

type Status = NonNullable<HorizontalPodAutoscaler['status']>;
type StatusV1 = NonNullable<HorizontalPodAutoscalerV1['status']>;

const noSpec: NonNullable<HorizontalPodAutoscaler['spec'] & HorizontalPodAutoscalerV1['spec']> = {
  maxReplicas: 0,
  scaleTargetRef: { kind: '', name: '' },
};

export const autoscalerV1Storage: StoredAs = {
  kind: { group: 'autoscaling', version: 'v2', kind: 'HorizontalPodAutoscaler' },
  toStored(object: KubeObject): KubeObject {
    const { spec = noSpec, status, metadata, ...same } = object as HorizontalPodAutoscalerV1;
    const { targetCPUUtilizationPercentage: target, ...scaling } = spec;
    const { annotations, ...others } = metadata ?? {};
    const annotated = fromAnnotations(annotations);
    const own = ownAnnotations(annotations);
    const metrics = [...annotated.metrics, ...(target === undefined ? [] : [cpuTarget(target)])];
    const { behavior } = annotated;
    const stored: HorizontalPodAutoscaler = {
      ...same,
      apiVersion: 'autoscaling/v2',
      metadata: { ...others, ...(own === undefined ? {} : { annotations: own }) },
      spec: {
        ...scaling,
        ...(metrics.length === 0 ? {} : { metrics }),
        ...(behavior === undefined ? {} : { behavior }),
      },
      ...(status === undefined ? {} : { status: storedStatus(status, annotated) }),
    };
    return stored;
  },
  fromStored(object: KubeObject): KubeObject {
    const { spec = noSpec, status, metadata, ...same } = object as HorizontalPodAutoscaler;
    const { metrics = [], behavior, ...scaling } = spec;
    const target = metrics.find(isCpuTarget)?.resource?.target.averageUtilization;
    const { currentMetrics = [], conditions } = status ?? {};
    const annotations = {
      ...ownAnnotations(metadata?.annotations),
      ...toAnnotations({ metrics: metrics.filter((one) => !isCpuTarget(one)), behavior, currentMetrics, conditions }),
    };
    const seen: HorizontalPodAutoscalerV1 = {
      ...same,
      apiVersion: 'autoscaling/v1',
      metadata: { ...metadata, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) },
      spec: { ...scaling, ...(target === undefined ? {} : { targetCPUUtilizationPercentage: target }) },
      status: statusV1(status),
    };
    return seen;
  },
};

function storedStatus(
  { currentCPUUtilizationPercentage: current, ...counts }: StatusV1,
  { currentMetrics, conditions }: ReturnType<typeof fromAnnotations>,
): Status {
  const ofCpu: Status['currentMetrics'] =
    current === undefined
      ? []
      : [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: current } } }];
  // The annotation has the CPU's utilization too, with its absolute value.
  const all = currentMetrics.length > 0 ? currentMetrics : ofCpu;
  return {
    ...counts,
    ...(all.length === 0 ? {} : { currentMetrics: all }),
    ...(conditions === undefined ? {} : { conditions }),
  };
}

function statusV1(status: HorizontalPodAutoscaler['status']): StatusV1 {
  const {
    currentReplicas = 0,
    desiredReplicas = 0,
    lastScaleTime,
    observedGeneration,
    currentMetrics = [],
  } = status ?? {};
  const current = currentMetrics.find(({ resource }) => resource?.name === 'cpu')?.resource?.current.averageUtilization;
  return {
    currentReplicas,
    desiredReplicas,
    ...(lastScaleTime === undefined ? {} : { lastScaleTime }),
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    ...(current === undefined ? {} : { currentCPUUtilizationPercentage: current }),
  };
}

function isCpuTarget({ type, resource }: Metric): boolean {
  return type === 'Resource' && resource?.name === 'cpu' && resource.target.averageUtilization !== undefined;
}

function cpuTarget(averageUtilization: number): Metric {
  return { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } };
}
