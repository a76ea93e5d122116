// Comprehensions with an index or key beside the value: what they answer, what is refused before anything runs, and that they
// end. The examples are those of cel-go's library, and objects as rules and policies meet them.

import t from 'tap';
import { celOf, compileAdmissionCel } from '../../../src/api/cel/admission-cel.ts';
import { fieldErrorText } from '../../../src/api/field-error.ts';
import { compileRules, judgeRules } from '../../../src/api/structural/cel-rules.ts';
import { compileStructural, type JsonSchema } from '../../../src/api/structural/schema.ts';

const object = celOf({
  none: null,
  empty: [],
  nothing: {},
  ports: [
    { name: 'web', port: 80 },
    { name: 'dns', port: 53 },
  ],
  labels: { app: 'web', tier: 'front', '0': 'zero' },
});

function compile(text: string) {
  return compileAdmissionCel(text, ['object', 'variables']);
}

for (const text of [
  // all
  '[1, 2, 3].all(i, j, i < j)',
  '!{"hello": "world", "taco": "taco"}.all(k, v, k != v)',
  '{"h": ["hello", "hi"], "j": ["joke", "jog"]}.all(k, vals, vals.all(v, v.startsWith(k)))',
  '[].all(i, v, i > 5 && v == "x")',
  '{}.all(k, v, k == "x" && v > 2)',
  'object.empty.all(i, v, false) && object.nothing.all(k, v, false)',
  'object.ports.all(i, p, i < 2 && p.port > 50)',
  'object.labels.all(k, v, k.size() > 0 && v != "" && object.labels[k] == v)',
  'type([3][0]) == int && [3].all(i, v, type(i) == int)',
  // exists
  '{"greeting": "hello", "farewell": "goodbye"}.exists(k, v, k.startsWith("good") || v.endsWith("bye"))',
  '![1, 2, 4, 8, 16].exists(i, v, v == 1024 && i == 10)',
  '!object.empty.exists(i, v, true) && !object.nothing.exists(k, v, true)',
  'object.ports.exists(i, p, i == 1 && p.name == "dns")',
  // existsOne
  '![1, 2, 1, 3, 1, 4].existsOne(i, v, i == 1 || v == 1)',
  '[1, 1, 2, 2, 3, 3].existsOne(i, v, i == 2 && v == 2)',
  '{"i": 0, "j": 1, "k": 2}.exists_one(i, v, i == "l" || v == 1)',
  '!object.empty.existsOne(i, v, true) && !object.nothing.exists_one(k, v, true)',
  // existsOne with one variable
  '[1, 2, 2].existsOne(v, v == 1) && ![1, 2, 2].existsOne(v, v == 2)',
  'object.labels.existsOne(k, k == "app") && {"a": 1}.existsOne(k, k == "a")',
  // transformList
  '[1, 2, 3].transformList(i, v, (i * v) + v) == [1, 4, 9]',
  '[1, 2, 3].transformList(i, v, i % 2 == 0, (i * v) + v) == [1, 9]',
  '{"greeting": "hello", "farewell": "goodbye"}.transformList(k, _, k) == ["greeting", "farewell"]',
  '{"greeting": "hello", "farewell": "goodbye"}.transformList(_, v, v) == ["hello", "goodbye"]',
  '[].transformList(i, v, v) == [] && object.nothing.transformList(k, v, k).size() == 0',
  'object.ports.transformList(i, p, i > 0, p.name) == ["dns"]',
  // transformMap
  '[1, 2, 3].transformMap(i, v, (i * v) + v) == {0: 1, 1: 4, 2: 9}',
  '[1, 2, 3].transformMap(i, v, i % 2 == 0, (i * v) + v) == {0: 1, 2: 9}',
  '{"greeting": "hello"}.transformMap(k, v, v + "!") == {"greeting": "hello!"}',
  '{"greeting": "hello"}.transformMap(k, v, v + "!").greeting == "hello!"',
  'object.labels.transformMap(k, v, k == "app", v.size()).size() == 1',
  '"app" in object.labels.transformMap(k, v, v)',
  'cel.bind(m, object.labels.transformMap(k, v, v), has(m.app) && !has(m.b) && !m.?b.hasValue())',
  'object.labels.transformMap(k, v, v) == object.labels',
  '[].transformMap(i, v, v) == {} && object.nothing.transformMap(k, v, v).size() == 0',
  '["a", "b"].transformMap(i, v, v)[1] == "b" && 1 in ["a", "b"].transformMap(i, v, v)',
  '["a", "b"].transformMap(i, v, v).all(k, k < 2)',
  // transformMapEntry
  '{"greeting": "hello"}.transformMapEntry(k, v, {v: k}) == {"hello": "greeting"}',
  '["x", "y"].transformMapEntry(i, v, {v: i}) == {"x": 0, "y": 1}',
  '[1, 2, 3].transformMapEntry(i, v, v > 1, {v: i}) == {2: 1, 3: 2}',
  '[1, 2].transformMapEntry(i, v, {v: i, v + 10: i})[12] == 1',
  '[{"a": 1}, {"b": 2}].transformMapEntry(i, m, m) == {"a": 1, "b": 2}',
  '[1, 2].transformMapEntry(i, v, i == 0 ? {"first": v} : {}) == {"first": 1}',
  '["constructor"].transformMapEntry(i, v, {v: i})["constructor"] == 0',
  'object.ports.transformMapEntry(i, p, {p.port: p.name})[80] == "web"',
  'object.ports.transformMapEntry(i, p, {p.port: p.name}).all(k, v, k in [53, 80])',
  '[true, false].transformMapEntry(i, v, {v: i})[false] == 1',
  // Keys that are not texts
  '{1: "a", 2: "b"}.all(k, v, k > 0) && {true: 1}.all(k, v, k)',
  // Nested, bound, chained and shadowed
  '[[1, 2], [3]].all(i, list, list.all(j, v, v == 2 * i + j + 1))',
  '[[1, 2], [3]].transformList(i, list, list.transformList(j, v, [i, j, v])) == [[[0, 0, 1], [0, 1, 2]], [[1, 0, 3]]]',
  '[1, 2].all(i, v, [v].exists(w, w == i + 1)) && [1, 2].all(v, [v].all(i, w, w == v && i == 0))',
  'cel.bind(n, 10, [1, 2].transformList(i, v, cel.bind(m, n * v, m + i))) == [10, 21]',
  '{"b": 2, "a": 1}.transformList(k, v, v).transformMap(i, v, v).exists(i, v, i == 1 && v == 1)',
  '[1, 2].all(i, object, object == i + 1) && object.ports.size() == 2',
  '[5].all(i, v, [7].all(v, i, i == 7 && v == 0) && v == 5 && i == 0)',
  '["x"].all(sets, v, sets == 0) && sets.contains([1], [1])',
  '["ab"].all(i, v, v.matches("^a") && v.find("b") == "b")',
  '[optional.of(1)].all(i, v, v.hasValue())',
  // An error does not count where another value decides.
  '![0, 1].all(i, v, 1 / v > 5)',
  '![1, 0].all(i, v, 1 / v > 5)',
  '[0, 1].exists(i, v, 1 / v == 1)',
  'object.ports.exists(i, p, p.nothing == 1 || i == 1)',
  '[dyn(3), dyn(true)].exists(i, v, v)',
]) {
  t.test(text, async (t) => {
    const { type, run } = compile(text);
    t.equal(type, 'bool');
    t.equal(run({ object }), true);
  });
}

