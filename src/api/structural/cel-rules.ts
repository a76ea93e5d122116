// x-kubernetes-validations: which rules a schema may have, and what they say of an object.
// Source: "Extend the Kubernetes API with CustomResourceDefinitions", validation rules; apiextensions-apiserver
// pkg/apiserver/schema/cel (validation.go, compilation.go).

import { Optional } from '@marcbachmann/cel-js';
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../field-error.ts';
import { sameJson } from '../validation/rules.ts';
import { CelError, celValue, compileCel, type Expression } from './cel.ts';
import { costMax, costOf } from './cel-cost.ts';
import { childPath, isFields, itemPath } from './fields.ts';
import { compileStructural, isSchema, type JsonSchema, type StructuralSchema, type ValidationRule } from './schema.ts';

const reasons = ['FieldValueRequired', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueDuplicate'];

/** Rules of a new definition that cannot be compiled, each by its place. */
export function judgeRules(
  schema: JsonSchema,
  path: string,
  inside: Inside = { whole: true, correlatable: true },
): readonly FieldError[] {
  const rules = schema['x-kubernetes-validations'] ?? [];
  const compiled = rules.length === 0 ? undefined : compileStructural(schema);
  const own =
    compiled === undefined
      ? []
      : rules.flatMap((rule, index) =>
          judgeRule(rule, asSelf(compiled, inside.whole), {
            ...inside,
            path: `${path}.x-kubernetes-validations[${index}]`,
          }),
        );
  const { properties = {}, additionalProperties, items } = schema;
  const below = { whole: false, correlatable: inside.correlatable };
  const itemsBelow = { whole: false, correlatable: inside.correlatable && schema['x-kubernetes-list-type'] === 'map' };
  return [
    ...own,
    ...Object.entries(properties).flatMap(([key, one]) => judgeRules(one, `${path}.properties[${key}]`, below)),
    ...(isSchema(additionalProperties) ? judgeRules(additionalProperties, `${path}.additionalProperties`, below) : []),
    ...(isSchema(items) ? judgeRules(items, `${path}.items`, itemsBelow) : []),
  ];
}

interface Inside {
  /** The schema of the object itself. */
  readonly whole: boolean;
  /** There is an old value to compare with: not so for items of lists that have no keys. */
  readonly correlatable: boolean;
}

function judgeRule(
  rule: ValidationRule,
  schema: StructuralSchema,
  { path, correlatable }: Inside & { readonly path: string },
): readonly FieldError[] {
  if (rule.rule.trim() === '') return [required(`${path}.rule`, 'rule is not specified')];
  const errors: FieldError[] = [];
  const compiled = tryCompile(rule.rule, schema, rule.optionalOldSelf === true);
  if (typeof compiled === 'string') errors.push(invalid(`${path}.rule`, rule.rule, `compilation failed: ${compiled}`));
  else {
    if (compiled.type !== 'bool' && compiled.type !== 'dyn') {
      errors.push(invalid(`${path}.rule`, rule.rule, 'compilation failed: cel expression must evaluate to a bool'));
    }
    if (compiled.usesOldSelf && !correlatable) {
      errors.push(
        invalid(`${path}.rule`, rule.rule, 'oldSelf cannot be used on the uncorrelatable portion of the schema'),
      );
    }
  }
  if (rule.messageExpression !== undefined) {
    const message = tryCompile(rule.messageExpression, schema, rule.optionalOldSelf === true);
    if (typeof message === 'string') {
      errors.push(
        invalid(
          `${path}.messageExpression`,
          rule.messageExpression,
          `messageExpression compilation failed: ${message}`,
        ),
      );
    } else if (message.type !== 'string' && message.type !== 'dyn') {
      errors.push(
        invalid(`${path}.messageExpression`, rule.messageExpression, 'messageExpression must evaluate to a string'),
      );
    }
  }
  if (rule.reason !== undefined && rule.reason !== '' && !reasons.includes(rule.reason)) {
    errors.push(notSupported(`${path}.reason`, rule.reason, reasons));
  }
  return errors;
}

function tryCompile(text: string, schema: StructuralSchema, optionalOldSelf: boolean): Expression | string {
  try {
    return compileCel(text, schema, optionalOldSelf);
  } catch (error) {
    if (error instanceof CelError) return error.message;
    throw error;
  }
}

/** At the root of an object, rules see apiVersion, kind, and of metadata name and generateName. */
function asSelf(schema: StructuralSchema, whole: boolean): StructuralSchema {
  return whole || schema.embedded
    ? { ...schema, properties: new Map([...wholeFields.properties, ...schema.properties]) }
    : schema;
}

const text: JsonSchema = { type: 'string' };
const wholeFields = compileStructural({
  type: 'object',
  properties: {
    apiVersion: text,
    kind: text,
    metadata: { type: 'object', properties: { name: text, generateName: text } },
  },
});

interface CompiledRule {
  readonly rule: ValidationRule;
  readonly test: Expression | string;
  readonly message: Expression | string | undefined;
}

/** What the rules of one schema say of objects. */
export type RuleValidator = (object: unknown, old: unknown) => readonly FieldError[];

/** Compiles every rule of a schema at first use, so that a definition with many rules costs its users nothing. */
export function compileRules(schema: StructuralSchema): RuleValidator {
  const compiled = new Map<StructuralSchema, readonly CompiledRule[]>();

  function rulesOf(node: StructuralSchema, whole: boolean): readonly CompiledRule[] {
    const known = compiled.get(node);
    if (known !== undefined) return known;
    const self = asSelf(node, whole);
    const rules = (node.source['x-kubernetes-validations'] ?? []).map((rule) => ({
      rule,
      test: tryCompile(rule.rule, self, rule.optionalOldSelf === true),
      message:
        rule.messageExpression === undefined
          ? undefined
          : tryCompile(rule.messageExpression, self, rule.optionalOldSelf === true),
    }));
    compiled.set(node, rules);
    return rules;
  }

  function walk(node: StructuralSchema, at: At): readonly FieldError[] {
    const { value, old, path, budget } = at;
    if (!node.hasRules || value === undefined || value === null) return [];
    if (old !== undefined && path !== '' && sameJson(value, old)) return [];
    const errors = rulesOf(node, path === '').flatMap((rule) => runRule(rule, asSelf(node, path === ''), at));
    if (Array.isArray(value)) {
      const { items } = node;
      if (items === undefined) return errors;
      const before = byKeys(node, old);
      return [
        ...errors,
        ...value.flatMap((item, index) =>
          walk(items, { value: item, old: before(item), path: itemPath(path, index), budget }),
        ),
      ];
    }
    if (!isFields(value)) return errors;
    const past = isFields(old) ? old : {};
    return [
      ...errors,
      ...Object.entries(value).flatMap(([key, one]) => {
        const below = node.properties.get(key) ?? node.values;
        return below === undefined
          ? []
          : walk(below, { value: one, old: past[key], path: childPath(path, key), budget });
      }),
    ];
  }

  return (object, old) =>
    schema.hasRules ? walk(schema, { value: object, old, path: '', budget: { left: costMax } }) : [];
}

interface At {
  readonly value: unknown;
  readonly old: unknown;
  readonly path: string;
  readonly budget: { left: number };
}

function runRule({ rule, test, message }: CompiledRule, schema: StructuralSchema, at: At): readonly FieldError[] {
  const { value, old, path, budget } = at;
  if (typeof test === 'string') return [invalid(path, value, `rule compile error: ${test}`)];
  if (test.usesOldSelf && old === undefined && rule.optionalOldSelf !== true) return [];
  const parts = message === undefined || typeof message === 'string' ? [test] : [test, message];
  budget.left -= parts.reduce((sum, { bound }) => sum + costOf(bound, [value, old]), 0);
  if (budget.left < 0) {
    return [
      forbidden(path, 'validation failed due to running out of cost budget, no further validation rules will be run'),
    ];
  }
  const variables = variablesOf(rule, schema, at);
  try {
    if (test.run(variables) === true) return [];
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return [invalid(path, typeName(value), `failed rule: ${rule.rule}: ${error.message}`)];
  }
  return [errorOf(rule, at, messageOf(rule, message, variables))];
}

function variablesOf(
  rule: ValidationRule,
  schema: StructuralSchema,
  { value, old }: At,
): { self: unknown; oldSelf?: unknown } {
  const self = celValue(schema, value);
  if (rule.optionalOldSelf === true) {
    return { self, oldSelf: old === undefined ? Optional.none() : Optional.of(celValue(schema, old)) };
  }
  return old === undefined ? { self } : { self, oldSelf: celValue(schema, old) };
}

function messageOf(
  rule: ValidationRule,
  message: CompiledRule['message'],
  variables: { self: unknown; oldSelf?: unknown },
): string {
  const fallback = rule.message ?? `failed rule: ${rule.rule.trim()}`;
  if (message === undefined || typeof message === 'string') return fallback;
  try {
    const told = message.run(variables);
    return typeof told === 'string' && told.trim() !== '' && !told.includes('\n') ? told.trim() : fallback;
  } catch (error) {
    if (error instanceof CelError) return fallback;
    throw error;
  }
}

function errorOf(rule: ValidationRule, { value, path }: At, message: string): FieldError {
  const field = rule.fieldPath === undefined ? path : childPath(path, rule.fieldPath.replace(/^\./, ''));
  switch (rule.reason) {
    case 'FieldValueRequired':
      return required(field, message);
    case 'FieldValueForbidden':
      return forbidden(field, message);
    case 'FieldValueDuplicate':
      return duplicate(field, value);
    default:
      return invalid(field, isFields(value) || Array.isArray(value) ? typeName(value) : value, message);
  }
}

/** Whole objects are not repeated in messages. */
function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return isFields(value) ? 'object' : typeof value;
}

function byKeys({ listType, listMapKeys }: StructuralSchema, old: unknown): (item: unknown) => unknown {
  if (listType !== 'map' || !Array.isArray(old)) return () => undefined;
  const keyOf = (item: unknown): string =>
    JSON.stringify(listMapKeys.map((key) => (isFields(item) ? item[key] : undefined)));
  const known = new Map(old.map((item) => [keyOf(item), item as unknown]));
  return (item) => known.get(keyOf(item));
}
