// Rules written for one version of a resource and requests in another: who is asked, in which version, and what comes back.

import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import type { SecurityOptions } from '../../../src/apiserver/index.ts';
import { createKeyPair } from '../../../src/certs/index.ts';
import { establish, version } from '../extensions/definitions.ts';
import { at, type Json, startTestServer } from '../harness.ts';
import { patchOf, startWebhookServer } from './webhook-server.ts';

const { privateKeyPem: signingKeyPem } = await createKeyPair();
const security: SecurityOptions = { mode: 'rbac', serviceAccounts: { signingKeyPem, issuer: 'https://issuer.test' } };
const server = await startTestServer({ security, clientGroups: ['system:masters'] });
t.teardown(() => server.stop());

const hook = await startWebhookServer(server.pki, (_request, path) => {
  switch (path) {
    case '/max':
      return patchOf([{ op: 'replace', path: '/spec/maxReplicas', value: 7 }]);
    case '/target':
      return patchOf([{ op: 'replace', path: '/spec/targetCPUUtilizationPercentage', value: 33 }]);
    case '/host-port':
      return patchOf([{ op: 'replace', path: '/spec/hostPort', value: 'patched:9' }]);
    case '/host':
      return patchOf([{ op: 'replace', path: '/spec/host', value: 'patched' }]);
    default:
      return { allowed: true };
  }
});
t.teardown(() => hook.close());
const lastAsked = (path: string): Json | undefined => hook.asked.findLast((one) => one.path === path)?.request;

const registration = '/apis/admissionregistration.k8s.io/v1';
const apiVersion = 'admissionregistration.k8s.io/v1';

function ruleFor(group: string, served: string, resource: string): Json {
  return { apiGroups: [group], apiVersions: [served], resources: [resource], operations: ['*'] };
}

interface Hooked {
  readonly rules: readonly Json[];
  readonly kind?: 'Mutating' | 'Validating';
  readonly more?: Json;
}

/** Asks `path` for the length of a test. */
async function install(t: Test, path: string, { rules, kind = 'Mutating', more = {} }: Hooked): Promise<void> {
  const name = `w${path.replaceAll('/', '-')}`;
  const url = `https://127.0.0.1:${hook.port}${path}`;
  const webhook = {
    name: `${name}.test.io`,
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    rules,
    clientConfig: { url, caBundle: hook.caBundle },
    ...more,
  };
  const where = `${registration}/${kind.toLowerCase()}webhookconfigurations`;
  const given = { apiVersion, kind: `${kind}WebhookConfiguration`, metadata: { name }, webhooks: [webhook] };
  const { status, text } = await server.call('POST', where, given);
  if (status !== 201) throw new Error(text);
  t.teardown(() => server.call('DELETE', `${where}/${name}`));
}

const scalers = (served: string): string => `/apis/autoscaling/${served}/namespaces/default/horizontalpodautoscalers`;
const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
const cpu = (averageUtilization: number): Json => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
});
const memory = {
  type: 'Resource',
  resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } },
};
const scalerV2 = (name: string): Json => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name },
  spec: {
    scaleTargetRef,
    maxReplicas: 3,
    metrics: [cpu(60), memory],
    behavior: { scaleDown: { stabilizationWindowSeconds: 9 } },
  },
});
const scalerV1 = (name: string): Json => ({
  apiVersion: 'autoscaling/v1',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name },
  spec: { scaleTargetRef, maxReplicas: 3, targetCPUUtilizationPercentage: 55 },
});
const v1Rule = ruleFor('autoscaling', 'v1', 'horizontalpodautoscalers');
const v2Rule = ruleFor('autoscaling', 'v2', 'horizontalpodautoscalers');

