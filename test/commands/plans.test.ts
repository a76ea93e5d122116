// What init and join are told: files, flags and earlier runs put together, and the commands that judge files.

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type InitFlags, initDocument } from '../../src/commands/init-flags.ts';
import { planJoin } from '../../src/commands/join-flags.ts';
import { emptyClusterDocument } from '../../src/config/index.ts';
import { createFakeHost } from '../../src/host/index.ts';
import { formatJoinString } from '../../src/tokens/index.ts';
import { runLines } from './run-lines.ts';

const none: InitFlags = { 'skip-token-print': false, 'service-manager': 'auto', fix: false, 'dry-run': false, v: 0 };
const joinNone = { 'discovery-token-unsafe-skip-ca-verification': false };
const hash = `sha256:${'ab'.repeat(32)}`;
const token = 'abcdef.0123456789abcdef';
const string = formatJoinString({
  endpoints: ['192.0.2.10:6443'],
  caCertHashes: [hash],
  token: { id: 'abcdef', secret: '0123456789abcdef' },
  expires: undefined,
});

t.test('init: a flag wins over the file, the file over the last run', async (t) => {
  const kept = 'apiVersion: k8ts.dev/v1\nkind: ClusterConfiguration\nclusterName: kept\ndatastore: sqlite:///kept.db\n';
  const host = createFakeHost({ files: { '/etc/k8ts/cluster.yaml': kept } });
  const file = `apiVersion: k8ts.dev/v1
kind: ClusterConfiguration
clusterName: filed
apiServer: { bindPort: 7443, certSans: [a.test] }
bootstrapTokens: [{ description: first, ttl: 1h }, { description: second }]
`;
  const dir = t.testdir({ 'cluster.yaml': file });
  t.strictSame((await initDocument(none, createFakeHost())).document, {
    ...emptyClusterDocument,
    networking: {},
    apiServer: {},
    node: {},
  });
  t.match((await initDocument(none, host)).document, { clusterName: 'kept', datastore: 'sqlite:///kept.db' });
  const flags: InitFlags = {
    ...none,
    config: join(dir, 'cluster.yaml'),
    'apiserver-bind-port': 8443,
    'pod-network-cidr': '10.50.0.0/16',
    'node-name': 'm',
    token,
    'skip-phases': ['addon-dns'],
  };
  const { document } = await initDocument(flags, host);
  t.match(document, {
    clusterName: 'filed',
    apiServer: { bindPort: 8443, certSans: ['a.test'] },
    networking: { podCidr: '10.50.0.0/16' },
    node: { name: 'm' },
    bootstrapTokens: [{ description: 'first', ttl: '1h', token }, { description: 'second' }],
    skipPhases: ['addon-dns'],
  });
  t.equal(document.datastore, undefined, 'a file replaces what was kept');
  const closed = { readFileIfExists: () => Promise.reject(Object.assign(new Error('no'), { code: 'EACCES' })) };
  await t.rejects(initDocument(none, closed), { code: 'CONFIG_UNREADABLE', hint: /sudo k8ts init/ });
});

t.test('join: one word, flags, and files', async (t) => {
  const found = { by: 'token', endpoints: ['192.0.2.10:6443'], caCertHashes: [hash] };
  t.match(await planJoin(string, joinNone), { discovery: found, token: { id: 'abcdef' } });
  const flags = { ...joinNone, token, 'discovery-token-ca-cert-hash': [hash], 'node-name': 'w1' };
  t.match(await planJoin('https://192.0.2.10/', flags), { discovery: found, document: { node: { name: 'w1' } } });
  const two = {
    ...flags,
    token: undefined,
    'discovery-token': token,
    'tls-bootstrap-token': `ghijkl${token.slice(6)}`,
  };
  t.match(await planJoin('192.0.2.10:6443', two), { discovery: { token: { id: 'abcdef' } }, token: { id: 'ghijkl' } });
  t.match(await planJoin(undefined, { ...joinNone, 'discovery-file': '/f' }), {
    discovery: { by: 'file', file: '/f' },
    token: undefined,
  });
  const dir = t.testdir({
    'own.yaml': `apiVersion: k8ts.dev/v1\nkind: JoinConfiguration\ndiscovery: { joinString: ${string} }\nnode: { taints: [{ key: a, effect: NoSchedule }] }\n`,
    'kubeadm.yaml': `apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\ndiscovery: { bootstrapToken: { token: ${token}, apiServerEndpoint: "192.0.2.10:6443", caCertHashes: ["${hash}"] } }\n`,
  });
  t.match(await planJoin(undefined, { ...joinNone, config: `${dir}/own.yaml` }), {
    discovery: found,
    document: { node: { taints: [{ key: 'a' }] } },
  });
  t.match(await planJoin(undefined, { ...joinNone, config: `${dir}/kubeadm.yaml` }), { discovery: found });
  t.match(await planJoin('192.0.2.99', { ...joinNone, config: `${dir}/kubeadm.yaml` }), {
    discovery: { endpoints: ['192.0.2.99:6443'] },
  });
});

t.test('files are judged and carried over', async (t) => {
  const dir = t.testdir({
    'good.yaml':
      'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nimageRepository: r\nnetworking: {podSubnet: 10.50.0.0/16}\n',
    'bad.yaml': 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nfeatureGates: {A: true}\n',
  });
  const [good, bad, printed, written, unwritable] = await runLines([
    ['config', 'validate', '--config', `${dir}/good.yaml`],
    ['config', 'validate', '--config', `${dir}/bad.yaml`],
    ['config', 'migrate', '--old-config', `${dir}/good.yaml`],
    ['config', 'migrate', '--old-config', `${dir}/good.yaml`, '--new-config', `${dir}/new.yaml`],
    ['config', 'migrate', '--old-config', `${dir}/good.yaml`, '--new-config', `${dir}/no/such/new.yaml`],
  ]);
  t.match(good, {
    code: 0,
    stdout: /good.yaml is valid: ClusterConfiguration/,
    stderr: /imageRepository has no effect/,
  });
  t.match(bad, { code: 3, stderr: /featureGates.A: k8ts has no feature gates \[CONFIG_UNSUPPORTED\]/ });
  const text = 'apiVersion: k8ts.dev/v1\nkind: ClusterConfiguration\nnetworking:\n  podCidr: 10.50.0.0/16\n';
  t.match(printed, { code: 0, stdout: text });
  t.match(written, { code: 0, stdout: '' });
  t.equal(readFileSync(`${dir}/new.yaml`, 'utf8'), text);
  t.equal(statSync(`${dir}/new.yaml`).mode & 0o777, 0o600);
  t.match(unwritable, { code: 3, stderr: /CONFIG_UNWRITABLE/ });
});
