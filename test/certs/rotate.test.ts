import { connect, createServer, type TLSSocket } from 'node:tls';
import t from 'tap';
import {
  type CertContext,
  dropOldCa,
  ensureCertificates,
  ensureKubeconfigs,
  isSignedBy,
  parseKubeconfig,
  readInventory,
  readRotation,
  renewCertificates,
  signWithNewCa,
  splitCertificates,
  trustNewCa,
} from '../../src/certs/index.ts';
import { createFakeHost, type FakeHost } from '../../src/host/index.ts';

const context: CertContext = {
  nodeName: 'n1',
  advertiseAddress: '127.0.0.1',
  controlPlaneEndpoint: '127.0.0.1:6443',
  serviceCidr: '10.96.0.0/12',
  clusterDomain: 'cluster.local',
};
const certDir = '/pki';
const places = { certDir, kubeconfigDir: '/conf' };
const names = ['admin.conf', 'controller-manager.conf', 'scheduler.conf'];

const read = async (host: FakeHost, path: string): Promise<string> => (await host.readFile(path)).toString('utf8');

async function prepared(): Promise<FakeHost> {
  const host = createFakeHost();
  await ensureCertificates(host, { context, certDir });
  await ensureKubeconfigs(host, { context, ...places, names });
  return host;
}

const credentials = async (host: FakeHost): Promise<{ ca: string; cert: string; key: string }> => {
  const { ca, cert, key } = parseKubeconfig(await read(host, '/conf/admin.conf'));
  const text = (one: typeof ca): string => (one !== undefined && 'text' in one ? one.text : '');
  return { ca: text(ca), cert: text(cert), key: text(key) };
};

/** Whether client and server accept each other. */
async function handshake(host: FakeHost, client: { ca: string; cert: string; key: string }): Promise<string> {
  const [cert, key, ca] = await Promise.all(
    ['apiserver.crt', 'apiserver.key', 'ca.crt'].map((file) => read(host, `${certDir}/${file}`)),
  );
  const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: false });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const judged = new Promise<string>((done) => {
    server.on('secureConnection', (socket: TLSSocket) => {
      done(socket.authorized ? 'ok' : `client refused: ${socket.authorizationError}`);
      socket.end();
    });
  });
  const own = new Promise<string>((done) => {
    const socket = connect({ host: '127.0.0.1', port, ...client });
    socket.on('secureConnect', () => done('ok'));
    socket.on('error', (error: NodeJS.ErrnoException) => done(`server refused: ${error.code}`));
  });
  const answer = await own;
  const result = answer === 'ok' ? await judged : answer;
  await new Promise((done) => server.close(done));
  return result;
}

t.test('a CA is replaced in three stages; who knows the old one alone works until the last', async (t) => {
  const host = await prepared();
  const before = await credentials(host);
  const old = await read(host, `${certDir}/ca.crt`);
  t.match(await readRotation(host, certDir), { stage: undefined, trusted: { length: 1 } });

  await trustNewCa(host, places);
  t.equal((await readRotation(host, certDir)).stage, 'trust');
  const [first = '', second = ''] = splitCertificates(await read(host, `${certDir}/ca.crt`));
  t.equal(first.trim(), old.trim(), 'the old one signs');
  const during = await credentials(host);
  t.equal(splitCertificates(during.ca).length, 2, 'kubeconfigs trust both');
  t.same(
    (await readInventory(host, places)).filter(({ problem }) => problem !== undefined),
    [],
  );
  t.equal(await handshake(host, before), 'ok');
  await trustNewCa(host, places);
  t.equal(splitCertificates(await read(host, `${certDir}/ca.crt`))[1], second, 'again: the same new one');

  await signWithNewCa(host, places);
  await renewCertificates(host, 'all', places);
  t.equal((await readRotation(host, certDir)).stage, 'issue');
  t.ok(isSignedBy(await read(host, `${certDir}/apiserver.crt`), second));
  t.equal(await handshake(host, before), 'ok', 'knows the old CA alone, has a certificate of it');
  t.equal(await handshake(host, during), 'ok', 'knows both');
  const after = await credentials(host);
  t.equal(await handshake(host, after), 'ok', 'has a certificate of the new CA');
  t.equal(await handshake(host, { ...after, ca: second }), 'ok', 'knows the new CA alone');
  t.ok(isSignedBy(after.cert, second));

  await dropOldCa(host, places);
  await renewCertificates(host, ['apiserver'], places);
  t.match(await readRotation(host, certDir), { stage: undefined, trusted: { length: 1 } });
  t.equal((await read(host, `${certDir}/ca.crt`)).trim(), second.trim());
  t.equal(splitCertificates(await read(host, `${certDir}/apiserver.crt`)).length, 1, 'no bridge any more');
  t.match(await handshake(host, before), /^server refused: /);
  t.equal(await handshake(host, { ...before, ca: second }), 'client refused: UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  t.equal(await handshake(host, await credentials(host)), 'ok');
  t.same(
    Object.keys(host.files()).filter((path) => /next|bridge/.test(path)),
    [],
    'nothing is left over',
  );
});

t.test('a stage that was cut off is finished when it is run again', async (t) => {
  const host = await prepared();
  await trustNewCa(host, places);
  const next = await read(host, `${certDir}/ca-next.key`);
  // As after a crash that came between the new key and the new order of ca.crt.
  const copy = createFakeHost({ files: Object.fromEntries(await contents(host)) });
  await signWithNewCa(copy, places);
  const bridge = await read(copy, `${certDir}/ca-bridge.crt`);
  await host.writeFile(`${certDir}/ca-bridge.crt`, bridge);
  await host.writeFile(`${certDir}/ca.key`, next, { mode: 0o600 });
  t.equal((await readRotation(host, certDir)).stage, 'trust');
  await signWithNewCa(host, places);
  await renewCertificates(host, 'all', places);
  t.equal(await handshake(host, await credentials(host)), 'ok');
  t.same(
    (await readInventory(host, places)).filter(({ problem }) => problem !== undefined),
    [],
  );
});

t.test('stages out of order are refused', async (t) => {
  const host = await prepared();
  await t.rejects(signWithNewCa(host, places), { code: 'ROTATION_NOT_BEGUN', hint: /rotate-ca/ });
  await trustNewCa(host, places);
  await t.rejects(dropOldCa(host, places), { code: 'ROTATION_NOT_BEGUN' });
  await host.remove(`${certDir}/ca.key`);
  await t.rejects(readRotation(host, certDir), { code: 'CA_KEY_MISSING' });
  await t.rejects(trustNewCa(createFakeHost(), places), { code: 'CA_ABSENT', hint: /--cert-dir/ });
});

async function contents(host: FakeHost): Promise<[string, string][]> {
  const all: [string, string][] = [];
  for (const path of Object.keys(host.files())) all.push([path, await read(host, path)]);
  return all;
}
