// Structural schemas: what is pruned, defaulted and refused, with the messages that upstream gives.

import t from 'tap';
import { fieldErrorText } from '../../../src/api/field-error.ts';
import { applySchemaDefaults } from '../../../src/api/structural/default.ts';
import { prune } from '../../../src/api/structural/prune.ts';
import { compileStructural, type JsonSchema } from '../../../src/api/structural/schema.ts';
import { judgeSchema } from '../../../src/api/structural/schema-rules.ts';
import { judgeListTypes, validateSchema } from '../../../src/api/structural/validate.ts';

const text: JsonSchema = { type: 'string' };
const open = { 'x-kubernetes-preserve-unknown-fields': true } as const;

function spec(schema: JsonSchema): JsonSchema {
  return { type: 'object', properties: { spec: schema } };
}

for (const { name, schema, given, want, removed } of [
  {
    name: 'unknown fields go, at every depth',
    schema: spec({
      type: 'object',
      properties: { list: { type: 'array', items: { type: 'object', properties: { a: text } } } },
    }),
    given: { kind: 'A', metadata: { name: 'x' }, spec: { b: 1, list: [{ a: '1', b: 2 }] }, other: {} },
    want: { kind: 'A', metadata: { name: 'x' }, spec: { list: [{ a: '1' }] } },
    removed: ['spec.b', 'spec.list[0].b', 'other'],
  },
  {
    name: 'preserving keeps unknown fields, but known ones are pruned inside',
    schema: spec({ type: 'object', ...open, properties: { known: { type: 'object', properties: { a: text } } } }),
    given: { spec: { any: { thing: 1 }, known: { a: '1', b: 2 } } },
    want: { spec: { any: { thing: 1 }, known: { a: '1' } } },
    removed: ['spec.known.b'],
  },
  {
    name: 'an embedded object keeps apiVersion, kind and metadata',
    schema: spec({ type: 'object', 'x-kubernetes-embedded-resource': true, properties: { data: text } }),
    given: { spec: { apiVersion: 'v1', kind: 'B', metadata: { name: 'y' }, data: '1', more: 1 } },
    want: { spec: { apiVersion: 'v1', kind: 'B', metadata: { name: 'y' }, data: '1' } },
    removed: ['spec.more'],
  },
  {
    name: 'maps keep their keys',
    schema: spec({ type: 'object', additionalProperties: { type: 'object', properties: { a: text } } }),
    given: { spec: { one: { a: '1', b: 1 } } },
    want: { spec: { one: { a: '1' } } },
    removed: ['spec.one.b'],
  },
]) {
  t.test(`pruning: ${name}`, async (t) => {
    const object = structuredClone(given);
    t.strictSame(prune(compileStructural(schema), object), removed);
    t.strictSame(object, want);
  });
}

for (const { name, schema, given, want } of [
  { name: 'what is absent', schema: { ...text, default: 'd' }, given: {}, want: { spec: 'd' } },
  { name: 'what is there stays', schema: { ...text, default: 'd' }, given: { spec: '' }, want: { spec: '' } },
  { name: 'a null that may not be', schema: { ...text, default: 'd' }, given: { spec: null }, want: { spec: 'd' } },
  {
    name: 'a null that may be stays',
    schema: { ...text, nullable: true, default: 'd' },
    given: { spec: null },
    want: { spec: null },
  },
  {
    name: 'inside of a default',
    schema: { type: 'object', default: {}, properties: { a: { type: 'integer', default: 1 } } },
    given: {},
    want: { spec: { a: 1 } },
  },
  {
    name: 'not inside of what is absent',
    schema: { type: 'object', properties: { a: { type: 'integer', default: 1 } } },
    given: {},
    want: {},
  },
  {
    name: 'inside of items and values',
    schema: {
      type: 'array',
      items: { type: 'object', additionalProperties: { type: 'object', properties: { a: { ...text, default: 'x' } } } },
    },
    given: { spec: [{ k: {} }] },
    want: { spec: [{ k: { a: 'x' } }] },
  },
] as { name: string; schema: JsonSchema; given: object; want: object }[]) {
  t.test(`defaults: ${name}`, async (t) => {
    const object = structuredClone(given);
    applySchemaDefaults(compileStructural(spec(schema)), object);
    t.strictSame(object, want);
  });
}

t.test('a default is never shared between objects', async (t) => {
  const schema = compileStructural(spec({ type: 'object', default: { list: [] }, ...open }));
  const first: { spec?: { list: number[] } } = {};
  const second: typeof first = {};
  applySchemaDefaults(schema, first);
  first.spec?.list.push(1);
  applySchemaDefaults(schema, second);
  t.strictSame(second, { spec: { list: [] } });
});

const intOrString: JsonSchema = { 'x-kubernetes-int-or-string': true };

