// The rules of metadata that hold for every kind. Source: k8s.io/apiserver pkg/registry/rest (create.go, update.go, meta.go)
// and apimachinery pkg/api/validation/objectmeta.go.

import { randomInt, randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { KindSpec, KubeObject, ObjectMeta } from '../../api/index.ts';
import { badRequest, conflict, type FieldCause, invalid } from '../http/status-body.ts';
import { bodyOf } from './strategies/fields.ts';

/** What a write is about, as the URL says it. */
export interface Addressed {
  readonly namespace: string | undefined;
  readonly name: string;
}

/** Vowels and easily confused characters are left out. Source: apimachinery util/rand. */
const suffixCharacters = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;
const generatedNameMax = 63;

export function generatedName(base: string): string {
  const suffix = Array.from({ length: suffixLength }, () => suffixCharacters[randomInt(suffixCharacters.length)]);
  return base.slice(0, generatedNameMax - suffixLength) + suffix.join('');
}

/** The object with the name and namespace of the request, name still generated when asked for. Throws 400 on a mismatch. */
export function addressNew(object: KubeObject, kind: KindSpec, namespace: string | undefined): KubeObject {
  const { resourceVersion, ...meta } = object.metadata ?? {};
  if (resourceVersion !== undefined && resourceVersion !== '') {
    throw badRequest('resourceVersion should not be set on objects to be created');
  }
  const generated =
    (meta.name ?? '') === '' && (meta.generateName ?? '') !== ''
      ? { ...meta, name: generatedName(meta.generateName ?? '') }
      : meta;
  return { ...object, metadata: inNamespace(generated, kind, namespace) };
}

/** The same for a change, where the URL names the object. Throws 400 as well for one that does not name itself. */
export function addressExisting(object: KubeObject, kind: KindSpec, at: Addressed): KubeObject {
  const meta = object.metadata ?? {};
  const { name = '', namespace = '' } = meta;
  if (name === '') {
    throw badRequest(`the name of the object (${at.name} based on URL) was undeterminable: name must be provided`);
  }
  if (name !== at.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${at.name})`);
  }
  if (kind.namespaced && namespace !== '' && namespace !== at.namespace) {
    throw badRequest(
      `the namespace of the object (${namespace}) does not match the namespace on the request (${at.namespace ?? ''})`,
    );
  }
  return { ...object, metadata: inNamespace(meta, kind, at.namespace) };
}

/** Throws ApiError 400 for another namespace than the request's. */
export function inNamespace(meta: ObjectMeta, kind: KindSpec, namespace: string | undefined): ObjectMeta {
  if (!kind.namespaced) {
    const { namespace: _ignored, ...rest } = meta;
    return rest;
  }
  if (meta.namespace !== undefined && meta.namespace !== '' && meta.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  return namespace === undefined ? meta : { ...meta, namespace };
}

/** The object without owners that it names twice in every particular, as upstream; `warn` is told of them. */
export function withDistinctOwners(object: KubeObject, warn?: (message: string) => void): KubeObject {
  const owners = object.metadata?.ownerReferences ?? [];
  if (owners.length < 2) return object;
  const distinct = owners.filter((owner, at) => owners.findIndex((one) => isDeepStrictEqual(one, owner)) === at);
  if (distinct.length === owners.length) return object;
  const repeated = owners.filter((owner) => !distinct.includes(owner)).map(({ uid }) => uid);
  warn?.(
    `.metadata.ownerReferences contains duplicate entries, which were dropped; duplicate UID(s) observed: ${[...new Set(repeated)].join(', ')}`,
  );
  return { ...object, metadata: { ...object.metadata, ownerReferences: distinct } };
}

/** Fields that only the server sets. */
export function newMetadata(meta: ObjectMeta, kind: KindSpec, now: string): ObjectMeta {
  const {
    deletionTimestamp: _deletion,
    deletionGracePeriodSeconds: _grace,
    selfLink: _selfLink,
    managedFields,
    generation: _generation,
    ...rest
  } = meta;
  return {
    ...rest,
    uid: randomUUID(),
    creationTimestamp: now,
    ...(kind.generation === undefined ? {} : { generation: 1 }),
    managedFields,
  } as unknown as ObjectMeta;
}

/** Throws 409 when a PUT means an object that was there under this name before, or is not yet. */
export function checkUid(object: KubeObject, old: KubeObject, kind: KindSpec): void {
  const { uid = '', name = '' } = object.metadata ?? {};
  const before = old.metadata?.uid ?? '';
  if (uid === '' || uid === before) return;
  throw conflict(kind, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${before}`);
}

