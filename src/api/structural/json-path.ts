// The simple JSON paths of CustomResourceDefinitions: printer columns and selectable fields.
//
//   .spec.replicas   .metadata.labels['a\.b']   .status.conditions[?(@.type=="Ready")].status   .spec.hosts[0]   .spec.hosts[*]
//
// Source: k8s.io/client-go util/jsonpath, as far as additionalPrinterColumns may use it.

import { isFields } from './fields.ts';

/** From one value to the values one step further. */
type Step = (value: unknown) => readonly unknown[];

export type JsonPath = (value: unknown) => readonly unknown[];

const token =
  /\.\.|\.?\*|\[\*\]|\[(-?\d+)\]|\[\?\(@((?:\.[\w-]+)+)\s*(==|!=)\s*(?:"([^"]*)"|'([^']*)'|([\w.-]+))\)\]|\[['"]([^'"]+)['"]\]|\.((?:\\.|[^.[\]\s\\])+)/y;

/** Throws SyntaxError for a path that it does not understand. */
export function compileJsonPath(path: string): JsonPath {
  const text = path.startsWith('{') && path.endsWith('}') ? path.slice(1, -1) : path;
  const steps: Step[] = [];
  let at = 0;
  while (at < text.length) {
    token.lastIndex = at;
    const match = token.exec(text);
    if (match === null) throw new SyntaxError(`unrecognized character in path ${JSON.stringify(path)} at ${at}`);
    // Before a filter's own path is compiled with the same expression.
    at = token.lastIndex;
    steps.push(stepOf(match, path));
  }
  return (value) => steps.reduce<readonly unknown[]>((values, step) => values.flatMap(step), [value]);
}

function stepOf(match: RegExpExecArray, path: string): Step {
  const [whole, index, field, operator, doubleQuoted, singleQuoted, bare, quotedKey, key] = match;
  if (whole === '..') throw new SyntaxError(`recursive descent in path ${JSON.stringify(path)} is not supported`);
  if (index !== undefined) return (value) => (Array.isArray(value) ? present(value.at(Number(index))) : []);
  if (field !== undefined) {
    const inner = compileJsonPath(field);
    const wanted = doubleQuoted ?? singleQuoted ?? bare ?? '';
    return (value) =>
      entriesOf(value).filter((item) => {
        const [found] = inner(item);
        return found !== undefined && (String(found) === wanted) === (operator === '==');
      });
  }
  const name = quotedKey ?? key;
  if (name === undefined) return entriesOf;
  const plain = name.replaceAll(/\\(.)/g, '$1');
  return (value) => (isFields(value) && Object.hasOwn(value, plain) ? present(value[plain]) : []);
}

function entriesOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return isFields(value) ? Object.values(value) : [];
}

function present(value: unknown): readonly unknown[] {
  return value === undefined || value === null ? [] : [value];
}
