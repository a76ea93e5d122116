// How objects go away: at once, after a grace period, when the last finalizer is gone.

import t from 'tap';
import { at, configMap, configMaps, startTestServer } from './harness.ts';

const api = await startTestServer();
t.teardown(() => api.stop());
const pods = '/api/v1/namespaces/default/pods';

const pod = (name: string, spec: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
});

t.test('finalizers hold an object until the last one is gone', async (t) => {
  await api.call('POST', configMaps, {
    ...configMap('held'),
    metadata: { name: 'held', finalizers: ['a.example/x', 'a.example/y'] },
  });
  const marked = await api.call('DELETE', `${configMaps}/held`);
  t.equal(marked.status, 200);
  t.match(marked.body, { kind: 'ConfigMap', metadata: { deletionGracePeriodSeconds: 0 } });
  t.type(at(marked.body, 'metadata.deletionTimestamp'), 'string');
  const again = await api.call('DELETE', `${configMaps}/held`);
  t.equal(at(again.body, 'metadata.resourceVersion'), at(marked.body, 'metadata.resourceVersion'));
  const added = await api.patch(`${configMaps}/held`, { metadata: { finalizers: ['a.example/x', 'a.example/new'] } });
  t.match(added.body, {
    code: 422,
    details: { causes: [{ field: 'metadata.finalizers', reason: 'FieldValueForbidden' }] },
  });
  await api.patch(`${configMaps}/held`, { metadata: { finalizers: ['a.example/x'] } });
  t.equal((await api.call('GET', `${configMaps}/held`)).status, 200);
  const last = await api.patch(`${configMaps}/held`, { metadata: { finalizers: [] } });
  t.equal(last.status, 200);
  t.equal((await api.call('GET', `${configMaps}/held`)).status, 404);
});

t.test('a propagation policy becomes a finalizer for the garbage collector', async (t) => {
  for (const [policy, finalizer] of [
    ['Foreground', 'foregroundDeletion'],
    ['Orphan', 'orphan'],
  ] as const) {
    await api.call('POST', configMaps, configMap('owner'));
    const marked = await api.call('DELETE', `${configMaps}/owner`, { propagationPolicy: policy });
    t.same(at(marked.body, 'metadata.finalizers'), [finalizer]);
    await api.patch(`${configMaps}/owner`, { metadata: { finalizers: null } });
    t.equal((await api.call('GET', `${configMaps}/owner`)).status, 404);
  }
  await api.call('POST', configMaps, configMap('owner'));
  t.match((await api.call('DELETE', `${configMaps}/owner?propagationPolicy=Sideways`)).body, { code: 422 });
  t.equal((await api.call('DELETE', `${configMaps}/owner?propagationPolicy=Background`)).status, 200);
});

t.test('a pod that no node runs goes at once', async (t) => {
  const created = await api.call('POST', pods, pod('free'));
  t.match(created.body, { status: { phase: 'Pending', qosClass: 'BestEffort' } });
  const deleted = await api.call('DELETE', `${pods}/free`);
  t.match(deleted.body, { kind: 'Pod', metadata: { name: 'free' } });
  t.equal((await api.call('GET', `${pods}/free`)).status, 404);
});

t.test('a bound pod is marked, and goes when its agent says so', async (t) => {
  await api.call('POST', pods, pod('bound'));
  const binding = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name: 'bound' },
    target: { kind: 'Node', name: 'n1' },
  };
  t.equal((await api.call('POST', `${pods}/bound/binding`, binding)).status, 201);
  const bound = (await api.call('GET', `${pods}/bound`)).body;
  t.match(bound, { spec: { nodeName: 'n1' }, status: { conditions: [{ type: 'PodScheduled', status: 'True' }] } });
  const twice = await api.call('POST', `${pods}/bound/binding`, binding);
  t.match(twice.body, {
    code: 409,
    message: 'Operation cannot be fulfilled on pods/binding "bound": pod bound is already assigned to node "n1"',
  });
  const watch = await api.watch(
    `/api/v1/pods?watch=1&fieldSelector=spec.nodeName%3Dn1&resourceVersion=${api.store.revision}`,
  );
  const marked = await api.call('DELETE', `${pods}/bound`);
  t.equal(at(marked.body, 'metadata.deletionGracePeriodSeconds'), 30);
  const sooner = await api.call('DELETE', `${pods}/bound`, { gracePeriodSeconds: 5 });
  t.equal(at(sooner.body, 'metadata.deletionGracePeriodSeconds'), 5);
  const later = await api.call('DELETE', `${pods}/bound`, { gracePeriodSeconds: 60 });
  t.equal(at(later.body, 'metadata.deletionGracePeriodSeconds'), 5);
  t.equal((await api.call('DELETE', `${pods}/bound`, { gracePeriodSeconds: 0 })).status, 200);
  t.equal((await api.call('GET', `${pods}/bound`)).status, 404);
  const types = [(await watch.next()).type, (await watch.next()).type, (await watch.next()).type];
  t.same(types, ['MODIFIED', 'MODIFIED', 'DELETED']);
  watch.close();
});

t.test('an eviction is a deletion', async (t) => {
  await api.call('POST', pods, pod('evicted'));
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'evicted' } };
  t.equal((await api.call('POST', `${pods}/evicted/eviction`, eviction)).status, 201);
  t.equal((await api.call('GET', `${pods}/evicted`)).status, 404);
});

t.test('a namespace is Terminating until it is finalized', async (t) => {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'going' } };
  const created = await api.call('POST', '/api/v1/namespaces', namespace);
  t.match(created.body, { spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } });
  const marked = await api.call('DELETE', '/api/v1/namespaces/going');
  t.match(marked.body, { kind: 'Namespace', status: { phase: 'Terminating' } });
  const kept = await api.call('PUT', '/api/v1/namespaces/going', { ...marked.body, spec: { finalizers: [] } });
  t.same(at(kept.body, 'spec.finalizers'), ['kubernetes'], 'only /finalize changes them');
  const finalized = await api.call('PUT', '/api/v1/namespaces/going/finalize', {
    ...kept.body,
    spec: { finalizers: [] },
  });
  t.equal(finalized.status, 200);
  t.equal((await api.call('GET', '/api/v1/namespaces/going')).status, 404);
});