for (const { text, type } of [
  { text: '["a"].transformList(i, v, i)', type: 'list<int>' },
  { text: 'object.ports.transformList(i, p, p)', type: 'list' },
  { text: '[1].transformList(i, v, {v: "x"})', type: 'list<map<int, string>>' },
  { text: '["a"].transformMap(i, v, v)', type: 'map<int, string>' },
  { text: '{"a": [1]}.transformMap(k, v, v)', type: 'map<string, list<int>>' },
  { text: 'object.labels.transformMap(k, v, 1)', type: 'map<dyn, int>' },
  { text: '["a"].transformMapEntry(i, v, {v: i})', type: 'map<string, int>' },
  { text: '["a"].transformMapEntry(i, v, object)', type: 'map' },
]) {
  t.test(`${text} is a ${type}`, async (t) => {
    t.equal(compile(text).type, type);
  });
}

for (const { text, why } of [
  { text: '[0].all(i, v, 1 / v > 5)', why: 'division by zero' },
  { text: '[0].exists(i, v, 1 / v > 5)', why: 'division by zero' },
  { text: '[1, 0].existsOne(i, v, 1 / v == 1)', why: 'division by zero' },
  { text: '[0, 1].transformList(i, v, 1 / v)', why: 'division by zero' },
  { text: '[0, 1].transformList(i, v, 1 / v == 1, v)', why: 'division by zero' },
  { text: '{"a": 0}.transformMap(k, v, 1 / v)', why: 'division by zero' },
  { text: '[0].transformMapEntry(i, v, {v: 1 / v})', why: 'division by zero' },
  { text: '[3].all(i, v, dyn(v))', why: "all(i, v, predicate) must return bool, got 'int'" },
  { text: '[3].existsOne(i, v, dyn(v))', why: "existsOne(i, v, predicate) must return bool, got 'int'" },
  {
    text: '["a"].transformList(i, v, dyn(v), v)',
    why: "transformList(i, v, filter, …) must return bool, got 'string'",
  },
  {
    text: '{"greeting": "aloha", "farewell": "aloha"}.transformMapEntry(k, v, {v: k})',
    why: 'insert failed: key aloha already exists',
  },
  { text: '[1].transformMapEntry(i, v, {"a": 1, "a": 2})', why: 'insert failed: key a already exists' },
  { text: '[1].transformMapEntry(i, v, {dyn(1.5): 1})', why: 'unsupported key type: double' },
  { text: '[dyn(1)].transformMapEntry(i, v, v)', why: "transformMapEntry(i, v, entry) must return a map, got 'int'" },
  { text: 'object.none.all(i, v, true)', why: "'null' cannot be range of a comprehension" },
  { text: 'object.ports[0].name.exists(i, v, true)', why: "'string' cannot be range of a comprehension" },
]) {
  t.test(`fails while it runs: ${text}`, async (t) => {
    const { run } = compile(text);
    t.throws(() => run({ object }), { name: 'CelError', message: why });
  });
}

