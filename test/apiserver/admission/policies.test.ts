// ValidatingAdmissionPolicies through stock kubectl's eyes: rules, parameters, actions.

import t, { type Test } from 'tap';
import type { SecurityOptions } from '../../../src/apiserver/index.ts';
import { createKeyPair } from '../../../src/certs/index.ts';
import { at, configMap, configMaps, type Json, startTestServer } from '../harness.ts';
import { kubectlFor } from '../kubectl.ts';
import { noKubectl } from '../proxy/cluster.ts';

const { privateKeyPem: signingKeyPem } = await createKeyPair();
const security: SecurityOptions = { mode: 'rbac', serviceAccounts: { signingKeyPem, issuer: 'https://issuer.test' } };
const server = await startTestServer({ security, clientGroups: ['system:masters'] });
t.teardown(() => server.stop());

const group = '/apis/admissionregistration.k8s.io/v1';
const apiVersion = 'admissionregistration.k8s.io/v1';
const rule = { apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['CREATE', 'UPDATE'] };

async function install(t: Test, name: string, spec: Json, binding: Json = {}): Promise<void> {
  const [policies, bindings] = [`${group}/validatingadmissionpolicies`, `${group}/validatingadmissionpolicybindings`];
  const policy = {
    apiVersion,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: { matchConstraints: { resourceRules: [rule] }, ...spec },
  };
  const made = await server.call('POST', policies, policy);
  t.equal(made.status, 201, made.text);
  const bound = await server.call('POST', bindings, {
    apiVersion,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: `${name}-b` },
    spec: { policyName: name, validationActions: ['Deny'], ...binding },
  });
  t.equal(bound.status, 201, bound.text);
  t.teardown(async () => {
    await server.call('DELETE', `${bindings}/${name}-b`);
    await server.call('DELETE', `${policies}/${name}`);
  });
}

let next = 0;
const make = (data: Record<string, string> = {}, namespace = 'default') => {
  next += 1;
  return server.call('POST', configMaps.replace('default', namespace), configMap(`m-${next}`, {}, data));
};

t.test('a rule with a message', async (t) => {
  await install(t, 'short', {
    variables: [{ name: 'key', expression: 'object.data.?key.orValue("")' }],
    validations: [
      { expression: 'variables.key != "forbidden"', message: 'not that' },
      {
        expression: 'size(variables.key) < 12',
        messageExpression: '"too long: " + variables.key',
        reason: 'Forbidden',
      },
      { expression: 'variables.key != "x"' },
    ],
  });
  t.equal((await make({ key: 'fine' })).status, 201);
  const refused = await make({ key: 'forbidden' });
  t.equal(refused.status, 422);
  t.match(refused.body, {
    reason: 'Invalid',
    message:
      /^configmaps "m-\d+" is forbidden: ValidatingAdmissionPolicy 'short' with binding 'short-b' denied request: not that$/,
    details: { causes: [{ message: 'not that' }] },
  });
  t.match((await make({ key: 'much-too-long' })).body, {
    code: 403,
    message: /denied request: too long: much-too-long$/,
  });
  t.match((await make({ key: 'x' })).body, { message: /denied request: failed expression: variables.key != "x"$/ });
});

t.test('comprehensions with keys and indices', async (t) => {
  await install(t, 'keyed', {
    variables: [
      { name: 'lines', expression: 'object.data.transformMap(k, v, v.split("\\n"))' },
      { name: 'unused', expression: 'object.data.nothing' },
      { name: 'twice', expression: 'variables.lines.exists(k, l, l.exists(i, a, l.exists(j, b, i < j && a == b)))' },
    ],
    matchConditions: [{ name: 'named', expression: 'object.metadata.name.split("").exists(i, c, i == 0 && c == "m")' }],
    validations: [
      {
        expression: '!variables.twice',
        messageExpression: '"twice: " + variables.lines.transformList(k, l, l.size() > 1, k).join(" ")',
      },
      { expression: 'object.data.all(k, v, k != v)', message: 'keys are no values' },
    ],
  });
  t.equal((await make({ a: 'x\ny', b: 'x' })).status, 201);
  t.match((await make({ a: 'x\ny\nx', b: 'x' })).body, { message: /denied request: twice: a$/ });
  t.match((await make({ a: 'a' })).body, { message: /denied request: keys are no values$/ });
});

t.test('an update sees the old object', async (t) => {
  await install(t, 'keep', {
    matchConstraints: { resourceRules: [{ ...rule, operations: ['UPDATE'] }] },
    validations: [{ expression: 'object.data == oldObject.data', message: 'data stays' }],
  });
  const name = String(at((await make({ a: '1' })).body, 'metadata.name'));
  t.match((await server.patch(`${configMaps}/${name}`, { data: { a: '2' } })).body, { message: /data stays/ });
  t.equal((await server.patch(`${configMaps}/${name}`, { metadata: { labels: { a: 'b' } } })).status, 200);
});

t.test('actions: warn and audit do not refuse', async (t) => {
  await install(
    t,
    'warn',
    { validations: [{ expression: 'false', message: 'hm' }] },
    { validationActions: ['Warn', 'Audit'] },
  );
  const answer = await make();
  t.equal(answer.status, 201);
  t.equal(
    answer.headers['warning'],
    `299 - "Validation failed for ValidatingAdmissionPolicy 'warn' with binding 'warn-b': hm"`,
  );
});

