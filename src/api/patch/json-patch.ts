// JSON Patch (RFC 6902) by fast-json-patch, bounded and with its errors in upstream's words.
// Bounds are upstream's: 10,000 operations, and a `copy` may not make the object grow past the request limit.

import jsonpatch, { type Operation } from 'fast-json-patch';
import { whyHostile } from './hostile.ts';
import { PatchError } from './patch-error.ts';

const maxOperations = 10_000;
/** What one patch may copy in all, in characters of JSON. */
const maxCopied = 3 * 1024 * 1024;

/** Applies `patch` to a copy of `object`. Throws PatchError. */
export function applyJsonPatch(object: object, patch: unknown): object {
  if (!Array.isArray(patch)) {
    throw new PatchError(
      'BadRequest',
      'error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch',
    );
  }
  if (patch.length > maxOperations) {
    throw new PatchError(
      'RequestEntityTooLarge',
      `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`,
    );
  }
  const hostile = whyHostile(patch) ?? whyHostilePath(patch);
  if (hostile !== undefined) throw new PatchError('BadRequest', hostile);
  let result: unknown = structuredClone(object);
  let copied = 0;
  for (const operation of patch as unknown[]) {
    const checked = checkOperation(operation);
    if (checked.op === 'copy') copied += sizeAt(result, checked.from);
    if (copied > maxCopied) {
      throw new PatchError('RequestEntityTooLarge', 'the copy operations of the JSON patch make the object too large');
    }
    result = applyOne(result, checked);
  }
  if (typeof result !== 'object' || result === null || Array.isArray(result)) {
    throw new PatchError('Invalid', 'the JSON patch does not leave an object');
  }
  return result;
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

function applyOne(document: unknown, operation: Operation): unknown {
  if (operation.op === 'test') {
    const have = valueAt(document, operation.path);
    if (JSON.stringify(sorted(have)) === JSON.stringify(sorted(operation.value))) return document;
    throw new PatchError('Invalid', `testing path ${operation.path} failed`);
  }
  try {
    return jsonpatch.applyOperation(document, operation, true, true, true).newDocument;
  } catch (error) {
    if (!(error instanceof jsonpatch.JsonPatchError)) throw error;
    throw new PatchError('Invalid', whyNotApplied(operation, error.name));
  }
}

function whyNotApplied(operation: Operation, code: string): string {
  const path = 'from' in operation && code.includes('FROM') ? operation.from : operation.path;
  if (operation.op === 'remove')
    return `remove operation does not apply: doc is missing path: ${JSON.stringify(path)}: missing value`;
  if (operation.op === 'replace')
    return `replace operation does not apply: doc is missing path: ${path}: missing value`;
  if (code.includes('OUT_OF_BOUNDS'))
    return `${operation.op} operation does not apply: index is out of bounds: ${path}: invalid index referenced`;
  return `${operation.op} operation does not apply: doc is missing path: ${JSON.stringify(path)}: missing value`;
}

function checkOperation(operation: unknown): Operation {
  if (typeof operation !== 'object' || operation === null) {
    throw new PatchError('BadRequest', 'error decoding patch: an operation must be an object');
  }
  const { op, path, from } = operation as { op?: unknown; path?: unknown; from?: unknown };
  if (typeof op !== 'string' || !['add', 'remove', 'replace', 'move', 'copy', 'test'].includes(op)) {
    throw new PatchError('Invalid', `Unexpected kind: ${String(op)}`);
  }
  if (typeof path !== 'string' || (path !== '' && !path.startsWith('/'))) {
    throw new PatchError(
      'Invalid',
      `${op} operation does not apply: unable to find path ${JSON.stringify(path ?? '')}`,
    );
  }
  if ((op === 'move' || op === 'copy') && typeof from !== 'string') {
    throw new PatchError('Invalid', `${op} operation does not apply: from must be a path`);
  }
  // An absent value stands for null, as in upstream's library.
  if ((op === 'add' || op === 'replace' || op === 'test') && !('value' in operation)) {
    return { ...operation, value: null } as Operation;
  }
  return operation as Operation;
}

function sizeAt(document: unknown, pointer: string): number {
  return JSON.stringify(valueAt(document, pointer) ?? null).length;
}

/** The value at a JSON pointer; undefined when there is none. */
function valueAt(document: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(
      (at, part) =>
        typeof at === 'object' && at !== null && Object.hasOwn(at, part)
          ? (at as Record<string, unknown>)[part]
          : undefined,
      document,
    );
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value ?? null;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, sorted(item)]);
}