for (const { schema, value, want } of [
  {
    schema: { type: 'integer' },
    value: 'x',
    want: ['spec: Invalid value: "string": spec in body must be of type integer: "string"'],
  },
  {
    schema: { type: 'integer' },
    value: 1.5,
    want: ['spec: Invalid value: "number": spec in body must be of type integer: "number"'],
  },
  { schema: { type: 'number' }, value: 1, want: [] },
  { schema: text, value: null, want: ['spec: Invalid value: "null": spec in body must be of type string: "null"'] },
  { schema: { ...text, nullable: true }, value: null, want: [] },
  { schema: intOrString, value: 1, want: [] },
  { schema: intOrString, value: '10%', want: [] },
  {
    schema: intOrString,
    value: true,
    want: ['spec: Invalid value: "boolean": spec in body must be of type integer,string: "boolean"'],
  },
  {
    schema: { ...text, enum: ['a', 'b'] },
    value: 'c',
    want: ['spec: Unsupported value: "c": supported values: "a", "b"'],
  },
  {
    schema: { ...text, pattern: '^a+$' },
    value: 'b',
    want: ['spec: Invalid value: "b": spec in body should match \'^a+$\''],
  },
  {
    schema: { ...text, minLength: 2 },
    value: 'ä',
    want: ['spec: Invalid value: "ä": spec in body should be at least 2 chars long'],
  },
  { schema: { ...text, maxLength: 1 }, value: 'ab', want: ['spec: Too long: may not be more than 1 bytes'] },
  {
    schema: { type: 'integer', minimum: 1 },
    value: 0,
    want: ['spec: Invalid value: 0: spec in body should be greater than or equal to 1'],
  },
  {
    schema: { type: 'integer', maximum: 3, exclusiveMaximum: true },
    value: 3,
    want: ['spec: Invalid value: 3: spec in body should be less than 3'],
  },
  {
    schema: { type: 'integer', multipleOf: 3 },
    value: 4,
    want: ['spec: Invalid value: 4: spec in body should be a multiple of 3'],
  },
  {
    schema: { ...text, format: 'ipv4' },
    value: '1.2.3',
    want: ['spec: Invalid value: "1.2.3": spec in body must be of type ipv4: "1.2.3"'],
  },
  {
    schema: { ...text, format: 'date-time' },
    value: '2026-02-30T00:00:00Z',
    want: [
      'spec: Invalid value: "2026-02-30T00:00:00Z": spec in body must be of type date-time: "2026-02-30T00:00:00Z"',
    ],
  },
  { schema: { ...text, format: 'of-my-own' }, value: 'x', want: [] },
  {
    schema: { type: 'array', items: text, maxItems: 1 },
    value: ['a', 'b'],
    want: ['spec: Too many: 2: must have at most 1 items'],
  },
  {
    schema: { type: 'array', items: text },
    value: ['a', 1],
    want: ['spec[1]: Invalid value: "integer": spec[1] in body must be of type string: "integer"'],
  },
  {
    schema: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
    value: ['a', 'a'],
    want: ['spec[1]: Duplicate value: "a"'],
  },
  {
    schema: {
      type: 'array',
      items: { type: 'object' },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['n'],
    },
    value: [{ n: 1 }, { n: 2 }, { n: 1 }],
    want: ['spec[2]: Duplicate value: {"n":1}'],
  },
  { schema: { type: 'object', required: ['a'] }, value: {}, want: ['spec.a: Required value'] },
  {
    schema: { type: 'object', additionalProperties: text },
    value: { k: 1 },
    want: ['spec.k: Invalid value: "integer": spec.k in body must be of type string: "integer"'],
  },
  {
    schema: { type: 'object', minProperties: 1 },
    value: {},
    want: ['spec: Invalid value: 0: spec in body should have at least 1 properties'],
  },
  {
    schema: { type: 'object', oneOf: [{ required: ['a'] }, { required: ['b'] }] },
    value: { a: 1, b: 1 },
    want: [
      '<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives',
    ],
  },
  {
    schema: { type: 'object', not: { required: ['a'] } },
    value: { a: 1 },
    want: ['<nil>: Invalid value: "": "spec" must not validate the schema (not)'],
  },
  {
    schema: { ...text, enum: ['a'] },
    value: 7,
    want: [
      'spec: Invalid value: "integer": spec in body must be of type string: "integer"',
      'spec: Unsupported value: 7: supported values: "a"',
    ],
  },
  {
    schema: { ...text, nullable: true, enum: ['a'] },
    value: null,
    want: ['spec: Unsupported value: "null": supported values: "a"'],
  },
  { schema: { type: 'integer', format: 'int32' }, value: 3e9, want: [] },
  {
    schema: { type: 'integer' },
    value: 1e30,
    want: ['spec: Invalid value: "number": spec in body must be of type integer: "number"'],
  },
  {
    schema: { ...text, format: 'date' },
    value: 7,
    want: ['spec: Invalid value: "int64": spec in body must be of type date: "int64"'],
  },
  {
    schema: {
      anyOf: [{ required: ['a'] }, { properties: { b: { pattern: '^y' } } }],
      type: 'object',
      properties: { b: text },
    },
    value: { b: 'x' },
    want: [
      '<nil>: Invalid value: "": "spec" must validate at least one schema (anyOf)',
      'spec.b: Invalid value: "x": spec.b in body should match \'^y\'',
    ],
  },
  {
    schema: {
      type: 'array',
      items: { type: 'object' },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['n'],
    },
    value: [5],
    want: [
      'spec[0]: Invalid value: "integer": spec[0] in body must be of type object: "integer"',
      'spec[0]: Invalid value: 5: must be an object for an array of list-type map',
    ],
  },
] as { schema: JsonSchema; value: unknown; want: string[] }[]) {
  t.test(`validation: ${JSON.stringify(schema)} of ${JSON.stringify(value)}`, async (t) => {
    const compiled = compileStructural(spec(schema));
    const errors = [...validateSchema(compiled, { spec: value }), ...judgeListTypes(compiled, { spec: value })];
    t.strictSame(errors.map(fieldErrorText), want);
  });
}

