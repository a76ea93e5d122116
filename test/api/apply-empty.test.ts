// Objects and lists that an applied configuration names empty: they stay when what they held goes.

import t from 'tap';
import { emptySet } from '../../src/api/apply/field-set.ts';
import {
  applyConfiguration,
  createApplyTypes,
  customKinds,
  type FieldWrite,
  type KindSpec,
  type KubeObject,
  kinds,
  trackUpdate,
} from '../../src/api/index.ts';

const types = createApplyTypes();
const text = { type: 'string' };
const thing = (x: object): object => ({ type: 'object', properties: { x: text }, ...x });
const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'things.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'things', kind: 'Thing' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: {
                  object: thing({}),
                  whole: thing({ 'x-kubernetes-map-type': 'atomic' }),
                  map: { type: 'object', additionalProperties: text },
                  maps: { type: 'object', additionalProperties: thing({}) },
                  set: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
                  list: { type: 'array', items: text },
                  keyed: {
                    type: 'array',
                    items: { type: 'object', properties: { k: text, object: thing({}) }, required: ['k'] },
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['k'],
                  },
                  any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                },
              },
            },
          },
        },
      },
    ],
  },
};
const custom = customKinds(definition as unknown as Parameters<typeof customKinds>[0]).storage;

function writeBy(kind: KindSpec, manager: string): FieldWrite {
  const same = (object: KubeObject): KubeObject => object;
  const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
  const version = { apiVersion, type: types.ofKind(kind), ignored: emptySet, fromStored: same, toStored: same };
  return { manager, subresource: '', now: '2026-01-01T00:00:00Z', version, versionOf: () => undefined };
}

const objectOf = (kind: KindSpec, spec: object): KubeObject => ({
  apiVersion: writeBy(kind, '').version.apiVersion,
  kind: kind.kind,
  metadata: { name: 'x' },
  ...({ spec } as object),
});
const specOf = (object: KubeObject): unknown => (object as unknown as { readonly spec: unknown }).spec;

function withEntries(object: KubeObject, managedFields: object): KubeObject {
  return { ...object, metadata: { ...object.metadata, managedFields } } as unknown as KubeObject;
}

function apply(kind: KindSpec, manager: string, live: KubeObject | undefined, spec: object): KubeObject {
  const { object, managedFields } = applyConfiguration(writeBy(kind, manager), {
    live,
    config: objectOf(kind, spec),
    force: false,
  });
  return withEntries(object, managedFields);
}

t.test('applied before, applied now', async (t) => {
  const cases: readonly { name: string; before: object; now: object; want: object }[] = [
    { name: 'object', before: { object: { x: 'a' } }, now: { object: {} }, want: { object: {} } },
    { name: 'object not named any more', before: { object: { x: 'a' } }, now: { list: ['b'] }, want: { list: ['b'] } },
    { name: 'map', before: { map: { a: 'b' } }, now: { map: {} }, want: { map: {} } },
    {
      name: 'objects in a map',
      before: { maps: { a: { x: 'a' }, b: {} } },
      now: { maps: { a: {} } },
      want: { maps: { a: {} } },
    },
    { name: 'set', before: { set: ['a'] }, now: { set: [] }, want: { set: [] } },
    { name: 'set, one left', before: { set: ['a', 'b'] }, now: { set: ['b'] }, want: { set: ['b'] } },
    { name: 'atomic list', before: { list: ['a'] }, now: { list: [] }, want: { list: [] } },
    { name: 'atomic object', before: { whole: { x: 'a' } }, now: { whole: {} }, want: { whole: {} } },
    { name: 'list with keys', before: { keyed: [{ k: '1' }] }, now: { keyed: [] }, want: { keyed: [] } },
    {
      name: 'object in an item',
      before: { keyed: [{ k: '1', object: { x: 'a' } }] },
      now: { keyed: [{ k: '1', object: {} }] },
      want: { keyed: [{ k: '1', object: {} }] },
    },
    { name: 'without a schema', before: { any: { a: { b: 1 } } }, now: { any: { a: {} } }, want: { any: { a: {} } } },
    {
      name: 'null takes away',
      before: { object: { x: 'a' }, list: ['a'] },
      now: { object: null, list: ['a'] },
      want: { list: ['a'] },
    },
    { name: 'everything', before: { object: { x: 'a' } }, now: {}, want: {} },
  ];
  for (const { name, before, now, want } of cases) {
    const live = apply(custom, 'a', undefined, before);
    t.strictSame(specOf(apply(custom, 'a', live, now)), want, name);
  }
});

t.test('an object that another manager named empty stays its own', async (t) => {
  const both = apply(custom, 'b', apply(custom, 'a', undefined, { object: { x: 'a' } }), { object: {} });
  t.strictSame(specOf(apply(custom, 'a', both, { list: ['a'] })), { object: {}, list: ['a'] });
});

t.test('defaults that came with a client-side apply go, the object that held them stays', async (t) => {
  const volumes = (downwardAPI: object): object => ({
    volumes: [
      { name: 'v', downwardAPI },
      { name: 'e', emptyDir: {} },
    ],
  });
  const created = objectOf(kinds.pod, { ...volumes({ defaultMode: 420 }), dnsPolicy: 'ClusterFirst' });
  const tracked = trackUpdate(writeBy(kinds.pod, 'kubectl-client-side-apply'), undefined, created);
  // What kubectl does to take them over.
  const mine = tracked.map((entry) => ({ ...entry, manager: 'kubectl', operation: 'Apply' }));
  const applied = apply(kinds.pod, 'kubectl', withEntries(created, mine), volumes({}));
  t.strictSame(specOf(applied), volumes({}));
});
