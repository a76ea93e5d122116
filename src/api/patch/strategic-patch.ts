// Strategic merge patch: like a merge patch, but the schema says which lists are merged and on which key, and the patch may
// carry directives ($patch, $retainKeys, $deleteFromPrimitiveList/…, $setElementOrder/…).
// Source: k8s.io/apimachinery pkg/util/strategicpatch and the API conventions' page on strategic merge patch.

import type { FieldSchema, ObjectSchema, Schema } from '../schema/schema.ts';
import { whyHostile } from './hostile.ts';
import { goWord, PatchError } from './patch-error.ts';
import { type Fields, isFields, type KeyedList, mergeKeyedList, mergeScalarList } from './strategic-list.ts';

/**
 * Answers a new object; what the patch does not touch is shared with `object`. `schema` is that of the kind; fields that
 * it does not know are merged as in a merge patch; null changes nothing. Throws PatchError.
 */
export function applyStrategicMergePatch(schema: ObjectSchema, object: object, patch: unknown): object {
  if (patch === null) return object;
  if (!isFields(patch)) {
    throw new PatchError(
      'BadRequest',
      `error decoding patch: json: cannot unmarshal ${goWord(patch)} into Go value of type map[string]interface {}`,
    );
  }
  const hostile = whyHostile(patch);
  if (hostile !== undefined) throw new PatchError('BadRequest', hostile);
  return mergeObject(object as Fields, patch, schema);
}

const directive = '$patch';
const retainKeys = '$retainKeys';
const deletePrefix = '$deleteFromPrimitiveList/';
const orderPrefix = '$setElementOrder/';

function mergeObject(original: Fields, patch: Fields, schema: Schema | undefined): Fields {
  const { [directive]: what, ...rest } = patch;
  if (what === 'replace') return withoutDirectives(rest);
  if (what === 'delete') return {};
  if (what !== undefined && what !== 'merge') throw unknownDirective(what);

  const result: Fields = { ...original };
  retainOnly(result, rest);
  for (const [key, value] of Object.entries(rest)) {
    if (key === retainKeys || key.startsWith(deletePrefix) || key.startsWith(orderPrefix)) continue;
    const field = fieldOf(schema, key);
    if (value === null) delete result[key];
    else if (Array.isArray(value)) {
      result[key] = mergeList(result[key], value, field, rest, key);
    } else if (isFields(value)) {
      const before = Object.hasOwn(result, key) ? result[key] : undefined;
      if (field?.patchStrategy === 'replace' && value[directive] === undefined) result[key] = withoutDirectives(value);
      else if (value[directive] === 'delete') delete result[key];
      else result[key] = mergeObject(isFields(before) ? before : {}, value, field?.schema);
    } else result[key] = value;
  }
  applyOrphanListDirectives(result, rest, schema);
  return result;
}

/** `$retainKeys` of an object: every other key goes; the patch must not set a key that it does not retain. */
function retainOnly(result: Fields, patch: Fields): void {
  const retained = patch[retainKeys];
  if (retained === undefined) return;
  if (!Array.isArray(retained)) throw new PatchError('BadRequest', 'invalid patch format of retainKeys');
  for (const key of Object.keys(patch)) {
    if (key !== retainKeys && !key.startsWith('$') && patch[key] !== null && !retained.includes(key)) {
      throw new PatchError(
        'BadRequest',
        `retainKeys directive must be a superset of the keys that the patch sets: ${key}`,
      );
    }
  }
  for (const key of Object.keys(result)) if (!retained.includes(key)) delete result[key];
}

/** Directives for lists that the patch itself does not set. */
function applyOrphanListDirectives(result: Fields, patch: Fields, schema: Schema | undefined): void {
  for (const directiveKey of Object.keys(patch)) {
    const prefix = [deletePrefix, orderPrefix].find((one) => directiveKey.startsWith(one));
    const key = prefix === undefined ? undefined : directiveKey.slice(prefix.length);
    if (key === undefined || patch[key] !== undefined) continue;
    if (!Array.isArray(result[key])) continue;
    result[key] = mergeList(result[key], [], fieldOf(schema, key), patch, key);
  }
}

function mergeList(
  before: unknown,
  patch: readonly unknown[],
  field: FieldSchema | undefined,
  siblings: Fields,
  key: string,
): unknown {
  const original: readonly unknown[] = Array.isArray(before) ? before : [];
  const order = listDirective(siblings, orderPrefix, key);
  const deleted = listDirective(siblings, deletePrefix, key);
  const merges = field?.patchStrategy?.startsWith('merge') === true;
  const items = field?.schema.type === 'list' ? field.schema.items : undefined;
  if (!merges) return patch.filter((item) => !(isFields(item) && item[directive] !== undefined)).map(plain);
  if (field?.patchMergeKey === undefined) {
    return mergeScalarList({ original, patch, deleted: deleted ?? [], order });
  }
  const list: KeyedList = {
    key,
    mergeKey: field.patchMergeKey,
    original,
    patch,
    order,
    merge: (have, change) => mergeObject(have, change, items),
    add: (change) => mergeObject({}, change, items),
  };
  return mergeKeyedList(list);
}

function listDirective(siblings: Fields, prefix: string, key: string): readonly unknown[] | undefined {
  const value = siblings[`${prefix}${key}`];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value))
    throw new PatchError('BadRequest', `invalid patch format of ${prefix}${key}: expected a list`);
  return value;
}

function fieldOf(schema: Schema | undefined, key: string): FieldSchema | undefined {
  if (schema?.type === 'object') return schema.fields.get(key);
  return schema?.type === 'map' ? { schema: schema.values } : undefined;
}

/** A value that replaces: directives in it have done their work. */
function withoutDirectives(value: Fields): Fields {
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => !key.startsWith('$') && item !== null)
      .map(([key, item]) => [key, plain(item)]),
  );
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  return isFields(value) && hasDirective(value) ? withoutDirectives(value) : value;
}

function hasDirective(value: Fields): boolean {
  return [directive, retainKeys].some((key) => key in value);
}

function unknownDirective(what: unknown): PatchError {
  return new PatchError('BadRequest', `unknown patch type found: ${String(what)}`);
}
