// Webhooks over real HTTPS: who is asked, with what, and what the answer does.

import t, { type Test } from 'tap';
import type { SecurityOptions } from '../../../src/apiserver/index.ts';
import { createKeyPair } from '../../../src/certs/index.ts';
import { at, configMap, configMaps, type Json, startTestServer } from '../harness.ts';
import { patchOf, startWebhookServer } from './webhook-server.ts';

const { privateKeyPem: signingKeyPem } = await createKeyPair();
const security: SecurityOptions = { mode: 'rbac', serviceAccounts: { signingKeyPem, issuer: 'https://issuer.test' } };
const server = await startTestServer({ security, clientGroups: ['system:masters'] });
t.teardown(() => server.stop());

const group = '/apis/admissionregistration.k8s.io/v1';
const everyMap = { apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['*'] };

const hook = await startWebhookServer(server.pki, (request, path) => {
  const name = String(request['name']);
  switch (path) {
    case '/deny':
      return name.startsWith('bad')
        ? { allowed: false, status: { code: 418, reason: 'Teapot', message: `no ${name}` } }
        : { allowed: true };
    case '/deny-silent':
      return { allowed: false };
    case '/label':
      return patchOf([{ op: 'add', path: '/metadata/labels/first', value: 'yes' }]);
    case '/count': {
      const count = Number(at(request['object'], 'metadata.labels.count') ?? 0) + 1;
      return patchOf([{ op: 'add', path: '/metadata/labels/count', value: String(count) }]);
    }
    case '/inject':
      return patchOf([{ op: 'add', path: '/spec/containers/-', value: { name: 'sidecar', image: 'i' } }]);
    case '/warn':
      return { allowed: true, warnings: ['mind the "gap"'], auditAnnotations: { seen: 'yes' } };
    case '/slow':
      return undefined;
    case '/garbage':
      return '<html>';
    case '/bad-patch':
      return patchOf([{ op: 'remove', path: '/metadata/nothing/there' }]);
    default:
      return { allowed: true };
  }
});
t.teardown(() => hook.close());

interface Hooked {
  readonly kind?: 'Mutating' | 'Validating';
  readonly webhooks: readonly Json[];
}

/** Installs a configuration for the length of a test. */
async function install(t: Test, name: string, { kind = 'Validating', webhooks }: Hooked): Promise<void> {
  const path = `${group}/${kind.toLowerCase()}webhookconfigurations`;
  const full = webhooks.map((one, index) => ({
    name: `w${index}.${name}.test`,
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    rules: [everyMap],
    clientConfig: { url: `https://127.0.0.1:${hook.port}${String(one['path'])}`, caBundle: hook.caBundle },
    ...Object.fromEntries(Object.entries(one).filter(([key]) => key !== 'path')),
  }));
  const body = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: `${kind}WebhookConfiguration`,
    metadata: { name },
    webhooks: full,
  };
  const { status, text } = await server.call('POST', path, body);
  if (status !== 201) throw new Error(text);
  t.teardown(() => server.call('DELETE', `${path}/${name}`));
}

let next = 0;
const fresh = (): string => {
  next += 1;
  return `map-${next}`;
};
const make = (name = fresh(), labels: Record<string, string> = {}) =>
  server.call('POST', configMaps, configMap(name, labels));
const asked = (path: string) => hook.asked.filter((one) => one.path === path);

t.test('a refusal carries the words, code and reason of the webhook', async (t) => {
  await install(t, 'deny', { webhooks: [{ path: '/deny' }] });
  const answer = await make('bad-map');
  t.equal(answer.status, 418);
  t.match(answer.body, {
    reason: 'Teapot',
    message: 'admission webhook "w0.deny.test" denied the request: no bad-map',
  });
  t.equal((await make('good-map')).status, 201);
  const request = asked('/deny').at(-1)?.request;
  t.match(request, {
    kind: { group: '', version: 'v1', kind: 'ConfigMap' },
    resource: { group: '', version: 'v1', resource: 'configmaps' },
    name: 'good-map',
    namespace: 'default',
    operation: 'CREATE',
    userInfo: { username: 'tester', groups: ['system:masters', 'system:authenticated'] },
    object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'good-map' } },
    oldObject: null,
    dryRun: false,
    options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
  });
  t.equal((await server.call('DELETE', `${configMaps}/good-map`)).status, 200);
  t.match(asked('/deny').at(-1)?.request, {
    operation: 'DELETE',
    object: null,
    oldObject: { metadata: { name: 'good-map' } },
  });
});

t.test('a refusal without words', async (t) => {
  await install(t, 'silent', { webhooks: [{ path: '/deny-silent' }] });
  const answer = await make();
  t.equal(answer.status, 400);
  t.equal(at(answer.body, 'message'), 'admission webhook "w0.silent.test" denied the request without explanation');
});

