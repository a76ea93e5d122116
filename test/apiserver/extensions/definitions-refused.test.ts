// CustomResourceDefinitions that are refused, and rules and patterns that would cost the server dearly.

import t, { type Test } from 'tap';
import { startTestServer, type TestServer } from '../harness.ts';
import { cronTabDefinition, cronTabs, definitionsPath, establish, version } from './definitions.ts';

async function start(t: Test, options: Parameters<typeof startTestServer>[0] = {}): Promise<TestServer> {
  const server = await startTestServer(options);
  t.teardown(() => server.stop());
  return server;
}

for (const { why, change, message } of [
  {
    why: 'a name of another group',
    change: { spec: { group: 'other.example.com' } },
    message: /metadata.name: Invalid value: "crontabs.stable.example.com": must be spec.names.plural\+"."\+spec.group/,
  },
  {
    why: 'a group without a dot',
    change: { spec: { group: 'stable' } },
    message: /spec.group: Invalid value: "stable": should be a domain with at least one dot/,
  },
  {
    why: 'two storage versions',
    change: { spec: { versions: [version('v1'), version('v2', { storage: true })] } },
    message: /must have exactly one version marked as storage version/,
  },
  {
    why: 'no schema',
    change: { spec: { versions: [{ name: 'v1', served: true, storage: true }] } },
    message: /schemas are required/,
  },
  {
    why: 'a field without a type',
    change: { spec: { versions: [version('v1', {}, { type: 'object', properties: { a: {} } })] } },
    message: /properties\[a\].type: Required value: must not be empty for specified object fields/,
  },
  {
    why: 'a default that does not fit',
    change: {
      spec: { versions: [version('v1', {}, { type: 'object', properties: { a: { type: 'integer', default: 'x' } } })] },
    },
    message: /properties\[a\].default: Invalid value: "string"/,
  },
  {
    why: 'a broken pattern',
    change: {
      spec: { versions: [version('v1', {}, { type: 'object', properties: { a: { type: 'string', pattern: '(' } } })] },
    },
    message: /must be a valid regular expression/,
  },
  {
    why: 'a pattern that can only be tried out',
    change: {
      spec: {
        versions: [version('v1', {}, { type: 'object', properties: { a: { type: 'string', pattern: '(?=a)' } } })],
      },
    },
    message: /must be a valid regular expression, but isn't: .*unsupported Perl syntax: \?=/,
  },
  {
    why: 'a rule that does not compile',
    change: {
      spec: { versions: [version('v1', {}, { type: 'object', 'x-kubernetes-validations': [{ rule: 'self.' }] })] },
    },
    message: /x-kubernetes-validations\[0\].rule: Invalid value: "self.": compilation failed/,
  },
  {
    why: 'a rule whose comprehension does not answer true or false',
    change: {
      spec: {
        versions: [version('v1', {}, { type: 'object', 'x-kubernetes-validations': [{ rule: '[1].all(i, v, v)' }] })],
      },
    },
    message:
      /rule: Invalid value: "\[1\].all\(i, v, v\)": compilation failed: all\(i, v, predicate\) must return bool, got 'int'/,
  },
  {
    why: 'a conversion webhook that is nowhere',
    change: {
      spec: {
        versions: [version('v1'), version('v2')],
        conversion: {
          strategy: 'Webhook',
          webhook: { conversionReviewVersions: ['v1'], clientConfig: { url: 'http://example.com' } },
        },
      },
    },
    message: /spec.conversion.webhookClientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme/,
  },
  {
    why: 'a protected group',
    change: { metadata: { name: 'crontabs.x.k8s.io' }, spec: { group: 'x.k8s.io' } },
    message: /metadata.annotations\[api-approved.kubernetes.io\]: Required value/,
  },
]) {
  t.test(`refused: ${why}`, async (t) => {
    const server = await start(t);
    const base = cronTabDefinition() as { metadata: object; spec: object };
    const given = { ...base, ...change, spec: { ...base.spec, ...change.spec } };
    const { status, body } = await server.call('POST', definitionsPath, given);
    t.equal(status, 422);
    t.match(body['message'], message);
  });
}

