// Protobuf against JSON: every kind with every field filled in, the rules of zeros, bytes on the wire, hostile bodies.

import t from 'tap';
import {
  allKinds,
  apiVersionOf,
  builtInSchemas,
  DecodeError,
  decodeObject,
  decodeProtobuf,
  encodeProtobuf,
  encodeProtobufList,
  hasProtobuf,
  type KubeObject,
  kinds,
  type ObjectSchema,
  protobufWatchFrame,
  type Schema,
} from '../../src/api/index.ts';

/** A value for each field that a schema knows, a different one for each path. */
function filled(schema: Schema, path: string, depth = 0): unknown {
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        [...schema.fields]
          .filter(([name, field]) => !isTypeOfPart(schema, name, depth) && !isRecursive(field.schema, path))
          .map(([name, field]) => [name, filled(field.schema, `${path}.${name}`, depth + 1)]),
      );
    case 'list':
      return [filled(schema.items, `${path}.0`, depth), filled(schema.items, `${path}.1`, depth)];
    case 'map':
      return { a: filled(schema.values, `${path}.a`, depth), b: filled(schema.values, `${path}.b`, depth) };
    case 'boolean':
      return true;
    case 'int32':
      return -path.length;
    case 'int64':
      return 2 ** 40 + path.length;
    case 'number':
      return 1.5;
    case 'bytes':
      return Buffer.from(path).toString('base64');
    case 'time':
      return '2026-01-02T03:04:05Z';
    case 'microTime':
      return '2026-01-02T03:04:05.000678Z';
    case 'quantity':
      return '1500m';
    case 'intOrString':
      return path.length % 2 === 0 ? path.length : 'name';
    case 'any':
      return { of: path };
    case 'string':
      return `ä${path}`;
  }
}

/** Protobuf has the kind of an object in its envelope alone: a volume claim template's is not sent. */
function isTypeOfPart({ name, fields }: ObjectSchema, field: string, depth: number): boolean {
  const isKind = fields.has('metadata') || name.endsWith('.DeleteOptions');
  return depth > 0 && isKind && (field === 'apiVersion' || field === 'kind');
}

/** Schemas of CustomResourceDefinitions hold themselves; the first level says enough. */
function isRecursive(schema: Schema, path: string): boolean {
  const inner = schema.type === 'list' ? schema.items : schema.type === 'map' ? schema.values : schema;
  return inner.type === 'object' && inner.name.endsWith('.JSONSchemaProps') && path.includes('openAPIV3Schema');
}

/** Unions with a JSON form of their own are `any` to the schema; here they get what they hold. */
function withUnions(kind: string, object: KubeObject): KubeObject {
  if (kind !== 'CustomResourceDefinition') return object;
  const schema = {
    type: 'object',
    items: { type: 'string' },
    additionalProperties: true,
    dependencies: { a: ['x', 'y'], b: { type: 'string' } },
    default: { any: [1, 'b', null] },
    enum: ['a', 1, true],
    maximum: 0.25,
    $ref: '#/definitions/x',
    'x-kubernetes-int-or-string': true,
    properties: { p: { additionalProperties: { type: 'integer' } }, q: { additionalProperties: false } },
    allOf: [{ items: [{ type: 'string' }, { type: 'number' }] }],
  };
  const { spec } = object as { spec: { versions: { schema: object }[] } };
  for (const version of spec.versions) version.schema = { openAPIV3Schema: schema };
  return object;
}

