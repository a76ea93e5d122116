// CEL rules: what they say of objects, what is refused when a definition is made, and that they end.

import t from 'tap';
import { celOf, compileAdmissionCel } from '../../../src/api/cel/admission-cel.ts';
import { fieldErrorText } from '../../../src/api/field-error.ts';
import { compileRules, judgeRules } from '../../../src/api/structural/cel-rules.ts';
import { compileStructural, type JsonSchema, type ValidationRule } from '../../../src/api/structural/schema.ts';

const integer: JsonSchema = { type: 'integer' };
const text: JsonSchema = { type: 'string' };

function ruled(rules: readonly ValidationRule[], properties: Record<string, JsonSchema> = {}): JsonSchema {
  const own = { min: integer, max: integer, name: text, hosts: { type: 'array', items: text }, ...properties };
  return {
    type: 'object',
    properties: { spec: { type: 'object', properties: own, 'x-kubernetes-validations': rules } },
  };
}

function say(schema: JsonSchema, spec: object, old?: object): readonly string[] {
  const validate = compileRules(compileStructural(schema));
  return validate({ spec }, old === undefined ? undefined : { spec: old }).map(fieldErrorText);
}

for (const { rule, spec, holds } of [
  { rule: 'self.min <= self.max', spec: { min: 1, max: 2 }, holds: true },
  { rule: 'self.min <= self.max', spec: { min: 3, max: 2 }, holds: false },
  { rule: '!has(self.name) || self.name.startsWith("a")', spec: {}, holds: true },
  { rule: 'self.?name.orValue("z") == "z"', spec: {}, holds: true },
  { rule: 'self.hosts.all(h, h.endsWith(".com"))', spec: { hosts: ['a.com', 'b.org'] }, holds: false },
  { rule: 'self.hosts.exists(h, h == "x")', spec: { hosts: ['x'] }, holds: true },
  { rule: 'self.hosts.isSorted()', spec: { hosts: ['b', 'a'] }, holds: false },
  { rule: '[3, 1, 2].max() == 3 && [1, 2].sum() == 3', spec: {}, holds: true },
  { rule: 'self.name.matches("^[a-z]+$")', spec: { name: 'a1' }, holds: false },
  { rule: 'self.name.find("[0-9]+") == "12"', spec: { name: 'a12b' }, holds: true },
  { rule: 'quantity(self.name).isLessThan(quantity("1Gi"))', spec: { name: '500Mi' }, holds: true },
  { rule: 'quantity("1").add(quantity("500m")).compareTo(quantity("1500m")) == 0', spec: {}, holds: true },
  { rule: 'isQuantity(self.name)', spec: { name: 'x' }, holds: false },
  { rule: 'cidr("10.0.0.0/8").containsIP(self.name)', spec: { name: '10.1.2.3' }, holds: true },
  { rule: 'cidr("10.0.0.0/8").containsIP(ip(self.name))', spec: { name: '11.1.2.3' }, holds: false },
  { rule: 'isIP(self.name) && ip(self.name).family() == 6', spec: { name: '::1' }, holds: true },
  { rule: 'url(self.name).getHostname() == "a.b"', spec: { name: 'https://a.b:80/c' }, holds: true },
  { rule: 'format.dns1123Label().validate(self.name).hasValue()', spec: { name: 'A' }, holds: true },
  { rule: '!format.named("uuid").value().validate(self.name).hasValue()', spec: { name: 'x' }, holds: false },
  {
    rule: 'semver(self.name).isLessThan(semver("1.0.0")) && semver(self.name).minor() == 9',
    spec: { name: '0.9.0' },
    holds: true,
  },
  { rule: 'semver("1.0.0-alpha.2").isLessThan(semver("1.0.0-alpha.10"))', spec: {}, holds: true },
  { rule: 'semver("1.0.0").compareTo(semver("1.0.0-rc.1")) == 1 && !isSemver("1.0")', spec: {}, holds: true },
  { rule: 'sets.contains(self.hosts, ["a"])', spec: { hosts: ['a', 'b'] }, holds: true },
  { rule: 'self.when < timestamp("2026-01-01T00:00:00Z")', spec: { when: '2025-01-01T00:00:00Z' }, holds: true },
  { rule: 'self.wait <= duration("1h")', spec: { wait: '90m' }, holds: false },
  { rule: 'self.ratio < 0.5', spec: { ratio: 1 }, holds: false },
  { rule: 'self.x__dash__y == 1 && self.__namespace__ == "n"', spec: { 'x-y': 1, namespace: 'n' }, holds: true },
]) {
  t.test(`${rule} of ${JSON.stringify(spec)}`, async (t) => {
    const more: Record<string, JsonSchema> = {
      when: { type: 'string', format: 'date-time' },
      wait: { type: 'string', format: 'duration' },
      ratio: { type: 'number' },
      'x-y': integer,
      namespace: text,
    };
    const schema = ruled([{ rule, message: 'no' }], more);
    t.strictSame(judgeRules(schema, 'schema'), []);
    t.strictSame(say(schema, spec), holds ? [] : ['spec: Invalid value: "object": no']);
  });
}

