// autoscaling/v1 and what it has no fields for, by the conversion alone and through a server.

import t from 'tap';
import { kinds } from '../../src/api/index.ts';
import { at, type Json, startTestServer } from '../apiserver/harness.ts';

const storage = kinds.horizontalPodAutoscalerV1.storedAs;
const prefix = 'autoscaling.alpha.kubernetes.io/';
const selector = { matchLabels: { a: 'b' } };
const cpu = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } };
const metric = { name: 'hits', selector };
const describedObject = { kind: 'Service', name: 's', apiVersion: 'v1' };
const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' };
const behavior = {
  scaleUp: {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [{ type: 'Pods', value: 4, periodSeconds: 15 }],
    tolerance: '100m',
  },
  scaleDown: { selectPolicy: 'Disabled' },
};

function scaler(spec: object, status: object = {}): Json {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'x', annotations: { mine: 'stays' } },
    spec: { maxReplicas: 3, scaleTargetRef, ...spec },
    status: { currentReplicas: 1, desiredReplicas: 1, ...status },
  };
}
const seenAsV1 = (object: Json): Json => storage?.fromStored(object as never) as unknown as Json;
const annotation = (object: Json, name: string): unknown => {
  const text = (at(object, 'metadata.annotations') as Record<string, string>)[`${prefix}${name}`];
  return text === undefined ? undefined : JSON.parse(text);
};

t.test('each metric has its form in the annotation, and comes back as it was', async (t) => {
  const value = { type: 'Value', value: '5' };
  const average = { type: 'AverageValue', averageValue: '7' };
  const resource = { name: 'memory', target: average };
  const cases: readonly (readonly [v2: object, v1: object])[] = [
    [
      { type: 'Resource', resource },
      { type: 'Resource', resource: { name: 'memory', targetAverageValue: '7' } },
    ],
    [
      { type: 'ContainerResource', containerResource: { ...cpu.resource, container: 'c' } },
      { type: 'ContainerResource', containerResource: { name: 'cpu', container: 'c', targetAverageUtilization: 50 } },
    ],
    [
      { type: 'Pods', pods: { metric, target: average } },
      { type: 'Pods', pods: { metricName: 'hits', selector, targetAverageValue: '7' } },
    ],
    [
      { type: 'Object', object: { describedObject, metric: { name: 'hits' }, target: value } },
      { type: 'Object', object: { target: describedObject, metricName: 'hits', targetValue: '5' } },
    ],
    [
      { type: 'Object', object: { describedObject, metric, target: average } },
      {
        type: 'Object',
        object: { target: describedObject, metricName: 'hits', selector, averageValue: '7', targetValue: '0' },
      },
    ],
    [
      { type: 'External', external: { metric, target: value } },
      { type: 'External', external: { metricName: 'hits', metricSelector: selector, targetValue: '5' } },
    ],
    [
      { type: 'External', external: { metric: { name: 'hits' }, target: average } },
      { type: 'External', external: { metricName: 'hits', targetAverageValue: '7' } },
    ],
  ];
  for (const [v2, v1] of cases) {
    const what = JSON.stringify(v1);
    const stored = scaler({ metrics: [v2, cpu], behavior });
    const seen = seenAsV1(stored);
    t.same(annotation(seen, 'metrics'), [v1], what);
    t.equal(at(seen, 'spec.targetCPUUtilizationPercentage'), 50);
    t.equal(at(seen, 'metadata.annotations.mine'), 'stays');
    t.same(storage?.toStored(seen as never), stored, what);
  }
});

t.test('behavior goes by the names of Go, and is read in any case', async (t) => {
  const seen = seenAsV1(scaler({ behavior }));
  t.match(annotation(seen, 'behavior'), {
    ScaleUp: { StabilizationWindowSeconds: 0, Policies: [{ Type: 'Pods', PeriodSeconds: 15 }], Tolerance: '100m' },
    ScaleDown: { SelectPolicy: 'Disabled' },
  });
  const text = '{"scaleup":{"SELECTPOLICY":"Min","Policies":null},"ScaleDown":null}';
  const read = storage?.toStored({ ...seen, metadata: { annotations: { [`${prefix}behavior`]: text } } } as never);
  t.same(at(read as unknown as Json, 'spec.behavior'), { scaleUp: { selectPolicy: 'Min' } });
});

t.test('current metrics and conditions are there too', async (t) => {
  const current = { averageUtilization: 30, averageValue: '3m' };
  const status = {
    currentMetrics: [
      { type: 'Resource', resource: { name: 'cpu', current } },
      { type: 'External', external: { metric: { name: 'hits' }, current: { averageValue: '7' } } },
    ],
    conditions: [{ type: 'AbleToScale', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }],
  };
  const stored = scaler({}, status);
  const seen = seenAsV1(stored);
  t.equal(at(seen, 'status.currentCPUUtilizationPercentage'), 30);
  t.same(annotation(seen, 'current-metrics'), [
    { type: 'Resource', resource: { name: 'cpu', currentAverageUtilization: 30, currentAverageValue: '3m' } },
    { type: 'External', external: { metricName: 'hits', currentValue: '0', currentAverageValue: '7' } },
  ]);
  t.same(annotation(seen, 'conditions'), status.conditions);
  t.same(storage?.toStored(seen as never), stored);
});

t.test('annotations that are no metrics are taken for none', async (t) => {
  for (const text of ['', 'abc', '[]', '{}', '[null, 1]', 'null']) {
    const annotations = Object.fromEntries(
      ['metrics', 'behavior', 'current-metrics', 'conditions'].map((name) => [`${prefix}${name}`, text]),
    );
    const { apiVersion: _version, ...same } = scaler({});
    const read = storage?.toStored({ ...same, metadata: { name: 'x', annotations } } as never) as unknown as Json;
    t.equal(at(read, 'spec.metrics'), undefined, text);
    t.equal(at(read, 'metadata.annotations'), undefined, text);
  }
});

t.test('a client of v1 that changes one number loses nothing of an autoscaler', async (t) => {
  const api = await startTestServer();
  t.teardown(() => api.stop());
  const path = (version: string): string => `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers`;
  const external = { type: 'External', external: { metric, target: { type: 'Value', value: '5' } } };
  const made = await api.call(
    'POST',
    path('v2'),
    scaler({ metrics: [external], behavior: { scaleDown: { selectPolicy: 'Disabled' } } }),
  );
  t.equal(made.status, 201, made.text);
  const before = (await api.call('GET', `${path('v2')}/x`)).body;
  const seen = (await api.call('GET', `${path('v1')}/x`)).body;
  t.equal(at(seen, 'spec.targetCPUUtilizationPercentage'), undefined);
  const put = await api.call('PUT', `${path('v1')}/x`, {
    ...seen,
    spec: { ...(seen['spec'] as Json), maxReplicas: 9 },
  });
  t.equal(put.status, 200, put.text);
  const patched = await api.patch(`${path('v1')}/x`, { metadata: { labels: { a: 'b' } } });
  t.equal(patched.status, 200, patched.text);
  const after = (await api.call('GET', `${path('v2')}/x`)).body;
  t.same(at(after, 'spec'), { ...(at(before, 'spec') as Json), maxReplicas: 9 });
  t.same(at(after, 'metadata.annotations'), { mine: 'stays' });
  t.equal(at(after, 'metadata.labels.a'), 'b');
});
