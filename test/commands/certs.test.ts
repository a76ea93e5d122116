import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import t from 'tap';
import {
  type CertContext,
  ensureCertificates,
  ensureKubeconfigs,
  parseCertificate,
  parseCsr,
  parseKubeconfig,
} from '../../src/certs/index.ts';
import { createLocalHost } from '../../src/host/index.ts';
import { runLines } from './run-lines.ts';

t.setTimeout(60_000);
const folder = await mkdtemp(join(tmpdir(), 'k8ts-certs-cli-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const pki = join(folder, 'pki');
const places = ['--cert-dir', pki, '--kubeconfig-dir', folder];
const context: CertContext = {
  nodeName: 'n1',
  advertiseAddress: '192.0.2.10',
  controlPlaneEndpoint: 'api.example.org:6443',
  serviceCidr: '10.96.0.0/12',
  clusterDomain: 'cluster.local',
};
const config = join(folder, 'cluster.yaml');
const host = createLocalHost();
await ensureCertificates(host, { context, certDir: pki });
await ensureKubeconfigs(host, { context, certDir: pki, kubeconfigDir: folder });
await rm(join(folder, 'scheduler.conf'));
await writeFile(
  config,
  [
    'apiVersion: k8ts.dev/v1',
    'kind: ClusterConfiguration',
    'controlPlaneEndpoint: api.example.org:6443',
    'apiServer: { advertiseAddress: 192.0.2.10 }',
    'node: { name: n1 }',
  ].join('\n'),
);
const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');

const other = join(folder, 'csr');
const where = ['--cert-dir', join(other, 'pki'), '--kubeconfig-dir', other, '--config', config];
const base = ['kubeconfig', 'user', '--cert-dir', pki, '--config', config];
const before = await read('pki/apiserver.crt');
/** All in one process: starting one costs more than any of these commands. */
const printed = await runLines([
  ['certs', 'check-expiration', ...places],
  ['certs', 'check-expiration', ...places, '-o', 'json'],
  ['certs', 'check-expiration', ...places, '-o', 'yaml'],
  ['certs', 'renew', 'apiserver', ...places, '--dry-run'],
  ['certs', 'renew', 'apiserver', 'admin.conf', ...places],
  ['certs', 'renew', 'all', ...places],
  ['certs', 'renew', 'nonsense', ...places],
  ['certs', 'renew', 'scheduler.conf', ...places],
  ['certs', 'add-san', 'new.example.org', '203.0.113.7', ...places],
  ['certs', 'add-san', 'new.example.org', ...places],
  ['certs', 'add-san', 'https://new.example.org', ...places],
  ['certs', 'certificate-key'],
  ['certs', 'generate-csr', ...where, '--etcd'],
  [...base, '--client-name', 'jane', '--org', 'dev,ops', '--validity-period', '720h'],
  [...base, '--client-name', 'robot', '--token', 'abc'],
  [...base, '--client-name', 'jane', '--validity-period', '0'],
  base,
  ['kubeconfig', 'user', '--cert-dir', join(folder, 'nowhere'), '--config', config, '--client-name', 'jane'],
]);

interface Expiries {
  readonly certificates: readonly {
    readonly name: string;
    readonly missing?: boolean;
    readonly residualTime?: number;
  }[];
  readonly certificateAuthorities: readonly { readonly name: string; readonly residualTime: number }[];
}

t.test('check-expiration lists what kubeadm lists, in its words', async (t) => {
  const [table, json, yaml] = printed.slice(0, 3);
  t.equal(table?.code, 0);
  const lines = table?.stdout.split('\n') ?? [];
  t.match(lines[0], /^CERTIFICATE +EXPIRES +RESIDUAL TIME +CERTIFICATE AUTHORITY +EXTERNALLY MANAGED$/);
  t.match(lines[1], /^apiserver +[A-Z][a-z]{2} \d\d, \d{4} \d\d:\d\d UTC +364d +ca +no$/);
  t.match(table?.stdout, /^!MISSING! scheduler.conf/m);
  t.match(table?.stdout, /^CERTIFICATE AUTHORITY +EXPIRES +RESIDUAL TIME +EXTERNALLY MANAGED$/m);
  t.match(table?.stdout, /^front-proxy-ca +.* UTC +9y +no$/m);
  const report = JSON.parse(json?.stdout ?? '') as Expiries;
  t.match(report.certificates[0], { name: 'apiserver', residualTime: Number });
  t.match(
    report.certificates.find(({ name }) => name === 'scheduler.conf'),
    { missing: true },
  );
  t.same(
    report.certificateAuthorities.map(({ name }) => name),
    ['ca', 'front-proxy-ca'],
  );
  t.same((load(yaml?.stdout ?? '') as Expiries).certificates.length, report.certificates.length);
});

t.test('renew renews, says what it did not, and with --dry-run only says', async (t) => {
  const [dry, one, all, unknown, absent] = printed.slice(3, 8);
  t.match(dry?.stdout, /^This would be done:\n.*apiserver\.key/);
  t.notMatch(dry?.stdout, /PRIVATE KEY/);
  t.equal(one?.stdout, 'apiserver renewed\nadmin.conf renewed\n');
  t.not(await read('pki/apiserver.crt'), before);
  t.match(all?.stdout, /^front-proxy-client renewed$/m);
  t.match(all?.stdout, /^scheduler.conf is not there, and was not made$/m);
  t.equal(unknown?.code, 3);
  t.match(unknown?.stderr, /CERTIFICATE_UNKNOWN.*\n {2}what to do: one of: all, apiserver,/);
  t.match(absent?.stderr, /CERTIFICATE_ABSENT/);
});

t.test('add-san adds to what is there', async (t) => {
  const [added, again, wrong] = printed.slice(8, 11);
  t.equal(added?.stdout, 'apiserver is valid for new.example.org, 203.0.113.7 too\n');
  const { dnsNames, ipAddresses } = parseCertificate(await read('pki/apiserver.crt'));
  t.ok(dnsNames.includes('new.example.org') && dnsNames.includes('kubernetes.default.svc'));
  t.same(ipAddresses, ['10.96.0.1', '192.0.2.10', '203.0.113.7']);
  t.match(again?.stdout, /all already/);
  t.equal(wrong?.code, 3);
  t.match(wrong?.stderr, /CERTIFICATE_NAME_INVALID/);
});

t.test('certificate-key and generate-csr', async (t) => {
  const [key, csr] = printed.slice(11, 13);
  t.match(key?.stdout, /^[0-9a-f]{64}\n$/);
  t.match(csr?.stdout, join(other, 'pki/apiserver.csr'));
  const request = parseCsr(await read('csr/pki/apiserver.csr'));
  t.same(request.ipAddresses, ['10.96.0.1', '192.0.2.10']);
  t.ok(request.dnsNames.includes('api.example.org'));
  t.equal(parseCsr(await read('csr/pki/etcd/peer.csr')).subject.commonName, 'n1');
  const partial = parseKubeconfig(await read('csr/admin.conf'));
  t.match(partial, { server: 'https://api.example.org:6443', key: { text: /PRIVATE KEY/ }, cert: undefined });
});

t.test('kubeconfig user: with a certificate for so long, or with a token', async (t) => {
  const [cert, token, never, nobody, noCa] = printed.slice(13, 18);
  const access = parseKubeconfig(cert?.stdout ?? '');
  t.equal(access.server, 'https://api.example.org:6443');
  const certificate = parseCertificate(access.cert !== undefined && 'text' in access.cert ? access.cert.text : '');
  t.same(certificate.subject, { commonName: 'jane', organizations: ['dev', 'ops'] });
  t.equal(Math.round((certificate.notAfter.getTime() - Date.now()) / 3_600_000), 720);
  t.match(parseKubeconfig(token?.stdout ?? ''), { token: { text: 'abc' }, cert: undefined, user: 'robot' });
  t.equal(never?.code, 3);
  t.equal(nobody?.code, 3);
  t.match(noCa?.stderr, /CA_UNREADABLE/);
});
