// Each field of an object, made wrong in each way that clients do by accident: left out, null, empty, of another type, a name
// that is none, too long, negative, huge, twice, unknown.

import type { Json } from './sample.ts';

export interface Mutation {
  /** `spec.ports.0.port neg` */
  readonly label: string;
  readonly path: Path;
  apply(object: Json): Json;
}

type Path = readonly (string | number)[];
type Change = readonly [name: string, make: (value: unknown) => unknown];

const absent = Symbol('absent');
const always: readonly Change[] = [
  ['drop', () => absent],
  ['null', () => null],
];
const ofText: readonly Change[] = [
  ['empty', () => ''],
  ['bad', () => 'In Valid!_'],
  ['long', () => 'a'.repeat(300)],
  ['num', () => 7],
  ['dash', () => '-x'],
];
const ofNumber: readonly Change[] = [
  ['neg', () => -1],
  ['zero', () => 0],
  ['huge', () => 99_999_999],
  ['huger', () => 1e12],
  ['str', () => 'x'],
  ['frac', () => 1.5],
];
const ofBoolean: readonly Change[] = [
  ['flip', (value) => value !== true],
  ['str', () => 'x'],
];
const ofList: readonly Change[] = [
  ['empty', () => []],
  ['dup', (value) => [value, value].flat()],
  ['str', () => 'x'],
  ['obj', () => ({})],
];
const ofObject: readonly Change[] = [
  ['empty', () => ({})],
  ['str', () => 'x'],
  ['arr', () => []],
];

/** Every mutation of every field of `object` but kind and apiVersion. */
export function mutationsOf(object: Json): readonly Mutation[] {
  const fields = [...pathsOf(object)].flatMap((path) =>
    [...always, ...changesOf(valueAt(object, path))].map(([name, make]) => ({
      label: `${path.join('.')} ${name}`,
      path,
      apply: (given: Json) => changed(given, path, make),
    })),
  );
  const unknown = [[], ['metadata'], ['spec']].filter((path) => isObject(valueAt(object, path)));
  return [
    ...fields,
    ...unknown.map((path) => ({
      label: `${path.join('.')} unknown`,
      path,
      apply: (given: Json) => changed(given, [...path, 'unknownField'], () => 'x'),
    })),
  ];
}

/** Whether what is changed is there. */
export function canApply({ path }: Mutation, object: Json): boolean {
  return valueAt(object, path) !== undefined;
}

function* pathsOf(value: unknown, at: Path = []): Generator<Path> {
  if (at.length > 0) yield at;
  if (Array.isArray(value)) for (const [index, item] of value.entries()) yield* pathsOf(item, [...at, index]);
  else if (isObject(value)) {
    for (const [name, item] of Object.entries(value)) {
      if (at.length === 0 && (name === 'kind' || name === 'apiVersion')) continue;
      yield* pathsOf(item, [...at, name]);
    }
  }
}

function changesOf(value: unknown): readonly Change[] {
  if (typeof value === 'string') return ofText;
  if (typeof value === 'number') return ofNumber;
  if (typeof value === 'boolean') return ofBoolean;
  return Array.isArray(value) ? ofList : ofObject;
}

function changed(object: Json, path: Path, make: Change[1]): Json {
  const copy = structuredClone(object);
  const last = path.at(-1) ?? '';
  const parent = valueAt(copy, path.slice(0, -1)) as Record<string | number, unknown>;
  const value = make(parent[last]);
  if (value !== absent) parent[last] = value;
  else if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete parent[last];
  return copy;
}

function valueAt(object: unknown, path: Path): unknown {
  let value = object;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[name];
  }
  return value;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
