// horizontal-pod-autoscaler: looks at each autoscaler every 15 seconds: reads the scale of its target, asks metrics.k8s.io what
// the pods use, and writes another number of replicas when that is called for. Its conditions say why it does or does not.
// Source: "Horizontal Pod Autoscaling"; k8s.io/kubernetes pkg/controller/podautoscaler/horizontal.go.

import {
  type HorizontalPodAutoscaler,
  type KindOf,
  type KindSpec,
  type KubeObject,
  kindOf,
  kinds,
  parseLabelSelector,
  type Scale,
  type Stored,
  timestamp,
} from '../api/index.ts';
import { ApiStatusError, keyOf } from '../client/index.ts';
import { announce, later, updateSubresource } from './actions.ts';
import { type Action, type Controller, type View, type World, watch } from './controller.ts';
import { isSame } from './equality.ts';
import { grant, lookEveryMs, stabilizationMs } from './hpa-limits.ts';
import { type Measured, type MetricStatus, measure, type PodMetrics, type Unmeasured } from './hpa-metrics.ts';

type Autoscaler = Stored<HorizontalPodAutoscaler>;
type Status = NonNullable<HorizontalPodAutoscaler['status']>;
type Condition = NonNullable<Status['conditions']>[number];
type Said = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

const metricsKind: KindOf<KubeObject & PodMetrics> = {
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  kind: 'PodMetrics',
  plural: 'pods',
  singular: 'pod',
  namespaced: true,
};

export const autoscalerController: Controller = {
  name: 'horizontal-pod-autoscaler-controller',
  parallel: 4,
  watches: [watch(kinds.horizontalPodAutoscaler, (autoscaler) => [keyOf(autoscaler)])],
  reads: [kinds.pod],
  async reconcile(key, world) {
    const autoscaler = world.view.get(kinds.horizontalPodAutoscaler, key);
    if (autoscaler?.spec === undefined) return [];
    const actions = await reconcileAutoscaler(autoscaler, world);
    return [...actions, later(lookEveryMs)];
  },
};

async function reconcileAutoscaler(autoscaler: Autoscaler, world: World): Promise<readonly Action[]> {
  const { scaleTargetRef: target } = autoscaler.spec ?? { scaleTargetRef: { kind: '', name: '' } };
  const at = { namespace: autoscaler.metadata.namespace, name: target.name };
  const kind = targetKind(target, world.view);
  const scale = kind === undefined ? `no matches for kind "${target.kind}"` : await scaleOf(kind, at, world);
  if (kind === undefined || typeof scale === 'string') {
    const message = `the HPA controller was unable to get the target's current scale: ${scale}`;
    const said = { type: 'AbleToScale', status: 'False', reason: 'FailedGetScale', message };
    return [
      ...writeStatus(autoscaler, { conditions: [said] }, world.now),
      announce(autoscaler, { type: 'Warning', reason: 'FailedGetScale', message: String(scale) }),
    ];
  }
  const current = scale.spec?.replicas ?? 0;
  const found: Said = {
    type: 'AbleToScale',
    status: 'True',
    reason: 'SucceededGetScale',
    message: "the HPA controller was able to get the target's current scale",
  };
  if (current === 0 && autoscaler.spec?.minReplicas !== 0) {
    const message = 'scaling is disabled since the replica count of the target is zero';
    const off = { type: 'ScalingActive', status: 'False', reason: 'ScalingDisabled', message };
    return writeStatus(autoscaler, { current, desired: 0, conditions: [found, off] }, world.now);
  }
  const wish = await wishFor(autoscaler, { scale, current }, world);
  if ('reason' in wish) return unmeasured(autoscaler, { current, found, why: wish }, world);
  return decided(autoscaler, { wish, kind, scale, current }, world);
}

interface Wish {
  readonly replicas: number;
  readonly because: string;
  readonly metrics: readonly MetricStatus[];
}

/** The largest that any metric asks for; below the present only when every metric said something. */
async function wishFor(
  { metadata, spec }: Autoscaler,
  { scale, current }: { readonly scale: Scale; readonly current: number },
  { view, live }: World,
): Promise<Wish | Unmeasured> {
  const selector = scale.status?.selector ?? '';
  if (selector === '') return { reason: 'InvalidSelector', message: "the HPA target's scale is missing a selector" };
  const { namespace } = metadata;
  const usage = new Map<string, PodMetrics>();
  try {
    const { items } = await live.list(metricsKind, { namespace, labelSelector: selector });
    for (const one of items) usage.set(one.metadata.name, one);
  } catch (error) {
    if (!(error instanceof ApiStatusError)) throw error;
    const message = `failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: ${error.message}`;
    return { reason: 'FailedGetResourceMetric', message };
  }
  const { matches } = parseLabelSelector(selector);
  const pods = view.list(kinds.pod, namespace).filter((pod) => matches(pod.metadata.labels ?? {}));
  const results = (spec?.metrics ?? []).map((metric) => measure(metric, { current, pods, usage }));
  const measured = results.filter((one): one is Measured => 'replicas' in one);
  const failed = results.find((one): one is Unmeasured => 'reason' in one);
  const most = measured.toSorted((a, b) => b.replicas - a.replicas)[0];
  if (most === undefined) return failed ?? { reason: 'InvalidMetricSourceType', message: 'there are no metrics' };
  if (failed !== undefined && most.replicas < current) return failed;
  return { replicas: most.replicas, because: most.name, metrics: measured.map(({ metric }) => metric) };
}

