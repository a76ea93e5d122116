// JSON Patch (RFC 6902) as upstream's library applies it: a missing field of an object reads as null, so it can be replaced
// and copied; indexes may count from the end. npm's libraries follow the RFC where upstream's does not, so this is our own.
// Bounds are upstream's: 10,000 operations, and a `copy` may not make the object grow past the request limit.
// Source: evanphx/json-patch version 4, k8s.io/apiserver pkg/endpoints/handlers/patch.go.

import { isDeepStrictEqual } from 'node:util';
import { whyHostile } from './hostile.ts';
import { goWord, PatchError } from './patch-error.ts';

const maxOperations = 10_000;
/** What one patch may copy in all, in characters of JSON. */
const maxCopied = 3 * 1024 * 1024;

/** Applies `patch` to a copy of `object`; null changes nothing. Throws PatchError. */
export function applyJsonPatch(object: object, patch: unknown): object {
  if (patch !== null && !Array.isArray(patch)) {
    throw new PatchError(
      'BadRequest',
      `error decoding patch: json: cannot unmarshal ${goWord(patch)} into Go value of type []interface {}`,
    );
  }
  const operations: readonly unknown[] = patch ?? [];
  if (operations.length > maxOperations) {
    throw new PatchError(
      'RequestEntityTooLarge',
      `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${operations.length}`,
    );
  }
  const hostile = whyHostile(operations) ?? whyHostilePath(operations);
  if (hostile !== undefined) throw new PatchError('BadRequest', hostile);
  const state: State = { root: structuredClone(object), copied: 0 };
  for (const operation of operations.map(readOperation)) applyOne(state, operation);
  const { root } = state;
  if (Array.isArray(root)) throw new PatchError('Invalid', 'the JSON patch does not leave an object');
  return root;
}

/** Pointers through `__proto__` would reach into every object of the process. */
function whyHostilePath(patch: readonly unknown[]): string | undefined {
  const pointers = patch.flatMap((operation) => {
    const { path, from } = (operation ?? {}) as { path?: unknown; from?: unknown };
    return [path, from].filter((pointer) => typeof pointer === 'string');
  });
  const bad = pointers.find((pointer) => /\/(?:__proto__|constructor\/prototype)(?:\/|$)/.test(pointer));
  return bad === undefined ? undefined : `path ${JSON.stringify(bad)} is not accepted`;
}

interface State {
  /** The whole document; only an operation on the path '' puts another in its place. */
  root: Container;
  copied: number;
}

type Container = object | unknown[];

interface Operation {
  readonly op?: unknown;
  readonly path?: unknown;
  readonly from?: unknown;
  readonly value?: unknown;
}

/** null is an operation without a kind. */
function readOperation(operation: unknown): Operation {
  if (typeof operation === 'object' && !Array.isArray(operation)) return operation ?? {};
  throw new PatchError(
    'BadRequest',
    `json: cannot unmarshal ${goWord(operation)} into Go value of type jsonpatch.Operation`,
  );
}

function applyOne(state: State, operation: Operation): void {
  const value = operation.value ?? null;
  const { op } = operation;
  if (op === 'replace') replace(state, operation, value);
  else if (op === 'test') test(state, operation, value);
  else if (op === 'copy') copy(state, operation);
  else if (op === 'move') move(state, operation);
  else if (op === 'add') {
    const { path, container, key } = target(state, operation, op);
    insert(container, key, value, `error in add for path: '${path}'`);
  } else if (op === 'remove') {
    const { path, container, key } = target(state, operation, op);
    remove(container, key, `error in remove for path: '${path}'`);
  } else throw new PatchError('Invalid', `Unexpected kind: ${typeof op === 'string' ? op : 'unknown'}`);
}

function move(state: State, operation: Operation): void {
  const from = target(state, operation, 'move', 'from');
  const what = `error in move for path: '${from.key}'`;
  const moved = read(from.container, from.key, what);
  remove(from.container, from.key, what);
  const { path, container, key } = target(state, operation, 'move');
  insert(container, key, moved, `error in move for path: '${path}'`);
}

