// Where the registry asks the Kubernetes vocabulary (src/api) what an object may look like: decoding with unknown fields
// told, defaults, validation, patches. Everything there is pure; here its errors become ApiError, and fieldValidation
// decides what an unknown field means.

import {
  applyJsonPatch,
  applyMergePatch,
  applyStrategicMergePatch,
  builtInSchemas,
  conformObject,
  DecodeError,
  decodeObject,
  type FieldError,
  invalidStatus,
  type KindSpec,
  type KubeObject,
  PatchError,
  readConfig,
  strictDecodingMessage,
  validateCreate,
  validateUpdate,
} from '../../api/index.ts';
import { ApiError } from '../contracts.ts';
import type { BodyFormat, PatchType } from '../http/negotiate.ts';
import { badRequest } from '../http/status-body.ts';

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

export interface Decoded {
  /** Belongs to the caller. */
  readonly object: KubeObject;
  /** For `Warning` headers. */
  readonly warnings: readonly string[];
}

/** An object of `kind` out of a request body. Throws ApiError 400. */
export function decodeBodyAs(
  kind: KindSpec,
  body: Buffer,
  { format, mode }: { readonly format: BodyFormat; readonly mode: FieldValidation },
): Decoded {
  return translating(() => {
    const { object, problems } = decodeObject(kind, body, { format });
    return { object, warnings: judge(kind, [...problems, ...unknownFields(kind, object)], mode) };
  });
}

/** `current` belongs to the callee. Throws ApiError 400, 413 or 422. */
export function applyPatch(
  kind: KindSpec,
  type: PatchType,
  current: KubeObject,
  { patch, mode }: { readonly patch: unknown; readonly mode: FieldValidation },
): Decoded {
  return translating(() => {
    const object = patched(kind, type, current, patch) as KubeObject;
    return { object, warnings: judge(kind, conformPatched(kind, object, patch), mode) };
  });
}

/** The unknown fields of a patch's result; that of a good patch is an object of its kind. */
function conformPatched(kind: KindSpec, object: KubeObject, patch: unknown): readonly string[] {
  try {
    return [...conformObject(kind, object), ...unknownFields(kind, object)];
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const shown = JSON.stringify(JSON.stringify(patch));
    const wrong: FieldError = {
      type: 'Invalid',
      field: 'patch',
      message: `Invalid value: ${shown}: ${error.message}`,
    };
    const { message, details } = invalidStatus({ group: '', kind: '' }, '', [wrong]);
    throw new ApiError('Invalid', message, { details });
  }
}

/** The result of an apply as an object of its kind; unknown fields were refused before. Throws ApiError 400. */
export function conformed(kind: KindSpec, object: KubeObject): KubeObject {
  return translating(() => {
    conformObject(kind, object);
    kind.custom?.conform(object);
    return object;
  });
}

/** A configuration to apply. Throws ApiError 400. */
export function readAppliedConfig(body: Buffer): KubeObject {
  return translating(() => readConfig(body));
}

function unknownFields(kind: KindSpec, object: KubeObject): readonly string[] {
  return kind.custom?.conform(object) ?? [];
}

function patched(kind: KindSpec, type: PatchType, current: KubeObject, patch: unknown): object {
  switch (type) {
    case 'json':
      return applyJsonPatch(current, patch);
    case 'merge':
      return applyMergePatch(current, patch);
    case 'apply':
      throw new Error('an apply is no patch of the object alone, see apply-requests.ts');
    case 'strategic': {
      const schema = builtInSchemas().ofKind(kind);
      if (schema === undefined) throw new Error(`${kind.kind} has no schema, its strategic patches are refused before`);
      return applyStrategicMergePatch(schema, current, patch);
    }
  }
}

function judge(kind: KindSpec, problems: readonly string[], mode: FieldValidation): readonly string[] {
  if (problems.length === 0 || mode === 'Ignore') return [];
  if (mode === 'Warn') return problems;
  throw badRequest(strictDecodingMessage(kind, problems));
}

function translating<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(error.message);
    if (error instanceof PatchError) {
      const { fault, message } = error;
      throw new ApiError(fault, fault === 'RequestEntityTooLarge' ? `Request entity too large: ${message}` : message);
    }
    throw error;
  }
}

/** Fills in what the kind defaults; changes `object`, which the caller owns. */
export function applyDefaults(kind: KindSpec, object: KubeObject): void {
  kind.defaults?.(object as never);
}

/** Throws ApiError 422 with all causes. */
export function validateNew(kind: KindSpec, object: KubeObject): void {
  refuse(kind, object, validateCreate(kind, object));
}

export function validateChange(kind: KindSpec, object: KubeObject, old: KubeObject, subresource: string): void {
  refuse(kind, object, validateUpdate(kind, object, old, subresource));
}

function refuse(kind: KindSpec, object: KubeObject, errors: readonly FieldError[]): void {
  if (errors.length === 0) return;
  const { message = '', details } = invalidStatus(kind, object.metadata?.name ?? '', errors);
  throw new ApiError('Invalid', message, details === undefined ? {} : { details });
}