function unmeasured(
  autoscaler: Autoscaler,
  { current, found, why }: { readonly current: number; readonly found: Said; readonly why: Unmeasured },
  { now }: World,
): readonly Action[] {
  const message = `the HPA was unable to compute the replica count: ${why.message}`;
  const inactive = { type: 'ScalingActive', status: 'False', reason: why.reason, message };
  const told = `invalid metrics (1 invalid out of 1), first error is: ${why.message}`;
  return [
    ...writeStatus(autoscaler, { current, conditions: [found, inactive] }, now),
    announce(autoscaler, { type: 'Warning', reason: why.reason, message: why.message }),
    announce(autoscaler, { type: 'Warning', reason: 'FailedComputeMetricsReplicas', message: told }),
  ];
}

interface Decision {
  readonly wish: Wish;
  readonly kind: KindSpec;
  readonly scale: Stored<Scale>;
  readonly current: number;
}

function decided(autoscaler: Autoscaler, { wish, kind, scale, current }: Decision, world: World): readonly Action[] {
  const { now, unchangedSince } = world;
  const spec = autoscaler.spec ?? { maxReplicas: current, scaleTargetRef: { kind: '', name: '' } };
  const granted = grant(spec, current, wish.replicas);
  const direction = granted.replicas > current ? 'up' : granted.replicas < current ? 'down' : 'same';
  const since = unchangedSince(`${autoscaler.metadata.uid}/direction`, direction);
  const isEarly = direction !== 'same' && now - since < stabilizationMs(spec, direction);
  const desired = isEarly ? current : granted.replicas;
  const active: Said = {
    type: 'ScalingActive',
    status: 'True',
    reason: 'ValidMetricFound',
    message: `the HPA was able to successfully calculate a replica count from ${wish.because}`,
  };
  const able = { type: 'AbleToScale', status: 'True' };
  const ability: Said =
    desired !== current
      ? {
          ...able,
          reason: 'SucceededRescale',
          message: `the HPA controller was able to update the target scale to ${desired}`,
        }
      : isEarly
        ? {
            ...able,
            reason: 'ScaleDownStabilized',
            message: 'recent recommendations were higher than current one, applying the highest recent recommendation',
          }
        : { ...able, reason: 'ReadyForNewScale', message: 'recommended size matches current size' };
  const conditions = [ability, active, { type: 'ScalingLimited', ...granted.limited }];
  const status = writeStatus(
    autoscaler,
    { current, desired, conditions, metrics: wish.metrics, rescaled: desired !== current },
    now,
  );
  if (desired === current) return status;
  const reason = desired > current ? `${wish.because} above target` : 'All metrics below target';
  const next: Stored<Scale> = { ...scale, spec: { ...scale.spec, replicas: desired } };
  const rescale: Action = {
    do: 'update',
    kind,
    object: next,
    subresource: 'scale',
    event: {
      about: autoscaler,
      done: () => ({ type: 'Normal', reason: 'SuccessfulRescale', message: `New size: ${desired}; reason: ${reason}` }),
      failed: (message) => ({
        type: 'Warning',
        reason: 'FailedRescale',
        message: `New size: ${desired}; reason: ${reason}; error: ${message}`,
      }),
    },
  };
  return [rescale, ...status];
}

async function scaleOf(
  kind: KindSpec,
  at: { readonly namespace: string | undefined; readonly name: string },
  { live }: World,
): Promise<Stored<Scale> | string> {
  try {
    return await live.get<Scale>(kind as KindOf<Scale>, at, { subresource: 'scale' });
  } catch (error) {
    if (error instanceof ApiStatusError) return error.message;
    throw error;
  }
}

function targetKind(
  { apiVersion = 'v1', kind }: { readonly apiVersion?: string; readonly kind: string },
  view: View,
): KindSpec | undefined {
  const slash = apiVersion.indexOf('/');
  const [group, version] = slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
  const custom = view.customKinds().find((one) => one.group === group && one.version === version && one.kind === kind);
  return custom ?? kindOf({ group, version, kind });
}

interface News {
  readonly current?: number;
  readonly desired?: number;
  readonly conditions: readonly Said[];
  readonly metrics?: readonly MetricStatus[];
  readonly rescaled?: boolean;
}

function writeStatus(autoscaler: Autoscaler, news: News, now: number): readonly Action[] {
  const { status, metadata } = autoscaler;
  const next: Status = {
    ...status,
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    currentReplicas: news.current ?? status?.currentReplicas ?? 0,
    desiredReplicas: news.desired ?? status?.desiredReplicas ?? news.current ?? 0,
    conditions: news.conditions.reduce((all, one) => withCondition(all, one, now), status?.conditions ?? []),
    ...(news.metrics === undefined ? {} : { currentMetrics: [...news.metrics] }),
    ...(news.rescaled === true ? { lastScaleTime: timestamp(now) } : {}),
  };
  if (isSame(next, status)) return [];
  return [updateSubresource(kinds.horizontalPodAutoscaler, 'status', { ...autoscaler, status: next })];
}

function withCondition(conditions: readonly Condition[], said: Said, now: number): Condition[] {
  const held = conditions.find(({ type }) => type === said.type);
  const since = held?.status === said.status ? held.lastTransitionTime : undefined;
  const next: Condition = { ...said, lastTransitionTime: since ?? timestamp(now) };
  return held === undefined ? [...conditions, next] : conditions.map((one) => (one === held ? next : one));
}
