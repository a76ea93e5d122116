// The JSON paths of CustomResourceDefinitions: printer columns and selectable fields.
//
//   .spec.replicas   .metadata.labels['a\.b']   .status.conditions[?(@.type=="Ready")].status   .spec.hosts[0]   .spec.hosts[*]
//   .status.conditions[-1:].type   .spec.hosts[0,1]   .spec['a','b']   .spec.items[?(@.weight>=5)].name   .spec..image
//
// Source: k8s.io/client-go util/jsonpath, as far as additionalPrinterColumns may use it.

import { isFields } from './fields.ts';

/** From one value to the values one step further. */
type Step = (value: unknown) => readonly unknown[];

export type JsonPath = (value: unknown) => readonly unknown[];

const token = /\.\.|\.?\*|\[((?:\?\((?:"[^"]*"|'[^']*'|[^)])*\)|"[^"]*"|'[^']*'|[^\]])*)\]|\.?((?:\\.|[^.[\]\s\\])+)/y;

/** Throws SyntaxError for a path that it does not understand. */
export function compileJsonPath(path: string): JsonPath {
  const text = path.startsWith('{') && path.endsWith('}') ? path.slice(1, -1) : path;
  const steps: Step[] = [];
  let at = 0;
  while (at < text.length && text !== '.') {
    token.lastIndex = at;
    const match = token.exec(text);
    if (match === null) throw new SyntaxError(`unrecognized character in path ${JSON.stringify(path)} at ${at}`);
    // Before a filter's own path is compiled with the same expression.
    at = token.lastIndex;
    const [whole, inBrackets, key] = match;
    if (whole === '..') steps.push(withDescendants);
    else if (inBrackets !== undefined) steps.push(bracketStep(inBrackets.trim(), path));
    else steps.push(key === undefined ? entriesOf : fieldStep(key.replaceAll(/\\(.)/g, '$1')));
  }
  return (value) => steps.reduce<readonly unknown[]>((values, step) => values.flatMap(step), [value]);
}

const filter = /^\?\(\s*@?((?:\.|\[).*?)\s*(?:(==|!=|<=|>=|<|>)\s*(?:"([^"]*)"|'([^']*)'|([\w.+-]+))\s*)?\)$/;
const slice = /^(-?\d+)?:(-?\d+)?(?::(-?\d+))?$/;

function bracketStep(text: string, path: string): Step {
  if (text === '*') return entriesOf;
  const range = slice.exec(text);
  if (range !== null) return sliceStep(range);
  const condition = filter.exec(text);
  if (condition !== null) return filterStep(condition);
  const parts = text.split(',').map((part) => part.trim());
  const steps = parts.map((part): Step => {
    if (/^-?\d+$/.test(part)) return (value) => (Array.isArray(value) ? present(value.at(Number(part))) : []);
    const quoted = /^(['"])(.*)\1$/.exec(part)?.[2];
    if (quoted === undefined) throw new SyntaxError(`invalid array index ${part} in path ${JSON.stringify(path)}`);
    return fieldStep(quoted.replaceAll(/\\(.)/g, '$1'));
  });
  return (value) => steps.flatMap((step) => step(value));
}

function sliceStep([, from, to, by = '1']: RegExpExecArray): Step {
  const step = Number(by);
  return (value) => {
    if (!Array.isArray(value) || step < 1) return [];
    const cut = value.slice(from === undefined ? 0 : Number(from), to === undefined ? undefined : Number(to));
    return cut.filter((_item, index) => index % step === 0);
  };
}

function filterStep([, field = '', operator, doubleQuoted, singleQuoted, bare]: RegExpExecArray): Step {
  const inner = compileJsonPath(field);
  const wanted = doubleQuoted ?? singleQuoted ?? bare ?? '';
  const fits = (item: unknown): boolean => {
    const [found] = inner(item);
    if (found === undefined) return false;
    switch (operator) {
      case undefined:
        return true;
      case '==':
        return String(found) === wanted;
      case '!=':
        return String(found) !== wanted;
      default:
        return compares(operator, typeof found === 'number' ? found - Number(wanted) : order(String(found), wanted));
    }
  };
  return (value) => entriesOf(value).filter(fits);
}

function order(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function compares(operator: string, difference: number): boolean {
  if (operator.endsWith('=') && difference === 0) return true;
  return operator.startsWith('<') ? difference < 0 : difference > 0;
}

function fieldStep(name: string): Step {
  return (value) => (isFields(value) && Object.hasOwn(value, name) ? present(value[name]) : []);
}

function withDescendants(value: unknown): readonly unknown[] {
  const below = entriesOf(value);
  return below.length === 0 ? [] : [value, ...below.flatMap(withDescendants)];
}

function entriesOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return isFields(value) ? Object.values(value) : [];
}

function present(value: unknown): readonly unknown[] {
  return value === undefined || value === null ? [] : [value];
}