for (const kind of allKinds) {
  const schema = builtInSchemas().ofKind(kind);
  if (schema === undefined) continue;
  t.test(
    `${kind.kind} of ${apiVersionOf(kind)} survives protobuf with every field that its schema knows`,
    async (t) => {
      const body = { ...(filled(schema, '') as KubeObject), apiVersion: apiVersionOf(kind), kind: kind.kind };
      const object = withUnions(kind.kind, body);
      const bytes = encodeProtobuf(object);
      t.strictSame(decodeProtobuf(bytes), object);
      const { object: decoded, problems } = decodeObject(kind, bytes, { format: 'protobuf' });
      t.strictSame(problems, []);
      t.strictSame(decoded, decodeObject(kind, Buffer.from(JSON.stringify(object))).object);
    },
  );
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
/** `k8s\0`, v1 and `kind`, and `raw` in hex. */
function sealed(kind: string, raw: string, apiVersion = 'v1'): Buffer {
  const text = (value: string): Buffer => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
  const type = Buffer.concat([hex('0a'), text(apiVersion), hex('12'), text(kind)]);
  const body = hex(raw);
  return Buffer.concat([
    hex('6b387300 0a'),
    Buffer.from([type.length]),
    type,
    hex('12'),
    Buffer.from([body.length]),
    body,
  ]);
}

const meta = { apiVersion: 'v1', kind: 'ConfigMap' };

t.test('bytes on the wire', async (t) => {
  const raw = '0a03 0a01 61  1206 0a01 6b 1201 76';
  const object = { ...meta, metadata: { name: 'a' }, data: { k: 'v' } };
  t.strictSame(decodeProtobuf(sealed('ConfigMap', raw)), object);
  t.equal(
    encodeProtobuf(object).toString('hex'),
    Buffer.concat([sealed('ConfigMap', raw), hex('1a00 2200')]).toString('hex'),
  );

  const list = encodeProtobufList({ apiVersion: 'v1', kind: 'ConfigMapList', metadata: { resourceVersion: '7' } }, [
    () => object,
  ]);
  t.strictSame(decodeProtobuf(list), {
    apiVersion: 'v1',
    kind: 'ConfigMapList',
    metadata: { resourceVersion: '7' },
    items: [{ metadata: { name: 'a' }, data: { k: 'v' } }],
  });
  const frame = protobufWatchFrame('ADDED', hex('6b387300'));
  t.equal(frame.toString('hex'), hex('0000000f 0a05 4144444544 1206 0a04 6b387300').toString('hex'));
});

const decodings = [
  {
    name: 'values are left out when zero, where JSON does',
    kind: 'ConfigMap',
    raw: '0a020a00',
    want: { metadata: {} },
  },
  {
    name: 'a struct by value is always there',
    kind: 'Service',
    raw: '',
    want: { metadata: {}, spec: {}, status: { loadBalancer: {} } },
  },
  { name: 'what JSON always has is there with its zero', kind: 'Binding', raw: '', want: { metadata: {}, target: {} } },
  { name: 'a pointer to zero is there', kind: 'ConfigMap', raw: '2000', want: { metadata: {}, immutable: false } },
  {
    name: 'a zero time is null, the epoch is a time',
    kind: 'Event',
    raw: '3200 3a0408001000',
    want: { firstTimestamp: null, lastTimestamp: '1970-01-01T00:00:00Z' },
  },
  { name: 'the last value counts', kind: 'ConfigMap', raw: '2001 2000', want: { immutable: false } },
  {
    name: 'unknown fields are passed over',
    kind: 'ConfigMap',
    raw: 'f80701 f90700000000 00000000 fa0702ffff fd0700000000 fb070801fc07 2001',
    want: { immutable: true },
  },
  { name: 'an empty key and value', kind: 'ConfigMap', raw: '1200', want: { data: { '': '' } } },
] as const;

for (const { name, kind, raw, want } of decodings) {
  t.test(name, async (t) => t.match(decodeProtobuf(sealed(kind, raw)), want));
}

t.test('numbers in a list, one by one and packed', async (t) => {
  const securityContext = (raw: string) => sealed('Pod', `12${len(`72${len(raw)}`)}`);
  const want = { spec: { securityContext: { supplementalGroups: [1, -2] } } };
  const minusTwo = 'feffffffffffffffff01';
  t.match(decodeProtobuf(securityContext(`2001 20${minusTwo}`)), want);
  t.match(decodeProtobuf(securityContext(`22${len(`01${minusTwo}`)}`)), want);
});

/** Hex with its length in front. */
function len(raw: string): string {
  const bytes = raw.replaceAll(/\s/g, '');
  return (bytes.length / 2).toString(16).padStart(2, '0') + bytes;
}

t.test('options come under the version of whatever they are about', async (t) => {
  t.strictSame(decodeProtobuf(sealed('DeleteOptions', '0805 22 0a 4261636b67726f756e64', 'apps/v1')), {
    apiVersion: 'apps/v1',
    kind: 'DeleteOptions',
    gracePeriodSeconds: 5,
    propagationPolicy: 'Background',
  });
});

t.test('an envelope without a kind holds the expected one', async (t) => {
  const bare = hex('6b387300 1202 2001');
  t.strictSame(decodeObject(kinds.configMap, bare, { format: 'protobuf' }).object, {
    ...meta,
    metadata: {},
    immutable: true,
  });
  t.throws(() => decodeProtobuf(bare), { message: 'no kind "" is registered for version ""' });
});

t.test('another kind than the path is for', async (t) => {
  t.throws(() => decodeObject(kinds.pod, sealed('ConfigMap', ''), { format: 'protobuf' }), {
    name: 'DecodeError',
    message: /^ConfigMap in version "v1" cannot be handled as a Pod/,
  });
});

t.test('kinds without a protobuf form', async (t) => {
  t.notOk(hasProtobuf({ apiVersion: 'example.com/v1', kind: 'Widget' }));
  t.notOk(hasProtobuf({ apiVersion: 'apps.example.com/v1', kind: 'Deployment' }));
  t.throws(() => encodeProtobuf({ apiVersion: 'example.com/v1', kind: 'Widget' }), { message: /no protobuf form/ });
});

const hostile: readonly { readonly name: string; readonly body: Buffer; readonly message: RegExp }[] = [
  { name: 'nothing', body: Buffer.alloc(0), message: /expected prefix/ },
  { name: 'JSON', body: Buffer.from('{"kind":"ConfigMap"}'), message: /expected prefix/ },
  { name: 'a cut envelope', body: sealed('ConfigMap', '2001').subarray(0, -1), message: /unexpected EOF/ },
  { name: 'a length past the end', body: sealed('ConfigMap', '0aff01'), message: /unexpected EOF/ },
  {
    name: 'a length past the message, within the body',
    body: sealed('ConfigMap', '0a030aff00 2001 2001'),
    message: /unexpected EOF/,
  },
  { name: 'a huge length', body: sealed('ConfigMap', '0affffffff0f'), message: /unexpected EOF/ },
  { name: 'a varint without an end', body: sealed('ConfigMap', `20${'ff'.repeat(11)}`), message: /integer overflow/ },
  { name: 'a varint that is cut off', body: sealed('ConfigMap', '20ff'), message: /unexpected EOF/ },
  {
    name: 'a wrong wire type',
    body: sealed('ConfigMap', '0801'),
    message: /wrong wireType = 0 for field metadata of core\/v1\.ConfigMap/,
  },
  { name: 'a wrong wire type in a list', body: sealed('Pod', '0a03 7001 00'), message: /wrong wireType = 0/ },
  { name: 'field number zero', body: sealed('ConfigMap', '0200'), message: /illegal tag/ },
  { name: 'wire type seven', body: sealed('ConfigMap', 'ff07'), message: /illegal wireType 7/ },
  { name: 'the end of a group that did not begin', body: sealed('ConfigMap', 'fc07'), message: /end of group/ },
  { name: 'a group without an end', body: sealed('ConfigMap', 'fb07'), message: /unexpected EOF/ },
  {
    name: 'a key that would be a prototype',
    body: sealed('ConfigMap', '120d 0a09 5f5f70726f746f5f5f 1200'),
    message: /__proto__/,
  },
  { name: 'a time past year 9999', body: sealed('Event', '3207 08 80809ca6a40e'), message: /year outside of range/ },
  {
    name: 'JSON that does not parse',
    body: sealed('ControllerRevision', '12030a017b', 'apps/v1'),
    message: /json parse error/,
  },
];

for (const { name, body, message } of hostile) {
  t.test(`refused: ${name}`, async (t) => {
    t.throws(() => decodeProtobuf(body), { name: 'DecodeError', message });
  });
}

const definition = (raw: Buffer): Buffer => enveloped('apiextensions.k8s.io/v1', 'CustomResourceDefinition', raw);

function enveloped(apiVersion: string, kind: string, raw: Buffer): Buffer {
  const type = sealed(kind, '', apiVersion).subarray(0, -2);
  return Buffer.concat([type, hex('12'), field(raw)]);
}

/** A length as a varint, and the bytes. */
function field(raw: Buffer): Buffer {
  const length: number[] = [];
  let left = raw.length;
  for (; left > 127; left >>>= 7) length.push((left & 127) | 128);
  return Buffer.concat([Buffer.from([...length, left]), raw]);
}

t.test('refused: nesting without an end', async (t) => {
  const nested = (depth: number): Buffer => {
    let schema = Buffer.alloc(0);
    // JSONSchemaProps.not
    for (let level = 0; level < depth; level += 1) schema = Buffer.concat([hex('e201'), field(schema)]);
    return definition(
      Buffer.concat([
        hex('12'),
        field(
          Buffer.concat([
            hex('3a'),
            field(Buffer.concat([hex('22'), field(Buffer.concat([hex('0a'), field(schema)]))])),
          ]),
        ),
      ]),
    );
  };
  t.ok(decodeProtobuf(nested(100)));
  t.throws(() => decodeProtobuf(nested(5000)), { name: 'DecodeError', message: /max depth/ });
});

t.test('refused: small messages that would become a heap of objects', async (t) => {
  const volumes = Buffer.alloc(1_400_000);
  for (let at = 0; at < volumes.length; at += 2) volumes[at] = 0x0a;
  const body = enveloped('v1', 'Pod', Buffer.concat([hex('12'), field(volumes)]));
  t.throws(() => decodeProtobuf(body), { name: 'DecodeError', message: /more than 500000 messages/ });
});

t.test('whatever is cut or turned over, the answer is an object or a DecodeError', async (t) => {
  const schema = required(builtInSchemas().ofKind(kinds.service));
  const bytes = encodeProtobuf({ ...(filled(schema, '') as KubeObject), apiVersion: 'v1', kind: 'Service' });
  let refused = 0;
  for (let at = 4; at < bytes.length; at += 1) {
    const turned = Buffer.from(bytes);
    turned[at] = (turned[at] ?? 0) ^ (1 << (at & 7));
    for (const body of [turned, bytes.subarray(0, at)]) {
      try {
        decodeProtobuf(body);
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        refused += 1;
      }
    }
  }
  t.ok(refused > 1000);
});

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('nothing there');
  return value;
}
