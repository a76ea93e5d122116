// Patches of each type. The strategic cases are those of the API conventions and of kubectl's documentation.

import t from 'tap';
import {
  applyJsonPatch,
  applyMergePatch,
  applyStrategicMergePatch,
  builtInSchemas,
  type KindSpec,
  kinds,
} from '../../src/api/index.ts';
import { ensureSchemas } from './schemas.ts';

ensureSchemas();

function strategic(kind: KindSpec, object: object, patch: unknown): object {
  const schema = builtInSchemas().ofKind(kind);
  if (schema === undefined) throw new Error(`no schema for ${kind.kind}`);
  return applyStrategicMergePatch(schema, object, patch);
}

const containers = (...names: string[]): object => ({ spec: { containers: names.map((name) => ({ name })) } });

interface Case {
  readonly name: string;
  readonly kind?: KindSpec;
  readonly given: object;
  readonly patch: object;
  readonly want: object;
}

const cases: readonly Case[] = [
  {
    name: 'a container is merged by name',
    given: { spec: { containers: [{ name: 'a', image: '1', args: ['x'] }, { name: 'b' }] } },
    patch: { spec: { containers: [{ name: 'a', image: '2', args: ['y'] }] } },
    want: { spec: { containers: [{ name: 'a', image: '2', args: ['y'] }, { name: 'b' }] } },
  },
  {
    name: 'a new item comes first: the patch sets the order of what it names',
    given: containers('nginx'),
    patch: containers('redis'),
    want: containers('redis', 'nginx'),
  },
  {
    name: '$setElementOrder places items; what only the server has keeps its place',
    given: containers('a', 'server', 'b'),
    patch: {
      spec: {
        '$setElementOrder/containers': [{ name: 'b' }, { name: 'c' }, { name: 'a' }],
        containers: [{ name: 'c' }],
      },
    },
    want: {
      spec: { containers: [{ name: 'server' }, { name: 'b' }, { name: 'c' }, { name: 'a' }] },
    },
  },
  {
    name: '$setElementOrder alone reorders',
    given: containers('a', 'b'),
    patch: { spec: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] } },
    want: containers('b', 'a'),
  },
  {
    name: '$patch: delete takes an item out',
    given: containers('a', 'b'),
    patch: { spec: { containers: [{ $patch: 'delete', name: 'a' }] } },
    want: containers('b'),
  },
  {
    name: '$patch: replace as an item replaces the list',
    given: containers('a', 'b'),
    patch: { spec: { containers: [{ name: 'z' }, { $patch: 'replace' }] } },
    want: containers('z'),
  },
  {
    name: '$patch: replace replaces a map',
    given: { metadata: { labels: { a: '1', b: '2' } } },
    patch: { metadata: { labels: { $patch: 'replace', c: '3' } } },
    want: { metadata: { labels: { c: '3' } } },
  },
  {
    name: '$patch: delete removes a map',
    given: { spec: { securityContext: { runAsUser: 1 }, nodeName: 'n' } },
    patch: { spec: { securityContext: { $patch: 'delete' } } },
    want: { spec: { nodeName: 'n' } },
  },
  {
    name: 'null removes a key, also of an item',
    given: { spec: { containers: [{ name: 'a', image: '1', tty: true }], nodeName: 'n' } },
    patch: { spec: { nodeName: null, containers: [{ name: 'a', tty: null }] } },
    want: { spec: { containers: [{ name: 'a', image: '1' }] } },
  },
  {
    name: 'a list without a merge key is replaced',
    given: { spec: { tolerations: [{ key: 'a' }, { key: 'b' }] } },
    patch: { spec: { tolerations: [{ key: 'c' }] } },
    want: { spec: { tolerations: [{ key: 'c' }] } },
  },
  {
    name: 'scalars merge as a set, and $deleteFromPrimitiveList takes out',
    given: { metadata: { finalizers: ['a', 'b'] } },
    patch: { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'], finalizers: ['c', 'b'] } },
    want: { metadata: { finalizers: ['c', 'b'] } },
  },
  {
    name: '$deleteFromPrimitiveList alone',
    given: { metadata: { finalizers: ['a', 'b'] } },
    patch: { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } },
    want: { metadata: { finalizers: ['b'] } },
  },
  {
    name: '$retainKeys keeps of a union only what the patch names',
    kind: kinds.deployment,
    given: { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } }, replicas: 3 } },
    patch: { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
    want: { spec: { strategy: { type: 'Recreate' }, replicas: 3 } },
  },
  {
    name: '$retainKeys in an item: a volume changes its source',
    given: { spec: { volumes: [{ name: 'v', emptyDir: {} }] } },
    patch: { spec: { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] } },
    want: { spec: { volumes: [{ name: 'v', hostPath: { path: '/x' } }] } },
  },
  {
    name: 'service ports merge on the port number',
    kind: kinds.service,
    given: { spec: { ports: [{ port: 80, nodePort: 30000 }] } },
    patch: { spec: { ports: [{ port: 80, targetPort: 8080 }, { port: 81 }] } },
    want: { spec: { ports: [{ port: 80, nodePort: 30000, targetPort: 8080 }, { port: 81 }] } },
  },
  {
    name: 'node conditions merge on their type, what a status patch relies on',
    kind: kinds.node,
    given: {
      status: {
        conditions: [
          { type: 'Ready', status: 'False' },
          { type: 'DiskPressure', status: 'False' },
        ],
      },
    },
    patch: {
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        '$setElementOrder/conditions': [{ type: 'DiskPressure' }, { type: 'Ready' }],
      },
    },
    want: {
      status: {
        conditions: [
          { type: 'DiskPressure', status: 'False' },
          { type: 'Ready', status: 'True' },
        ],
      },
    },
  },
];