for (const { text, why } of [
  { text: '[1].all(i, v, v)', why: "all(i, v, predicate) must return bool, got 'int'" },
  { text: '{"a": "b"}.exists(k, v, v)', why: "exists(k, v, predicate) must return bool, got 'string'" },
  { text: '[1].exists_one(i, v, i)', why: "exists_one(i, v, predicate) must return bool, got 'int'" },
  { text: '[1].existsOne(v, v)', why: "existsOne(v, predicate) must return bool, got 'int'" },
  { text: '["a"].transformList(i, v, v, v)', why: "transformList(i, v, filter, …) must return bool, got 'string'" },
  { text: '["a"].transformMap(i, v, i, v)', why: "transformMap(i, v, filter, …) must return bool, got 'int'" },
  { text: '["a"].transformMapEntry(i, v, v)', why: "transformMapEntry(i, v, entry) must return a map, got 'string'" },
  { text: '[1.5].transformMapEntry(i, v, {v: i})', why: "keys of a map must be int, bool or string, got 'double'" },
  { text: '[1u].transformMapEntry(i, v, {v: i})', why: "keys of a map must be int, bool or string, got 'uint'" },
  { text: '["a"].all(i, v, i == "a")', why: 'no such overload: int == string' },
  { text: '{"a": 1}.all(k, v, k == v)', why: 'no such overload: string == int' },
  { text: '["a"].transformList(i, v, i)[0] == "a"', why: 'no such overload: int == string' },
  { text: '["a"].transformMap(i, v, v)[0] == 1', why: 'no such overload: string == int' },
  { text: '1.all(i, v, true)', why: "Expression of type 'int' cannot be range of a comprehension" },
  { text: 'optional.of([1]).all(i, v, true)', why: 'cannot be range of a comprehension' },
  { text: '[1].all(i, v, true) && i == 0', why: 'Unknown variable: i' },
  { text: 'i.all(i, v, true)', why: 'Unknown variable: i' },
  { text: '[1].all(i, i, true)', why: 'duplicate variable name: i' },
  { text: '[1].all(i.x, v, true)', why: 'argument 1 of all must be a simple name' },
  { text: '[1].exists(i, "v", true)', why: 'argument 2 of exists must be a simple name' },
  { text: '[1].existsOne(1, true)', why: 'argument 1 of existsOne must be a simple name' },
  { text: '[1].transformList(i, v() , true)', why: 'argument 2 of transformList must be a simple name' },
  { text: '[1].transformMap(i, [], true)', why: 'argument 2 of transformMap must be a simple name' },
  { text: '[1].all(i)', why: 'all takes 2 or 3 arguments, not 1' },
  { text: '[1].exists(i, v, true, true)', why: 'exists takes 2 or 3 arguments, not 4' },
  { text: '[1].existsOne()', why: 'existsOne takes 2 or 3 arguments, not 0' },
  { text: '[1].transformList(i, v)', why: 'transformList takes 3 or 4 arguments, not 2' },
  { text: '[[1].transformMap(i, v, true, v, 1)]', why: 'transformMap takes 3 or 4 arguments, not 5' },
  { text: '[1].all(i, v, [v].transformMapEntry(j))', why: 'transformMapEntry takes 3 or 4 arguments, not 1' },
  { text: '[1].filter(i, v, true)', why: 'filter takes 2 arguments, not 3' },
]) {
  t.test(`does not compile: ${text}`, async (t) => {
    t.throws(() => compile(text), { name: 'CelError', message: why });
  });
}

