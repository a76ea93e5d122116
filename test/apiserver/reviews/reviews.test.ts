import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { type KubeObject, kinds } from '../../../src/api/index.ts';
import {
  createAuthenticator,
  createServiceAccountIssuer,
  createServiceAccountVerifier,
} from '../../../src/apiserver/authentication/index.ts';
import { createAuthorization } from '../../../src/apiserver/authorization/index.ts';
import type { UserInfo } from '../../../src/apiserver/contracts.ts';
import { createReviews } from '../../../src/apiserver/reviews/index.ts';
import { createFakeObjects } from '../fake-objects.ts';

const jane: UserInfo = { name: 'jane', groups: ['dev'] };

function bench() {
  const objects = createFakeObjects();
  const signingKeyPem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  });
  const issuer = createServiceAccountIssuer({ signingKeyPem: signingKeyPem as string, issuer: 'https://api' });
  const serviceAccounts = createServiceAccountVerifier(issuer, objects.reader);
  const authenticate = createAuthenticator({ reader: objects.reader, serviceAccounts });
  const authorization = createAuthorization(objects.reader);
  const reviews = createReviews({ reader: objects.reader, authorization, authenticate, issuer, serviceAccounts });
  const rules = [
    { apiGroups: [''], resources: ['pods'], verbs: ['get'] },
    { nonResourceURLs: ['/healthz'], verbs: ['get'] },
  ];
  objects.put(kinds.clusterRole, { metadata: { name: 'r' }, rules } as KubeObject);
  objects.put(kinds.clusterRoleBinding, {
    metadata: { name: 'b' },
    roleRef: { kind: 'ClusterRole', name: 'r' },
    subjects: [{ kind: 'User', name: 'jane' }],
  } as KubeObject);
  objects.put(kinds.serviceAccount, { metadata: { namespace: 'default', name: 'web', uid: 'sa' } });
  objects.put(kinds.node, { metadata: { name: 'n1', uid: 'n' } });
  objects.put(kinds.pod, {
    metadata: { namespace: 'default', name: 'p', uid: 'pod' },
    spec: { nodeName: 'n1', serviceAccountName: 'web', containers: [] },
  } as KubeObject);
  const create = async (
    kind: string,
    spec: object | undefined,
    more: { user?: UserInfo; namespace?: string; name?: string } = {},
  ) => {
    const review = reviews.find((one) => one.kind === kind);
    if (review === undefined) throw new Error(`no ${kind}`);
    const body = (spec === undefined ? {} : { spec }) as KubeObject;
    return (await review.create({ user: jane, namespace: '', name: '', dryRun: false, body, ...more })) as {
      status: { token: string };
    };
  };
  return { create, objects };
}

const web = { namespace: 'default', name: 'web' };

t.test('may I, may they', async (t) => {
  const { create } = bench();
  const pods = { verb: 'get', resource: 'pods' };
  for (const { name, kind, spec, want } of [
    { name: 'self, yes', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes: pods }, want: true },
    {
      name: 'self, no',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { ...pods, verb: 'list' } },
      want: false,
    },
    {
      name: 'a path',
      kind: 'SelfSubjectAccessReview',
      spec: { nonResourceAttributes: { path: '/healthz', verb: 'get' } },
      want: true,
    },
    { name: 'somebody', kind: 'SubjectAccessReview', spec: { user: 'jane', resourceAttributes: pods }, want: true },
    {
      name: 'somebody else',
      kind: 'SubjectAccessReview',
      spec: { user: 'bob', resourceAttributes: pods },
      want: false,
    },
    {
      name: 'a group',
      kind: 'SubjectAccessReview',
      spec: { groups: ['system:masters'], resourceAttributes: pods },
      want: true,
    },
  ]) {
    t.match(await create(kind, spec), { status: { allowed: want } }, name);
  }
  const local = { user: 'jane', resourceAttributes: { ...pods, namespace: 'default' } };
  t.match(await create('LocalSubjectAccessReview', local, { namespace: 'default' }), { status: { allowed: true } });
  for (const { kind, spec, want } of [
    { kind: 'SelfSubjectAccessReview', spec: {}, want: /exactly one of/ },
    { kind: 'SubjectAccessReview', spec: { resourceAttributes: pods }, want: /at least one of user or group/ },
    { kind: 'LocalSubjectAccessReview', spec: local, want: /must match metadata.namespace/ },
  ]) {
    await t.rejects(create(kind, spec), { code: 422, message: want }, kind);
  }
  for (const { kind, message } of [
    { kind: 'SelfSubjectRulesReview', message: 'no namespace on request' },
    { kind: 'TokenReview', message: 'token is required for TokenReview in authentication' },
  ]) {
    await t.rejects(create(kind, {}), { code: 400, message }, kind);
  }
});

