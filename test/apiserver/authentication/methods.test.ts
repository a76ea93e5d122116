// Token files, OpenID Connect and front proxies, against a server with everything composed and a real issuer.

import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import t from 'tap';
import { Agent } from 'undici';
import { parseStaticTokens } from '../../../src/apiserver/authentication/index.ts';
import { startApiServer } from '../../../src/apiserver/index.ts';
import { createKeyPair } from '../../../src/certs/index.ts';
import { createMemoryStore } from '../../../src/store/index.ts';
import type { Json } from '../harness.ts';
import { createTestPki } from '../pki.ts';

const pki = await createTestPki();
const frontProxy = await createTestPki();
const [known, unknown] = await Promise.all([generateKeyPair('RS256'), generateKeyPair('RS256')]);

let keysServed = 0;
const issuerServer = createServer(pki.server, async (request, response) => {
  const issuer = issuerUrl();
  if (request.url === '/.well-known/openid-configuration') {
    response.end(JSON.stringify({ issuer, jwks_uri: `${issuer}/keys` }));
    return;
  }
  keysServed += 1;
  const key = { ...(await exportJWK(known.publicKey)), kid: 'k', alg: 'RS256', use: 'sig' };
  response.end(JSON.stringify({ keys: [key] }));
});
await new Promise<void>((resolve) => issuerServer.listen(0, '127.0.0.1', resolve));
t.teardown(() => {
  issuerServer.closeAllConnections();
  issuerServer.close();
});

function issuerUrl(): string {
  return `https://127.0.0.1:${(issuerServer.address() as AddressInfo).port}`;
}

const store = await createMemoryStore();
const { privateKeyPem: signingKeyPem } = await createKeyPair();
const server = await startApiServer({
  store,
  host: '127.0.0.1',
  port: 0,
  serviceCidr: '10.96.0.0/24',
  tls: { ...pki.server, clientCa: pki.ca, frontProxyCa: frontProxy.ca },
  security: {
    mode: 'rbac',
    serviceAccounts: { signingKeyPem, issuer: 'https://own.test' },
    tokenFile: 'secret-1,alice,u1,"dev,ops"\nsecret-2,bob,u2\n',
    oidc: {
      issuerUrl: issuerUrl(),
      clientId: 'kubernetes',
      usernameClaim: 'email',
      groupsClaim: 'groups',
      groupsPrefix: 'oidc:',
      requiredClaims: { tenant: 'ours' },
      caPem: pki.ca,
    },
    requestHeader: { caPem: frontProxy.ca, allowedNames: ['aggregator'] },
  },
});
await server.ready;
t.teardown(async () => {
  await server.stop(0);
  await store.close();
});

type Identity = { readonly cert: string; readonly key: string };

async function whoAmI(headers: Record<string, string>, identity?: Identity): Promise<{ status: number; body: Json }> {
  const agent = new Agent({ connect: { ca: pki.ca, ...identity } });
  try {
    const answer = await agent.request({
      origin: server.url,
      path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }),
    });
    return { status: answer.statusCode, body: (await answer.body.json()) as Json };
  } finally {
    await agent.destroy();
  }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

t.test('a token out of the file', async (t) => {
  const { status, body } = await whoAmI(bearer('secret-1'));
  t.equal(status, 201);
  t.match(body, {
    status: { userInfo: { username: 'alice', uid: 'u1', groups: ['dev', 'ops', 'system:authenticated'] } },
  });
  t.match((await whoAmI(bearer('secret-2'))).body, { status: { userInfo: { username: 'bob' } } });
  t.equal((await whoAmI(bearer('secret-3'))).status, 401);
});

t.test('a token file that cannot be used', async (t) => {
  t.throws(() => parseStaticTokens('good,user,uid\n,nobody\n'), { code: 'TOKEN_FILE_INVALID', message: /^line 2/ });
});

const claims: JWTPayload = { email: 'carol@example.com', groups: ['dev'], tenant: 'ours', sub: '1' };