function replace(state: State, operation: Operation, value: unknown): void {
  if (operation.path === '') {
    if (typeof value !== 'object' || value === null) {
      throw new PatchError('Invalid', 'replace operation value must be object or array');
    }
    state.root = value;
    return;
  }
  const { path, container, key } = target(state, operation, 'replace');
  read(container, key, `replace operation does not apply: doc is missing key: ${path}`);
  if (Array.isArray(container)) container[indexOf(container, key, '')] = value;
  else (container as Record<string, unknown>)[key] = value;
}

function test(state: State, operation: Operation, value: unknown): void {
  const { path } = operation;
  const have = path === '' ? state.root : readTested(state, operation);
  if (!isDeepStrictEqual(have, value)) throw new PatchError('Invalid', `testing value ${path} failed: test failed`);
}

function readTested(state: State, operation: Operation): unknown {
  const { path, container, key } = target(state, operation, 'test');
  return read(container, key, `error in test for path: '${path}'`);
}

function copy(state: State, operation: Operation): void {
  const from = target(state, operation, 'copy', 'from');
  const value = structuredClone(read(from.container, from.key, `error in copy for from: '${from.path}'`));
  const { container, key } = target(state, operation, 'copy');
  state.copied += JSON.stringify(value).length;
  if (state.copied > maxCopied) {
    throw new PatchError('RequestEntityTooLarge', 'the copy operations of the JSON patch make the object too large');
  }
  insert(container, key, value, 'error while adding value during copy');
}

interface Target {
  readonly path: string;
  readonly container: Container;
  readonly key: string;
}

/** What the last part of an operation's path or `from` is a key or an index of. */
function target(state: State, operation: Operation, op: string, field: 'path' | 'from' = 'path'): Target {
  const path = operation[field];
  if (typeof path !== 'string') {
    throw new PatchError('Invalid', `${op} operation failed to decode ${field}: missing value`);
  }
  const [, ...parts] = path.split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const key = parts.pop();
  let container: unknown = key === undefined ? undefined : state.root;
  for (const part of parts) container = isContainer(container) ? peek(container, part) : undefined;
  if (key !== undefined && isContainer(container)) return { path, container, key };
  throw new PatchError('Invalid', `${op} operation does not apply: doc is missing path: "${path}": missing value`);
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}

function peek(container: Container, key: string): unknown {
  if (!Array.isArray(container)) {
    return Object.hasOwn(container, key) ? (container as Record<string, unknown>)[key] : undefined;
  }
  return /^[+-]?\d+$/.test(key) ? container.at(Number(key)) : undefined;
}

/** A field that an object lacks reads as null; `what` opens the error for an index that a list lacks. */
function read(container: Container, key: string, what: string): unknown {
  if (Array.isArray(container)) return container[indexOf(container, key, what)];
  return peek(container, key) ?? null;
}

function insert(container: Container, key: string, value: unknown, what: string): void {
  if (!Array.isArray(container)) (container as Record<string, unknown>)[key] = value;
  else if (key === '-') container.push(value);
  else container.splice(indexOf(container, key, what, container.length + 1), 0, value);
}

function remove(container: Container, key: string, what: string): void {
  if (Array.isArray(container)) container.splice(indexOf(container, key, what), 1);
  else if (Object.hasOwn(container, key)) delete (container as Record<string, unknown>)[key];
  else throw new PatchError('Invalid', `${what}: Unable to remove nonexistent key: ${key}: missing value`);
}

function indexOf(list: readonly unknown[], key: string, what: string, length = list.length): number {
  if (!/^[+-]?\d+$/.test(key)) {
    throw new PatchError('Invalid', `${what}: value was not a proper array index: '${key}'`);
  }
  const index = Number(key);
  if (index < length && index >= -length) return index < 0 ? index + length : index;
  throw new PatchError('Invalid', `${what}: Unable to access invalid index: ${index}: invalid index referenced`);
}