/** Takes over what an update can't change, and refuses what it must not try. */
export function updatedMetadata(object: KubeObject, old: KubeObject, kind: KindSpec): ObjectMeta {
  const { selfLink: _selfLink, managedFields, ...meta } = object.metadata ?? {};
  const before = old.metadata ?? {};
  const name = before.name ?? '';
  const fixed = immutable.flatMap((field) => whyChanged(field, meta[field], before[field]));
  if (fixed.length > 0) throw invalid(kind, name, fixed);
  const added = (meta.finalizers ?? []).filter((one) => before.finalizers?.includes(one) !== true);
  if (before.deletionTimestamp !== undefined && added.length > 0) {
    const list = added.map((one) => JSON.stringify(one)).join(', ');
    const detail = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`;
    const cause: FieldCause = {
      field: 'metadata.finalizers',
      reason: 'FieldValueForbidden',
      message: `Forbidden: ${detail}`,
    };
    throw invalid(kind, name, [cause]);
  }
  return {
    ...meta,
    ...keep(before, ['name', 'namespace', 'uid', 'creationTimestamp', 'generation']),
    ...keep(before, ['deletionTimestamp', 'deletionGracePeriodSeconds']),
    managedFields,
  } as unknown as ObjectMeta;
}

/** What no client can change; empty means that the client leaves it as it is. */
const immutable = ['uid', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const;

function whyChanged(field: string, value: unknown, before: unknown): readonly FieldCause[] {
  if (value === undefined || value === '' || value === before) return [];
  // A mark for deletion that is there stays, whatever the client sends.
  if (field === 'deletionTimestamp' && before !== undefined) return [];
  const message = `Invalid value: ${JSON.stringify(value)}: field is immutable`;
  return [{ field: `metadata.${field}`, reason: 'FieldValueInvalid', message }];
}

/** Raises metadata.generation when one of the fields that count has changed. */
export function withGeneration(object: KubeObject, old: KubeObject, kind: KindSpec): KubeObject {
  const fields = kind.generation?.[0] === '*' ? countingFields(object, old, kind) : kind.generation;
  const changed = fields?.some((field) => !isDeepStrictEqual(bodyOf(object)[field], bodyOf(old)[field])) ?? false;
  if (!changed) return object;
  return { ...object, metadata: { ...object.metadata, generation: (old.metadata?.generation ?? 0) + 1 } };
}

function countingFields(object: KubeObject, old: KubeObject, kind: KindSpec): readonly string[] {
  const hasStatus = kind.subresources?.some(({ name }) => name === 'status') === true;
  const fields = new Set([...Object.keys(object), ...Object.keys(old)]);
  return [...fields].filter((field) => field !== 'metadata' && (field !== 'status' || !hasStatus));
}

/** Whether an object that was marked as deleted has nothing left that holds it. */
export function isReleased(object: KubeObject): boolean {
  const meta = object.metadata ?? {};
  return (
    meta.deletionTimestamp !== undefined &&
    (meta.deletionGracePeriodSeconds ?? 0) === 0 &&
    (meta.finalizers?.length ?? 0) === 0
  );
}

/** Throws 422 for an object without name. */
export function requireName(object: KubeObject, kind: KindSpec): string {
  const name = object.metadata?.name ?? '';
  if (name !== '') return name;
  throw invalid(kind, '', [
    {
      field: 'metadata.name',
      reason: 'FieldValueRequired',
      message: 'Required value: name or generateName is required',
    },
  ]);
}

function keep(from: ObjectMeta, names: readonly (keyof ObjectMeta)[]): object {
  return Object.fromEntries(names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]]));
}
