// Sets of paths, in the very form that clients read as fieldsV1, so that nothing is converted when an object is read or
// written:
//
//   { "f:spec": { "f:replicas": {}, "f:template": { ".": {}, "f:metadata": … } } }
//
// `{}` is a path that belongs to the set; a node with children belongs to it only when it holds ".". Elements stand in
// compareElements' order. Sets are never changed: operations answer a new one, and the same one when nothing changes, so
// `===` tells whether an operation did anything.
// Source: KEP-555; structured-merge-diff fieldpath.Set.

import { compareElements, isElement, self } from './path-element.ts';

export interface FieldSet {
  readonly [element: string]: FieldSet;
}

/** A set while it is being made. */
export interface Draft {
  [element: string]: FieldSet;
}

export const emptySet: FieldSet = Object.freeze({});
/** A path that belongs to a set and has nothing below. */
export const member: FieldSet = Object.freeze({});

export function isEmpty(set: FieldSet): boolean {
  for (const _element in set) return false;
  return true;
}

/** Whether the path of a node belongs to the set itself. */
export function isMember(node: FieldSet): boolean {
  return self in node || isEmpty(node);
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(b) || a === b) return a;
  return isEmpty(a) ? b : unite(a, b);
}

function unite(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  if (isEmpty(b)) return isMember(a) ? a : { [self]: member, ...a };
  if (isEmpty(a)) return isMember(b) ? b : { [self]: member, ...b };
  const out: Draft = {};
  let changed = false;
  let extra = false;
  for (const element in a) {
    const left = a[element] as FieldSet;
    const right = b[element];
    const both = right === undefined ? left : unite(left, right);
    if (both !== left) changed = true;
    out[element] = both;
  }
  for (const element in b) {
    if (element in out) continue;
    extra = true;
    out[element] = b[element] as FieldSet;
  }
  if (extra) return inOrder(out);
  return changed ? out : a;
}

/** `a` without exactly the paths of `b`: what is below of them stays. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return isEmpty(a) || isEmpty(b) ? a : (without(a, b, false) ?? emptySet);
}

/** `a` without the paths of `b` and all that is below them. */
export function differenceBelow(a: FieldSet, b: FieldSet): FieldSet {
  return isEmpty(a) || isEmpty(b) ? a : (without(a, b, true) ?? emptySet);
}

function without(a: FieldSet, b: FieldSet, deep: boolean): FieldSet | undefined {
  const out: Draft = {};
  let changed = false;
  for (const element in a) {
    const left = a[element] as FieldSet;
    const right = b[element];
    if (right === undefined) {
      out[element] = left;
      continue;
    }
    const rest = withoutNode(left, right, deep);
    if (rest !== left) changed = true;
    if (rest !== undefined) out[element] = rest;
  }
  if (!changed) return a;
  return tidy(out);
}

/** A node with nothing below it is `member` when it belongs to the set, else no node at all. */
function tidy(node: Draft): FieldSet | undefined {
  for (const element in node) if (element !== self) return node;
  return self in node ? member : undefined;
}

function withoutNode(left: FieldSet, right: FieldSet, deep: boolean): FieldSet | undefined {
  const taken = isMember(right);
  if (taken && (deep || isEmpty(left))) return undefined;
  if (isEmpty(left)) return left;
  return without(left, taken && !(self in right) ? { [self]: member } : right, deep);
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return emptySet;
  const out: Draft = {};
  for (const element in a) {
    const right = b[element];
    if (right === undefined) continue;
    const both = common(a[element] as FieldSet, right);
    if (both !== undefined) out[element] = both;
  }
  return out;
}

function common(a: FieldSet, b: FieldSet): FieldSet | undefined {
  if (a === b) return a;
  const both = isMember(a) && isMember(b);
  const children: Draft = {};
  for (const element in a) {
    const right = element === self ? undefined : b[element];
    const child = right === undefined ? undefined : common(a[element] as FieldSet, right);
    if (child !== undefined) children[element] = child;
  }
  if (isEmpty(children)) return both ? member : undefined;
  return both ? { [self]: member, ...children } : children;
}

/** The same elements in the order that clients expect. */
export function inOrder(draft: Draft): FieldSet {
  const elements = Object.keys(draft);
  let sorted = true;
  for (let at = 1; at < elements.length && sorted; at += 1) {
    sorted = compareElements(elements[at - 1] as string, elements[at] as string) < 0;
  }
  if (sorted) return draft;
  const out: Draft = {};
  for (const element of elements.sort(compareElements)) out[element] = draft[element] as FieldSet;
  return out;
}

/** Every path that belongs to the set, in order. */
export function* pathsOf(set: FieldSet, above: readonly string[] = []): Generator<readonly string[]> {
  for (const element in set) {
    if (element === self) continue;
    const node = set[element] as FieldSet;
    const path = [...above, element];
    if (isMember(node)) yield path;
    yield* pathsOf(node, path);
  }
}

/** The set of the paths given: `[['f:spec'], ['f:metadata', 'f:labels']]`. */
export function setOf(...paths: readonly (readonly string[])[]): FieldSet {
  return paths.reduce<FieldSet>((set, path) => {
    const one = path.reduceRight<FieldSet>((node, element) => ({ [element]: node }), member);
    return union(set, one);
  }, emptySet);
}

const depthMax = 200;

/** A set out of what a client sent as fieldsV1; undefined when it is none. */
export function readSet(value: unknown, depth = 0): FieldSet | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth > depthMax) return undefined;
  const out: Draft = {};
  for (const [element, child] of Object.entries(value)) {
    if (element !== self && !isElement(element)) return undefined;
    const node = element === self ? member : readSet(child, depth + 1);
    if (node === undefined) return undefined;
    out[element] = node;
  }
  // "." alone says the same as {}.
  if (self in out && Object.keys(out).length === 1) return depth === 0 ? emptySet : member;
  return inOrder(out);
}