const sign = (
  more: JWTPayload = {},
  { key = known.privateKey, aud = 'kubernetes', lasts = '5m', iss = issuerUrl() } = {},
) =>
  new SignJWT({ ...claims, ...more })
    .setProtectedHeader({ alg: 'RS256', kid: 'k' })
    .setIssuer(iss)
    .setAudience(aud)
    .setIssuedAt()
    .setExpirationTime(lasts)
    .sign(key);

t.test('an ID token of the issuer', async (t) => {
  const token = await sign();
  const { status, body } = await whoAmI(bearer(token));
  t.equal(status, 201);
  t.match(body, {
    status: { userInfo: { username: 'carol@example.com', groups: ['oidc:dev', 'system:authenticated'] } },
  });
  const served = keysServed;
  t.equal((await whoAmI(bearer(token))).status, 201);
  t.equal((await whoAmI(bearer(await sign({ sub: '2' })))).status, 201);
  t.equal(keysServed, served, 'keys are asked for once');
});

t.test('ID tokens that are refused', async (t) => {
  for (const { name, token, want } of [
    { name: 'audience', token: await sign({}, { aud: 'other' }), want: /unexpected "aud"/ },
    { name: 'signature', token: await sign({}, { key: unknown.privateKey }), want: /signature verification failed/ },
    { name: 'expired', token: await sign({}, { lasts: '-1m' }), want: /"exp" claim timestamp check failed/ },
    { name: 'tenant', token: await sign({ tenant: 'theirs' }), want: /the required claim tenant is not "ours"/ },
    { name: 'email', token: await sign({ email_verified: false }), want: /the email is not verified/ },
    { name: 'no name', token: await sign({ email: '' }), want: /the claim email is missing/ },
    { name: 'stranger', token: await sign({}, { iss: 'https://other.test' }), want: /not one of this cluster/ },
  ]) {
    const { status, body } = await whoAmI(bearer(token));
    t.equal(status, 401, name);
    t.match(body, { message: want }, name);
  }
});

t.test('a front proxy says who the user is', async (t) => {
  const said = { 'x-remote-user': 'dave', 'x-remote-group': 'dev, ops', 'x-remote-extra-Scopes': 'a' };
  const aggregator = await frontProxy.client('aggregator', ['ignored']);
  const { body } = await whoAmI(said, aggregator);
  t.match(body, {
    status: {
      userInfo: { username: 'dave', groups: ['dev', 'ops', 'system:authenticated'], extra: { scopes: ['a'] } },
    },
  });
  t.equal((await whoAmI({}, aggregator)).status, 403, 'and is nobody itself');
  const stranger = await frontProxy.client('stranger', ['system:masters']);
  t.equal((await whoAmI(said, stranger)).status, 403, 'only allowed names are believed');
  const client = await pki.client('erin', ['dev']);
  t.match((await whoAmI(said, client)).body, { status: { userInfo: { username: 'erin' } } }, 'nor ordinary clients');
});

t.test('other servers learn whom to believe', async (t) => {
  const agent = new Agent({ connect: { ca: pki.ca, ...(await pki.client('admin', ['system:masters'])) } });
  t.teardown(() => agent.destroy());
  const path = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication';
  const { body } = await agent.request({ origin: server.url, path, method: 'GET' });
  t.match(await body.json(), {
    data: { 'client-ca-file': pki.ca, 'requestheader-client-ca-file': frontProxy.ca },
  });
});

t.test('a TokenReview of an ID token', async (t) => {
  const admin = await pki.client('admin', ['system:masters']);
  const agent = new Agent({ connect: { ca: pki.ca, ...admin } });
  t.teardown(() => agent.destroy());
  const answer = await agent.request({
    origin: server.url,
    path: '/apis/authentication.k8s.io/v1/tokenreviews',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token: await sign() },
    }),
  });
  t.match(await answer.body.json(), { status: { authenticated: true, user: { username: 'carol@example.com' } } });
});