t.test('a rule for autoscaling/v1 and a request in v2', async (t) => {
  await install(t, '/max', { rules: [v1Rule] });
  const made = await server.call('POST', scalers('v2'), scalerV2('a'));
  t.match(made, { status: 201, body: { apiVersion: 'autoscaling/v2', spec: { maxReplicas: 7 } } }, made.text);
  t.strictSame(at(made.body, 'spec.metrics'), [cpu(60), memory], 'what v1 has no words for stays');
  t.equal(at(made.body, 'spec.behavior.scaleDown.stabilizationWindowSeconds'), 9);
  t.match(lastAsked('/max'), {
    kind: { group: 'autoscaling', version: 'v1', kind: 'HorizontalPodAutoscaler' },
    resource: { group: 'autoscaling', version: 'v1', resource: 'horizontalpodautoscalers' },
    requestKind: { group: 'autoscaling', version: 'v2', kind: 'HorizontalPodAutoscaler' },
    requestResource: { group: 'autoscaling', version: 'v2', resource: 'horizontalpodautoscalers' },
    object: { apiVersion: 'autoscaling/v1', spec: { targetCPUUtilizationPercentage: 60 } },
    oldObject: null,
  });
  t.match((await server.patch(`${scalers('v2')}/a`, { spec: { minReplicas: 2 } })).body, { spec: { minReplicas: 2 } });
  t.match(lastAsked('/max'), {
    operation: 'UPDATE',
    object: { apiVersion: 'autoscaling/v1', spec: { minReplicas: 2 } },
    oldObject: { apiVersion: 'autoscaling/v1', spec: { minReplicas: 1 } },
  });
  t.equal((await server.call('DELETE', `${scalers('v2')}/a`)).status, 200);
  t.match(lastAsked('/max'), { operation: 'DELETE', oldObject: { apiVersion: 'autoscaling/v1' } });
});

t.test('a patch of what only autoscaling/v1 calls so', async (t) => {
  await install(t, '/target', { rules: [v1Rule] });
  const made = await server.call('POST', scalers('v2'), scalerV2('b'));
  t.strictSame(at(made.body, 'spec.metrics'), [memory, cpu(33)], made.text);
  t.equal(at(made.body, 'spec.behavior.scaleDown.stabilizationWindowSeconds'), 9);
});

t.test('a rule for the version of the request wins, a rule for v2 sees v2', async (t) => {
  await install(t, '/both', { rules: [v2Rule, v1Rule], kind: 'Validating' });
  await install(t, '/newer', { rules: [v2Rule], kind: 'Validating' });
  t.equal((await server.call('POST', scalers('v1'), scalerV1('c'))).status, 201);
  t.match(lastAsked('/both'), {
    kind: { version: 'v1' },
    requestKind: { version: 'v1' },
    object: { apiVersion: 'autoscaling/v1', spec: { targetCPUUtilizationPercentage: 55 } },
  });
  t.match(lastAsked('/newer'), {
    kind: { version: 'v2' },
    requestKind: { version: 'v1' },
    object: { apiVersion: 'autoscaling/v2', spec: { metrics: [cpu(55)] } },
  });
});

t.test('Exact is what is written and nothing else', async (t) => {
  await install(t, '/exact', { rules: [v1Rule], kind: 'Validating', more: { matchPolicy: 'Exact' } });
  t.equal((await server.call('POST', scalers('v2'), scalerV2('d'))).status, 201);
  t.equal(lastAsked('/exact'), undefined);
  t.equal((await server.call('POST', scalers('v1'), scalerV1('e'))).status, 201);
  t.match(lastAsked('/exact'), { kind: { version: 'v1' }, object: { apiVersion: 'autoscaling/v1' } });
});

t.test('Events of both groups are the same objects', async (t) => {
  await install(t, '/events', { rules: [ruleFor('events.k8s.io', 'v1', 'events')], kind: 'Validating' });
  const involvedObject = { kind: 'Pod', name: 'p', namespace: 'default' };
  const event = { apiVersion: 'v1', kind: 'Event', metadata: { name: 'ev' }, involvedObject, message: 'm' };
  t.equal((await server.call('POST', '/api/v1/namespaces/default/events', event)).status, 201);
  t.match(lastAsked('/events'), {
    resource: { group: 'events.k8s.io', version: 'v1', resource: 'events' },
    requestResource: { group: '', version: 'v1', resource: 'events' },
    object: { apiVersion: 'events.k8s.io/v1', regarding: involvedObject, note: 'm' },
  });
});

interface Target {
  readonly spec?: { readonly hostPort?: string; readonly host?: string; readonly port?: string };
}

function converted(object: Target, wanted: string): object {
  const { spec = {} } = object;
  const [host, port] = (spec.hostPort ?? '').split(':');
  const next = wanted.endsWith('v2') ? { host, port } : { hostPort: `${spec.host}:${spec.port}` };
  return { ...object, apiVersion: wanted, spec: next };
}

