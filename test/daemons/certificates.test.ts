import { createHash, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import t, { type Test } from 'tap';
import { type ConfigMap, kinds } from '../../src/api/index.ts';
import { silentLogger } from '../../src/base/index.ts';
import {
  type CertContext,
  createKeyPair,
  ensureCertificates,
  ensureKubeconfigs,
  isSignedBy,
  renewCertificates,
  signWithNewCa,
  trustNewCa,
} from '../../src/certs/index.ts';
import { clientFromKubeconfig, type HttpApiClient } from '../../src/client/index.ts';
import type { ServerConfig } from '../../src/config/index.ts';
import { ensureCredentials, standaloneConfig, startComponentsHere, startServer } from '../../src/daemons/index.ts';
import { createLocalHost } from '../../src/host/index.ts';

t.setTimeout(60_000);
const host = createLocalHost();

interface Plane {
  readonly config: ServerConfig;
  readonly pki: string;
  readonly places: { readonly certDir: string; readonly kubeconfigDir: string };
}

async function folder(t: Test): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'k8ts-renewal-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

async function prepare(t: Test): Promise<Plane> {
  const dataDir = await folder(t);
  const config = await standaloneConfig({
    dataDir,
    bindAddress: '127.0.0.1',
    port: 0,
    memory: true,
    controllers: ['root-ca-certificate-publisher-controller'],
    scheduler: false,
  });
  await ensureCredentials(config);
  return { config, pki: config.certDir, places: { certDir: config.certDir, kubeconfigDir: dataDir } };
}

async function start(t: Test, { config }: Plane): Promise<{ admin: () => Promise<HttpApiClient> }> {
  const stopping = new AbortController();
  const server = await startServer(config, { logger: silentLogger, signal: stopping.signal, run: startComponentsHere });
  const clients: HttpApiClient[] = [];
  t.teardown(async () => {
    stopping.abort();
    await Promise.all(clients.map((client) => client.close()));
    await server.stop();
  });
  return {
    async admin() {
      const text = await readFile(join(config.kubeconfigDir, 'admin.conf'), 'utf8');
      const client = await clientFromKubeconfig(text);
      clients.push(client);
      return client;
    },
  };
}

/** SHA-256 of what the server shows to a new connection. */
function served({ config }: Plane): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: config.bindPort, rejectUnauthorized: false });
    socket.once('secureConnect', () => {
      resolve(createHash('sha256').update(socket.getPeerCertificate().raw).digest('hex'));
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

async function onDisk({ pki }: Plane): Promise<string> {
  const { raw } = new X509Certificate(await readFile(join(pki, 'apiserver.crt')));
  return createHash('sha256').update(raw).digest('hex');
}

async function eventually<T>(attempt: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const result = await attempt();
    if (result !== undefined) return result;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const configMap = (name: string): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
});

t.test('certificates are exchanged while the server runs; a watch that is open goes on', async (t) => {
  const plane = await prepare(t);
  const { admin } = await start(t, plane);
  const before = await served(plane);
  const client = await admin();
  const watching = new AbortController();
  const seen = (async () => {
    for await (const event of client.watch(kinds.configMap, { namespace: 'default', signal: watching.signal })) {
      if (event.type === 'ADDED' && event.object.metadata.name === 'after') return 'after';
    }
    return 'ended';
  })();
  await client.create(kinds.configMap, configMap('before'));
  // Certificates that were made 250 days ago for a year: two thirds of their life are over, and the rest is long.
  for (const name of ['apiserver', 'apiserver-kubelet-client', 'front-proxy-client']) {
    await rm(join(plane.pki, `${name}.crt`));
  }
  const context: CertContext = { ...plane.config, extraSans: ['localhost', '127.0.0.1'] };
  const made = new Date(Date.now() - 250 * 86_400_000);
  await ensureCertificates(host, { context, certDir: plane.pki, now: made });
  const aged = await onDisk(plane);
  const after = await eventually(async () => {
    const now = await served(plane);
    return now === before || now === aged ? undefined : now;
  });
  t.equal(after, await onDisk(plane));
  const { validFromDate } = new X509Certificate(await readFile(join(plane.pki, 'apiserver.crt')));
  t.ok(validFromDate.getTime() > made.getTime() + 249 * 86_400_000, 'made now');
  await client.create(kinds.configMap, configMap('after'));
  t.equal(await seen, 'after', 'the watch from before the exchange hears of what comes after it');
  watching.abort();
  const metrics = (await client.raw('GET', '/metrics')).body.toString();
  t.match(metrics, /k8ts_certificate_expiration_timestamp_seconds\{name="apiserver"\} \d+/);
  t.match(metrics, /apiserver_client_certificate_expiration_seconds_bucket\{le="31104000"\} 0/);
  t.match(metrics, /apiserver_client_certificate_expiration_seconds_bucket\{le="\+Inf"\} [1-9]/);
  t.match(metrics, /k8ts_component_up\{name="controllers-and-scheduler"\} 1/);
});

t.test('what a command writes is taken over; a file set that does not fit together is not', async (t) => {
  const plane = await prepare(t);
  await start(t, plane);
  const before = await served(plane);
  await writeFile(join(plane.pki, 'apiserver.key'), (await createKeyPair()).privateKeyPem);
  await new Promise((resolve) => setTimeout(resolve, 400));
  t.equal(await served(plane), before, 'a key without its certificate');
  await renewCertificates(host, ['apiserver', 'admin.conf'], plane.places);
  t.equal(await eventually(async () => ((await served(plane)) === (await onDisk(plane)) ? 'new' : undefined)), 'new');
});

t.test('a control plane that was off for too long starts, and one cut off in a renewal', async (t) => {
  const plane = await prepare(t);
  const gone = new Date(Date.now() - 400 * 86_400_000);
  await rm(join(plane.pki, 'apiserver.crt'));
  const context: CertContext = { ...plane.config, extraSans: ['127.0.0.1'] };
  // Made 400 days ago for a year, under a CA that is older.
  await rm(join(plane.pki, 'ca.crt'));
  await rm(join(plane.pki, 'ca.key'));
  await ensureCertificates(host, { context, certDir: plane.pki, now: gone });
  await ensureKubeconfigs(host, {
    context,
    ...plane.places,
    bindPort: plane.config.bindPort,
    names: ['admin.conf', 'controller-manager.conf'],
    now: gone,
  });
  await writeFile(join(plane.pki, 'front-proxy-client.key'), (await createKeyPair()).privateKeyPem);
  const { admin } = await start(t, plane);
  t.equal(await served(plane), await onDisk(plane));
  const client = await admin();
  t.equal((await client.raw('GET', '/readyz')).status, 200);
});

t.test('a CA of which nobody else knows is warned of on the Node', async (t) => {
  const plane = await prepare(t);
  await rm(join(plane.pki, 'ca.key'));
  for (const name of ['front-proxy-ca', 'front-proxy-client']) {
    for (const suffix of ['crt', 'key']) await rm(join(plane.pki, `${name}.${suffix}`));
  }
  const context: CertContext = { ...plane.config, extraSans: ['127.0.0.1'] };
  // Its last tenth has begun.
  const now = new Date(Date.now() - 3400 * 86_400_000);
  await ensureCertificates(host, { context, certDir: plane.pki, now, lifetime: 3600 * 86_400_000 });
  const { admin } = await start(t, plane);
  const client = await admin();
  const event = await eventually(async () => {
    const { items } = await client.list(kinds.event, { namespace: 'default' });
    return items.find(({ reason }) => reason === 'CertificateExpiring');
  });
  t.match(event, {
    type: 'Warning',
    involvedObject: { kind: 'Node', name: plane.config.nodeName },
    message: /^certificate "front-proxy-ca" expires .*: remove .*front-proxy-ca.crt/,
  });
});

t.test('a new CA is followed by what runs: published, signing, trusted', async (t) => {
  const plane = await prepare(t);
  const { admin } = await start(t, plane);
  const old = await admin();
  const at = { namespace: 'default', name: 'kube-root-ca.crt' };
  const published = async (): Promise<string> =>
    (await old.get(kinds.configMap, at).catch(() => undefined))?.data?.['ca.crt'] ?? '';
  await trustNewCa(host, plane.places);
  const bundle = await eventually(async () => {
    const pem = await published();
    return pem.match(/BEGIN/g)?.length === 2 ? pem : undefined;
  });
  t.equal(bundle, await readFile(join(plane.pki, 'ca.crt'), 'utf8'));
  await signWithNewCa(host, plane.places);
  await renewCertificates(host, 'all', plane.places);
  await eventually(async () => ((await served(plane)) === (await onDisk(plane)) ? true : undefined));
  const ca = await readFile(join(plane.pki, 'ca.crt'), 'utf8');
  t.ok(isSignedBy(await readFile(join(plane.pki, 'apiserver.crt'), 'utf8'), ca));
  await eventually(async () => ((await published()) === ca ? true : undefined));
  const fresh = await admin();
  t.equal((await fresh.raw('GET', '/readyz')).status, 200, 'by certificates of the new CA');
  t.equal((await old.raw('GET', '/readyz')).status, 200, 'by those of the old one');
});
