// Horizontal autoscaling: what metrics ask for, what is granted, and both on the real API server.

import t from 'tap';
import {
  type CustomResourceDefinition,
  type Deployment,
  type HorizontalPodAutoscaler,
  type KindOf,
  type KubeObject,
  kinds,
  type Pod,
  type Stored,
} from '../../src/api/index.ts';
import { grant } from '../../src/controllers/hpa-limits.ts';
import { type MetricSpec, measure, type PodMetrics } from '../../src/controllers/hpa-metrics.ts';
import { eventually } from './cluster.ts';
import { namespace, playNodes, startStory } from './real-cluster.ts';

type Spec = NonNullable<HorizontalPodAutoscaler['spec']>;

t.test('what is granted', async (t) => {
  const spec = (more: Partial<Spec> = {}): Spec => ({
    maxReplicas: 100,
    scaleTargetRef: { kind: '', name: '' },
    ...more,
  });
  const cases: readonly { name: string; spec: Spec; current: number; wish: number; want: number; reason: string }[] = [
    { name: 'in range', spec: spec(), current: 3, wish: 4, want: 4, reason: 'DesiredWithinRange' },
    { name: 'four at a time', spec: spec(), current: 1, wish: 50, want: 5, reason: 'ScaleUpLimit' },
    { name: 'or twice as many', spec: spec(), current: 10, wish: 50, want: 20, reason: 'ScaleUpLimit' },
    { name: 'the most', spec: spec({ maxReplicas: 4 }), current: 3, wish: 9, want: 4, reason: 'TooManyReplicas' },
    { name: 'the least', spec: spec({ minReplicas: 2 }), current: 3, wish: 1, want: 2, reason: 'TooFewReplicas' },
    { name: 'down at once', spec: spec(), current: 50, wish: 2, want: 2, reason: 'DesiredWithinRange' },
    {
      name: 'down by one a minute',
      spec: spec({ behavior: { scaleDown: { policies: [{ type: 'Pods', value: 4, periodSeconds: 60 }] } } }),
      current: 50,
      wish: 2,
      want: 49,
      reason: 'ScaleDownLimit',
    },
    {
      name: 'never down',
      spec: spec({ behavior: { scaleDown: { selectPolicy: 'Disabled' } } }),
      current: 5,
      wish: 2,
      want: 5,
      reason: 'ScaleDownLimit',
    },
    {
      name: 'the slowest policy',
      spec: spec({
        behavior: {
          scaleUp: {
            selectPolicy: 'Min',
            policies: [
              { type: 'Pods', value: 1, periodSeconds: 15 },
              { type: 'Percent', value: 100, periodSeconds: 15 },
            ],
          },
        },
      }),
      current: 10,
      wish: 50,
      want: 11,
      reason: 'ScaleUpLimit',
    },
  ];
  for (const { name, spec, current, wish, want, reason } of cases) {
    t.match(grant(spec, current, wish), { replicas: want, limited: { reason } }, name);
  }
});

const podOf = (name: string, more: object = {}): Stored<Pod> =>
  ({
    metadata: { name, uid: name, resourceVersion: '1' },
    spec: { containers: [{ name: 'c', resources: { requests: { cpu: '100m' } } }] },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    ...more,
  }) as unknown as Stored<Pod>;
const usageOf = (cpu: string, container = 'c'): PodMetrics => ({ containers: [{ name: container, usage: { cpu } }] });
const cpu = (target: { readonly averageUtilization?: number; readonly averageValue?: string }): MetricSpec => ({
  type: 'Resource',
  resource: {
    name: 'cpu',
    target: { type: target.averageValue === undefined ? 'Utilization' : 'AverageValue', ...target },
  },
});

