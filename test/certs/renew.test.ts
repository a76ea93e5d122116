import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import {
  type CertContext,
  createKeyPair,
  dueCertificates,
  ensureCertificates,
  ensureKubeconfigs,
  etcdCerts,
  isSignedBy,
  issueCertificate,
  parseCertificate,
  parseCsr,
  parseKubeconfig,
  readInventory,
  renewalTime,
  renewCertificates,
  requestCertificates,
  warningTime,
} from '../../src/certs/index.ts';
import { createFakeHost, createLocalHost, type FakeHost } from '../../src/host/index.ts';

const context: CertContext = {
  nodeName: 'n1',
  advertiseAddress: '192.0.2.10',
  controlPlaneEndpoint: 'api.example.org:6443',
  serviceCidr: '10.96.0.0/12',
  clusterDomain: 'cluster.local',
};
const certDir = '/etc/kubernetes/pki';
const kubeconfigDir = '/etc/kubernetes';
const places = { certDir, kubeconfigDir };
const day = 86_400_000;

async function prepared(options: { readonly etcd?: boolean } = {}): Promise<FakeHost> {
  const host = createFakeHost();
  await ensureCertificates(host, { context, certDir, ...options });
  await ensureKubeconfigs(host, { context, ...places });
  return host;
}

const read = async (host: FakeHost, path: string): Promise<string> => (await host.readFile(path)).toString('utf8');

t.test('renewal after two thirds of a life, warning in the last tenth', (t) => {
  const dates = { notBefore: new Date(0), notAfter: new Date(300) };
  t.equal(renewalTime(dates), 200);
  t.equal(warningTime(dates), 270);
  t.end();
});

t.test('keys are 0600 and folders 0700, on a real disk', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'k8ts-pki-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const dir = join(folder, 'pki');
  await ensureCertificates(createLocalHost(), { context, certDir: dir, etcd: true });
  await ensureKubeconfigs(createLocalHost(), { context, certDir: dir, kubeconfigDir: folder, names: ['admin.conf'] });
  const mode = async (path: string): Promise<number> => (await stat(join(folder, path))).mode & 0o777;
  for (const path of ['pki', 'pki/etcd']) t.equal(await mode(path), 0o700, path);
  for (const path of ['pki/ca.key', 'pki/sa.key', 'pki/apiserver.key', 'pki/etcd/server.key', 'admin.conf']) {
    t.equal(await mode(path), 0o600, path);
  }
});

t.test('etcd has a CA of its own, for members, health checks and the API server', async (t) => {
  const host = await prepared({ etcd: true });
  for (const { name, file, signer } of etcdCerts) {
    const caFile = signer === null ? file : 'etcd/ca';
    t.ok(isSignedBy(await read(host, `${certDir}/${file}.crt`), await read(host, `${certDir}/${caFile}.crt`)), name);
  }
  const server = parseCertificate(await read(host, `${certDir}/etcd/server.crt`));
  t.same(server.dnsNames, ['n1', 'localhost']);
  t.same(server.ipAddresses, ['192.0.2.10', '127.0.0.1', '::1']);
  t.same(server.usages, ['digital signature', 'server auth', 'client auth']);
  const names = (await readInventory(host, places)).map(({ name }) => name);
  t.ok(names.includes('etcd-peer'));
  t.notOk((await readInventory(await prepared(), places)).some(({ name }) => name.startsWith('etcd')));
});

