// Decoding: what is kept, what is reported, and upstream's words for what is refused.

import t from 'tap';
import { conformObject, decodeObject, type KubeObject, kinds, strictDecodingMessage } from '../../src/api/index.ts';
import { ensureSchemas } from './schemas.ts';

ensureSchemas();

const decode = (text: string): { object: KubeObject; problems: readonly string[] } =>
  decodeObject(kinds.pod, Buffer.from(text));

t.test('unknown and duplicate fields are named by path and taken out', async (t) => {
  const { object, problems } = decode(
    '{"spec":{"foo":1,"hostNetwork":true,"containers":[{"name":"a","bar":{"x":[{"y":1}]}}],"hostNetwork":false},"extra":null}',
  );
  t.strictSame(problems, [
    'duplicate field "spec.hostNetwork"',
    'unknown field "spec.foo"',
    'unknown field "spec.containers[0].bar"',
    'unknown field "extra"',
  ]);
  t.strictSame(object, { spec: { containers: [{ name: 'a' }] }, apiVersion: 'v1', kind: 'Pod' });
  t.equal(
    strictDecodingMessage(kinds.deployment, ['unknown field "spec.foo"']),
    'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.foo"',
  );
});

t.test('zeros that mean absent are dropped, others stay', async (t) => {
  const body = {
    metadata: { labels: {}, finalizers: [] },
    spec: {
      replicas: 0,
      paused: false,
      minReadySeconds: 0,
      selector: {},
      template: {
        metadata: {},
        spec: { hostname: '', enableServiceLinks: false, volumes: [{ name: 'v', emptyDir: {} }] },
      },
    },
  };
  t.strictSame(decodeObject(kinds.deployment, Buffer.from(JSON.stringify(body))).object, {
    metadata: {},
    spec: {
      replicas: 0,
      selector: {},
      template: { metadata: {}, spec: { enableServiceLinks: false, volumes: [{ name: 'v', emptyDir: {} }] } },
    },
    apiVersion: 'apps/v1',
    kind: 'Deployment',
  });
});

t.test('the duplicate scan is not fooled by text that looks like keys', async (t) => {
  const { problems } = decode(
    String.raw`{"metadata":{"annotations":{"a":"{\"b\":1,\"b\":2}:","b\\":"\"","b":":"},"labels":{"a":"1","b":"2"}}}`,
  );
  t.strictSame(problems, []);
  t.strictSame(decode(String.raw`{"metadata":{"annotations":{"a":"1","\u0061":"2"}}}`).problems, [
    'duplicate field "metadata.annotations.a"',
  ]);
});

t.test('nulls are dropped, and stand for zero inside lists and maps', async (t) => {
  const { object } = decode(
    '{"metadata":{"creationTimestamp":null,"labels":{"a":null}},"spec":{"containers":[null]},"status":null}',
  );
  t.strictSame(object, { metadata: { labels: { a: '' } }, spec: { containers: [{}] }, apiVersion: 'v1', kind: 'Pod' });
});

t.test('quantities and times get the form that upstream answers with', async (t) => {
  const { object } = decode(
    '{"metadata":{"creationTimestamp":"2026-01-01T01:00:00.5+01:00"},"spec":{"containers":[{"resources":{"limits":{"cpu":0.5,"memory":"1024Mi"}}}]}}',
  );
  t.match(object, {
    metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { containers: [{ resources: { limits: { cpu: '500m', memory: '1Gi' } } }] },
  });
  const lease = decodeObject(kinds.lease, Buffer.from('{"spec":{"renewTime":"2026-01-01T00:00:00.1234567Z"}}'));
  t.match(lease.object, { spec: { renewTime: '2026-01-01T00:00:00.123456Z' } });
});

const refused: readonly (readonly [body: string, message: string | RegExp])[] = [
  [
    '{"spec":{"hostNetwork":"x"}}',
    'json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool',
  ],
  [
    '{"spec":{"containers":[{"ports":[{"containerPort":"80"}]}]}}',
    'json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
  ],
  [
    '{"spec":{"containers":[{"ports":[{"containerPort":99999999999}]}]}}',
    'json: cannot unmarshal number 99999999999 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
  ],
  [
    '{"spec":{"containers":{}}}',
    'json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container',
  ],
  [
    '{"metadata":{"labels":[]}}',
    'json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string',
  ],
  ['{"spec":{"containers":[{"resources":{"limits":{"cpu":"abc"}}}]}}', /quantities must match the regular expression/],
  ['{"metadata":{"creationTimestamp":"yesterday"}}', /parsing time "yesterday" as "2006-01-02T15:04:05Z07:00"/],
  ['{"metadata":{"labels":{"__proto__":"x"}}}', /"__proto__" is not accepted as a key/],
];

