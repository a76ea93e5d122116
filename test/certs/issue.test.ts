// OpenSSL and Node's TLS are the judges of what is issued here.
import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import t from 'tap';
import {
  caCertHash,
  createCsr,
  createKeyPair,
  issueCertificate,
  type KeyAlgorithm,
  parseCertificate,
  parseCsr,
  type Signer,
  signCsr,
} from '../../src/certs/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'k8ts-certs-'));
t.teardown(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function openssl(...args: string[]): string {
  return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function decode(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64');
}

const day = 86_400_000;
const validity = { notBefore: new Date(Date.now() - 300_000), notAfter: new Date(Date.now() + day) };

async function makeCa(algorithm: KeyAlgorithm): Promise<Signer> {
  const { publicKeyPem, privateKeyPem } = await createKeyPair(algorithm);
  const certPem = issueCertificate({
    subject: { commonName: 'kubernetes', organizations: [] },
    publicKeyPem,
    signer: { self: true, keyPem: privateKeyPem },
    usages: ['digital signature', 'cert sign'],
    ...validity,
  });
  return { certPem, keyPem: privateKeyPem };
}

// The larger RSA keys differ in nothing but the seconds that they take.
for (const algorithm of ['ECDSA-P256', 'ECDSA-P384', 'RSA-2048'] as const) {
  t.test(`${algorithm}: openssl verifies a chain and reads what was asked for`, async (t) => {
    const ca = await makeCa(algorithm);
    const { publicKeyPem, privateKeyPem } = await createKeyPair(algorithm);
    const certPem = issueCertificate({
      subject: { commonName: 'kube-apiserver', organizations: ['group:one', 'Gruppe ä'] },
      publicKeyPem,
      signer: ca,
      usages: ['digital signature', 'server auth', 'client auth'],
      altNames: ['kubernetes', 'kubernetes.default', '10.96.0.1', 'fd00::1'],
      ...validity,
    });
    const caFile = file(`ca-${algorithm}.pem`, ca.certPem);
    const certFile = file(`leaf-${algorithm}.pem`, certPem);
    t.match(openssl('verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', caFile, certFile), /: OK/);
    t.match(openssl('verify', '-x509_strict', '-purpose', 'sslclient', '-CAfile', caFile, certFile), /: OK/);
    const text = openssl('x509', '-noout', '-text', '-nameopt', 'utf8', '-in', certFile);
    t.match(text, 'DNS:kubernetes, DNS:kubernetes.default, IP Address:10.96.0.1, IP Address:FD00:0:0:0:0:0:0:1');
    t.match(text, 'TLS Web Server Authentication, TLS Web Client Authentication');
    t.match(text, /X509v3 Key Usage: critical\s+Digital Signature\n/);
    t.match(text, /X509v3 Basic Constraints: critical\s+CA:FALSE/);
    t.match(openssl('x509', '-noout', '-text', '-in', caFile), /CA:TRUE/);
    const parsed = parseCertificate(certPem);
    t.same(parsed.subject, { commonName: 'kube-apiserver', organizations: ['group:one', 'Gruppe ä'] });
    t.same(parsed.issuer, { commonName: 'kubernetes', organizations: [] });
    t.same(parsed.dnsNames, ['kubernetes', 'kubernetes.default']);
    t.same(parsed.ipAddresses, ['10.96.0.1', 'fd00::1']);
    t.same(parsed.usages, ['digital signature', 'server auth', 'client auth']);
    t.equal(parsed.isCa, false);
    t.equal(parseCertificate(ca.certPem).isCa, true);
    const x509 = new X509Certificate(certPem);
    t.ok(x509.verify(new X509Certificate(ca.certPem).publicKey));
    t.ok(x509.checkPrivateKey(createPrivateKey(privateKeyPem)));
  });

  t.test(`${algorithm}: openssl verifies our request, we verify openssl's`, async (t) => {
    const { privateKeyPem } = await createKeyPair(algorithm);
    const subject = { commonName: 'system:node:n1', organizations: ['system:nodes'] };
    const ours = createCsr({ keyPem: privateKeyPem, subject, altNames: ['n1', '10.0.0.7'] });
    const csrFile = file(`req-${algorithm}.pem`, ours);
    t.match(openssl('req', '-verify', '-noout', '-text', '-in', csrFile), 'DNS:n1, IP Address:10.0.0.7');
    const keyFile = file(`key-${algorithm}.pem`, privateKeyPem);
    const theirs = openssl(
      ...['req', '-new', '-key', keyFile, '-subj', '/O=system:nodes/CN=system:node:n1'],
      ...['-addext', 'subjectAltName=DNS:n1,IP:10.0.0.7'],
    );
    for (const pem of [ours, theirs]) {
      const csr = parseCsr(pem);
      t.same(csr.subject, subject);
      t.same(csr.dnsNames, ['n1']);
      t.same(csr.ipAddresses, ['10.0.0.7']);
      t.same(csr.otherNames, []);
    }
  });

  t.test(`${algorithm}: a CA made by openssl can sign`, async (t) => {
    const keyFile = join(folder, `foreign-${algorithm}.key`);
    const kind = algorithm.startsWith('RSA')
      ? [algorithm.toLowerCase().replace('-', ':')]
      : ['ec', '-pkeyopt', `ec_paramgen_curve:P-${algorithm.slice(-3)}`];
    const certPem = openssl(
      ...['req', '-x509', '-nodes', '-newkey', ...kind, '-keyout', keyFile, '-days', '1'],
      ...['-subj', '/C=DE/O=Ünïcode GmbH/CN=Corporate CA', '-utf8'],
    );
    const signer = { certPem, keyPem: openssl('pkey', '-in', keyFile) };
    const { privateKeyPem } = await createKeyPair();
    const csrPem = createCsr({ keyPem: privateKeyPem, subject: { commonName: 'x', organizations: [] } });
    const leaf = signCsr({ csrPem, signer, usages: ['client auth'], expirationSeconds: 7 * 86_400, now: new Date() });
    const caFile = file(`foreign-${algorithm}.pem`, certPem);
    t.match(openssl('verify', '-CAfile', caFile, file(`foreign-leaf-${algorithm}.pem`, leaf)), /: OK/);
    t.same(parseCertificate(leaf).notAfter, parseCertificate(certPem).notAfter, 'never longer than its signer');
    const expected = openssl('x509', '-in', caFile, '-noout', '-pubkey');
    const der = execFileSync('openssl', ['pkey', '-pubin', '-outform', 'der'], { input: expected });
    const digest = execFileSync('openssl', ['dgst', '-sha256', '-hex'], { input: der, encoding: 'utf8' });
    t.equal(caCertHash(certPem), `sha256:${digest.trim().split(' ').at(-1)}`);
  });
}

t.test('keys and certificates serve node TLS on both sides', async (t) => {
  const ca = await makeCa('ECDSA-P256');
  const issue = async (commonName: string, organizations: string[], usage: 'server auth' | 'client auth') => {
    const { publicKeyPem, privateKeyPem } = await createKeyPair();
    const subject = { commonName, organizations };
    const altNames = usage === 'server auth' ? ['127.0.0.1'] : [];
    const usages = ['digital signature', usage] as const;
    return {
      key: privateKeyPem,
      cert: issueCertificate({ subject, publicKeyPem, signer: ca, usages, altNames, ...validity }),
    };
  };
  const server = createServer({ ...(await issue('server', [], 'server auth')), ca: ca.certPem, requestCert: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const seen = new Promise<unknown>((resolve) =>
    server.on('secureConnection', (socket: TLSSocket) => {
      resolve(socket.authorized ? socket.getPeerCertificate().subject : socket.authorizationError);
      socket.end();
    }),
  );
  const client = connect({
    host: '127.0.0.1',
    port,
    ca: ca.certPem,
    ...(await issue('admin', ['a', 'b'], 'client auth')),
  });
  await new Promise((resolve, reject) => client.on('secureConnect', resolve).on('error', reject));
  t.same(await seen, { O: ['a', 'b'], CN: 'admin' });
  client.destroy();
  await new Promise((resolve) => server.close(resolve));
});

t.test('a request that does not prove its key, or is no request, is refused', async (t) => {
  const { privateKeyPem } = await createKeyPair();
  const pem = createCsr({ keyPem: privateKeyPem, subject: { commonName: 'honest', organizations: [] } });
  const der = decode(pem);
  const at = der.indexOf('honest');
  der.write('wicked', at, 'latin1');
  const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  const garbage = `-----BEGIN CERTIFICATE REQUEST-----\n${Buffer.alloc(300, 0x30).toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  const longer = Buffer.concat([decode(pem), Buffer.of(5, 0)]).toString('base64');
  const trailing = `-----BEGIN CERTIFICATE REQUEST-----\n${longer}\n-----END CERTIFICATE REQUEST-----\n`;
  const cases = [
    { name: 'changed after signing', given: forged, want: /signature is wrong/ },
    { name: 'no PEM', given: 'hello', want: /not a PEM/ },
    { name: 'garbage', given: garbage, want: /cannot be used/ },
    { name: 'too long', given: pem + ' '.repeat(20_000), want: /not a PEM/ },
    { name: 'trailing bytes', given: trailing, want: /cannot be used/ },
  ];
  for (const { name, given, want } of cases) {
    t.throws(() => parseCsr(given), { code: 'CSR_INVALID', message: want }, name);
  }
  t.throws(() => parseCertificate(pem), { code: 'CERTIFICATE_INVALID' });
});

t.test('names other than DNS and IP are reported, so that a signer can refuse them', async (t) => {
  const { privateKeyPem } = await createKeyPair();
  const keyFile = file('others.key', privateKeyPem);
  const pem = openssl(
    ...['req', '-new', '-key', keyFile, '-subj', '/CN=x'],
    ...['-addext', 'subjectAltName=email:a@b.c,URI:spiffe://x,DNS:ok'],
  );
  const csr = parseCsr(pem);
  t.same(csr.dnsNames, ['ok']);
  t.same(csr.otherNames, [1, 6]);
});
