// Discovery against a real TLS server on loopback, with each way it can fail provoked.

import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import t, { type Test } from 'tap';
import { caCertHash, createKeyPair, issueCertificate } from '../../src/certs/index.ts';
import { askApi } from '../../src/join/ask-api.ts';
import { discover } from '../../src/join/discover.ts';
import { clusterInfoConfigMap, clusterInfoKubeconfig, generateToken } from '../../src/tokens/index.ts';

const day = 86_400_000;

async function makeCa() {
  const pair = await createKeyPair('ECDSA-P256');
  const certPem = issueCertificate({
    subject: { commonName: 'kubernetes', organizations: [] },
    publicKeyPem: pair.publicKeyPem,
    signer: { self: true, keyPem: pair.privateKeyPem },
    usages: ['digital signature', 'cert sign'],
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + day),
  });
  return { certPem, keyPem: pair.privateKeyPem };
}
type Ca = Awaited<ReturnType<typeof makeCa>>;

async function makeServing(ca: Ca, more: { readonly altNames?: readonly string[]; readonly notBefore?: Date } = {}) {
  const pair = await createKeyPair('ECDSA-P256');
  const cert = issueCertificate({
    subject: { commonName: 'kube-apiserver', organizations: [] },
    publicKeyPem: pair.publicKeyPem,
    signer: ca,
    usages: ['digital signature', 'server auth'],
    altNames: more.altNames ?? ['127.0.0.1'],
    notBefore: more.notBefore ?? new Date(Date.now() - day),
    notAfter: new Date(Date.now() + day),
  });
  return { cert, key: pair.privateKeyPem };
}

/** A server whose cluster-info is signed for `token`; `change` spoils one thing. */
async function setup(
  t: Test,
  change: {
    readonly serving?: { readonly altNames?: readonly string[]; readonly notBefore?: Date };
    readonly otherSigner?: boolean;
    readonly signed?: boolean;
    readonly date?: string;
    readonly tokenAnswer?: { readonly status: number; readonly body: string };
    readonly clusterInfoStatus?: number;
    readonly changing?: boolean;
  } = {},
) {
  const ca = await makeCa();
  const token = generateToken();
  const tls = await makeServing(change.otherSigner === true ? await makeCa() : ca, change.serving);
  const seen: string[] = [];
  let asked = 0;
  const listener: RequestListener = (request, response) => {
    seen.push(`${request.url} ${request.headers.authorization ?? 'anonymous'}`);
    if (change.date !== undefined) response.setHeader('Date', change.date);
    if (request.url === '/api') {
      response.statusCode = change.tokenAnswer?.status ?? 200;
      return void response.end(change.tokenAnswer?.body ?? '{}');
    }
    asked += 1;
    response.statusCode = change.clusterInfoStatus ?? 200;
    const server = `https://127.0.0.1:${port}`;
    const text = clusterInfoKubeconfig({ server, caPem: ca.certPem });
    const changed = change.changing === true && asked > 1 ? `${text}# other\n` : text;
    const map = clusterInfoConfigMap(changed, change.signed === false ? [] : [token]);
    response.end(JSON.stringify(map));
  };
  const server = createServer(tls, listener);
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const reports: string[] = [];
  const options = {
    endpoint: `127.0.0.1:${port}`,
    token,
    caCertHashes: [caCertHash(ca.certPem)],
    skipCaVerification: false,
    patience: 300,
    progress: { signal: new AbortController().signal, report: (line: string) => void reports.push(line) },
  };
  return { ca, token, options, seen, reports, port };
}

t.test('the cluster is found, and the token is sent only after it is verified', async (t) => {
  const { options, ca, seen, port } = await setup(t);
  const found = await discover(options);
  t.equal(found.caPem.trim(), ca.certPem.trim());
  t.equal(found.server, `https://127.0.0.1:${port}`);
  t.match(seen, [/cluster-info anonymous$/, /cluster-info anonymous$/, /^\/api Bearer /]);
});

t.test('another CA than the hash says', async (t) => {
  const { options, seen } = await setup(t);
  const wrong = `sha256:${'0'.repeat(64)}`;
  await t.rejects(discover({ ...options, caCertHashes: [wrong] }), {
    code: 'CA_HASH_MISMATCH',
    message: new RegExp(`not ${wrong}`),
    hint: /token create --print-join-command/,
  });
  t.notOk(
    seen.some((line) => line.includes('Bearer')),
    'the token was not sent',
  );
  await discover({ ...options, caCertHashes: [wrong], skipCaVerification: true });
});

