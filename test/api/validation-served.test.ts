// Rules that depend on how the server decodes, converts and stores: through a server.

import t from 'tap';
import { at, type Json, startTestServer } from '../apiserver/harness.ts';

const api = await startTestServer();
t.teardown(() => api.stop());

const scalers = (version: string): string => `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers`;
const scaler = (version: string, name: string, spec: object): Json => ({
  apiVersion: `autoscaling/${version}`,
  kind: 'HorizontalPodAutoscaler',
  metadata: { name },
  spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }, ...spec },
});
const causes = (body: Json): unknown =>
  (at(body, 'details.causes') as Json[]).map(({ field, message }) => `${field}: ${message}`);

t.test('an autoscaling/v1 object is judged as the v2 that it is stored as', async (t) => {
  const wrong = await api.call('POST', scalers('v1'), scaler('v1', 'a', { targetCPUUtilizationPercentage: -1 }));
  t.equal(wrong.status, 422);
  t.strictSame(causes(wrong.body), [
    'spec.metrics[0].resource.target.averageUtilization: Invalid value: -1: must be greater than 0',
  ]);
  const empty = await api.call('POST', scalers('v1'), { ...scaler('v1', 'a', {}), spec: {} });
  t.strictSame(causes(empty.body), [
    'spec.maxReplicas: Invalid value: 0: must be greater than 0',
    'spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`',
    'spec.scaleTargetRef.kind: Required value',
    'spec.scaleTargetRef.name: Required value',
    'spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group',
  ]);
  const made = await api.call('POST', scalers('v1'), scaler('v1', 'a', {}));
  t.equal(at(made.body, 'spec.targetCPUUtilizationPercentage'), 80, made.text);
  const read = await api.call('GET', `${scalers('v2')}/a`);
  t.equal(at(read.body, 'spec.metrics.0.resource.target.averageUtilization'), 80);
  const changed = await api.patch(`${scalers('v1')}/a`, { spec: { minReplicas: 4 } });
  t.strictSame(causes(changed.body), [
    'spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`',
  ]);
});

t.test('no policies are none, and not the usual ones', async (t) => {
  const none = scaler('v2', 'b', { behavior: { scaleUp: { policies: [] } } });
  const refused = await api.call('POST', scalers('v2'), none);
  t.strictSame(causes(refused.body), [
    'spec.behavior.scaleUp.policies: Required value: must specify at least one Policy',
  ]);
  const made = await api.call('POST', scalers('v2'), scaler('v2', 'b', { behavior: { scaleUp: {} } }));
  t.equal((at(made.body, 'spec.behavior.scaleUp.policies') as unknown[]).length, 2, made.text);
  const emptied = await api.patch(`${scalers('v2')}/b`, { spec: { behavior: { scaleUp: { policies: [] } } } });
  t.equal(emptied.status, 422, emptied.text);
});

t.test(
  'a StatefulSet that was stored with a bad claim template, and without a default, can be labelled and scaled',
  async (t) => {
    const sets = '/apis/apps/v1/namespaces/default/statefulsets';
    const given = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 's' },
      spec: {
        serviceName: 's',
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
        volumeClaimTemplates: [{ metadata: { name: 'v' }, spec: { accessModes: ['ReadWriteOnce'] } }],
      },
    };
    const refused = await api.call('POST', sets, given);
    t.strictSame(causes(refused.body), ['spec.volumeClaimTemplates[0].spec.resources[storage]: Required value']);
    const { spec } = given;
    const [claim] = spec.volumeClaimTemplates;
    const resources = { requests: { storage: '1Gi' } };
    const fine = { ...spec, volumeClaimTemplates: [{ ...claim, spec: { ...claim?.spec, resources } }] };
    const made = await api.call('POST', sets, { ...given, spec: fine });
    t.equal(made.status, 201, made.text);
    const stored = made.body as unknown as typeof given;
    const [had] = stored.spec.volumeClaimTemplates;
    await api.plant('/registry/apps/statefulsets/default/s', {
      ...stored,
      spec: { ...stored.spec, volumeClaimTemplates: [{ ...had, spec: { accessModes: ['ReadWriteOnce'] } }] },
    } as never);
    const labelled = await api.patch(`${sets}/s`, { metadata: { labels: { x: 'y' } }, spec: { replicas: 2 } });
    t.equal(labelled.status, 200, labelled.text);
    t.equal(
      at(labelled.body, 'spec.volumeClaimTemplates.0.spec.resources'),
      undefined,
      'the bad template is still there',
    );
  },
);

t.test('the flow control objects that a cluster needs cannot be bent', async (t) => {
  const schemas = '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas';
  const before = await api.call('GET', `${schemas}/exempt`);
  t.equal(before.status, 200);
  const bent = await api.patch(`${schemas}/exempt`, { spec: { priorityLevelConfiguration: { name: 'catch-all' } } });
  t.match(causes(bent.body), [/^spec: Invalid value: .*: spec of 'exempt' must equal the fixed value$/]);
  const labelled = await api.patch(`${schemas}/exempt`, { metadata: { labels: { a: 'b' } } });
  t.equal(labelled.status, 200, labelled.text);
});