t.test('what metrics ask for', async (t) => {
  const pods = [podOf('a'), podOf('b')];
  const half = cpu({ averageUtilization: 50 });
  const ask = (metric: MetricSpec, usage: Readonly<Record<string, PodMetrics>>, of: readonly Stored<Pod>[] = pods) =>
    measure(metric, { current: of.length, pods: of, usage: new Map(Object.entries(usage)) });
  t.match(ask(half, { a: usageOf('100m'), b: usageOf('100m') }), {
    replicas: 4,
    metric: { resource: { name: 'cpu', current: { averageUtilization: 100, averageValue: '100m' } } },
  });
  t.match(ask(half, { a: usageOf('52m'), b: usageOf('52m') }), { replicas: 2 }, 'near enough');
  t.match(ask(half, { a: usageOf('25m'), b: usageOf('25m') }), { replicas: 1 });
  t.match(ask(cpu({ averageValue: '50m' }), { a: usageOf('150m'), b: usageOf('150m') }), { replicas: 6 });
  t.match(ask(half, { a: usageOf('150m') }), { replicas: 3 }, 'who says nothing counts as idle');
  t.match(ask(half, { a: usageOf('5m') }), { replicas: 2 }, 'or as busy');
  const sidecar: MetricSpec = {
    type: 'ContainerResource',
    containerResource: { name: 'cpu', container: 'x', target: { type: 'Utilization', averageUtilization: 50 } },
  };
  t.match(ask(sidecar, { a: usageOf('100m') }), { reason: 'FailedGetContainerResourceMetric' });
  const greedy = podOf('a', { spec: { containers: [{ name: 'c' }] } });
  t.match(ask(half, { a: usageOf('100m') }, [greedy]), {
    reason: 'FailedGetResourceMetric',
    message: /missing request for cpu/,
  });
  t.match(ask({ type: 'External', external: { metric: { name: 'q' }, target: { type: 'Value' } } }, {}), {
    reason: 'FailedGetExternalMetric',
    message: /not supported/,
  });
});

const metricsKind: KindOf<KubeObject & PodMetrics> = {
  ...{
    group: 'metrics.k8s.io',
    version: 'v1beta1',
    kind: 'PodMetrics',
    plural: 'pods',
    singular: 'pod',
    namespaced: true,
  },
};
const labels = { app: 'web' };
const web: Deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace },
  spec: {
    replicas: 1,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '100m' } } }] },
    },
  },
};
const autoscaler: HorizontalPodAutoscaler = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'web', namespace },
  spec: {
    maxReplicas: 4,
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    metrics: [cpu({ averageUtilization: 50 })],
  },
};

t.test('an autoscaler says what it lacks, and scales when it has it', async (t) => {
  const client = await startStory(t);
  const conditionsOf = async (name: string): Promise<Readonly<Record<string, string>>> => {
    const { status } = await client.get(kinds.horizontalPodAutoscaler, { namespace, name });
    return Object.fromEntries((status?.conditions ?? []).map(({ type, reason = '' }) => [type, reason]));
  };
  const says = (name: string, type: string, reason: string) =>
    eventually(async () => ((await conditionsOf(name))[type] === reason ? true : undefined), `${type} ${reason}`);

  await client.create(kinds.deployment, web);
  await eventually(async () => ((await playNodes(client)).length === 1 ? true : undefined), 'a pod');
  await client.create(kinds.horizontalPodAutoscaler, autoscaler);
  await says('web', 'ScalingActive', 'FailedGetResourceMetric');
  const lost = { ...autoscaler, metadata: { name: 'lost', namespace } };
  const nowhere = { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'none' } };
  await client.create(kinds.horizontalPodAutoscaler, { ...lost, spec: { maxReplicas: 4, ...nowhere } });
  await says('lost', 'AbleToScale', 'FailedGetScale');

  // A definition stands in for a metrics server: its objects are what one would answer.
  await client.create(kinds.customResourceDefinition, metricsDefinition());
  const [pod] = (await client.list(kinds.pod, { namespace })).items;
  const told = { metadata: { name: pod?.metadata.name ?? '', namespace, labels }, ...usageOf('90m') };
  await eventually(
    () =>
      client.create(metricsKind, { apiVersion: 'metrics.k8s.io/v1beta1', kind: 'PodMetrics', ...told }).then(
        () => true,
        () => undefined,
      ),
    'the metrics',
  );
  // Any change makes the controller look at once.
  await client.patch(kinds.horizontalPodAutoscaler, { namespace, name: 'web' }, 'merge', { metadata: { labels } });
  await eventually(async () => {
    const { spec } = await client.get(kinds.deployment, { namespace, name: 'web' });
    return spec?.replicas === 2 ? true : undefined;
  }, 'two replicas');
  await says('web', 'ScalingActive', 'ValidMetricFound');
  const { status } = await client.get(kinds.horizontalPodAutoscaler, { namespace, name: 'web' });
  t.match(status, {
    desiredReplicas: 2,
    currentMetrics: [{ resource: { current: { averageUtilization: 90, averageValue: '90m' } } }],
  });
  t.ok(status?.lastScaleTime);
});

function metricsDefinition(): CustomResourceDefinition {
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'pods.metrics.k8s.io', annotations: { 'api-approved.kubernetes.io': 'unapproved, a test' } },
    spec: {
      group: 'metrics.k8s.io',
      scope: 'Namespaced',
      names: { plural: 'pods', singular: 'pod', kind: 'PodMetrics' },
      versions: [{ name: 'v1beta1', served: true, storage: true, schema: { openAPIV3Schema: open } }],
    },
  } as unknown as CustomResourceDefinition;
}