t.test('a token whose secret is wrong', async (t) => {
  const { options, token } = await setup(t);
  await t.rejects(discover({ ...options, token: { ...token, secret: 'x'.repeat(16) } }), {
    code: 'CLUSTER_INFO_SIGNATURE',
  });
});

t.test('an expired token is told as the verified server tells it', async (t) => {
  const body = JSON.stringify({ message: 'the bootstrap token abcdef.<redacted> expired at 2026-01-01T00:00:00Z' });
  const { options } = await setup(t, { signed: false, tokenAnswer: { status: 401, body } });
  await t.rejects(discover(options), { code: 'TOKEN_REFUSED', message: /expired at 2026-01-01/, hint: /token create/ });
});

t.test('a token that is valid but never gets signed', async (t) => {
  const { options, reports } = await setup(t, { signed: false });
  await t.rejects(discover(options), { code: 'TOKEN_UNKNOWN' });
  t.match(reports, [/asking/, /waiting for the cluster to sign/]);
});

t.test('a server with a certificate of somebody else', async (t) => {
  const { options, seen } = await setup(t, { otherSigner: true });
  await t.rejects(discover(options), { code: 'API_CERT_UNTRUSTED' });
  t.notOk(seen.some((line) => line.includes('Bearer')));
});

t.test('a certificate for another name', async (t) => {
  const { options } = await setup(t, { serving: { altNames: ['192.0.2.1'] } });
  await t.rejects(discover(options), { code: 'API_CERT_NAME', hint: /--apiserver-cert-extra-sans/ });
});

t.test('a certificate that is not valid yet', async (t) => {
  const { options } = await setup(t, { serving: { notBefore: new Date(Date.now() + day / 2) } });
  await t.rejects(discover(options), { code: 'CLOCK_SKEW', hint: /date -u/ });
});

t.test('clocks that differ by minutes', async (t) => {
  const ahead = await setup(t, { date: new Date(Date.now() + 600_000).toUTCString() });
  await t.rejects(discover(ahead.options), {
    code: 'CLOCK_SKEW',
    message: /600 s behind|599 s behind|601 s behind/,
    hint: /date -u -s @\d+/,
  });
  const little = await setup(t, { date: new Date(Date.now() - 60_000).toUTCString() });
  await discover(little.options);
  t.match(little.reports.join('\n'), /warning: this machine's clock is \d+ s ahead of/);
});

t.test('no cluster-info, and what is no API server', async (t) => {
  const { options } = await setup(t, { clusterInfoStatus: 404 });
  await t.rejects(discover(options), { code: 'CLUSTER_INFO_ABSENT', message: /no cluster-info/ });
  const forbidden = await setup(t, { clusterInfoStatus: 403 });
  await t.rejects(discover(forbidden.options), { code: 'CLUSTER_INFO_ABSENT', message: /HTTP 403/ });
});

t.test('cluster-info that changes between the two questions', async (t) => {
  const { options } = await setup(t, { changing: true });
  await t.rejects(discover(options), { code: 'CLUSTER_INFO_CHANGED' });
});

t.test('nothing listens, no such name, no TLS, no answer', async (t) => {
  const { options, port } = await setup(t);
  const tcp = createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
  const mute = createTcpServer(() => undefined);
  const listen = (server: typeof tcp) =>
    new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  const ssh = await listen(tcp);
  const silent = await listen(mute);
  const closed = await listen(
    createTcpServer().on('listening', function close(this: { close(): void }) {
      this.close();
    }),
  );
  t.teardown(() => {
    tcp.close();
    mute.close();
  });
  await t.rejects(discover({ ...options, endpoint: `127.0.0.1:${closed}` }), {
    code: 'API_REFUSED',
    hint: /k8ts status/,
  });
  await t.rejects(discover({ ...options, endpoint: `no-such-host.invalid:${port}` }), { code: 'API_NAME_UNKNOWN' });
  await t.rejects(discover({ ...options, endpoint: `127.0.0.1:${ssh}` }), { code: 'API_NOT_TLS' });
  const { signal } = options.progress;
  await t.rejects(askApi({ server: `https://127.0.0.1:${silent}`, path: '/', signal, timeout: 100 }), {
    code: 'API_UNREACHABLE',
  });
});

t.test('Ctrl-C ends it at once', async (t) => {
  const { options } = await setup(t, { signed: false });
  const stop = new AbortController();
  const report = (): void => stop.abort(new Error('stopped'));
  await t.rejects(discover({ ...options, progress: { signal: stop.signal, report } }), { message: 'stopped' });
});