t.test('an expression that fails while it runs', async (t) => {
  const validations = [{ expression: 'object.data.nothing == "x"' }];
  await t.test('fails closed', async (t) => {
    await install(t, 'closed', { validations });
    t.match((await make()).body, {
      code: 422,
      message: /expression 'object.data.nothing == "x"' resulted in error: No such key/,
    });
  });
  await t.test('or open', async (t) => {
    await install(t, 'open', { validations, failurePolicy: 'Ignore' });
    t.equal((await make()).status, 201);
  });
});

t.test('parameters', async (t) => {
  await server.call('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'params' },
  });
  const limits = configMap('limits', { role: 'limits' }, { max: '3' });
  await server.call('POST', configMaps.replace('default', 'params'), limits);
  const spec = {
    paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    validations: [{ expression: 'size(object.data) <= int(params.data.max)', message: 'too many' }],
  };
  const paramRef = { namespace: 'params', parameterNotFoundAction: 'Deny' };
  const four = { a: '', b: '', c: '', d: '' };
  await t.test('by name', async (t) => {
    await install(t, 'named', spec, { paramRef: { ...paramRef, name: 'limits' } });
    t.equal((await make({ a: '' })).status, 201);
    t.match((await make(four)).body, { message: /too many/ });
  });
  await t.test('by label', async (t) => {
    await install(t, 'labelled', spec, { paramRef: { ...paramRef, selector: { matchLabels: { role: 'limits' } } } });
    t.match((await make(four)).body, { message: /too many/ });
  });
  await t.test('none', async (t) => {
    await install(t, 'absent', spec, { paramRef: { ...paramRef, name: 'absent' } });
    t.match((await make({ a: '' })).body, { message: /no params found for policy binding with `Deny`/ });
  });
  await t.test('none, allowed', async (t) => {
    await install(t, 'lenient', spec, { paramRef: { ...paramRef, name: 'absent', parameterNotFoundAction: 'Allow' } });
    t.equal((await make(four)).status, 201);
  });
});

t.test('a binding narrows what a policy is about', async (t) => {
  await server.call('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'strict', labels: { env: 'prod' } },
  });
  const matchResources = { namespaceSelector: { matchLabels: { env: 'prod' } } };
  const spec = {
    validations: [{ expression: 'namespaceObject.metadata.labels.env != "prod"', message: 'not in prod' }],
  };
  await install(t, 'narrow', spec, { matchResources });
  t.equal((await make()).status, 201);
  t.match((await make({}, 'strict')).body, { message: /not in prod/ });
});

t.test('conditions, and the authorizer', async (t) => {
  await install(t, 'asks', {
    matchConditions: [{ name: 'not-admins', expression: '!("system:masters" in request.userInfo.groups)' }],
    validations: [{ expression: 'false' }],
  });
  t.equal((await make()).status, 201);
  const maySecrets = 'authorizer.group("").resource("secrets").namespace(request.namespace).check("list").allowed()';
  await install(t, 'asks-more', { validations: [{ expression: maySecrets }] });
  t.equal((await make()).status, 201);
});

t.test('a policy that does not compile is refused by name', async (t) => {
  const spec = {
    matchConstraints: { resourceRules: [rule] },
    validations: [
      { expression: 'object.data +' },
      { expression: '"text"' },
      { expression: 'nobody == 1' },
      { expression: 'object.data.transformList(k, v, k)' },
      { expression: '["a"].all(i, v, v)' },
      { expression: 'object.data.exists(k, v, true, v)' },
    ],
  };
  const policy = { apiVersion, kind: 'ValidatingAdmissionPolicy', metadata: { name: 'broken' }, spec };
  const { body } = await server.call('POST', `${group}/validatingadmissionpolicies`, policy);
  t.match(body, { code: 422, details: { causes: [{}, {}, {}, {}, {}, {}] } });
  const message = String(at(body, 'message'));
  t.match(message, /spec\.validations\[0\]\.expression: Invalid value: "object\.data \+": compilation failed: ERROR: /);
  t.match(message, /spec\.validations\[1\]\.expression: Invalid value: "\\"text\\"": must evaluate to bool/);
  t.match(message, /spec\.validations\[2\]\.expression: .*nobody/);
  t.match(message, /validations\[3\]\.expression: Invalid value: "object.data.transformList.*": must evaluate to bool/);
  t.match(message, /validations\[4\]\.expression: .*all\(i, v, predicate\) must return bool, got 'string'/);
  t.match(message, /validations\[5\]\.expression: .*exists takes 2 or 3 arguments, not 4/);
});

t.test('kubectl', { skip: noKubectl }, async (t) => {
  const kubectl = await kubectlFor(server);
  t.teardown(() => kubectl.close());
  await install(t, 'replicas', {
    matchConstraints: {
      resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'], operations: ['*'] }],
    },
    validations: [{ expression: 'object.spec.replicas <= 5' }],
  });
  const { code, err } = await kubectl.run(['create', 'deployment', 'many', '--image=i', '--replicas=6']);
  t.equal(code, 1);
  t.match(
    err,
    /deployments.apps "many" is forbidden: ValidatingAdmissionPolicy 'replicas' with binding 'replicas-b' denied request: failed expression: object.spec.replicas <= 5/,
  );
  t.equal((await kubectl.run(['create', 'deployment', 'few', '--image=i', '--replicas=5'])).code, 0);
});