t.test('patches, one after another, once more when a later one changed something', async (t) => {
  await install(t, 'mutate', {
    kind: 'Mutating',
    webhooks: [{ path: '/count', reinvocationPolicy: 'IfNeeded' }, { path: '/label' }, { path: '/count' }],
  });
  const before = asked('/count').length;
  const { body } = await make(fresh(), { own: 'x' });
  t.strictSame(at(body, 'metadata.labels'), { own: 'x', first: 'yes', count: '3' });
  t.equal(asked('/count').length - before, 3);
  const stored = await server.call('GET', `${configMaps}/${String(at(body, 'metadata.name'))}`);
  t.strictSame(at(stored.body, 'metadata.labels'), { own: 'x', first: 'yes', count: '3' });
});

t.test('a container that a webhook adds gets what the others got', async (t) => {
  const rules = [{ ...everyMap, resources: ['pods'] }];
  await install(t, 'inject', { kind: 'Mutating', webhooks: [{ path: '/inject', rules }] });
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
  await server.call('POST', '/api/v1/namespaces/default/serviceaccounts', account);
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  };
  const { body } = await server.call('POST', '/api/v1/namespaces/default/pods', pod);
  t.equal(at(body, 'spec.containers.1.name'), 'sidecar');
  t.equal(at(body, 'spec.containers.1.terminationMessagePath'), '/dev/termination-log', 'defaults');
  t.equal(
    at(body, 'spec.containers.1.volumeMounts.0.mountPath'),
    '/var/run/secrets/kubernetes.io/serviceaccount',
    'the token',
  );
  t.equal((at(body, 'spec.volumes') as Json[]).length, 1);
});

t.test('a patch that does not apply', async (t) => {
  await install(t, 'bad-patch', { kind: 'Mutating', webhooks: [{ path: '/bad-patch' }] });
  t.match((await make()).body, { code: 500, reason: 'InternalError', message: /attempted to modify the object/ });
});

t.test('warnings reach the client', async (t) => {
  await install(t, 'warn', { webhooks: [{ path: '/warn' }, { path: '/warn' }] });
  const answer = await make();
  t.equal(answer.headers['warning'], '299 - "mind the \\"gap\\""');
});

t.test('webhooks that fail', async (t) => {
  for (const { name, webhook, want } of [
    { name: 'slow', webhook: { path: '/slow', timeoutSeconds: 1 }, want: /timeout=1s": context deadline exceeded$/ },
    { name: 'garbage', webhook: { path: '/garbage' }, want: /couldn't parse the response/ },
    {
      name: 'nobody',
      webhook: { clientConfig: { url: 'https://127.0.0.1:1/x', caBundle: hook.caBundle } },
      want: /failed to call webhook: Post "https:\/\/127\.0\.0\.1:1\/x\?timeout=10s": .*ECONNREFUSED/,
    },
    {
      name: 'stranger',
      webhook: { clientConfig: { url: `https://127.0.0.1:${hook.port}/ok` } },
      want: /failed to call webhook: .*certificate/,
    },
    {
      name: 'lost',
      webhook: { clientConfig: { service: { namespace: 'default', name: 'lost' }, caBundle: hook.caBundle } },
      want: /service "lost" not found/,
    },
  ]) {
    await t.test(name, async (t) => {
      await install(t, name, { webhooks: [webhook] });
      const { body } = await make();
      t.match(body, { code: 500, reason: 'InternalError', message: want });
      t.match(body, { message: new RegExp(`^Internal error occurred: failed calling webhook "w0.${name}.test": `) });
    });
    await t.test(`${name}, ignored`, async (t) => {
      await install(t, `${name}-open`, { webhooks: [{ ...webhook, failurePolicy: 'Ignore' }] });
      t.equal((await make()).status, 201);
    });
  }
});

t.test('a Service is reached through its endpoints, by its own name', async (t) => {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'hook' },
    spec: { ports: [{ name: 'https', port: 443 }] },
  };
  t.equal((await server.call('POST', '/api/v1/namespaces/default/services', service)).status, 201);
  await server.plant('/registry/discovery.k8s.io/endpointslices/default/hook-1', {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'hook-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'hook' } },
    addressType: 'IPv4',
    ports: [{ name: 'https', port: hook.port }],
    endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
  });
  const clientConfig = { service: { namespace: 'default', name: 'hook', path: '/svc' }, caBundle: hook.caBundle };
  await install(t, 'service', { webhooks: [{ clientConfig }] });
  t.equal((await make()).status, 201);
  t.equal(asked('/svc').length, 1);
});

