// Field selectors: `metadata.name=x,status.phase!=Running`, checked against the keys that a kind's table entry names and
// compiled to a predicate over objects. Source: k8s.io/apimachinery pkg/fields (selector.go).

import type { KindSpec } from '../kind.ts';
import type { KubeObject } from '../types.ts';
import { SelectorError } from './selector-error.ts';

export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

export interface FieldMatcher {
  readonly requirements: readonly FieldRequirement[];
  readonly everything: boolean;
  matches(object: KubeObject): boolean;
}

type Getter = (object: KubeObject) => string;

const metadataFields: Readonly<Record<string, Getter>> = {
  'metadata.name': (object) => object.metadata?.name ?? '',
  'metadata.namespace': (object) => object.metadata?.namespace ?? '',
};

/** The field selector keys of a kind, metadata.name (and metadata.namespace) first. */
export function fieldSelectorKeys(kind: KindSpec): readonly string[] {
  const metadata = kind.namespaced ? ['metadata.name', 'metadata.namespace'] : ['metadata.name'];
  return [...metadata, ...Object.keys(kind.fieldSelectors ?? {})];
}

/** The value that a field selector compares; undefined when the kind has no such key. */
export function fieldOf(kind: KindSpec, field: string): ((object: KubeObject) => string) | undefined {
  if (Object.hasOwn(metadataFields, field)) return metadataFields[field];
  const own = kind.fieldSelectors;
  // The table's functions are typed for their own kind, and the caller asks about an object of that kind.
  return own !== undefined && Object.hasOwn(own, field) ? (own[field] as Getter) : undefined;
}

/** Compiles a field selector for a kind; '' matches everything. Throws SelectorError with upstream's words. */
export function parseFieldSelector(kind: KindSpec, text: string): FieldMatcher {
  const requirements = splitTerms(text).map((term) => parseTerm(term, text));
  const tests = requirements.map(({ field, operator, value }) => {
    const get = fieldOf(kind, field);
    if (get === undefined) throw new SelectorError(whyNotSelectable(kind, field));
    return operator === '='
      ? (object: KubeObject) => get(object) === value
      : (object: KubeObject) => get(object) !== value;
  });
  return {
    requirements,
    everything: tests.length === 0,
    matches: (object) => tests.every((test) => test(object)),
  };
}

/** Kinds that have keys of their own are told of in other words than those that have none. */
function whyNotSelectable(kind: KindSpec, field: string): string {
  if (kind.fieldSelectors !== undefined || kind.custom !== undefined) return `field label not supported: ${field}`;
  return `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`;
}

/** Splits at commas that no backslash escapes. */
function splitTerms(text: string): string[] {
  return [...text.matchAll(/(?:\\.|[^,\\])+/gs)].map(([term]) => term);
}

function parseTerm(term: string, whole: string): FieldRequirement {
  const match = /^((?:\\.|[^\\=!]|!(?!=))*)(!=|==|=)(.*)$/s.exec(term);
  if (match === null) throw new SelectorError(`invalid selector: '${whole}'; can't understand '${term}'`);
  const [, field = '', operator, value = ''] = match;
  return { field, operator: operator === '!=' ? '!=' : '=', value: unescapeValue(value) };
}

function unescapeValue(value: string): string {
  return value.replace(/\\(.)|([,=])|\\$/gs, (found: string, escaped: string | undefined, bare: string | undefined) => {
    if (escaped === '\\' || escaped === ',' || escaped === '=') return escaped;
    throw new SelectorError(
      bare === undefined
        ? `invalid field selector: invalid escape sequence: ${found}`
        : `invalid field selector: unescaped character in value: ${found}`,
    );
  });
}
