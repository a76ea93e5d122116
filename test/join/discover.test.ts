// Discovery against a real TLS server on loopback, with each way it can fail provoked.

import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { caCertHash, createKeyPair, issueCertificate } from '../../src/certs/index.ts';
import { askApi } from '../../src/join/ask-api.ts';
import { discover } from '../../src/join/discover.ts';
import { clusterInfoConfigMap, clusterInfoKubeconfig, generateToken } from '../../src/tokens/index.ts';
import { makeCa } from './make-ca.ts';

const day = 86_400_000;

type Ca = Awaited<ReturnType<typeof makeCa>>;

/** @returns its port on 127.0.0.1 */
function serve(t: Test, server: Server): Promise<number> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => open.add(socket));
  t.teardown(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(portOf(server))));
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A port that was free a moment ago. */
function closedPort(): Promise<number> {
  const server = createTcpServer();
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      const port = portOf(server);
      server.close(() => resolve(port));
    }),
  );
}

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
    response.end(JSON.stringify(response.statusCode === 200 ? map : { kind: 'Status', code: response.statusCode }));
  };
  const port = await serve(t, createServer(tls, listener));
  const reports: string[] = [];
  const discovery = {
    by: 'token' as const,
    endpoints: [`127.0.0.1:${port}`],
    token,
    caCertHashes: [caCertHash(ca.certPem)],
    skipCaVerification: false,
  };
  /** The options with one thing about discovery changed. */
  const but = (changed: Partial<typeof discovery>) => ({ ...options, discovery: { ...discovery, ...changed } });
  const options = {
    discovery,
    login: token,
    patience: 300,
    progress: { signal: new AbortController().signal, report: (line: string) => void reports.push(line) },
  };
  return { ca, tls, token, options, but, seen, reports, port };
}

t.test('the cluster is found, and the token is sent only after it is verified', async (t) => {
  const { options, ca, seen, port } = await setup(t);
  const found = await discover(options);
  t.equal(found.caPem.trim(), ca.certPem.trim());
  t.equal(found.server, `https://127.0.0.1:${port}`);
  t.match(seen, [/cluster-info anonymous$/, /cluster-info anonymous$/, /^\/api Bearer /]);
});

t.test('another CA than the hash says', async (t) => {
  const { but, seen } = await setup(t);
  const wrong = `sha256:${'0'.repeat(64)}`;
  await t.rejects(discover(but({ caCertHashes: [wrong] })), {
    code: 'CA_HASH_MISMATCH',
    message: new RegExp(`not ${wrong}`),
    hint: /token create --print-join-command/,
  });
  t.notOk(
    seen.some((line) => line.includes('Bearer')),
    'the token was not sent',
  );
  await discover(but({ caCertHashes: [wrong], skipCaVerification: true }));
});

t.test('a token whose secret is wrong', async (t) => {
  const { but, token } = await setup(t);
  await t.rejects(discover(but({ token: { ...token, secret: 'x'.repeat(16) } })), {
    code: 'CLUSTER_INFO_SIGNATURE',
  });
});

const said = (message: string) => ({ status: 401, body: JSON.stringify({ kind: 'Status', message }) });
const refusals: readonly {
  readonly name: string;
  readonly tokenAnswer: { readonly status: number; readonly body: string };
  readonly want: { readonly code: string; readonly message: RegExp };
}[] = [
  {
    name: 'expired',
    tokenAnswer: said(
      'Unauthorized: the bootstrap token abcdef.<redacted> expired at 2026-01-01T00:00:00Z; make another',
    ),
    want: { code: 'TOKEN_EXPIRED', message: /expired at 2026-01-01T00:00:00Z$/ },
  },
  {
    name: 'unknown',
    tokenAnswer: said('Unauthorized: the bootstrap token abcdef.<redacted> is not known to this cluster'),
    want: { code: 'TOKEN_UNKNOWN', message: /is not known to the cluster/ },
  },
  {
    name: 'refused by a server that does not say why',
    tokenAnswer: said('Unauthorized'),
    want: { code: 'TOKEN_UNKNOWN', message: /unknown there, or has expired/ },
  },
  {
    name: 'not for logging in',
    tokenAnswer: said('Unauthorized: the bootstrap token abcdef.<redacted> may not be used for authentication'),
    want: { code: 'TOKEN_REFUSED', message: /may not be used for authentication/ },
  },
];
for (const { name, tokenAnswer, want } of refusals) {
  t.test(`a token that is ${name} is told by the verified server, without waiting for a signature`, async (t) => {
    const { options, reports } = await setup(t, { signed: false, tokenAnswer });
    await t.rejects(discover({ ...options, patience: 60_000 }), { ...want, hint: /token create --print-join-command/ });
    t.notOk(reports.some((line) => line.includes('waiting')));
  });
}

t.test('a token that is valid but never gets signed', async (t) => {
  const { options, reports } = await setup(t, { signed: false });
  await t.rejects(discover(options), { code: 'TOKEN_UNSIGNED', hint: /--usages signing,authentication/ });
  t.match(reports, [/asking/, /waiting for the cluster to sign/]);
});

