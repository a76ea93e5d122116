// One step of a path inside an object, in the text form that fieldsV1 uses as keys:
//
//   f:replicas             a field of an object or a key of a map
//   k:{"name":"web"}       an item of a list with keys, by its key fields in alphabetical order
//   v:"kubernetes"         an item of a set, by its value
//   i:3                    an item by its index (never made here, but clients may send it)
//
// Source: k8s.io/apimachinery meta/v1 FieldsV1; structured-merge-diff fieldpath (serialisation and order).

type Scalar = string | number | boolean | null;

/** Marks, inside of a set, that the path itself belongs to it as well as something below. */
export const self = '.';

export function fieldElement(name: string): string {
  return `f:${name}`;
}

/** @param fields what keyField made of each key field, in alphabetical order, with commas between them. */
export function keyElement(fields: string): string {
  return `k:{${fields}}`;
}

export function keyField(name: string, value: unknown): string {
  return `${JSON.stringify(name)}:${JSON.stringify(value)}`;
}

export function valueElement(value: unknown): string {
  return `v:${JSON.stringify(value)}`;
}

/** Whether `text` is an element that a client may put into a set. */
export function isElement(text: string): boolean {
  const body = text.slice(2);
  switch (text.slice(0, 2)) {
    case 'f:':
      return true;
    case 'i:':
      return /^\d+$/.test(body);
    case 'v:':
      return parsed(body) !== undefined;
    case 'k:': {
      const fields = parsed(body);
      return typeof fields === 'object' && fields !== null && !Array.isArray(fields);
    }
    default:
      return false;
  }
}

const field = 0x66;
const named = 'k:{"name":"';
const ranks: Readonly<Record<string, number>> = { '.': 0, f: 1, k: 2, v: 3, i: 4 };

/** The order in which elements stand beside each other: the path itself, fields, keys, values, indexes. */
export function compareElements(a: string, b: string): number {
  if (a.charCodeAt(0) === field && b.charCodeAt(0) === field) return a < b ? -1 : a === b ? 0 : 1;
  if (a.startsWith(named) && b.startsWith(named) && !a.includes('\\') && !b.includes('\\')) {
    // Most keys: compared as text, without the closing `"}`, which would count as a character of the name.
    return a === b ? 0 : a.slice(0, -2) < b.slice(0, -2) ? -1 : 1;
  }
  const byRank = (ranks[a.charAt(0)] ?? 5) - (ranks[b.charAt(0)] ?? 5);
  if (byRank !== 0) return byRank;
  if (a === b) return 0;
  const kind = a.charAt(0);
  if (kind === 'k') return compareKeys(parsed(a.slice(2)), parsed(b.slice(2)));
  if (kind === 'v' || kind === 'i') return compareScalars(parsed(a.slice(2)), parsed(b.slice(2)));
  return a < b ? -1 : 1;
}

function compareKeys(a: unknown, b: unknown): number {
  const left = Object.entries(a as object) as [string, Scalar][];
  const right = Object.entries(b as object) as [string, Scalar][];
  for (const [index, [name, value]] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    if (name !== other[0]) return name < other[0] ? -1 : 1;
    const byValue = compareScalars(value, other[1]);
    if (byValue !== 0) return byValue;
  }
  return left.length - right.length;
}

const typeRanks: Readonly<Record<string, number>> = { number: 0, string: 1, boolean: 2 };

function compareScalars(a: unknown, b: unknown): number {
  if (a === b) return 0;
  if (typeof a === typeof b && a !== null && b !== null) return (a as string) < (b as string) ? -1 : 1;
  return (typeRanks[typeof a] ?? 3) - (typeRanks[typeof b] ?? 3);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** `.spec.containers[name="web"].image`: how messages show a path. */
export function pathText(path: readonly string[]): string {
  return path.map(elementText).join('');
}

function elementText(element: string): string {
  const body = element.slice(2);
  switch (element.charAt(0)) {
    case 'k': {
      const fields = Object.entries(parsed(body) as Record<string, unknown>);
      return `[${fields.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
    }
    case 'v':
      return `[=${body}]`;
    case 'i':
      return `[${body}]`;
    default:
      return `.${body}`;
  }
}