t.test('who is asked', async (t) => {
  const cases: readonly { name: string; webhook: Json; want: boolean }[] = [
    { name: 'operation', webhook: { rules: [{ ...everyMap, operations: ['UPDATE'] }] }, want: false },
    { name: 'resource', webhook: { rules: [{ ...everyMap, resources: ['secrets'] }] }, want: false },
    { name: 'star', webhook: { rules: [{ ...everyMap, resources: ['*'], apiGroups: ['*'] }] }, want: true },
    { name: 'subresource', webhook: { rules: [{ ...everyMap, resources: ['configmaps/status'] }] }, want: false },
    { name: 'all', webhook: { rules: [{ ...everyMap, resources: ['*/*'] }] }, want: true },
    { name: 'scope', webhook: { rules: [{ ...everyMap, scope: 'Cluster' }] }, want: false },
    { name: 'labels', webhook: { objectSelector: { matchLabels: { mark: 'x' } } }, want: true },
    { name: 'no-labels', webhook: { objectSelector: { matchLabels: { mark: 'y' } } }, want: false },
    {
      name: 'namespace',
      webhook: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } } },
      want: true,
    },
    { name: 'elsewhere', webhook: { namespaceSelector: { matchLabels: { a: 'b' } } }, want: false },
    {
      name: 'condition',
      webhook: { matchConditions: [{ name: 'c', expression: 'object.data.key == "v"' }] },
      want: true,
    },
    {
      name: 'user',
      webhook: { matchConditions: [{ name: 'c', expression: 'request.userInfo.username != "tester"' }] },
      want: false,
    },
    {
      name: 'authorizer',
      webhook: {
        matchConditions: [
          {
            name: 'c',
            expression: 'authorizer.group("").resource("pods").namespace("default").check("get").allowed()',
          },
        ],
      },
      want: true,
    },
  ];
  for (const { name, webhook, want } of cases) {
    await t.test(name, async (t) => {
      await install(t, `who-${name}`, { webhooks: [{ path: `/who-${name}`, ...webhook }] });
      const answer = await server.call('POST', configMaps, configMap(fresh(), { mark: 'x' }, { key: 'v' }));
      t.equal(answer.status, 201);
      t.equal(asked(`/who-${name}`).length, want ? 1 : 0);
    });
  }
});

t.test('a condition that fails', async (t) => {
  const matchConditions = [{ name: 'c', expression: 'object.data.nothing.at.all == "v"' }];
  await install(t, 'broken', { webhooks: [{ path: '/ok', matchConditions }] });
  t.match((await make()).body, { code: 403, message: /could not be matched: match condition "c": No such key/ });
});

t.test('a dry run is told to the webhook, whose configuration promised to do nothing then', async (t) => {
  await install(t, 'dry', { webhooks: [{ path: '/dry', sideEffects: 'NoneOnDryRun' }] });
  t.equal((await server.call('POST', `${configMaps}?dryRun=All`, configMap(fresh()))).status, 201);
  t.match(asked('/dry').at(-1)?.request, { dryRun: true, options: { dryRun: ['All'] } });
});

t.test('exec and its like may be refused before they begin', async (t) => {
  const rules = [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods/exec'], operations: ['CONNECT'] }];
  await install(t, 'connect', { webhooks: [{ path: '/deny-silent', rules }] });
  const exec = '/api/v1/namespaces/default/pods/p/exec?command=ls&command=-l&stdout=true&container=c';
  t.match((await server.call('POST', exec)).body, { code: 400, message: /"w0.connect.test" denied the request/ });
  t.match(asked('/deny-silent').at(-1)?.request, {
    operation: 'CONNECT',
    subResource: 'exec',
    name: 'p',
    object: { apiVersion: 'v1', kind: 'PodExecOptions', command: ['ls', '-l'], stdout: true, container: 'c' },
  });
  t.match((await server.call('GET', '/api/v1/namespaces/default/pods/p/log')).body, { code: 503 });
});

t.test('a webhook cannot lock its own configuration', async (t) => {
  const rules = [{ apiGroups: ['*'], apiVersions: ['*'], resources: ['*'], operations: ['*'] }];
  await install(t, 'lock', { webhooks: [{ path: '/deny-silent', rules }] });
  t.equal((await make()).status, 400);
  const path = `${group}/validatingwebhookconfigurations/lock`;
  t.equal((await server.call('DELETE', path)).status, 200);
  t.equal((await make()).status, 201);
});

t.test('a match condition that does not compile is refused by name', async (t) => {
  const webhook = {
    name: 'w.bad.test',
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    rules: [everyMap],
    clientConfig: { url: 'https://127.0.0.1:1/' },
    matchConditions: [{ name: 'c', expression: 'object.metadata.' }],
  };
  const given = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'bad' },
    webhooks: [webhook],
  };
  const { status, body } = await server.call('POST', `${group}/validatingwebhookconfigurations`, given);
  t.equal(status, 422);
  t.match(
    body['message'],
    /webhooks\[0\]\.matchConditions\[0\]\.expression: Invalid value: "object\.metadata\.": compilation failed: ERROR: /,
  );
});
