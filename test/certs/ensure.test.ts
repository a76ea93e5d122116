import t from 'tap';
import {
  type CertContext,
  certs,
  createKeyPair,
  createKubeconfig,
  ensureCertificates,
  ensureKubeconfigs,
  isSignedBy,
  kubeconfigs,
  parseCertificate,
  parseKubeconfig,
} from '../../src/certs/index.ts';
import { createFakeHost, type FakeHost } from '../../src/host/index.ts';

const context: CertContext = {
  nodeName: 'n1',
  advertiseAddress: '192.0.2.10',
  controlPlaneEndpoint: 'api.example.org:6443',
  serviceCidr: '10.96.0.0/12',
  clusterDomain: 'cluster.local',
  extraSans: ['203.0.113.7'],
};
const certDir = '/etc/kubernetes/pki';
const kubeconfigDir = '/etc/kubernetes';
const day = 86_400_000;

async function pem(host: FakeHost, name: string): Promise<string> {
  return (await host.readFile(`${certDir}/${name}`)).toString('utf8');
}

function issued(reports: readonly { name: string; action: string; why: string }[]): Record<string, string> {
  return Object.fromEntries(reports.filter(({ action }) => action === 'issue').map(({ name, why }) => [name, why]));
}

t.test('an empty folder gets the whole table; a second run changes nothing', async (t) => {
  const host = createFakeHost();
  const first = await ensureCertificates(host, { context, certDir });
  t.same(
    first.map(({ name, action }) => `${name} ${action}`),
    [...certs.map(({ name }) => `${name} issue`), 'sa issue'],
  );
  for (const { name, signer } of certs) {
    const certificate = parseCertificate(await pem(host, `${name}.crt`));
    t.equal(certificate.isCa, signer === null, name);
    t.ok(isSignedBy(await pem(host, `${name}.crt`), await pem(host, `${signer ?? name}.crt`)), name);
    t.equal((await host.stat(`${certDir}/${name}.key`))?.mode, 0o600, name);
    const years = (certificate.notAfter.getTime() - Date.now()) / day / 365;
    t.equal(Math.round(years), signer === null ? 10 : 1, name);
    t.ok(certificate.notBefore.getTime() < Date.now() - 4 * 60_000, name);
  }
  const server = parseCertificate(await pem(host, 'apiserver.crt'));
  t.same(server.dnsNames, [
    ...['n1', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'],
    ...['kubernetes.default.svc.cluster.local', 'api.example.org'],
  ]);
  t.same(server.ipAddresses, ['10.96.0.1', '192.0.2.10', '203.0.113.7']);
  const before = host.files();
  const second = await ensureCertificates(host, { context, certDir });
  t.same(issued(second), {});
  t.same(host.files(), before);
});

t.test('each reason to issue again is found and named', async (t) => {
  const cases = [
    { name: 'a new name', given: { context: { ...context, nodeName: 'n2' } }, want: { apiserver: 'lacks n2' } },
    {
      name: 'soon to expire',
      given: { renewBeforeMs: 400 * day },
      want: { apiserver: /^expires/, 'apiserver-kubelet-client': /^expires/, 'front-proxy-client': /^expires/ },
    },
    {
      name: 'expired',
      given: { now: new Date(Date.now() + 366 * day) },
      want: { apiserver: /^expired/, 'apiserver-kubelet-client': /^expired/, 'front-proxy-client': /^expired/ },
    },
    { name: 'key lost', remove: 'apiserver.key', want: { apiserver: 'missing' } },
    { name: 'another key', copy: ['front-proxy-client.key', 'apiserver.key'], want: { apiserver: /key is not/ } },
    { name: 'public key lost', remove: 'sa.pub', want: { sa: 'sa.pub is missing' } },
    { name: 'unreadable', write: ['apiserver.crt', 'rubbish'], want: { apiserver: 'unreadable' } },
    {
      name: 'both CA files lost',
      remove: 'front-proxy-ca',
      want: { 'front-proxy-ca': 'missing', 'front-proxy-client': 'its CA "front-proxy-ca" is new' },
    },
  ];
  for (const { name, given = {}, remove, write, copy, want } of cases) {
    const host = createFakeHost();
    await ensureCertificates(host, { context, certDir });
    const publicKey = await pem(host, 'sa.pub');
    for (const path of remove === undefined ? [] : Object.keys(host.files()).filter((path) => path.includes(remove))) {
      await host.remove(path);
    }
    if (copy !== undefined) await host.writeFile(`${certDir}/${copy[1]}`, await pem(host, copy[0] ?? ''));
    if (write !== undefined) await host.writeFile(`${certDir}/${write[0]}`, write[1] ?? '');
    const reports = await ensureCertificates(host, { context, certDir, ...given });
    t.match(issued(reports), want, name);
    t.same(Object.keys(issued(reports)), Object.keys(want), name);
    t.equal(await pem(host, 'sa.pub'), publicKey, 'the key of service accounts stays the same');
  }
});

t.test('a CA is never replaced, its loss is an error that says what to do', async (t) => {
  const cases = [
    { name: 'certificate lost', remove: 'ca.crt', want: { code: 'CA_INVALID', message: /without its certificate/ } },
    { name: 'expired', now: new Date(Date.now() + 4000 * day), want: { code: 'CA_INVALID', message: /expired/ } },
    { name: 'not a CA', copy: 'apiserver', want: { code: 'CA_INVALID', message: /not a CA/ } },
    { name: 'key lost', remove: 'ca.key', nodeName: 'n9', want: { code: 'CA_KEY_MISSING', message: /lacks n9/ } },
  ];
  for (const { name, remove, now = new Date(), copy, nodeName = 'n1', want } of cases) {
    const host = createFakeHost();
    await ensureCertificates(host, { context, certDir });
    if (remove !== undefined) await host.remove(`${certDir}/${remove}`);
    if (copy !== undefined) await host.writeFile(`${certDir}/ca.crt`, await pem(host, `${copy}.crt`));
    await t.rejects(ensureCertificates(host, { context: { ...context, nodeName }, certDir, now }), want, name);
  }
});

t.test('an external CA without its key serves as long as nothing must be signed', async (t) => {
  const host = createFakeHost();
  await ensureCertificates(host, { context, certDir });
  await host.remove(`${certDir}/ca.key`);
  t.same(issued(await ensureCertificates(host, { context, certDir })), {});
});

t.test('kubeconfigs carry the user, group and endpoint that the table says', async (t) => {
  const host = createFakeHost();
  await ensureCertificates(host, { context, certDir });
  await ensureKubeconfigs(host, { context, certDir, kubeconfigDir });
  for (const spec of kubeconfigs) {
    const path = `${kubeconfigDir}/${spec.name}`;
    const access = parseKubeconfig((await host.readFile(path)).toString('utf8'));
    const { subject, usages } = parseCertificate(
      access.cert !== undefined && 'text' in access.cert ? access.cert.text : '',
    );
    t.same(subject, { commonName: spec.commonName(context), organizations: spec.organizations }, spec.name);
    t.ok(usages.includes('client auth'), spec.name);
    t.equal(access.server, spec.endpoint === 'local' ? 'https://192.0.2.10:6443' : 'https://api.example.org:6443');
    t.equal((await host.stat(path))?.mode, 0o600, spec.name);
  }
  t.same(issued(await ensureKubeconfigs(host, { context, certDir, kubeconfigDir })), {});
  const moved = { ...context, controlPlaneEndpoint: 'other:6443' };
  t.same(Object.keys(issued(await ensureKubeconfigs(host, { context: moved, certDir, kubeconfigDir }))), [
    ...['admin.conf', 'super-admin.conf', 'kubelet.conf'],
  ]);
});

t.test('a kubeconfig of another CA or user is written anew', async (t) => {
  const host = createFakeHost();
  await ensureCertificates(host, { context, certDir });
  const options = { context, certDir, kubeconfigDir, names: ['admin.conf'] };
  const other = createFakeHost();
  await ensureCertificates(other, { context, certDir });
  const signer = { certPem: await pem(other, 'ca.crt'), keyPem: await pem(other, 'ca.key') };
  const foreign = await createKubeconfig({
    server: 'https://api.example.org:6443',
    user: 'kubernetes-admin',
    subject: { commonName: 'kubernetes-admin', organizations: [] },
    signer,
  });
  await host.writeFile(`${kubeconfigDir}/admin.conf`, foreign);
  t.same(issued(await ensureKubeconfigs(host, options)), { 'admin.conf': 'it trusts another CA' });
  await host.writeFile(`${kubeconfigDir}/admin.conf`, 'not: [a kubeconfig');
  t.match(issued(await ensureKubeconfigs(host, options)), { 'admin.conf': /^unreadable/ });
});

t.test("a CA's key whose certificate was never written is gone on with", async (t) => {
  const { privateKeyPem, publicKeyPem } = await createKeyPair();
  const host = createFakeHost({ files: { [`${certDir}/ca.key`]: privateKeyPem } });
  await ensureCertificates(host, { context, certDir });
  t.equal(await pem(host, 'ca.key'), privateKeyPem);
  const { publicKey } = parseCertificate(await pem(host, 'ca.crt'));
  t.equal(publicKey.export({ type: 'spki', format: 'pem' }), publicKeyPem);
});