t.test('strategic merge patch', async (t) => {
  for (const { name, kind = kinds.pod, given, patch, want } of cases) {
    const before = structuredClone(given);
    t.strictSame(strategic(kind, given, patch), want, name);
    t.strictSame(given, before, `${name}: the original is not changed`);
  }
});

t.test('strategic merge patches that make no sense', async (t) => {
  const pod = { spec: { containers: [{ name: 'a' }] } };
  t.throws(() => strategic(kinds.pod, pod, []), {
    name: 'PatchError',
    message: /cannot unmarshal array into Go value of type map/,
  });
  t.throws(() => strategic(kinds.pod, pod, { spec: { containers: [{ image: 'x' }] } }), {
    message: /does not contain declared merge key: name/,
  });
  t.throws(() => strategic(kinds.pod, pod, { spec: { $patch: 'explode' } }), {
    message: 'unknown patch type found: explode',
  });
  t.throws(
    () => strategic(kinds.deployment, {}, { spec: { strategy: { $retainKeys: ['type'], rollingUpdate: {} } } }),
    {
      message: /retainKeys/,
    },
  );
  t.throws(() => strategic(kinds.pod, pod, JSON.parse('{"metadata":{"__proto__":{"polluted":1}}}')), {
    name: 'PatchError',
  });
  t.equal(({} as { polluted?: number }).polluted, undefined);
});

t.test('JSON merge patch (RFC 7386)', async (t) => {
  t.strictSame(applyMergePatch({ a: { b: 1, c: 2 }, l: [1] }, { a: { b: null, d: { e: null, f: 1 } }, l: [2] }), {
    a: { c: 2, d: { f: 1 } },
    l: [2],
  });
  t.throws(() => applyMergePatch({}, 'x'), { name: 'PatchError', fault: 'BadRequest' });
  t.throws(() => applyMergePatch({}, JSON.parse('{"__proto__":{"polluted":1}}')), { name: 'PatchError' });
});

