// The server with everything composed: certificates, tokens, impersonation, RBAC, admission, default objects.

import t from 'tap';
import { Agent } from 'undici';
import type { SecurityOptions } from '../../src/apiserver/index.ts';
import { createKeyPair } from '../../src/certs/index.ts';
import { at, configMap, configMaps, startTestServer } from './harness.ts';

const { privateKeyPem: signingKeyPem } = await createKeyPair();
const security: SecurityOptions = { mode: 'rbac', serviceAccounts: { signingKeyPem, issuer: 'https://issuer.test' } };
const admin = await startTestServer({
  security,
  clientGroups: ['system:masters'],
  advertiseAddress: '10.0.0.9',
});
t.teardown(() => admin.stop());

const anonymous = new Agent({ connect: { ca: admin.ca } });
t.teardown(() => anonymous.destroy());
const asNobody = async (path: string, headers: Record<string, string> = {}) => {
  const answer = await anonymous.request({ origin: admin.server.url, path, method: 'GET', headers });
  const { statusCode: status, headers: given } = answer;
  const text = await answer.body.text();
  const isJson = given['content-type'] === 'application/json';
  return { status, headers: given, text, body: isJson ? (JSON.parse(text) as unknown) : undefined };
};

t.test('what every cluster has comes back when somebody deletes it', async (t) => {
  const inDefault = 'namespaces/default';
  const paths = [
    `/api/v1/${inDefault}/services/kubernetes`,
    `/api/v1/${inDefault}/endpoints/kubernetes`,
    `/apis/discovery.k8s.io/v1/${inDefault}/endpointslices/kubernetes`,
    '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication',
    '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/service-accounts',
    '/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations/catch-all',
    '/api/v1/namespaces/kube-node-lease',
  ];
  const uidOf = async (path: string) => at((await admin.call('GET', path)).body, 'metadata.uid');
  for (const path of paths) {
    const before = await uidOf(path);
    const { status, body } = await admin.call('DELETE', path);
    t.equal(status, 200);
    // What the namespace controller does when nothing is left in it.
    if (body['kind'] === 'Namespace')
      await admin.call('PUT', `${path}/finalize`, { ...body, spec: { finalizers: [] } });
    let uid: unknown;
    for (let tries = 0; uid === undefined && tries < 250; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      uid = await uidOf(path);
    }
    t.type(uid, 'string', path);
    t.not(uid, before);
  }
});

t.test('a certificate of the client CA is a user', async (t) => {
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const { status, body } = await admin.call('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', review);
  t.equal(status, 201);
  t.match(body, { status: { userInfo: { username: 'tester', groups: ['system:masters', 'system:authenticated'] } } });
});

t.test('a review is no table', async (t) => {
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { nonResourceAttributes: { path: '/', verb: 'get' } },
  };
  const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  t.equal((await admin.call('POST', path, review, { accept: table })).status, 406);
  t.equal((await admin.call('POST', path, review, { accept: `${table}, application/json` })).status, 201);
});

t.test('without one, only what everybody may see', async (t) => {
  t.equal((await asNobody('/version')).status, 200);
  const refused = await asNobody('/api/v1/namespaces/default/secrets');
  t.equal(refused.status, 403);
  t.match(refused.body, {
    reason: 'Forbidden',
    message:
      'secrets is forbidden: User "system:anonymous" cannot list resource "secrets" in API group "" in the namespace "default"',
  });
  const wrong = await asNobody('/version', { authorization: 'Bearer nonsense' });
  t.equal(wrong.status, 401);
  t.match(wrong.body, { reason: 'Unauthorized', code: 401 });
});

t.test('who is refused reads why in the encoding asked for', async (t) => {
  const secrets = '/api/v1/namespaces/default/secrets';
  const yaml = { accept: 'application/yaml' };
  t.match((await asNobody(secrets, yaml)).text, /^kind: Status\n.*\nreason: Forbidden\n.*code: 403\n$/s);
  const wrong = await asNobody(secrets, { ...yaml, authorization: 'Bearer nonsense' });
  t.match(wrong.text, /^kind: Status\n.*\nreason: Unauthorized\ncode: 401\n$/s);
  t.match(wrong.headers, { 'content-type': 'application/yaml', 'www-authenticate': /^Bearer/ });
  const protobuf = 'application/vnd.kubernetes.protobuf';
  const binary = await asNobody(secrets, { accept: protobuf });
  t.match([binary.status, binary.headers['content-type']], [403, protobuf]);
});