t.test('a renewed certificate says what the one before said, whoever made that', async (t) => {
  const host = await prepared();
  const signer = { certPem: await read(host, `${certDir}/ca.crt`), keyPem: await read(host, `${certDir}/ca.key`) };
  const { publicKeyPem, privateKeyPem } = await createKeyPair('RSA-2048');
  // As kubeadm 1.20 makes it: RSA, in system:masters, valid from the day of the CA.
  const theirs = issueCertificate({
    subject: { commonName: 'kube-apiserver-kubelet-client', organizations: ['system:masters'] },
    publicKeyPem,
    signer,
    usages: ['digital signature', 'key encipherment', 'client auth'],
    altNames: ['extra.example.org', '192.0.2.77'],
    notBefore: new Date(Date.now() - 1000 * day),
    notAfter: new Date(Date.now() + 20 * day),
  });
  const path = `${certDir}/apiserver-kubelet-client`;
  await host.writeFile(`${path}.crt`, theirs);
  await host.writeFile(`${path}.key`, privateKeyPem, { mode: 0o600 });
  t.same(await renewCertificates(host, ['apiserver-kubelet-client'], places), [
    { name: 'apiserver-kubelet-client', action: 'renewed' },
  ]);
  const renewed = parseCertificate(await read(host, `${path}.crt`));
  t.same(renewed.subject.organizations, ['system:masters']);
  t.same(renewed.usages, ['digital signature', 'key encipherment', 'client auth']);
  t.same([...renewed.dnsNames, ...renewed.ipAddresses], ['extra.example.org', '192.0.2.77']);
  t.equal(renewed.publicKey.asymmetricKeyDetails?.modulusLength, 2048);
  t.equal(Math.round((renewed.notAfter.getTime() - Date.now()) / day), 365, 'a year, not three');
  t.not(await read(host, `${path}.key`), privateKeyPem, 'with a new key');
  t.equal((await host.stat(`${path}.key`))?.mode, 0o600);
});

t.test('a short life stays as short', async (t) => {
  const host = createFakeHost();
  await ensureCertificates(host, { context, certDir, lifetime: 60_000 });
  const lifeOf = async (): Promise<number> => {
    const { notAfter } = parseCertificate(await read(host, `${certDir}/apiserver.crt`));
    return Math.round((notAfter.getTime() - now) / 1000);
  };
  let now = Date.now();
  t.ok(Math.abs((await lifeOf()) - 60) <= 2);
  for (let round = 0; round < 3; round += 1) {
    now += 40_000;
    await renewCertificates(host, ['apiserver'], { ...places, now: new Date(now) });
    t.ok(Math.abs((await lifeOf()) - 60) <= 3, `round ${round}`);
  }
});

t.test('a renewed kubeconfig keeps everything but certificate and key', async (t) => {
  const host = await prepared();
  const path = `${kubeconfigDir}/admin.conf`;
  const before = await read(host, path);
  const withMore = before
    .replace('preferences: {}', 'preferences:\n  colors: true')
    .replace('contexts:', 'contexts:\n  - name: mine\n    context:\n      cluster: elsewhere\n      user: someone');
  t.not(withMore, before);
  await host.writeFile(path, withMore, { mode: 0o600 });
  await renewCertificates(host, ['admin.conf'], places);
  const after = await read(host, path);
  t.match(after, /colors: true/);
  t.match(after, /name: mine/);
  const [old, now] = [parseKubeconfig(before), parseKubeconfig(after)];
  t.equal(now.context, old.context);
  t.equal(now.server, old.server);
  t.same(now.ca, old.ca);
  t.notSame(now.cert, old.cert);
  const pem = now.cert !== undefined && 'text' in now.cert ? now.cert.text : '';
  t.same(parseCertificate(pem).subject.organizations, ['kubeadm:cluster-admins']);
});

t.test('all renews what is there and can be signed; what is asked for by name must work', async (t) => {
  const host = await prepared();
  await host.remove(`${kubeconfigDir}/scheduler.conf`);
  await host.remove(`${certDir}/front-proxy-ca.key`);
  const reports = await renewCertificates(host, 'all', places);
  t.match(Object.fromEntries(reports.map(({ name, action }) => [name, action])), {
    apiserver: 'renewed',
    'apiserver-kubelet-client': 'renewed',
    'front-proxy-client': 'external',
    'admin.conf': 'renewed',
    'super-admin.conf': 'renewed',
    'controller-manager.conf': 'renewed',
    'scheduler.conf': 'missing',
  });
  t.notOk(
    reports.some(({ name }) => name === 'kubelet.conf' || name === 'ca'),
    'no CA, and not the agent’s own',
  );
  const cases = [
    { name: 'scheduler.conf', want: { code: 'CERTIFICATE_ABSENT', hint: /init phase/ } },
    { name: 'front-proxy-client', want: { code: 'CA_KEY_MISSING', hint: /generate-csr/ } },
    {
      name: 'kubelet.conf',
      want: { code: 'CERTIFICATE_UNKNOWN', hint: /one of: all, apiserver/, exit: 'invalidInput' },
    },
  ];
  for (const { name, want } of cases) await t.rejects(renewCertificates(host, [name], places), want, name);
});

