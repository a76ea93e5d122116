import t from 'tap';
import { ensureNodeIdentity, identityFile, keepCertificate } from '../../src/agent/node/identity.ts';
import { kinds } from '../../src/api/index.ts';
import { createFakeClock, silentLogger, systemClock } from '../../src/base/index.ts';
import { buildKubeconfig, parseCertificate, parseCsr, parseKubeconfig } from '../../src/certs/index.ts';
import { createFakeClient, type FakeClient, type TlsIdentity } from '../../src/client/index.ts';
import { createFakeHost } from '../../src/host/index.ts';
import { createTestCa, type TestCa } from './tls.ts';

const files = {
  kubeconfig: '/k/kubelet.conf',
  bootstrapKubeconfig: '/k/bootstrap.conf',
  caFile: '/k/ca.crt',
  certDir: '/d/pki',
  nodeName: 'n1',
};
const bootstrap = buildKubeconfig({
  server: 'https://10.0.0.1:6443',
  user: 'b',
  token: { text: 'abcdef.0123456789abcdef' },
});

/** Answers the next pending request as the signing controller does. */
async function answer(client: FakeClient, decide: (csrPem: string) => object): Promise<void> {
  for (;;) {
    const { items } = await client.list(kinds.certificateSigningRequest);
    const pending = items.find(({ status }) => status === undefined);
    if (pending !== undefined) {
      const pem = Buffer.from(pending.spec.request, 'base64').toString();
      await client.patch(
        kinds.certificateSigningRequest,
        { name: pending.metadata.name },
        'merge',
        { status: decide(pem) },
        { subresource: 'status' },
      );
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const signed = (ca: TestCa, usage: 'client auth' | 'server auth', seconds?: number) => (pem: string) => ({
  certificate: Buffer.from(ca.sign(pem, usage, seconds)).toString('base64'),
});

const never = (signal: AbortSignal): Promise<void> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

t.test('a bootstrap token buys a client certificate and a kubeconfig', async (t) => {
  const ca = await createTestCa();
  const client = createFakeClient();
  const host = createFakeHost({ files: { [files.bootstrapKubeconfig]: bootstrap } });
  const deps = { host, clock: systemClock, logger: silentLogger, connect: async () => client };
  const stop = new AbortController();
  const [text] = await Promise.all([
    ensureNodeIdentity(files, deps, stop.signal),
    answer(client, signed(ca, 'client auth')),
  ]);
  t.match(parseKubeconfig(text), {
    server: 'https://10.0.0.1:6443',
    cert: { file: identityFile(files.certDir, 'client') },
    ca: { file: files.caFile },
  });
  t.equal((await host.stat(files.kubeconfig))?.mode, 0o600);
  const pem = (await host.readFile(identityFile(files.certDir, 'client'))).toString();
  t.match(parseCertificate(pem).subject, { commonName: 'system:node:n1', organizations: ['system:nodes'] });
  t.match(pem, /PRIVATE KEY/);
  const [request] = (await client.list(kinds.certificateSigningRequest)).items;
  t.match(request?.spec, {
    signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
    usages: ['digital signature', 'key encipherment', 'client auth'],
  });

  const again = { ...deps, connect: () => Promise.reject(new Error('must not connect')) };
  t.equal(await ensureNodeIdentity(files, again, stop.signal), text, 'what is valid is used again');
});

t.test('a certificate that init put into the kubeconfig is kept where it can be renewed', async (t) => {
  const ca = await createTestCa();
  const { cert, key } = await ca.client('system:node:n1', ['system:nodes']);
  const server = 'https://10.0.0.1:6443';
  const given = buildKubeconfig({ server, user: 'system:node:n1', cert: { text: cert }, key: { text: key } });
  const host = createFakeHost({ files: { [files.kubeconfig]: given } });
  const connect = () => Promise.reject(new Error('must not connect'));
  const deps = { host, clock: systemClock, logger: silentLogger, connect };
  const text = await ensureNodeIdentity(files, deps, new AbortController().signal);
  const file = identityFile(files.certDir, 'client');
  t.match(parseKubeconfig(text), { server, cert: { file }, key: { file }, ca: { file: files.caFile } });
  t.equal(String(await host.readFile(files.kubeconfig)), text);
  t.equal(String(await host.readFile(file)), `${cert.trim()}\n${key.trim()}\n`);
  t.equal((await host.stat(file))?.mode, 0o600);
});

t.test('neither identity nor token, and a refused request', async (t) => {
  const { signal } = new AbortController();
  const bare = {
    host: createFakeHost(),
    clock: systemClock,
    logger: silentLogger,
    connect: async () => createFakeClient(),
  };
  await t.rejects(ensureNodeIdentity(files, bare, signal), { code: 'AGENT_NOT_BOOTSTRAPPED', hint: /k8ts join/ });
  const client = createFakeClient();
  const refused = {
    ...bare,
    host: createFakeHost({ files: { [files.bootstrapKubeconfig]: bootstrap } }),
    connect: async () => client,
  };
  const denied = () => ({ conditions: [{ type: 'Denied', status: 'True', message: 'not you' }] });
  await Promise.all([
    t.rejects(ensureNodeIdentity(files, refused, signal), { code: 'CSR_DENIED', message: /not you/, hint: /kubectl/ }),
    answer(client, denied),
  ]);
});

t.test(
  'the serving certificate names the node, is loaded again, and exchanged after two thirds of its life',
  async (t) => {
    const ca = await createTestCa();
    const client = createFakeClient();
    const host = createFakeHost();
    const clock = createFakeClock(Date.now());
    const used: TlsIdentity[] = [];
    const obtained: string[] = [];
    const kept = {
      client,
      certDir: '/d',
      nodeName: 'n1',
      purpose: 'server' as const,
      altNames: ['n1', '10.0.0.9'],
      trust: { bundle: () => ca.certPem, changed: never },
      use: (one: TlsIdentity) => void used.push(one),
      obtained: (pem: string) => void obtained.push(pem),
      failed: () => undefined,
      warn: () => undefined,
    };
    const until = async (count: number): Promise<void> => {
      while (used.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    const run = async (work: () => Promise<void>): Promise<void> => {
      const stop = new AbortController();
      const keeping = keepCertificate(kept, { host, clock, logger: silentLogger }, stop.signal);
      await work();
      stop.abort();
      await keeping;
    };
    let asked = '';
    await run(async () => {
      await answer(client, (pem) => {
        asked = pem;
        return signed(ca, 'server auth', 3000)(pem);
      });
      await until(1);
    });
    t.match(parseCsr(asked), { dnsNames: ['n1'], ipAddresses: ['10.0.0.9'] });
    await run(async () => {
      await until(2);
      t.equal(used[1]?.cert.includes(used[0]?.cert.trim() ?? 'x'), true, 'the one on disk');
      await clock.advance(1800_000);
      t.equal((await client.list(kinds.certificateSigningRequest)).items.length, 1);
      await clock.advance(400_000);
      await answer(client, signed(ca, 'server auth', 3000));
      await until(3);
    });
    t.not(used[2]?.cert, used[0]?.cert);
    t.equal(obtained.length, 3, 'each one in use is told of');
  },
);

t.test('a refusal, and a certificate near its end, are told as Events', async (t) => {
  const ca = await createTestCa();
  const client = createFakeClient();
  const host = createFakeHost();
  const clock = createFakeClock(Date.now());
  const told: string[] = [];
  let failures = 0;
  const kept = {
    client,
    certDir: '/d',
    nodeName: 'n1',
    purpose: 'server' as const,
    altNames: [],
    trust: { bundle: () => ca.certPem, changed: never },
    use: () => undefined,
    obtained: () => undefined,
    failed: () => {
      failures += 1;
    },
    warn: (reason: string, message: string) => void told.push(`${reason}: ${message}`),
  };
  const stop = new AbortController();
  const keeping = keepCertificate(kept, { host, clock, logger: silentLogger }, stop.signal);
  await answer(client, () => ({ conditions: [{ type: 'Denied', status: 'True', message: 'not you' }] }));
  while (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  t.match(told[0], /^CertificateRenewalFailed: server certificate: .*not you/);
  t.equal(failures, 1);
  await clock.advance(300_000);
  await answer(client, signed(ca, 'server auth', 3000));
  while ((await host.stat(identityFile('/d', 'server'))) === undefined) await new Promise((r) => setTimeout(r, 5));
  stop.abort();
  await keeping;

  // Nearly over, and nobody answers.
  const again = new AbortController();
  await clock.advance(2900_000);
  const failing = {
    ...kept,
    client: { ...client, create: () => Promise.reject(new Error('nobody is there')) } as FakeClient,
  };
  const trying = keepCertificate(failing, { host, clock, logger: silentLogger }, again.signal);
  while (told.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  t.match(told[1], /^CertificateExpiring: the server certificate of this node expires .* not renewed/);
  again.abort();
  await trying;
});
