// Versions that are served for old clients and told nobody.

import t from 'tap';
import { at, startTestServer } from './harness.ts';

const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';
const old = '/apis/policy/v1beta1/poddisruptionbudgets';
const budget = (name: string, selector: object): object => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name },
  spec: { minAvailable: 1, selector },
});

t.test('policy/v1beta1 can be read and watched, and is not in discovery', async (t) => {
  const api = await startTestServer();
  t.teardown(() => api.stop());
  const watch = await api.watch(`${old}?watch=true`);
  t.equal((await api.call('POST', budgets, budget('some', { matchLabels: { a: 'b' } }))).status, 201);
  t.equal((await api.call('POST', budgets, budget('all', {}))).status, 201);

  t.match(await watch.next(), { type: 'ADDED', object: { apiVersion: 'policy/v1beta1', metadata: { name: 'some' } } });
  watch.close();
  const list = (await api.call('GET', old)).body;
  t.match(list, { apiVersion: 'policy/v1beta1', kind: 'PodDisruptionBudgetList' });
  const operator = { matchExpressions: [{ operator: 'DoesNotExist' }] };
  t.match(list['items'], [{ spec: { selector: operator } }, { spec: { selector: { matchLabels: { a: 'b' } } } }]);

  const path = '/apis/policy/v1beta1/namespaces/default/poddisruptionbudgets';
  t.equal((await api.call('POST', path, budget('c', {}))).status, 405, 'it is only read');
  const binary = await api.call('GET', old, undefined, { accept: 'application/vnd.kubernetes.protobuf' });
  t.match(binary, { status: 200, headers: { 'content-type': 'application/vnd.kubernetes.protobuf' } });
  t.match(binary.text, /^k8s.*policy\/v1beta1.*PodDisruptionBudgetList/s);

  const versions = at((await api.call('GET', '/apis/policy')).body, 'versions');
  t.strictSame(versions, [{ groupVersion: 'policy/v1', version: 'v1' }]);
  t.equal((await api.call('GET', '/apis/policy/v1beta1')).status, 404);
  t.equal((await api.call('GET', '/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.policy')).status, 404);
});
