import { generateKeyPairSync } from 'node:crypto';
import { createLocalJWKSet, jwtVerify } from 'jose';
import t from 'tap';
import { kinds } from '../../../src/api/index.ts';
import {
  createAuthenticator,
  createImpersonator,
  createServiceAccountIssuer,
  createServiceAccountVerifier,
} from '../../../src/apiserver/authentication/index.ts';
import type { Credentials, RequestAttributes } from '../../../src/apiserver/contracts.ts';
import { createFakeClock } from '../../../src/base/index.ts';
import { createFakeObjects } from '../fake-objects.ts';

const issuerName = 'https://kubernetes.default.svc.cluster.local';
const now = Date.parse('2026-01-01T00:00:00Z');

function pem(type: 'ec' | 'rsa'): string {
  const pair =
    type === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}

function bench(signingKeyPem = pem('ec')) {
  const clock = createFakeClock(now);
  const objects = createFakeObjects();
  const issuer = createServiceAccountIssuer({ signingKeyPem, issuer: issuerName, clock });
  const serviceAccounts = createServiceAccountVerifier(issuer, objects.reader, { clock, bound: 4 });
  const authenticate = createAuthenticator({ reader: objects.reader, serviceAccounts, clock });
  objects.put(kinds.serviceAccount, { metadata: { namespace: 'default', name: 'web', uid: 'sa-1' } });
  objects.put(kinds.pod, { metadata: { namespace: 'default', name: 'p', uid: 'pod-1' } });
  const sign = (more: Partial<Parameters<typeof issuer.sign>[0]> = {}): string =>
    issuer.sign({
      namespace: 'default',
      serviceAccount: { name: 'web', uid: 'sa-1' },
      bound: { pod: { name: 'p', uid: 'pod-1' } },
      audiences: [issuerName],
      expirationSeconds: 600,
      ...more,
    }).token;
  const bearer = (bearerToken: string): Credentials => ({ bearerToken, headers: {} });
  return { clock, objects, issuer, serviceAccounts, authenticate, sign, bearer };
}

t.test('a client certificate: CN is the user, O its groups', async (t) => {
  const user = bench().authenticate({
    clientCertificate: { commonName: 'jane', organizations: ['dev'], fingerprint256: 'AA:0B' },
    bearerToken: 'wrong',
    headers: {},
  });
  t.strictSame(user, {
    name: 'jane',
    groups: ['dev', 'system:authenticated'],
    extra: { 'authentication.kubernetes.io/credential-id': ['X509SHA256=aa0b'] },
  });
});

t.test('without credentials: anonymous, or 401 when that is off', async (t) => {
  const { objects, authenticate } = bench();
  t.strictSame(authenticate({ headers: {} }), { name: 'system:anonymous', groups: ['system:unauthenticated'] });
  const strict = createAuthenticator({ reader: objects.reader, anonymous: false });
  t.throws(() => strict({ headers: {} }), { code: 401 });
});

t.test('bootstrap tokens', async (t) => {
  const { authenticate, bearer, objects } = bench();
  const secret = (data: Record<string, string>, type = 'bootstrap.kubernetes.io/token') => ({
    metadata: { namespace: 'kube-system', name: 'bootstrap-token-abcdef' },
    type,
    data: Object.fromEntries(
      Object.entries({
        'token-id': 'abcdef',
        'token-secret': '0123456789abcdef',
        'usage-bootstrap-authentication': 'true',
        ...data,
      }).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
    ),
  });
  const token = 'abcdef.0123456789abcdef';
  t.throws(() => authenticate(bearer(token)), { code: 401, message: /not known/ });

  objects.put(kinds.secret, secret({ 'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token' }));
  t.strictSame(authenticate(bearer(token)), {
    name: 'system:bootstrap:abcdef',
    groups: ['system:bootstrappers', 'system:bootstrappers:kubeadm:default-node-token', 'system:authenticated'],
  });
  t.throws(() => authenticate(bearer('abcdef.fedcba9876543210')), { code: 401, message: /not known/ });

  for (const { name, given, want } of [
    { name: 'expired', given: secret({ expiration: '2025-12-31T23:59:59Z' }), want: /expired at 2025/ },
    { name: 'unreadable expiry', given: secret({ expiration: 'soon' }), want: /unreadable/ },
    { name: 'for signing only', given: secret({ 'usage-bootstrap-authentication': '' }), want: /may not be used/ },
    { name: 'a group of its own', given: secret({ 'auth-extra-groups': 'system:masters' }), want: /system:masters/ },
    { name: 'another type', given: secret({}, 'Opaque'), want: /not known/ },
  ]) {
    objects.put(kinds.secret, given);
    t.throws(() => authenticate(bearer(token)), { code: 401, message: want }, name);
  }
});