t.test('a transition rule sees the old value, and is left out without one', async (t) => {
  const schema = ruled([{ rule: 'self.min >= oldSelf.min', message: 'must not shrink' }]);
  t.strictSame(say(schema, { min: 1 }), []);
  t.strictSame(say(schema, { min: 1 }, { min: 2 }), ['spec: Invalid value: "object": must not shrink']);
  const optional = ruled([
    { rule: 'oldSelf.hasValue() || self.min == 0', optionalOldSelf: true, message: 'starts at 0' },
  ]);
  t.strictSame(say(optional, { min: 1 }), ['spec: Invalid value: "object": starts at 0']);
  t.strictSame(say(optional, { min: 1 }, { min: 0 }), []);
});

t.test('message, messageExpression, reason and fieldPath shape the error', async (t) => {
  const rule = 'self.min < self.max';
  t.strictSame(say(ruled([{ rule }]), { min: 2, max: 1 }), [`spec: Invalid value: "object": failed rule: ${rule}`]);
  const expression = { rule, messageExpression: '"min %d".format([self.min])', message: 'not this' };
  t.strictSame(say(ruled([expression]), { min: 2, max: 1 }), ['spec: Invalid value: "object": min 2']);
  const placed = { rule, message: 'm', reason: 'FieldValueForbidden', fieldPath: '.max' };
  t.strictSame(say(ruled([placed]), { min: 2, max: 1 }), ['spec.max: Forbidden: m']);
});

for (const { rule, why } of [
  { rule: 'self.nothing == 1', why: /undefined field 'nothing'/ },
  { rule: 'self.min <', why: /compilation failed/ },
  { rule: 'other == 1', why: /Unknown variable: other/ },
  { rule: 'self.min + 1', why: /must evaluate to a bool|compilation failed/ },
  { rule: 'self.hosts.frobnicate()', why: /no matching overload|compilation failed/ },
  { rule: ' ', why: /rule is not specified/ },
]) {
  t.test(`refused with the definition: ${rule}`, async (t) => {
    const [error, ...more] = judgeRules(ruled([{ rule }]), 'schema').map(fieldErrorText);
    t.match(error, why);
    t.match(error, /^schema\.properties\[spec\]\.x-kubernetes-validations\[0\]\.rule: /);
    t.strictSame(more, []);
  });
}

t.test('oldSelf of items that have no keys is refused', async (t) => {
  const items: JsonSchema = { type: 'string', 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] };
  const schema: JsonSchema = { type: 'object', properties: { list: { type: 'array', items } } };
  t.match(judgeRules(schema, 's').map(fieldErrorText), [/uncorrelatable portion/]);
});

t.test('a rule that would take for ever is refused, not run', async (t) => {
  const rule = 'self.hosts.all(a, self.hosts.all(b, self.hosts.all(c, a != "x" || b != c)))';
  const hosts = Array.from({ length: 2000 }, (_, index) => String(index));
  t.match(say(ruled([{ rule }]), { hosts }), [/^spec: Forbidden: validation failed due to running out of cost budget/]);
});

t.test('an expression of admission that would take for ever is refused, not run', async (t) => {
  const text = 'object.hosts.all(a, object.hosts.all(b, object.hosts.all(c, a != "x" || b != c)))';
  const { run } = compileAdmissionCel(text, ['object']);
  const hosts = Array.from({ length: 2000 }, (_, index) => String(index));
  t.throws(() => run({ object: celOf({ hosts }) }), { message: 'operation cancelled: actual cost limit exceeded' });
  t.equal(run({ object: celOf({ hosts: hosts.slice(0, 20) }) }), true);
});

t.test('a key may have the name of something that every object has in JavaScript', async (t) => {
  const labels: JsonSchema = { type: 'object', additionalProperties: text };
  const rule = 'self.labels.all(k, k != "") && self.labels.size() == 2 && self.labels.constructor == "x"';
  t.strictSame(say(ruled([{ rule }], { labels }), { labels: { constructor: 'x', toString: 'y' } }), []);
});

t.test('a rule that fails while it runs is told', async (t) => {
  t.match(say(ruled([{ rule: 'self.name == "x"' }]), {}), [
    /^spec: Invalid value: "object": failed rule: .*No such key: name/,
  ]);
});
