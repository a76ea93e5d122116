// autoscaling/v1 HorizontalPodAutoscalers are kept as v2: the one target of v1 is v2's CPU utilization metric. Metrics that
// v1 cannot say stay in the stored object as long as a v1 client does not write it, as v1 has no place for them here.
// Source: k8s.io/api autoscaling/v1, v2.

import type { StoredAs } from '../kind.ts';
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerV1, KubeObject } from '../types.ts';

type Metric = NonNullable<NonNullable<HorizontalPodAutoscaler['spec']>['metrics']>[number];

export const autoscalerV1Storage: StoredAs = {
  kind: { group: 'autoscaling', version: 'v2', kind: 'HorizontalPodAutoscaler' },
  toStored(object: KubeObject): KubeObject {
    const { spec, status, ...same } = object as HorizontalPodAutoscalerV1;
    const { targetCPUUtilizationPercentage: target, ...scaling } = spec ?? {
      maxReplicas: 0,
      scaleTargetRef: { kind: '', name: '' },
    };
    const { currentCPUUtilizationPercentage: current, ...counts } = status ?? {
      currentReplicas: 0,
      desiredReplicas: 0,
    };
    const stored: HorizontalPodAutoscaler = {
      ...same,
      apiVersion: 'autoscaling/v2',
      spec: { ...scaling, ...(target === undefined ? {} : { metrics: [cpuTarget(target)] }) },
      ...(status === undefined
        ? {}
        : {
            status: {
              ...counts,
              ...(current === undefined
                ? {}
                : {
                    currentMetrics: [
                      { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: current } } },
                    ],
                  }),
            },
          }),
    };
    return stored;
  },
  fromStored(object: KubeObject): KubeObject {
    const { spec, status, ...same } = object as HorizontalPodAutoscaler;
    const {
      metrics = [],
      behavior: _behavior,
      ...scaling
    } = spec ?? { maxReplicas: 0, scaleTargetRef: { kind: '', name: '' } };
    const target = metrics.find((metric) => metric.resource?.name === 'cpu')?.resource?.target.averageUtilization;
    const current = status?.currentMetrics?.find((metric) => metric.resource?.name === 'cpu')?.resource?.current
      .averageUtilization;
    const seen: HorizontalPodAutoscalerV1 = {
      ...same,
      apiVersion: 'autoscaling/v1',
      spec: { ...scaling, ...(target === undefined ? {} : { targetCPUUtilizationPercentage: target }) },
      status: {
        currentReplicas: status?.currentReplicas ?? 0,
        desiredReplicas: status?.desiredReplicas ?? 0,
        ...(status?.lastScaleTime === undefined ? {} : { lastScaleTime: status.lastScaleTime }),
        ...(status?.observedGeneration === undefined ? {} : { observedGeneration: status.observedGeneration }),
        ...(current === undefined ? {} : { currentCPUUtilizationPercentage: current }),
      },
    };
    return seen;
  },
};

function cpuTarget(averageUtilization: number): Metric {
  return { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } };
}
