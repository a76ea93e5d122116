import t from 'tap';
import { createCertificateBook } from '../../src/agent/node/certificate-book.ts';
import { identityFile, keepCertificate } from '../../src/agent/node/identity.ts';
import { createNodeTrust, type FollowedTrust, hashesOf } from '../../src/agent/node/trust.ts';
import { type ConfigMap, kinds } from '../../src/api/index.ts';
import { silentLogger, systemClock } from '../../src/base/index.ts';
import { caCertHash, isSignedBy } from '../../src/certs/index.ts';
import { createFakeClient, createInformerFactory, type FakeClient, type TlsIdentity } from '../../src/client/index.ts';
import { createFakeHost, type FakeHost } from '../../src/host/index.ts';
import { createTestCa, type TestCa } from './tls.ts';

const caFile = '/k/ca.crt';
const published = (pem: string): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'kube-root-ca.crt', namespace: 'kube-system' },
  data: { 'ca.crt': pem },
});
const at = { namespace: 'kube-system', name: 'kube-root-ca.crt' };

interface Setup {
  readonly host: FakeHost;
  readonly client: FakeClient;
  readonly trust: FollowedTrust;
  readonly stop: AbortController;
}

async function follow(t: { teardown(end: () => void): void }, ca: string, ownsCa = false): Promise<Setup> {
  const host = createFakeHost({ files: { [caFile]: ca } });
  const client = createFakeClient([published(ca)]);
  const informers = createInformerFactory(client);
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  const trust = await createNodeTrust({ host, caFile, ownsCa, logger: silentLogger });
  trust.follow(informers);
  await informers.start(stop.signal);
  return { host, client, trust, stop };
}

const publish = async (client: FakeClient, pem: string): Promise<void> => {
  await client.patch(kinds.configMap, at, 'merge', { data: { 'ca.crt': pem } });
};
const read = async (host: FakeHost): Promise<string> => (await host.readFile(caFile)).toString('utf8');
const moment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

t.test('what the cluster publishes is trusted and kept, unless it is another cluster’s', async (t) => {
  const [old, next, foreign] = await Promise.all([createTestCa(), createTestCa(), createTestCa()]);
  const { host, client, trust, stop } = await follow(t, old.certPem);
  const change = trust.changed(stop.signal);
  await publish(client, old.certPem + next.certPem);
  await change;
  t.same(hashesOf(trust.bundle()), [caCertHash(old.certPem), caCertHash(next.certPem)]);
  t.equal(await read(host), old.certPem + next.certPem);
  for (const wrong of [foreign.certPem, '', 'rubbish']) {
    await publish(client, wrong);
    await moment();
    t.equal(hashesOf(trust.bundle()).length, 2);
  }
  await publish(client, next.certPem);
  await trust.changed(stop.signal);
  t.equal(await read(host), next.certPem);
});

t.test('a control plane’s own ca.crt is read and never written', async (t) => {
  const [old, next] = await Promise.all([createTestCa(), createTestCa()]);
  const { host, client, trust, stop } = await follow(t, old.certPem, true);
  // The file changes first; what is published is made from it, and may be a moment behind.
  const both = old.certPem + next.certPem;
  await host.writeFile(caFile, both);
  await publish(client, `${old.certPem}\n`);
  await trust.changed(stop.signal);
  t.equal(await read(host), both);
  t.equal(trust.bundle(), both);
});

t.test('while the CA is replaced the node gets certificates of the new one, and says so', async (t) => {
  const [old, next] = await Promise.all([createTestCa(), createTestCa()]);
  const { host, client, trust, stop } = await follow(t, old.certPem);
  await client.create(kinds.node, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
  let signer: TestCa = old;
  const used = new Map<string, TlsIdentity>();
  const book = createCertificateBook();
  const deps = { host, clock: systemClock, logger: silentLogger };
  const keeping = (['server', 'client'] as const).map((purpose) =>
    keepCertificate(
      {
        client,
        certDir: '/d',
        nodeName: 'n1',
        purpose,
        altNames: purpose === 'server' ? ['n1'] : [],
        trust,
        use: (identity) => void used.set(purpose, identity),
        obtained: (pem) => book.obtained(purpose, pem),
        failed: book.failed,
        warn: () => undefined,
      },
      deps,
      stop.signal,
    ),
  );
  const annotating = book.annotate({ ...deps, client, nodeName: 'n1', trust, signal: stop.signal });
  const signing = (async () => {
    while (!stop.signal.aborted) {
      const { items } = await client.list(kinds.certificateSigningRequest);
      for (const { metadata, spec } of items.filter(({ status }) => status === undefined)) {
        const usage = spec.usages?.includes('server auth') === true ? 'server auth' : 'client auth';
        const pem = signer.sign(Buffer.from(spec.request, 'base64').toString(), usage);
        const status = { certificate: Buffer.from(pem).toString('base64') };
        const name = { name: metadata.name };
        await client.patch(kinds.certificateSigningRequest, name, 'merge', { status }, { subresource: 'status' });
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  const annotated = async (trusted: readonly TestCa[], by: TestCa): Promise<void> => {
    const want = [trusted.map(({ certPem }) => caCertHash(certPem)).join(','), caCertHash(by.certPem)];
    for (;;) {
      const { annotations = {} } = (await client.get(kinds.node, { name: 'n1' })).metadata;
      const have = [annotations['k8ts.dev/trusted-ca'], annotations['k8ts.dev/certificates-signed-by']];
      if (have.join() === want.join()) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await annotated([old], old);

  await publish(client, old.certPem + next.certPem);
  await annotated([old, next], old);
  t.equal(hashesOf(used.get('client')?.ca ?? '').length, 2, 'put into use at once');
  t.ok(isSignedBy(used.get('client')?.cert ?? '', old.certPem), 'with the certificate that it has');

  signer = next;
  await publish(client, next.certPem + old.certPem);
  await annotated([next, old], next);
  for (const purpose of ['server', 'client']) t.ok(isSignedBy(used.get(purpose)?.cert ?? '', next.certPem), purpose);
  t.match((await host.readFile(identityFile('/d', 'client'))).toString(), used.get('client')?.cert.trim() ?? 'none');

  const requests = async (): Promise<number> => (await client.list(kinds.certificateSigningRequest)).items.length;
  const before = await requests();
  await publish(client, next.certPem);
  await annotated([next], next);
  t.equal(await requests(), before, 'the last stage needs no new certificates');
  t.match(book.metrics(Date.now()), /kubelet_certificate_manager_client_ttl_seconds 3[56]\d\d\n/);
  t.match(book.metrics(Date.now()), /kubelet_certificate_manager_client_expiration_renew_errors 0\n/);
  stop.abort();
  await Promise.all([...keeping, annotating, signing]);
});