t.test('an expression that would take for ever is refused, not run', async (t) => {
  const many = Array.from({ length: 2000 }, (_, index) => String(index));
  const few = many.slice(0, 20);
  const refused = { message: 'operation cancelled: actual cost limit exceeded' };
  for (const text of [
    'object.l.all(i, a, object.l.all(j, b, object.l.all(k, c, a != "x" || b != c)))',
    'object.l.exists(i, a, object.l.exists(j, b, object.l.existsOne(k, c, i + j == k && false)))',
    'object.l.transformList(i, a, object.l.transformList(j, b, object.l.transformMap(k, c, c))).size() > 0',
    'object.l.transformMapEntry(i, a, {i: object.l.transformMap(j, b, object.l.map(c, c))}).size() > 0',
    'object.l.transformMap(i, a, a).all(k, v, object.l.transformMap(i, a, a).all(l, w, true))',
  ]) {
    const { run } = compile(text);
    t.throws(() => run({ object: celOf({ l: many }) }), refused, text);
    t.type(run({ object: celOf({ l: few }) }), 'boolean', text);
  }
  const map = compile('object.l.transformMap(i, v, v)').run({ object: celOf({ l: many }) });
  const nested = 'variables.m.all(i, a, variables.m.all(j, b, variables.m.all(k, c, a != b || b != c)))';
  t.throws(() => compile(nested).run({ variables: { m: map } }), refused, 'a map that was made by an expression');
  const split = 'object.all(k, v, k.split("").all(a, k.split("").all(b, a == b)))';
  t.throws(
    () => compile(split).run({ object: celOf({ ['a'.repeat(20_000)]: '' }) }),
    refused,
    'the characters of keys',
  );
  t.equal(compile(split).run({ object: celOf({ aaa: '' }) }), true);
});

t.test('what an expression may cost is found out without the variables that it does not name', async (t) => {
  const variables = {
    get used() {
      return [1n, 2n];
    },
    get self(): unknown {
      throw new Error('asked for');
    },
  };
  const { run } = compile('variables.used.all(i, a, variables.used.all(j, b, i == j || a != b))');
  t.equal(run({ variables }), true);
});

const labels: JsonSchema = { type: 'object', additionalProperties: { type: 'string' } };
const hosts: JsonSchema = { type: 'array', items: { type: 'string' } };

function ruled(rule: string, more: object = {}): JsonSchema {
  const rules = [{ rule, message: 'no', ...more }];
  const spec = { type: 'object', properties: { hosts, labels }, 'x-kubernetes-validations': rules };
  return { type: 'object', properties: { spec } };
}

function say(schema: JsonSchema, spec: object): readonly string[] {
  return compileRules(compileStructural(schema))({ spec }, undefined).map(fieldErrorText);
}

t.test('rules of a definition', async (t) => {
  const first = ruled('self.hosts.all(i, h, i > 0 || h == "main")');
  t.strictSame(judgeRules(first, 's'), []);
  t.strictSame(say(first, { hosts: ['main', 'x'] }), []);
  t.strictSame(say(first, { hosts: ['x', 'main'] }), ['spec: Invalid value: "object": no']);
  const told = ruled('!self.labels.exists(k, v, k == v)', {
    messageExpression: '"bad: " + self.labels.transformList(k, v, k == v, k)[0]',
  });
  t.strictSame(judgeRules(told, 's'), []);
  t.strictSame(say(told, { labels: { a: 'b' } }), []);
  t.strictSame(say(told, { labels: { a: 'b', c: 'c' } }), ['spec: Invalid value: "object": bad: c']);
  const place = 's.properties[spec].x-kubernetes-validations[0].rule: Invalid value: ';
  for (const { rule, why } of [
    { rule: 'self.hosts.transformList(i, h, h)', why: 'cel expression must evaluate to a bool' },
    {
      rule: 'self.all(k, v, true)',
      why: "Expression of type 'object' cannot be range of a comprehension (must be list, map, or dynamic).",
    },
    { rule: 'self.hosts.all(i, h, h)', why: "all(i, h, predicate) must return bool, got 'string'" },
    { rule: 'self.hosts.all(i, h, self.nothing == h)', why: "undefined field 'nothing'" },
  ]) {
    const errors = judgeRules(ruled(rule), 's').map(fieldErrorText);
    t.strictSame(errors, [`${place}${JSON.stringify(rule)}: compilation failed: ${why}`]);
  }
  const endless = ruled('self.hosts.all(i, a, self.hosts.all(j, b, self.hosts.all(k, c, a != "x" || b != c)))');
  const many = Array.from({ length: 2000 }, (_, index) => String(index));
  t.match(say(endless, { hosts: many }), [/^spec: Forbidden: validation failed due to running out of cost budget/]);
});