t.test('without a CA hash an unsigned token stays unknown, and is never sent', async (t) => {
  const { but, seen } = await setup(t, { signed: false });
  await t.rejects(discover(but({ caCertHashes: [], skipCaVerification: true })), { code: 'TOKEN_UNKNOWN' });
  t.notOk(seen.some((line) => line.includes('Bearer')));
});

t.test('two tokens: one finds the cluster, another logs in', async (t) => {
  const { options, seen } = await setup(t);
  const login = generateToken();
  await discover({ ...options, login });
  t.match(seen.at(-1), `/api Bearer ${login.id}.${login.secret}`);
});

t.test('several endpoints: the first that answers is used', async (t) => {
  const { but, port, reports } = await setup(t);
  const closed = await closedPort();
  const found = await discover(but({ endpoints: [`127.0.0.1:${closed}`, `127.0.0.1:${port}`] }));
  t.equal(found.server, `https://127.0.0.1:${port}`);
  t.match(
    reports.join('\n'),
    new RegExp(`127.0.0.1:${closed} cannot be used \\(API_REFUSED\\); trying 127.0.0.1:${port}`),
  );
  await t.rejects(
    discover(but({ endpoints: [`127.0.0.1:${port}`, `127.0.0.1:${closed}`], caCertHashes: ['sha256:0'] })),
    {
      code: 'CA_HASH_MISMATCH',
    },
  );
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
  const { clockSkew = 0 } = await discover(little.options);
  t.ok(clockSkew < -50_000 && clockSkew > -70_000, 'a smaller difference is handed on for the checks');
});

t.test('no cluster-info', async (t) => {
  const absent = await setup(t, { clusterInfoStatus: 404 });
  await t.rejects(discover(absent.options), { code: 'CLUSTER_INFO_ABSENT', hint: /k8ts init phase bootstrap-token/ });
  for (const clusterInfoStatus of [401, 403]) {
    const { options } = await setup(t, { clusterInfoStatus });
    await t.rejects(discover(options), { code: 'CLUSTER_INFO_FORBIDDEN', hint: /--discovery-file/ });
  }
  const failing = await setup(t, { clusterInfoStatus: 500 });
  await t.rejects(discover(failing.options), { code: 'API_FAILING', hint: /k8ts status/ });
});

t.test('servers that are no API server', async (t) => {
  const { but, tls } = await setup(t);
  const web = await serve(
    t,
    createServer(tls, (_request, response) => response.writeHead(404).end('404 page not found')),
  );
  const page = await serve(
    t,
    createServer(tls, (_request, response) => response.end('<html>hello</html>')),
  );
  const badCertificate = Buffer.from([0x15, 3, 3, 0, 2, 2, 42]); // TLS alert: fatal, bad_certificate, as etcd sends
  const etcd = await serve(
    t,
    createTcpServer((socket) => socket.once('data', () => socket.end(badCertificate))),
  );
  for (const port of [web, page, etcd]) {
    await t.rejects(discover(but({ endpoints: [`127.0.0.1:${port}`] })), {
      code: 'API_WRONG_PORT',
      hint: /k8ts join 127.0.0.1:6443/,
    });
  }
});

t.test('cluster-info that changes between the two questions', async (t) => {
  const { options } = await setup(t, { changing: true });
  await t.rejects(discover(options), { code: 'CLUSTER_INFO_CHANGED' });
});

t.test('nothing listens, no such name, no TLS, cut, no answer', async (t) => {
  const { but, options, port } = await setup(t);
  const at = (endpoint: string) => discover(but({ endpoints: [endpoint] }));
  const ssh = await serve(
    t,
    createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')),
  );
  const plain = await serve(
    t,
    createHttpServer((_request, response) => response.end('hello')),
  );
  const cut = await serve(
    t,
    createTcpServer((socket) => socket.once('data', () => socket.resetAndDestroy())),
  );
  const silent = await serve(
    t,
    createTcpServer(() => undefined),
  );
  const closed = await closedPort();
  await t.rejects(at(`127.0.0.1:${closed}`), {
    code: 'API_REFUSED',
    hint: new RegExp(`k8ts status.*sport = ${closed}`),
  });
  await t.rejects(at(`no-such-host.invalid:${port}`), { code: 'API_NAME_UNKNOWN', hint: /no-such-host.invalid" >> / });
  await t.rejects(at(`127.0.0.1:${ssh}`), { code: /^API_(NOT_TLS|CUT)$/ });
  await t.rejects(at(`127.0.0.1:${plain}`), { code: 'API_NOT_TLS', hint: /6443/ });
  await t.rejects(at(`127.0.0.1:${cut}`), {
    code: 'API_CUT',
    hint: new RegExp(`openssl s_client -connect 127.0.0.1:${cut}`),
  });
  const { signal } = options.progress;
  await t.rejects(askApi({ server: `https://127.0.0.1:${silent}`, path: '/', signal, timeout: 100 }), {
    code: 'API_UNREACHABLE',
    hint: new RegExp(`ping -c 3 127.0.0.1; .*TCP port ${silent}`),
  });
});

t.test('Ctrl-C ends it at once', async (t) => {
  const { options } = await setup(t, { signed: false });
  const stop = new AbortController();
  const report = (): void => stop.abort(new Error('stopped'));
  await t.rejects(discover({ ...options, progress: { signal: stop.signal, report } }), { message: 'stopped' });
});
