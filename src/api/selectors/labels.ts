// Label selectors: the query string form and the LabelSelector object form, both compiled to one list of requirements and
// a predicate over a label map. The requirements stay readable so that a cache can answer the exact ones from an index.
// Source of grammar, messages and matching: k8s.io/apimachinery pkg/labels (selector.go) and meta/v1 helpers.

import type { LabelSelector } from '../types.ts';
import { whyNotLabelValue, whyNotQualifiedName } from '../validation/names.ts';
import { SelectorError } from './selector-error.ts';
import { type Token, tokenize } from './tokens.ts';

export type Labels = Readonly<Record<string, string>>;

export type LabelOperator = 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

/** `=`, `==` and a map's entries are `in` with one value, `!=` is `notin` with one. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
  /** It was said with `=` or `!=`, and is shown like that. */
  readonly isEquality?: true;
}

export interface LabelMatcher {
  readonly requirements: readonly LabelRequirement[];
  /** True for the empty selector. */
  readonly everything: boolean;
  matches(labels: Labels | undefined): boolean;
}

/** Compiles `a=b,c in (d,e),!f`; '' matches everything. Throws SelectorError with upstream's words. */
export function parseLabelSelector(text: string): LabelMatcher {
  return matcherOf(text.trim() === '' ? [] : parseRequirements(tokenize(text)));
}

/**
 * Compiles a LabelSelector object. Absent selects nothing and empty selects everything, as upstream. Throws SelectorError
 * for an operator or value that upstream refuses.
 */
export function compileLabelSelector(selector: LabelSelector | undefined): LabelMatcher {
  if (selector === undefined) return nothing;
  const exact = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => equality(key, 'in', value));
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    const known = objectOperators[operator];
    if (known === undefined) throw new SelectorError(`"${operator}" is not a valid label selector operator`);
    return requirement(key, known, values);
  });
  return matcherOf([...exact, ...expressions]);
}

/** Compiles a plain map, the selector of Services and ReplicationControllers; absent or empty selects nothing. */
export function compileLabelMap(map: Labels | undefined): LabelMatcher {
  const entries = Object.entries(map ?? {});
  return entries.length === 0
    ? nothing
    : matcherOf(entries.map(([key, value]) => ({ key, operator: 'in', values: [value], isEquality: true })));
}

/** The query string form of requirements, keys in upstream's order (sorted). */
export function formatLabelSelector(requirements: readonly LabelRequirement[]): string {
  return [...requirements]
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ key, operator, values, isEquality }) => {
      if (operator === 'exists') return key;
      if (operator === '!') return `!${key}`;
      if (operator === 'gt') return `${key}>${values[0]}`;
      if (operator === 'lt') return `${key}<${values[0]}`;
      if (isEquality === true) return `${key}${operator === 'in' ? '=' : '!='}${values[0]}`;
      return `${key} ${operator} (${[...values].sort().join(',')})`;
    })
    .join(',');
}

const objectOperators: Readonly<Record<string, LabelOperator | undefined>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

const binaryOperators: Readonly<Record<string, LabelOperator | undefined>> = {
  in: 'in',
  notin: 'notin',
  '=': 'in',
  '==': 'in',
  '!=': 'notin',
  '>': 'gt',
  '<': 'lt',
};

const nothing: LabelMatcher = { requirements: [], everything: false, matches: () => false };

function matcherOf(requirements: readonly LabelRequirement[]): LabelMatcher {
  const [first, ...others] = requirements.map(predicateOf);
  if (first === undefined) return { requirements, everything: true, matches: () => true };
  const matches =
    others.length === 0 ? first : (labels: Labels) => first(labels) && others.every((test) => test(labels));
  return { requirements, everything: false, matches: (labels) => matches(labels ?? noLabels) };
}

const noLabels: Labels = Object.freeze({});

function predicateOf({ key, operator, values }: LabelRequirement): (labels: Labels) => boolean {
  const has = (labels: Labels): boolean => Object.hasOwn(labels, key);
  switch (operator) {
    case 'in': {
      const [only] = values;
      if (values.length === 1) return (labels) => labels[key] === only;
      const set = new Set(values);
      return (labels) => has(labels) && set.has(labels[key] ?? '');
    }
    case 'notin': {
      const set = new Set(values);
      return (labels) => !has(labels) || !set.has(labels[key] ?? '');
    }
    case 'exists':
      return has;
    case '!':
      return (labels) => !has(labels);
    case 'gt':
    case 'lt': {
      const bound = Number(values[0]);
      const sign = operator === 'gt' ? 1 : -1;
      return (labels) =>
        has(labels) && /^[+-]?\d+$/.test(labels[key] ?? '') && (Number(labels[key]) - bound) * sign > 0;
    }
  }
}