t.test('a token of a ServiceAccount is what its roles say', async (t) => {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } };
  await admin.call('POST', '/api/v1/namespaces/default/serviceaccounts', account);
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 600 } };
  const issued = await admin.call('POST', '/api/v1/namespaces/default/serviceaccounts/robot/token', request);
  t.equal(issued.status, 201);
  const authorization = `Bearer ${String(at(issued.body, 'status.token'))}`;
  const read = () => asNobody(configMaps, { authorization });
  t.equal((await read()).status, 403);
  await admin.call('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'robot-views' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ kind: 'ServiceAccount', name: 'robot', namespace: 'default' }],
  });
  t.equal((await read()).status, 200);
  t.match((await asNobody('/openid/v1/jwks', { authorization })).body, { keys: [{ kty: 'EC' }] });
});

t.test('impersonation', async (t) => {
  const answer = await admin.call('GET', configMaps, undefined, { 'impersonate-user': 'somebody' });
  t.match(answer.body, { code: 403, message: /User "somebody" cannot list/ });
});

t.test('admission', async (t) => {
  const lost = await admin.call('POST', '/api/v1/namespaces/nowhere/configmaps', configMap('x'));
  t.match(lost.body, { code: 404, message: 'namespaces "nowhere" not found' });
  const kept = await admin.call('DELETE', '/api/v1/namespaces/default');
  t.match(kept.body, { code: 403, reason: 'Forbidden' });
});

t.test('what every cluster has', async (t) => {
  const kubernetes = await admin.call('GET', '/api/v1/namespaces/default/services/kubernetes');
  t.match(kubernetes.body, { spec: { clusterIP: '10.96.0.1' } });
  t.equal((await admin.call('GET', '/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin')).status, 200);
  const aggregated = await admin.call('GET', '/apis/rbac.authorization.k8s.io/v1/clusterroles/view');
  t.ok((at(aggregated.body, 'rules') as unknown[]).length > 0);
});

t.test('streams of nodes need a way to them', async (t) => {
  const answer = await admin.call('GET', '/api/v1/namespaces/default/pods/x/log');
  t.match(answer.body, { code: 503, reason: 'ServiceUnavailable' });
});

t.test('Events of both groups are one storage', async (t) => {
  const event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'e' },
    involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
    reason: 'Because',
    message: 'it happened',
    type: 'Normal',
  };
  t.equal((await admin.call('POST', '/api/v1/namespaces/default/events', event)).status, 201);
  const other = '/apis/events.k8s.io/v1/namespaces/default/events';
  const seen = await admin.call('GET', `${other}/e`);
  t.match(seen.body, { apiVersion: 'events.k8s.io/v1', kind: 'Event', note: 'it happened', regarding: { name: 'p' } });
  t.match((await admin.call('GET', other)).body, { apiVersion: 'events.k8s.io/v1', items: [{ note: 'it happened' }] });
  const found = await admin.call('GET', '/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dp');
  t.equal((at(found.body, 'items') as unknown[]).length, 1);
  const none = await admin.call('GET', '/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dq');
  t.equal((at(none.body, 'items') as unknown[]).length, 0);
  const series = { count: 2, lastObservedTime: '2026-01-01T00:00:00.000000Z' };
  const patched = await admin.patch(`${other}/e`, { series });
  t.match(patched.body, { apiVersion: 'events.k8s.io/v1', series });
  t.match((await admin.call('GET', '/api/v1/namespaces/default/events/e')).body, { message: 'it happened', series });
  t.match((await admin.patch(`${other}/e`, { note: 'again' })).body, { note: 'again', series });
  t.match((await admin.patch(`${other}/e`, { reason: 'Another' })).body, {
    code: 422,
    message: 'Event "e" is invalid: reason: Invalid value: "Another": field is immutable',
  });
  t.match(
    (await admin.call('POST', other, { apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata: { name: 'f' } })).body,
    {
      code: 422,
      message: /eventTime: Required value, type: Invalid value/,
    },
  );
});
