// What becomes of custom objects with nulls, with whole objects inside, and with numbers that the scale subresource reads.

import t, { type Test } from 'tap';
import { type Json, startTestServer, type TestServer } from '../harness.ts';
import { cronTab, cronTabDefinition, cronTabs, establish, version } from './definitions.ts';

const text = { type: 'string' };
const wholeObject = {
  type: 'object',
  'x-kubernetes-embedded-resource': true,
  'x-kubernetes-preserve-unknown-fields': true,
};

async function serve(t: Test, properties: object, more: object = {}): Promise<TestServer> {
  const server = await startTestServer();
  t.teardown(() => server.stop());
  const schema = {
    type: 'object',
    properties: {
      spec: { type: 'object', properties },
      status: { type: 'object', properties: { n: { type: 'integer' } } },
    },
  };
  await establish(server, cronTabDefinition([version('v1', more, schema)]));
  return server;
}

async function post(server: TestServer, spec: object): Promise<readonly [number, Json]> {
  const { status, body } = await server.call('POST', `${cronTabs}?dryRun=All`, cronTab('a', spec));
  return [status, status === 201 ? (body['spec'] as Json) : body];
}

function causes({ details }: Json): readonly string[] {
  return (details as { causes: readonly { field: string; message: string }[] }).causes.map(
    ({ field, message }) => `${field}: ${message}`,
  );
}

t.test('nulls go where they may not be, or give way to a default', async (t) => {
  const server = await serve(t, {
    plain: text,
    defaulted: { ...text, default: 'd' },
    nullable: { ...text, nullable: true },
    list: { type: 'array', items: { type: 'object', properties: { a: text } } },
    map: { type: 'object', additionalProperties: text },
    any: { 'x-kubernetes-preserve-unknown-fields': true },
  });
  const given = {
    plain: null,
    defaulted: null,
    nullable: null,
    list: [{ a: null }],
    map: { a: null },
    any: { a: null },
  };
  t.strictSame(await post(server, given), [
    201,
    { defaulted: 'd', nullable: null, list: [{}], map: {}, any: { a: null } },
  ]);
  t.match(await post(server, { list: [null] }), [
    422,
    { message: /spec.list\[0\] in body must be of type object: "null"/ },
  ]);
});

t.test('objects inside of others are whole objects', async (t) => {
  const server = await serve(t, { one: wholeObject, list: { type: 'array', items: wholeObject } });
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x', labels: { a: 'b' } }, spec: { a: 1 } };
  t.strictSame(await post(server, { one: pod, list: [pod] }), [201, { one: pod, list: [pod] }]);
  t.strictSame(await post(server, { one: { ...pod, metadata: { name: 'x', unheard: 1 } } }), [
    201,
    { one: { ...pod, metadata: { name: 'x' } } },
  ]);
  const [, empty] = await post(server, { list: [{}] });
  t.strictSame(causes(empty), [
    'spec.list[0].apiVersion: Required value: must not be empty',
    'spec.list[0].kind: Required value: must not be empty',
  ]);
  const [, labelled] = await post(server, { one: { ...pod, metadata: { labels: { a: 'b c' } } } });
  t.match(causes(labelled), [/^spec.one.metadata.labels: Invalid value: "b c"/]);
  t.match(await post(server, { one: { ...pod, kind: 7 } }), [
    400,
    { message: /spec.one.kind: Invalid value: 7: must be a string/ },
  ]);
  t.match(await post(server, { one: { ...pod, metadata: { labels: 7 } } }), [
    400,
    { message: /spec.one.metadata: Invalid/ },
  ]);
  t.match(await post(server, { one: { ...pod, metadata: 'x' } }), [
    400,
    { message: /into Go value of type v1.ObjectMeta/ },
  ]);
});

t.test('metadata that is no object is refused', async (t) => {
  const server = await serve(t, {});
  const { status, body } = await server.call('POST', cronTabs, { ...cronTab('a'), metadata: 'x' });
  t.match([status, body], [400, { message: /cannot unmarshal string into Go value of type v1.ObjectMeta/ }]);
});

t.test('what the scale subresource reads must be replicas', async (t) => {
  const any = { 'x-kubernetes-preserve-unknown-fields': true };
  const scale = { specReplicasPath: '.spec.n', statusReplicasPath: '.status.n', labelSelectorPath: '.spec.selector' };
  const server = await serve(t, { n: any, selector: any }, { subresources: { scale } });
  const wrong = async (spec: object): Promise<readonly string[]> => causes((await post(server, spec))[1]);
  t.strictSame(await wrong({ n: -1 }), ['.spec.n: Invalid value: -1: should be a non-negative integer']);
  t.strictSame(await wrong({ n: 3e9 }), [
    '.spec.n: Invalid value: 3000000000: should be less than or equal to 2147483647',
  ]);
  t.strictSame(await wrong({ n: 'x', selector: 5 }), [
    '.spec.n: Invalid value: 0: .spec.n accessor error: x is of the type string, expected int64',
    '.spec.selector: Invalid value: "": .spec.selector accessor error: 5 is of the type int64, expected string',
  ]);
});