t.test('a schema is decoded by type, however deep', async (t) => {
  const server = await start(t);
  const post = async (field: unknown) => {
    const schema = { type: 'object', properties: { spec: { type: 'array', items: field } } };
    const { status, body } = await server.call('POST', definitionsPath, cronTabDefinition([version('v1', {}, schema)]));
    return [status, String(body['message'])] as const;
  };
  t.match(await post({ type: 'object', properties: [] }), [400, /cannot unmarshal array into Go struct field/]);
  t.match(await post({ type: 7 }), [400, /cannot unmarshal number into Go struct field JSONSchemaProps/]);
  t.match(await post({ type: 'object', required: {} }), [400, /cannot unmarshal object into Go struct field/]);
  t.match(await post({ type: 'object', additionalProperties: 'x' }), [400, /boolean or JSON schema expected/]);
  t.match(await post({ type: 'object', properties: { k: null } }), [422, /properties\[k\].type: Required value/]);
  t.match(await post('x'), [422, /properties\[spec\].items: Required value: must be specified/]);
  t.match(await post([{ type: 'string' }]), [422, /items must be a schema object and not an array/]);
  t.match(await post({ type: 'object', properties: null }), [201]);
});

t.test('what every version says the same is named once', async (t) => {
  const server = await start(t);
  const causes = async (...versions: Readonly<Record<string, unknown>>[]) => {
    const { body } = await server.call('POST', definitionsPath, cronTabDefinition(versions));
    const { details } = body as { details?: { causes: readonly { field: string }[] } };
    return details?.causes.map(({ field }) => field);
  };
  const bad = { type: 'object', properties: { a: {} } };
  const scale = { subresources: { scale: { specReplicasPath: 'x', statusReplicasPath: '.status.n' } } };
  const columns = { additionalPrinterColumns: [{ name: 'A', type: 'text', jsonPath: '.a' }] };
  const second = { storage: false };
  t.strictSame(await causes(version('v1', { ...scale, ...columns }, bad)), [
    'spec.validation.openAPIV3Schema.properties[a].type',
    'spec.subresources.scale.specReplicasPath',
    'spec.additionalPrinterColumns[0].type',
  ]);
  t.strictSame(await causes(version('v1', scale, bad), version('v2', { ...columns, ...second })), [
    'spec.versions[0].schema.openAPIV3Schema.properties[a].type',
    'spec.versions[0].subresources.scale.specReplicasPath',
    'spec.versions[1].additionalPrinterColumns[0].type',
  ]);
});

t.test('hostile rules and patterns do not stop the server', async (t) => {
  const server = await start(t);
  const text = { type: 'string' };
  const numbers = `[${Array.from({ length: 300 }, (_one, n) => n).join(', ')}]`;
  const rules = [
    { field: 'matched', schema: { ...text, 'x-kubernetes-validations': [{ rule: 'self.matches("^(a+)+$")' }] } },
    { field: 'pattern', schema: { ...text, pattern: '^(a+)+$' } },
    {
      field: 'literals',
      schema: {
        ...text,
        'x-kubernetes-validations': [
          { rule: `${numbers}.all(a, ${numbers}.all(b, ${numbers}.all(c, ${numbers}.all(d, a + b + c + d >= 0))))` },
        ],
      },
    },
    {
      field: 'split',
      schema: {
        ...text,
        'x-kubernetes-validations': [{ rule: 'self.split("").all(a, self.split("").all(b, a == b))' }],
      },
    },
  ];
  const properties = Object.fromEntries(rules.map(({ field, schema }) => [field, schema]));
  const schema = { type: 'object', properties: { spec: { type: 'object', properties } } };
  await establish(server, cronTabDefinition([version('v1', {}, schema)]));
  const post = async (spec: object) => {
    const object = { apiVersion: 'stable.example.com/v1', kind: 'CronTab', metadata: { name: 'a' }, spec };
    const { status, body } = await server.call('POST', `${cronTabs}?dryRun=All`, object);
    return [status, String(body['message'] ?? '')] as const;
  };
  const almost = `${'a'.repeat(60)}b`;
  t.match(await post({ matched: almost }), [422, /failed rule: self.matches/]);
  t.match(await post({ pattern: almost }), [422, /spec.pattern: Invalid value/]);
  t.match(await post({ literals: 'x' }), [422, /running out of cost budget/]);
  t.match(await post({ split: 'a'.repeat(20_000) }), [422, /running out of cost budget/]);
  t.match(await post({ matched: 'aaa', pattern: 'aaa', split: 'aaa' }), [201, '']);
});