for (const type of ['ec', 'rsa'] as const) {
  t.test(`ServiceAccount tokens, ${type} key`, async (t) => {
    const { authenticate, bearer, sign, issuer } = bench(pem(type));
    const token = sign();
    const user = await authenticate(bearer(token));
    t.equal(user.name, 'system:serviceaccount:default:web');
    t.equal(user.uid, 'sa-1');
    t.strictSame(user.groups, ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated']);
    t.strictSame(user.extra?.['authentication.kubernetes.io/pod-name'], ['p']);
    const keys = createLocalJWKSet(issuer.jwks() as Parameters<typeof createLocalJWKSet>[0]);
    const { payload } = await jwtVerify(token, keys, {
      issuer: issuerName,
      audience: issuerName,
      currentDate: new Date(now),
    });
    t.equal(payload.sub, 'system:serviceaccount:default:web', 'an independent library verifies it by our JWKS');
  });
}

t.test('a ServiceAccount token ends with its time and with what it is bound to', async (t) => {
  const { authenticate, bearer, sign, clock, objects } = bench();
  const token = sign();
  await authenticate(bearer(token));
  objects.put(kinds.pod, { metadata: { namespace: 'default', name: 'p', uid: 'pod-2' } });
  t.throws(() => authenticate(bearer(token)), { code: 401, message: /an earlier pod default\/p/ });
  objects.put(kinds.pod, { metadata: { namespace: 'default', name: 'p', uid: 'pod-1' } });
  t.ok(authenticate(bearer(token)));
  const deletionTimestamp = new Date(now).toISOString();
  objects.put(kinds.pod, { metadata: { namespace: 'default', name: 'p', uid: 'pod-1', deletionTimestamp } });
  t.ok(authenticate(bearer(token)), 'while the pod is ending');
  await clock.advance(61_000);
  t.throws(() => authenticate(bearer(token)), { message: /gone/ });
  const unbound = sign({ bound: {} });
  t.ok(authenticate(bearer(unbound)));
  objects.remove(kinds.serviceAccount, 'default', 'web');
  t.throws(() => authenticate(bearer(unbound)), { message: /does not exist/ });
  objects.put(kinds.serviceAccount, { metadata: { namespace: 'default', name: 'web', uid: 'sa-1' } });
  await clock.advance(600_000);
  t.throws(() => authenticate(bearer(unbound)), { message: /expired/ });
});

t.test('ServiceAccount tokens that are not good here', async (t) => {
  const { authenticate, bearer, sign, serviceAccounts } = bench();
  const other = createServiceAccountIssuer({
    signingKeyPem: pem('ec'),
    issuer: issuerName,
    clock: createFakeClock(now),
  });
  const request = {
    namespace: 'default',
    serviceAccount: { name: 'web', uid: 'sa-1' },
    bound: {},
    audiences: [issuerName],
    expirationSeconds: 600,
  };
  t.throws(() => authenticate(bearer(other.sign(request).token)), { code: 401, message: /does not know/ });
  const vault = sign({ audiences: ['vault'] });
  t.throws(() => authenticate(bearer(vault)), { code: 401, message: /is for vault/ });
  t.ok(serviceAccounts.authenticate(vault, ['vault']));
  const [head, , signature] = sign().split('.');
  const forged = Buffer.from(
    JSON.stringify({
      iss: issuerName,
      sub: 'system:serviceaccount:kube-system:admin',
      aud: [issuerName],
      exp: 9e9,
      nbf: 0,
      'kubernetes.io': { namespace: 'kube-system', serviceaccount: { name: 'admin', uid: 'x' } },
    }),
  ).toString('base64url');
  t.throws(() => authenticate(bearer(`${head}.${forged}.${signature}`)), { code: 401, message: /wrong signature/ });
  const none = Buffer.from('{"alg":"none"}').toString('base64url');
  t.throws(() => authenticate(bearer(`${none}.${forged}.`)), { code: 401 });
  for (const junk of ['x', 'a.b.c', '..', 'e30.e30.e30'])
    t.throws(() => authenticate(bearer(junk)), { code: 401 }, junk);
});

t.test('the memory of checked tokens is bounded', async (t) => {
  const { authenticate, bearer, sign } = bench();
  const tokens = Array.from({ length: 10 }, () => sign());
  for (const token of [...tokens, ...tokens]) t.ok(authenticate(bearer(token)));
});

t.test('a key that cannot sign is refused with a code', async (t) => {
  const ed25519 = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  for (const signingKeyPem of ['not a key', ed25519]) {
    t.throws(() => createServiceAccountIssuer({ signingKeyPem, issuer: issuerName }), { code: 'SA_KEY_UNUSABLE' });
  }
});

t.test('impersonation', async (t) => {
  const asked: string[] = [];
  const impersonate = createImpersonator((attributes: RequestAttributes) => {
    asked.push(
      `${attributes.apiGroup}/${attributes.resource}${attributes.subresource && `/${attributes.subresource}`}:${attributes.namespace}:${attributes.name}`,
    );
    return { decision: attributes.name === 'root' ? 'no-opinion' : 'allow', reason: '' };
  });
  const admin = { name: 'admin', groups: ['system:masters'] };
  t.equal(impersonate(admin, {}), admin);
  t.strictSame(
    impersonate(admin, {
      'impersonate-user': 'jane',
      'impersonate-group': 'dev, ops',
      'impersonate-extra-team%2fx': 'a',
    }),
    { name: 'jane', groups: ['dev', 'ops', 'system:authenticated'], extra: { 'team/x': ['a'] } },
  );
  t.strictSame(asked, ['/users::jane', '/groups::dev', '/groups::ops', 'authentication.k8s.io/userextras/team/x::a']);
  t.match(impersonate(admin, { 'impersonate-user': 'system:serviceaccount:ns:sa' }).groups, [
    'system:serviceaccounts',
    'system:serviceaccounts:ns',
  ]);
  t.throws(() => impersonate(admin, { 'impersonate-user': 'root' }), {
    code: 403,
    message:
      'users "root" is forbidden: User "admin" cannot impersonate resource "users" in API group "" at the cluster scope',
  });
  t.throws(() => impersonate(admin, { 'impersonate-group': 'x' }), { code: 400 });
});