t.test('what was wrong before and did not change is let through', async (t) => {
  const schema = compileStructural(
    spec({ type: 'object', properties: { a: { type: 'integer', maximum: 1 }, b: text } }),
  );
  t.strictSame(validateSchema(schema, { spec: { a: 5, b: 'new' } }, { spec: { a: 5, b: 'old' } }), []);
  t.equal(validateSchema(schema, { spec: { a: 6 } }, { spec: { a: 5 } }).length, 1);
});

for (const { name, schema, want } of [
  { name: 'a plain schema', schema: spec(text), want: [] },
  {
    name: 'int-or-string with a type, as older generators write it',
    schema: spec({ ...text, ...intOrString }),
    want: [],
  },
  {
    name: 'the usual anyOf of an int-or-string',
    schema: spec({ ...intOrString, anyOf: [{ type: 'integer' }, text] }),
    want: [],
  },
  { name: 'no type at the root', schema: {}, want: ['s.type: Required value: must not be empty at the root'] },
  {
    name: 'another type at the root',
    schema: text,
    want: ['s.type: Invalid value: "string": must be object at the root'],
  },
  {
    name: 'items without a schema',
    schema: spec({ type: 'array' }),
    want: ['s.properties[spec].items: Required value: must be specified'],
  },
  {
    name: 'a type inside of anyOf',
    schema: spec({ ...text, anyOf: [{ type: 'string' }] }),
    want: ['s.properties[spec].anyOf[0].type: Forbidden: must be empty to be structural'],
  },
  {
    name: 'properties beside additionalProperties',
    schema: spec({ type: 'object', properties: { a: text }, additionalProperties: text }),
    want: [
      's.properties[spec].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive',
    ],
  },
  {
    name: 'a list map without keys',
    schema: spec({ type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'map' }),
    want: [
      's.properties[spec].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map',
    ],
  },
  {
    name: 'fields of metadata',
    schema: {
      type: 'object',
      properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } },
    },
    want: [
      's.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified',
    ],
  },
  {
    name: 'a key of a list map twice, and one that no item has',
    schema: spec({
      type: 'array',
      items: { type: 'object', properties: { k: { ...text, default: '' } } },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k', 'k', 'x'],
    }),
    want: [
      's.properties[spec].x-kubernetes-list-map-keys: Invalid value: ["k","k","x"]: must not contain duplicate entries',
      's.properties[spec].x-kubernetes-list-map-keys: Invalid value: ["k","k","x"]: entries must all be names of item properties',
    ],
  },
  {
    name: 'a set of objects that can be changed in part',
    schema: spec({ type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'set' }),
    want: [
      's.properties[spec].items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set',
    ],
  },
  {
    name: 'a default in metadata',
    schema: {
      type: 'object',
      properties: { metadata: { type: 'object', properties: { name: { ...text, default: 'x' } } } },
    },
    want: ['s.properties[metadata].properties[name].default: Forbidden: must not be set in top-level metadata'],
  },
  {
    name: 'values of what nothing describes',
    schema: { type: 'object', anyOf: [{ properties: { a: { pattern: '^a' } } }] },
    want: ['s.properties[a]: Required value: because it is defined in s.anyOf[0].properties[a]'],
  },
  {
    name: 'a default with unknown fields',
    schema: spec({ type: 'object', properties: { a: text }, default: { b: 1 } }),
    want: ['s.properties[spec].default: Invalid value: {"b":1}: must be pruned'],
  },
  {
    name: '$ref',
    schema: spec({ ...text, $ref: '#/x' } as JsonSchema),
    want: ['s.properties[spec].$ref: Forbidden: $ref is not supported'],
  },
] as { name: string; schema: JsonSchema; want: string[] }[]) {
  t.test(`a definition's schema: ${name}`, async (t) => {
    t.strictSame(judgeSchema(schema, { path: 's' }).map(fieldErrorText), want);
  });
}
