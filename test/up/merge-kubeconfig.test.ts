import { dump, load } from 'js-yaml';
import t from 'tap';
import { buildKubeconfig } from '../../src/kubeconfig/index.ts';
import { mergeKubeconfig } from '../../src/up/merge-kubeconfig.ts';

const from = buildKubeconfig({
  server: 'https://192.0.2.1:6443',
  user: 'kubernetes-admin',
  ca: { text: 'CA' },
  cert: { text: 'CERT' },
  key: { text: 'KEY' },
});
const merge = (into: string | undefined, context = 'lab') => mergeKubeconfig({ into, path: 'f', from, context });

t.test('a new file has one context, which is the current one', async (t) => {
  for (const into of [undefined, '', '\n']) {
    t.match(load(merge(into) ?? ''), {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'lab', cluster: { server: 'https://192.0.2.1:6443' } }],
      users: [{ name: 'lab' }],
      contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'lab' } }],
      'current-context': 'lab',
    });
  }
});

t.test('other entries, unknown fields and the current context stay', async (t) => {
  const mine = {
    kind: 'Config',
    preferences: { colors: true },
    extensions: [{ name: 'x' }],
    'current-context': 'mine',
    clusters: [{ name: 'mine', cluster: { server: 'https://mine', 'proxy-url': 'http://p' } }],
    contexts: [{ name: 'mine', context: { cluster: 'mine', user: 'me', namespace: 'n' } }],
    users: [{ name: 'me', user: { exec: { command: 'login' } } }],
  };
  const merged = load(merge(dump(mine)) ?? '') as typeof mine;
  t.match(merged, mine);
  t.equal(merged.clusters.length, 2);
  t.equal(merged['current-context'], 'mine');
});

t.test('merged again it does not change; a namespace that was set stays; new credentials come in', async (t) => {
  const once = merge(undefined) ?? '';
  t.equal(merge(once), undefined);
  const withNamespace = once.replace('user: lab\n', 'user: lab\n      namespace: mine\n');
  t.equal(merge(withNamespace), undefined);
  const old = once.replace(Buffer.from('CERT').toString('base64'), 'T0xE');
  t.match(merge(old), Buffer.from('CERT').toString('base64'));
});

t.test('a context of that name that leads elsewhere is not replaced', async (t) => {
  const other = (merge(undefined) ?? '').replace('192.0.2.1', '192.0.2.9');
  t.throws(() => merge(other), { code: 'KUBECONFIG_CONTEXT_TAKEN', hint: /--context/ });
  t.match(merge(other, 'second'), /name: second/);
});

t.test('a file that is no kubeconfig is left alone', async (t) => {
  for (const into of ['- a', 'a: [', 'clusters: 3', 'users: [1]']) {
    t.throws(() => merge(into), { code: 'KUBECONFIG_INVALID' }, into);
  }
});
