import t from 'tap';
import { buildKubeconfig, parseKubeconfig } from '../../src/kubeconfig/index.ts';

const inline = {
  server: 'https://10.0.0.1:6443',
  user: 'admin',
  ca: { text: 'CA' },
  cert: { text: 'CERT' },
  key: { text: 'KEY' },
};

t.test('what is built is read back', async (t) => {
  t.match(parseKubeconfig(buildKubeconfig(inline)), {
    ...inline,
    context: 'admin@kubernetes',
    cluster: 'kubernetes',
    insecureSkipTlsVerify: false,
  });
  const byFile = { server: 'https://[fd00::1]:6443', user: 'u', ca: { file: '/ca' }, token: { file: '/token' } };
  t.match(parseKubeconfig(buildKubeconfig(byFile)), byFile);
  const anonymous = parseKubeconfig(buildKubeconfig({ server: 'https://h:1', ca: { text: 'CA' } }));
  t.match(anonymous, { user: '', cert: undefined, token: undefined });
});

t.test('relative files are beside the kubeconfig', async (t) => {
  const text = buildKubeconfig({ ...inline, cert: { file: 'pki/me.crt' }, key: { file: '/abs/me.key' } });
  const { cert, key } = parseKubeconfig(text, { folder: '/etc/kubernetes' });
  t.same(cert, { file: '/etc/kubernetes/pki/me.crt' });
  t.same(key, { file: '/abs/me.key' });
});

t.test('another context can be chosen', async (t) => {
  const text = `
clusters: [{name: a, cluster: {server: "https://a:1/"}}, {name: b, cluster: {server: "https://b:1"}}]
contexts: [{name: a, context: {cluster: a}}, {name: b, context: {cluster: b, namespace: dev}}]
current-context: a
`;
  t.equal(parseKubeconfig(text).server, 'https://a:1');
  t.match(parseKubeconfig(text, { context: 'b' }), { server: 'https://b:1', namespace: 'dev' });
  t.throws(() => parseKubeconfig(text, { context: 'c' }), { code: 'KUBECONFIG_INVALID', message: /"c"/ });
});

t.test('what cannot be used is refused with what is wrong', async (t) => {
  const user = (fields: string): string => `
clusters: [{name: c, cluster: {server: "https://h:1"}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
users: [{name: u, user: ${fields}}]
`;
  const cases = [
    { given: '{a: [', code: 'KUBECONFIG_INVALID', message: /not YAML/ },
    { given: 'just text', code: 'KUBECONFIG_INVALID', message: /not a YAML mapping/ },
    { given: 'kind: Pod', code: 'KUBECONFIG_INVALID', message: /kind is "Pod"/ },
    { given: 'kind: Config', code: 'KUBECONFIG_INVALID', message: /no current-context/ },
    { given: buildKubeconfig({ ...inline, server: 'nonsense' }), code: 'KUBECONFIG_INVALID', message: /server URL/ },
    { given: user('{exec: {command: x}}'), code: 'KUBECONFIG_UNSUPPORTED', message: /exec/ },
    { given: user('{auth-provider: {name: gcp}}'), code: 'KUBECONFIG_UNSUPPORTED', message: /auth-provider/ },
    { given: user('{username: a, password: b}'), code: 'KUBECONFIG_UNSUPPORTED', message: /password/ },
    { given: user('{as: someone}'), code: 'KUBECONFIG_UNSUPPORTED', message: /impersonates/ },
  ];
  for (const { given, code, message } of cases) t.throws(() => parseKubeconfig(given), { code, message }, given);
});

t.test('a file without contexts and with one cluster, as the cluster-info of kubeadm', async (t) => {
  const text =
    'apiVersion: v1\nclusters:\n- cluster: {server: "https://192.0.2.10:6443"}\n  name: ""\ncontexts: null\ncurrent-context: ""\nkind: Config\nusers: null\n';
  t.match(parseKubeconfig(text), { server: 'https://192.0.2.10:6443', user: '', token: undefined });
  t.throws(() => parseKubeconfig(text.replace('name: ""', 'name: a\n- cluster: {server: "https://b"}\n  name: b')), {
    code: 'KUBECONFIG_INVALID',
  });
});