t.test('a wrong type ends in upstream words', async (t) => {
  for (const [body, message] of refused) {
    const want = typeof message === 'string' ? `Pod in version "v1" cannot be handled as a Pod: ${message}` : message;
    t.throws(() => decode(body), { name: 'DecodeError', message: want }, body);
  }
});

t.test('a body that is no object of the kind is refused', async (t) => {
  t.throws(() => decode(''), { message: /unexpected end of JSON input \(<empty>\)$/ });
  t.throws(() => decode('{"a":'), {
    message: /must be of type Pod\): couldn't get version\/kind; json parse error: unexpected end of JSON/,
  });
  t.throws(() => decode('xyz'), { message: /invalid character 'x' looking for beginning of value \(78797a\)$/ });
  t.throws(() => decode('[]'), { message: /cannot unmarshal array into Go value/ });
  t.throws(() => decode('{"kind":"Service","apiVersion":"v1"}'), {
    message: /^Service in version "v1" cannot be handled as a Pod/,
  });
  t.throws(() => decode('{"kind":"Pod","apiVersion":"v2"}'), {
    message: 'the API version in the data (v2) does not match the expected API version (v1)',
  });
});

t.test('hostile bodies are refused and change nothing outside', async (t) => {
  t.throws(() => decodeObject(kinds.pod, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), {
    message: /invalid UTF-8/,
  });
  t.throws(() => decode(`{"spec":${'['.repeat(5000)}${']'.repeat(5000)}}`), { message: /exceeded max depth/ });
  decode('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
  t.equal(({} as { polluted?: number }).polluted, undefined);
});

t.test('null is an object without fields', async (t) => {
  t.strictSame(decodeObject(kinds.pod, Buffer.from('null')).object, { apiVersion: 'v1', kind: 'Pod' });
});

t.test('an object of a kind without a schema names its kind', async (t) => {
  const custom = { group: 'example.com', version: 'v1', kind: 'Custom' };
  t.match(decodeObject(custom, Buffer.from('{"kind":"Custom"}')).object, {
    apiVersion: 'example.com/v1',
    kind: 'Custom',
  });
  t.throws(() => decodeObject(custom, Buffer.from('{"metadata":{}}')), {
    message: /Object 'Kind' is missing in '{"metadata":{}}'/,
  });
});

t.test('YAML bodies', async (t) => {
  const yaml = (text: string): KubeObject => decodeObject(kinds.pod, Buffer.from(text), { format: 'yaml' }).object;
  t.match(yaml('metadata: {name: x}\nspec:\n  hostNetwork: yes\n  terminationGracePeriodSeconds: 5\n'), {
    spec: { hostNetwork: true, terminationGracePeriodSeconds: 5 },
  });
  t.match(yaml('metadata: {name: a}\n---\nmetadata: {name: b}\n'), { metadata: { name: 'a' } }, 'one document counts');
  t.strictSame(yaml('# nothing\n'), { apiVersion: 'v1', kind: 'Pod' });
  t.strictSame(decodeObject(kinds.pod, Buffer.from('metadata:\n  name: a\n  name: b\n'), { format: 'yaml' }), {
    object: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'b' } },
    problems: ['yaml: unmarshal errors:\n  line 3: key "name" already set in map'],
  });
  t.throws(() => yaml('a: b: c'), { message: /error converting YAML to JSON: yaml: line 1/ });
  t.throws(
    () =>
      yaml(
        'a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n',
      ),
    {
      message: /excessive aliasing/,
    },
  );
});

t.test('the result of a patch is checked like a body', async (t) => {
  const object: KubeObject = { ...{ spec: { containers: [], foo: 1 } }, apiVersion: 'v1', kind: 'Pod' };
  t.strictSame(conformObject(kinds.pod, object), ['unknown field "spec.foo"']);
  t.throws(() => conformObject(kinds.pod, { apiVersion: 'v1', kind: 'Node' }), { name: 'DecodeError' });
});