t.test('what is due: old enough, cut short in the middle, or of another CA', async (t) => {
  const host = await prepared();
  const due = async (at: number): Promise<string[]> =>
    dueCertificates(await readInventory(host, places), at).map(({ name }) => name);
  t.same(await due(Date.now()), []);
  t.same(await due(Date.now() + 240 * day), []);
  const all = ['apiserver', 'apiserver-kubelet-client', 'front-proxy-client', 'admin.conf', 'super-admin.conf'];
  t.same(await due(Date.now() + 244 * day), [...all, 'controller-manager.conf', 'scheduler.conf']);
  await host.writeFile(`${certDir}/apiserver.key`, (await createKeyPair()).privateKeyPem, { mode: 0o600 });
  t.same(await due(Date.now()), ['apiserver'], 'a key without its certificate');
  await host.remove(`${certDir}/ca.key`);
  t.same(await due(Date.now() + 244 * day), ['front-proxy-client'], 'an external CA signs elsewhere');
});

t.test('external CA: everything that is missing is named at once, and requests are made for it', async (t) => {
  const host = createFakeHost();
  await ensureCertificates(host, { context, certDir });
  const [caCert, caKey] = [await read(host, `${certDir}/ca.crt`), await read(host, `${certDir}/ca.key`)];
  const bare = createFakeHost({ files: { [`${certDir}/ca.crt`]: caCert } });
  await t.rejects(ensureCertificates(bare, { context, certDir }), {
    code: 'CA_KEY_MISSING',
    message: /"ca", whose key is not here: apiserver \(missing\), apiserver-kubelet-client \(missing\)$/,
    hint: /k8ts certs generate-csr/,
  });
  await t.rejects(ensureKubeconfigs(bare, { context, ...places, names: ['admin.conf', 'scheduler.conf'] }), {
    code: 'CA_KEY_MISSING',
    message: /admin.conf \(missing\), scheduler.conf \(missing\)$/,
  });
  const requests = await requestCertificates(bare, { context, ...places });
  t.same(
    requests.map((path) => path.replace(`${kubeconfigDir}/`, '')),
    [
      ...['pki/apiserver.csr', 'pki/apiserver-kubelet-client.csr', 'pki/front-proxy-client.csr', 'admin.conf.csr'],
      ...['super-admin.conf.csr', 'controller-manager.conf.csr', 'scheduler.conf.csr'],
    ],
  );
  const csr = parseCsr(await read(bare, `${certDir}/apiserver.csr`));
  t.equal(csr.subject.commonName, 'kube-apiserver');
  t.same(csr.ipAddresses, ['10.96.0.1', '192.0.2.10']);
  t.equal((await bare.stat(`${certDir}/apiserver.key`))?.mode, 0o600);
  const admin = parseCsr(await read(bare, `${kubeconfigDir}/admin.conf.csr`));
  t.same(admin.subject, { commonName: 'kubernetes-admin', organizations: ['kubeadm:cluster-admins'] });
  const key = await read(bare, `${certDir}/apiserver.key`);
  await requestCertificates(bare, { context, ...places });
  t.equal(await read(bare, `${certDir}/apiserver.key`), key, 'keys stay when it is run again');

  // What a person does where the CA's key is.
  const signer = { certPem: caCert, keyPem: caKey };
  const now = Date.now();
  for (const [name, usage] of [
    ['apiserver', 'server auth'],
    ['apiserver-kubelet-client', 'client auth'],
  ] as const) {
    const { subject, dnsNames, ipAddresses, publicKey } = parseCsr(await read(bare, `${certDir}/${name}.csr`));
    const certPem = issueCertificate({
      subject,
      publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      signer,
      usages: ['digital signature', usage],
      altNames: [...dnsNames, ...ipAddresses],
      notBefore: new Date(now - 60_000),
      notAfter: new Date(now + 30 * day),
    });
    await bare.writeFile(`${certDir}/${name}.crt`, certPem);
  }
  const reports = await ensureCertificates(bare, { context, certDir });
  t.match(Object.fromEntries(reports.map(({ name, action }) => [name, action])), {
    apiserver: 'keep',
    'apiserver-kubelet-client': 'keep',
    'front-proxy-ca': 'issue',
  });
  t.equal(await bare.stat(`${certDir}/ca.key`), undefined);
});
