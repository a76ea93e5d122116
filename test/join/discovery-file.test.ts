import { createServer } from 'node:https';
import t, { type Test } from 'tap';
import { createKeyPair, issueCertificate } from '../../src/certs/index.ts';
import { discoverByFile } from '../../src/join/discovery-file.ts';
import { buildKubeconfig } from '../../src/kubeconfig/index.ts';
import { makeCa } from './make-ca.ts';

const progress = { signal: new AbortController().signal, report: () => undefined };

async function setup(t: Test) {
  const ca = await makeCa();
  const pair = await createKeyPair('ECDSA-P256');
  const cert = issueCertificate({
    subject: { commonName: 'kube-apiserver', organizations: [] },
    publicKeyPem: pair.publicKeyPem,
    signer: ca,
    usages: ['digital signature', 'server auth'],
    altNames: ['127.0.0.1'],
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 86_400_000),
  });
  const server = createServer({ cert, key: pair.privateKeyPem }, (_request, response) => response.end('{}'));
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    }),
  );
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { ca, server: `https://127.0.0.1:${port}` };
}

t.test('server, CA and login come from the file', async (t) => {
  const { ca, server } = await setup(t);
  const bare = buildKubeconfig({ server, ca: { text: ca.certPem } });
  const withToken = buildKubeconfig({ server, ca: { file: 'ca.crt' }, user: 'u', token: { text: 'abc' } });
  const withCert = buildKubeconfig({
    server,
    ca: { text: ca.certPem },
    user: 'u',
    cert: { file: 'c.crt' },
    key: { text: 'KEY' },
  });
  const dir = t.testdir({ bare, withToken, withCert, 'ca.crt': ca.certPem, 'c.crt': 'CERT' });
  const found = await discoverByFile(`${dir}/bare`, progress);
  t.match(found, { server, caPem: ca.certPem });
  t.equal(found.login, undefined);
  t.match(await discoverByFile(`${dir}/withToken`, progress), { caPem: ca.certPem, login: { token: 'abc' } });
  t.match(await discoverByFile(`${dir}/withCert`, progress), { login: { cert: 'CERT', key: 'KEY' } });
});

t.test('what is wrong with a file', async (t) => {
  const { server } = await setup(t);
  const other = await makeCa();
  const dir = t.testdir({
    noCa: buildKubeconfig({ server }),
    otherCa: buildKubeconfig({ server, ca: { text: other.certPem } }),
    text: 'hello',
  });
  const rejects = (file: string, code: string) => t.rejects(discoverByFile(file, progress), { code }, file);
  await rejects(`${dir}/none`, 'DISCOVERY_FILE_UNREADABLE');
  await rejects(`${dir}/noCa`, 'DISCOVERY_FILE_INVALID');
  await rejects(`${dir}/otherCa`, 'API_CERT_UNTRUSTED');
  await rejects(`${dir}/text`, 'KUBECONFIG_INVALID');
  await rejects('http://127.0.0.1/x', 'DISCOVERY_FILE_UNREADABLE');
  await rejects(`${server}/x`, 'DISCOVERY_FILE_UNREADABLE');
});
