import t from 'tap';
import type { ConfigMap, Namespace, Stored } from '../../src/api/index.ts';
import { reconcileRootCa } from '../../src/controllers/root-ca.ts';
import { reconcileServiceAccount } from '../../src/controllers/service-account.ts';

function namespace(phase: 'Active' | 'Terminating' = 'Active'): Stored<Namespace> {
  return { metadata: { name: 'n', uid: 'n', resourceVersion: '1' }, status: { phase } } as Stored<Namespace>;
}

function published(text: string): Stored<ConfigMap> {
  return {
    metadata: { name: 'kube-root-ca.crt', namespace: 'n', uid: 'c', resourceVersion: '1' },
    data: { 'ca.crt': text },
  } as Stored<ConfigMap>;
}

t.test('each active namespace gets its default ServiceAccount', async (t) => {
  t.match(reconcileServiceAccount(namespace()), [
    { do: 'create', object: { kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'n' } } },
  ]);
  t.same(reconcileServiceAccount(namespace('Terminating')), []);
  t.same(reconcileServiceAccount(undefined), []);
});

t.test('the root CA is published, and put right when it is not what it should be', async (t) => {
  const cases = [
    { name: 'absent', present: undefined, want: [{ do: 'create', object: { data: { 'ca.crt': 'CA' } } }] },
    { name: 'other text', present: published('old'), want: [{ do: 'update', object: { data: { 'ca.crt': 'CA' } } }] },
    { name: 'right', present: published('CA'), want: [] },
  ];
  for (const { name, present, want } of cases) t.match(reconcileRootCa(namespace(), present, 'CA'), want, name);
  t.same(reconcileRootCa(namespace('Terminating'), undefined, 'CA'), []);
});
