// The kinds table: no entry twice, each with a schema, lookups by kind and by resource, two APIs over one storage.

import t from 'tap';
import {
  allKinds,
  builtInSchemas,
  type EventsEvent,
  kindOf,
  kindOfResource,
  kinds,
  pathOf,
} from '../../src/api/index.ts';
import { ensureSchemas } from './schemas.ts';

ensureSchemas();

t.test('no kind and no resource is there twice', async (t) => {
  const stored = allKinds.filter(({ plural }) => plural !== '');
  t.equal(new Set(allKinds.map(({ group, version, kind }) => `${group}/${version}/${kind}`)).size, allKinds.length);
  t.equal(new Set(stored.map(({ group, version, plural }) => `${group}/${version}/${plural}`)).size, stored.length);
});

t.test('every kind has a schema', async (t) => {
  for (const kind of allKinds) t.ok(builtInSchemas().ofKind(kind)?.fields.has('metadata'), kind.kind);
});

t.test('lookups', async (t) => {
  t.equal(kindOf({ group: 'apps', version: 'v1', kind: 'Deployment' }), kinds.deployment);
  t.equal(kindOfResource({ group: '', version: 'v1', plural: 'pods' }), kinds.pod);
  t.equal(kindOfResource({ group: '', version: 'v1', plural: 'toString' }), undefined);
  t.equal(kindOfResource({ group: 'policy', version: 'v1', plural: '' }), undefined, 'a body has no collection');
  t.equal(pathOf(kinds.pod, { namespace: 'a', name: 'b', subresource: 'log' }), '/api/v1/namespaces/a/pods/b/log');
});

t.test('a field of the scale paths exists in the schema', async (t) => {
  for (const kind of allKinds) {
    for (const path of Object.values(kind.scale ?? {})) {
      const [first = '', second = ''] = path.split('.');
      const part = builtInSchemas().ofKind(kind)?.fields.get(first)?.schema;
      t.ok(part?.type === 'object' && part.fields.has(second), `${kind.kind} ${path}`);
    }
  }
});

t.test('events of both APIs are one object', async (t) => {
  const event: EventsEvent = {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: 'e', namespace: 'x' },
    eventTime: '2026-01-01T00:00:00.000000Z',
    regarding: { kind: 'Pod', name: 'p', namespace: 'x' },
    note: 'hello',
    reportingController: 'c',
    deprecatedCount: 2,
  };
  const stored = kinds.eventV1.storedAs?.toStored(event);
  t.match(stored, {
    apiVersion: 'v1',
    involvedObject: { name: 'p' },
    message: 'hello',
    reportingComponent: 'c',
    count: 2,
  });
  t.strictSame(kinds.eventV1.storedAs?.fromStored(stored ?? {}), event);
});

t.test('an autoscaling/v1 target is a CPU metric of v2', async (t) => {
  const scaler = {
    apiVersion: 'autoscaling/v1',
    metadata: { name: 'h' },
    spec: { maxReplicas: 3, scaleTargetRef: { kind: 'Deployment', name: 'd' }, targetCPUUtilizationPercentage: 50 },
  };
  const stored = kinds.horizontalPodAutoscalerV1.storedAs?.toStored(scaler);
  t.match(stored, {
    spec: { metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { averageUtilization: 50 } } }] },
  });
  t.match(kinds.horizontalPodAutoscalerV1.storedAs?.fromStored(stored ?? {}), scaler);
});
