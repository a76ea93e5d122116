// What a case of test/api/enums.test.ts is: an object that holds one value of a field, and where a refusal of it points to.

import type { KindSpec } from '../../src/api/index.ts';

export type Content = Readonly<Record<string, unknown>>;

export interface Case {
  readonly kind: KindSpec;
  readonly with: (value: string) => Content;
  /** Where the refusal points to. */
  readonly at: string;
  /** Where upstream does not list the values: what it says after `Invalid value: "…": `. */
  readonly invalid?: string;
  /** The refusal shows the whole list that holds the value. */
  readonly showsList?: true;
  /** The refusal shows the whole object that holds the value. */
  readonly shows?: (value: string) => unknown;
}

/** `group.version.Type.field` → its case. */
export type Cases = Readonly<Record<string, Case>>;

export const selectorOperator = 'not a valid selector operator';

export function podSpec(content: Content): Content {
  return { containers: [{ name: 'a', image: 'i' }], ...content };
}

/** @param at below `spec.` */
export function inSpec(kind: KindSpec, at: string, content: (value: string) => Content, invalid?: string): Case {
  return {
    kind,
    with: (value) => ({ spec: content(value) }),
    at: `spec.${at}`,
    ...(invalid === undefined ? {} : { invalid }),
  };
}