const jsonFaults: readonly (readonly [patch: unknown, fault: string, message: RegExp])[] = [
  [{}, 'BadRequest', /cannot unmarshal object/],
  [['x'], 'BadRequest', /cannot unmarshal string into Go value of type jsonpatch.Operation/],
  [[null], 'Invalid', /^Unexpected kind: unknown$/],
  [
    [{ op: 'remove', path: '/spec/none' }],
    'Invalid',
    /^error in remove for path: '\/spec\/none': Unable to remove nonexistent key: none: missing value$/,
  ],
  [[{ op: 'remove', path: '/none/a' }], 'Invalid', /doc is missing path: "\/none\/a": missing value/],
  [[{ op: 'replace', path: '/spec/none/a', value: 1 }], 'Invalid', /replace operation does not apply/],
  [[{ op: 'replace', path: '/l/2', value: 1 }], 'Invalid', /doc is missing key: \/l\/2/],
  [[{ op: 'add', path: '/a/b/c', value: 1 }], 'Invalid', /add operation does not apply/],
  [[{ op: 'add', path: '/l/9', value: 1 }], 'Invalid', /Unable to access invalid index: 9: invalid index referenced/],
  [[{ op: 'add', path: '/l/-4', value: 1 }], 'Invalid', /Unable to access invalid index: -4/],
  [[{ op: 'remove', path: '/l/x' }], 'Invalid', /value was not a proper array index: 'x'/],
  [[{ op: 'add', value: 1 }], 'Invalid', /^add operation failed to decode path: missing value$/],
  [[{ op: 'copy', path: '/spec/b' }], 'Invalid', /^copy operation failed to decode from: missing value$/],
  [[{ op: 'test', path: '/spec/a', value: 2 }], 'Invalid', /^testing value \/spec\/a failed: test failed$/],
  [[{ op: 'explode', path: '/spec' }], 'Invalid', /Unexpected kind: explode/],
  [[{ op: 'add', path: '/__proto__/polluted', value: 1 }], 'BadRequest', /not accepted/],
  [[{ op: 'replace', path: '', value: 5 }], 'Invalid', /must be object or array/],
  [[{ op: 'replace', path: '', value: [] }], 'Invalid', /does not leave an object/],
  [Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/spec/a', value: 1 })), 'RequestEntityTooLarge', /10000/],
];

t.test('JSON patch (RFC 6902)', async (t) => {
  const given = { spec: { a: 1 }, l: [1, 2] };
  const patch = [
    { op: 'test', path: '/spec', value: { a: 1 } },
    { op: 'add', path: '/l/-', value: 3 },
    { op: 'add', path: '/l/0', value: 0 },
    { op: 'move', from: '/spec/a', path: '/spec/b~1c' },
    { op: 'copy', from: '/l', path: '/m' },
  ];
  t.strictSame(applyJsonPatch(given, patch), { spec: { 'b/c': 1 }, l: [0, 1, 2, 3], m: [0, 1, 2, 3] });
  t.strictSame(given, { spec: { a: 1 }, l: [1, 2] }, 'the original is not changed');
  t.strictSame(applyJsonPatch(given, null), given, 'null is a patch without operations');
  t.strictSame(
    applyJsonPatch(given, [
      { op: 'test', path: '/spec/none', value: null },
      { op: 'replace', path: '/spec/none', value: 2 },
      { op: 'copy', from: '/spec/absent', path: '/spec/copied' },
      { op: 'remove', path: '/l/-1' },
      { op: 'add', path: '/l/-1', value: 9 },
    ]),
    { spec: { a: 1, none: 2, copied: null }, l: [1, 9] },
    'absent fields read as null, and indexes count from the end',
  );
  for (const [bad, fault, message] of jsonFaults) {
    t.throws(
      () => applyJsonPatch(given, bad),
      { name: 'PatchError', fault, message },
      JSON.stringify(bad).slice(0, 80),
    );
  }
});

t.test('copy operations cannot blow an object up', async (t) => {
  const doubling = Array.from({ length: 40 }, () => ({ op: 'copy', from: '/a', path: '/a/-' }));
  t.throws(() => applyJsonPatch({ a: ['x'.repeat(1000)] }, doubling), { message: /make the object too large/ });
});