t.test('who am I, and what may I', async (t) => {
  const { create } = bench();
  t.match(await create('SelfSubjectReview', undefined), {
    status: { userInfo: { username: 'jane', groups: ['dev'] } },
  });
  t.match(await create('SelfSubjectRulesReview', { namespace: 'default' }), {
    status: {
      incomplete: false,
      resourceRules: [{ verbs: ['get'], resources: ['pods'] }],
      nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz'] }],
    },
  });
});

t.test('a token is asked for, reviewed, and ends with its pod', async (t) => {
  const { create, objects } = bench();
  const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: 'pod' };
  const { status } = await create('TokenRequest', { boundObjectRef }, web);
  const review = () => create('TokenReview', { token: status.token });
  t.match(await review(), {
    status: {
      authenticated: true,
      audiences: ['https://api'],
      user: {
        username: 'system:serviceaccount:default:web',
        extra: { 'authentication.kubernetes.io/node-name': ['n1'] },
      },
    },
  });
  t.match(await create('TokenReview', { token: status.token, audiences: ['vault'] }), { status: { error: /is for/ } });
  objects.remove(kinds.pod, 'default', 'p');
  t.match(await review(), { status: { error: /does not exist/ } });
  t.match(await create('TokenReview', { token: 'junk' }), { status: { error: /not one of this cluster/ } });
});

t.test('token requests that are refused', async (t) => {
  const { create, objects } = bench();
  objects.put(kinds.serviceAccount, { metadata: { namespace: 'default', name: 'other', uid: 'o' } });
  const ref = { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: 'pod' };
  for (const { name, spec, at, want } of [
    {
      name: 'no account',
      spec: {},
      at: { ...web, name: 'no' },
      want: { code: 404, message: 'serviceaccounts "no" not found' },
    },
    {
      name: 'too short',
      spec: { expirationSeconds: 60 },
      at: web,
      want: { code: 422, message: /may not specify a duration less than 10 minutes/ },
    },
    {
      name: 'too long',
      spec: { expirationSeconds: 2 ** 33 },
      at: web,
      want: { code: 422, message: /larger than 2\^32/ },
    },
    {
      name: 'an earlier pod',
      spec: { boundObjectRef: { ...ref, uid: 'x' } },
      at: web,
      want: { code: 409, message: /UID in the bound object reference/ },
    },
    { name: 'no such pod', spec: { boundObjectRef: { ...ref, name: 'x' } }, at: web, want: { code: 404 } },
    {
      name: 'a pod of another account',
      spec: { boundObjectRef: ref },
      at: { ...web, name: 'other' },
      want: { code: 400, message: /different serviceaccount name/ },
    },
    {
      name: 'bound to a Service',
      spec: { boundObjectRef: { ...ref, kind: 'Service' } },
      at: web,
      want: { code: 400, message: /cannot bind token/ },
    },
    {
      name: 'a node, unbound',
      spec: {},
      at: { ...web, user: { name: 'system:node:n1', groups: ['system:nodes'] } },
      want: { code: 403 },
    },
    {
      name: 'another node',
      spec: { boundObjectRef: ref },
      at: { ...web, user: { name: 'system:node:n2', groups: ['system:nodes'] } },
      want: { code: 403 },
    },
  ]) {
    await t.rejects(create('TokenRequest', spec, at), want, name);
  }
  await t.resolves(
    create(
      'TokenRequest',
      { boundObjectRef: ref },
      { ...web, user: { name: 'system:node:n1', groups: ['system:nodes'] } },
    ),
  );
});