function parseRequirements(tokens: readonly Token[]): LabelRequirement[] {
  const found: LabelRequirement[] = [];
  let at = 0;
  const end: Token = { type: 'end', text: '' };
  const peek = (): Token => tokens[at] ?? end;
  const next = (): Token => tokens[at++] ?? end;

  const parseValues = (): string[] => {
    const open = next();
    if (open.type !== '(') throw new SelectorError(`found '${open.text}' expected: '('`);
    const values: string[] = [];
    let wanted = true;
    for (;;) {
      const token = next();
      if (token.type === 'word') {
        if (!wanted) throw new SelectorError(`found '${token.text}', expected: ',' or ')'`);
        values.push(token.text);
        wanted = false;
      } else if (token.type === ',') {
        if (wanted) values.push('');
        wanted = true;
      } else if (token.type === ')') {
        if (wanted) values.push('');
        return values;
      } else {
        throw new SelectorError(`found '${token.text}', expected: ${wanted ? "',', ')' or identifier" : "',' or ')'"}`);
      }
    }
  };

  const parseOne = (): LabelRequirement => {
    const absent = peek().type === '!';
    if (absent) at += 1;
    const key = next();
    if (key.type !== 'word') throw new SelectorError(`found '${key.text}', expected: identifier`);
    if (absent) return requirement(key.text, '!', []);
    if (peek().type === 'end' || peek().type === ',') return requirement(key.text, 'exists', []);
    const token = next();
    const operator = Object.hasOwn(binaryOperators, token.text) ? binaryOperators[token.text] : undefined;
    if (operator === undefined) {
      throw new SelectorError(`found '${token.text}', expected: in, notin, =, ==, !=, gt, lt`);
    }
    if (token.text === 'in' || token.text === 'notin') return requirement(key.text, operator, parseValues());
    // An exact value may be empty (`a=` and `a=,b`).
    const value = peek().type === 'word' ? next().text : '';
    if (operator === 'gt' || operator === 'lt') return requirement(key.text, operator, [value]);
    return equality(key.text, operator, value);
  };

  for (;;) {
    const token = peek();
    if (token.type === 'end') return found;
    if (token.type !== 'word' && token.type !== '!') {
      throw new SelectorError(`found '${token.text}', expected: !, identifier, or 'end of string'`);
    }
    try {
      found.push(parseOne());
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      throw new SelectorError(`unable to parse requirement: ${error.message}`);
    }
    const after = next();
    if (after.type === 'end') return found;
    if (after.type !== ',') throw new SelectorError(`found '${after.text}', expected: ',' or 'end of string'`);
    if (peek().type !== 'word' && peek().type !== '!') {
      throw new SelectorError(`found '${peek().text}', expected: identifier after ','`);
    }
  }
}

function equality(key: string, operator: LabelOperator, value: string): LabelRequirement {
  return { ...requirement(key, operator, [value]), isEquality: true };
}

/** Checks key and values as upstream's NewRequirement does. */
function requirement(key: string, operator: LabelOperator, values: readonly string[]): LabelRequirement {
  const badKey = whyNotQualifiedName(key);
  if (badKey.length > 0) throw new SelectorError(`key: Invalid value: ${JSON.stringify(key)}: ${badKey.join('; ')}`);
  if ((operator === 'in' || operator === 'notin') && values.length === 0) {
    throw new SelectorError("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty");
  }
  if ((operator === 'exists' || operator === '!') && values.length > 0) {
    throw new SelectorError('values: Invalid value: values set must be empty for exists and does not exist');
  }
  values.forEach((value, index) => {
    if ((operator === 'gt' || operator === 'lt') && !/^[+-]?\d+$/.test(value)) {
      throw new SelectorError(
        `values[${index}]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`,
      );
    }
    const bad = whyNotLabelValue(value);
    if (bad.length > 0) {
      throw new SelectorError(`values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: ${bad.join('; ')}`);
    }
  });
  return { key, operator, values };
}