/** A conversion webhook between `hostPort` (v1) and `host`, `port` (v2). */
async function startConverter(t: Test): Promise<string> {
  const converter = createServer(server.pki.server, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { request: asked } = JSON.parse(Buffer.concat(chunks).toString()) as {
        readonly request: {
          readonly uid: string;
          readonly desiredAPIVersion: string;
          readonly objects: readonly Target[];
        };
      };
      const convertedObjects = asked.objects.map((object) => converted(object, asked.desiredAPIVersion));
      const answer = { uid: asked.uid, convertedObjects, result: { status: 'Success' } };
      response.end(
        JSON.stringify({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview', response: answer }),
      );
    });
  });
  await new Promise<void>((resolve) => converter.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    converter.closeAllConnections();
    converter.close();
  });
  return `https://127.0.0.1:${(converter.address() as AddressInfo).port}/convert`;
}

t.test('custom kinds are converted by their webhook, there and back', async (t) => {
  const text = { type: 'string' };
  const schemaOf = (properties: object): object => ({
    type: 'object',
    properties: { spec: { type: 'object', properties } },
  });
  const clientConfig = { url: await startConverter(t), caBundle: Buffer.from(server.pki.ca).toString('base64') };
  await establish(server, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'targets.stable.example.com' },
    spec: {
      group: 'stable.example.com',
      scope: 'Namespaced',
      names: { plural: 'targets', kind: 'Target' },
      versions: [
        version('v1', {}, schemaOf({ hostPort: text })),
        version('v2', {}, schemaOf({ host: text, port: text })),
      ],
      conversion: { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig } },
    },
  });
  const path = (served: string): string => `/apis/stable.example.com/${served}/namespaces/default/targets`;
  const target = (served: string, name: string, spec: object): Json => ({
    apiVersion: `stable.example.com/${served}`,
    kind: 'Target',
    metadata: { name },
    spec,
  });
  const older = ruleFor('stable.example.com', 'v1', 'targets');
  const newer = ruleFor('stable.example.com', 'v2', 'targets');

  await t.test('a rule for the stored version', async (t) => {
    await install(t, '/host-port', { rules: [older] });
    const made = await server.call('POST', path('v2'), target('v2', 'a', { host: 'h', port: '1' }));
    t.match(made, { status: 201, body: { spec: { host: 'patched', port: '9' } } }, made.text);
    t.match(lastAsked('/host-port'), {
      kind: { version: 'v1' },
      requestKind: { version: 'v2' },
      object: { apiVersion: 'stable.example.com/v1', spec: { hostPort: 'h:1' } },
    });
  });
  await t.test('a rule for the other version', async (t) => {
    await install(t, '/host', { rules: [newer] });
    const made = await server.call('POST', path('v1'), target('v1', 'b', { hostPort: 'h:2' }));
    t.match(made, { status: 201, body: { spec: { hostPort: 'patched:2' } } }, made.text);
    t.match(lastAsked('/host'), {
      kind: { version: 'v2' },
      requestKind: { version: 'v1' },
      object: { apiVersion: 'stable.example.com/v2', spec: { host: 'h', port: '2' } },
    });
    t.match((await server.call('GET', `${path('v1')}/b`)).body, { spec: { hostPort: 'patched:2' } });
  });
  await t.test('a policy for the other version', async (t) => {
    const spec = {
      matchConstraints: { resourceRules: [newer] },
      validations: [
        { expression: 'object == null || object.spec.host != "bad"', message: 'bad host' },
        { expression: 'request.kind.version == "v2"', message: 'not v2' },
        { expression: 'request.requestKind.version == "v1"', message: 'not asked in v1' },
      ],
    };
    const [policies, bindings] = [
      `${registration}/validatingadmissionpolicies`,
      `${registration}/validatingadmissionpolicybindings`,
    ];
    const name = 'hosts';
    t.equal(
      (await server.call('POST', policies, { apiVersion, kind: 'ValidatingAdmissionPolicy', metadata: { name }, spec }))
        .status,
      201,
    );
    await server.call('POST', bindings, {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'] },
    });
    t.match((await server.call('POST', path('v1'), target('v1', 'c', { hostPort: 'bad:1' }))).body, {
      message: /bad host$/,
    });
    t.match((await server.call('POST', path('v2'), target('v2', 'd', { host: 'good', port: '1' }))).body, {
      message: /not asked in v1$/,
    });
    t.equal((await server.call('POST', path('v1'), target('v1', 'e', { hostPort: 'good:1' }))).status, 201);
    await server.patch(`${policies}/${name}`, { spec: { matchConstraints: { matchPolicy: 'Exact' } } });
    t.equal((await server.call('POST', path('v1'), target('v1', 'f', { hostPort: 'bad:1' }))).status, 201);
  });
});
