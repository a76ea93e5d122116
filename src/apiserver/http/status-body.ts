// `Status` objects: how every failure, and the success of a deletion, is told.
// Source: k8s.io/apimachinery pkg/api/errors and meta/v1 Status.

import type { Status } from '../../api/index.ts';
import { ApiError, type StatusReason } from '../contracts.ts';

type Details = NonNullable<Status['details']>;

export function statusBody(error: ApiError): Buffer {
  const retryAfterSeconds = error.retryAfterSeconds;
  const details = retryAfterSeconds === undefined ? error.details : { ...(error.details ?? {}), retryAfterSeconds };
  return Buffer.from(
    `${JSON.stringify({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: error.message,
      reason: error.reason,
      ...(details === undefined ? {} : { details }),
      code: error.code,
    })}\n`,
  );
}

export function successBody(details: Details): Buffer {
  return Buffer.from(
    `${JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details })}\n`,
  );
}

/** Which resource an error is about, as its messages name it. */
export interface Subject {
  readonly group: string;
  readonly plural: string;
}

/** `deployments.apps`, or `pods` for the core group. */
export function qualified({ group, plural }: Subject): string {
  return group === '' ? plural : `${plural}.${group}`;
}

function about(subject: Subject, name: string): Details {
  return { name, ...(subject.group === '' ? {} : { group: subject.group }), kind: subject.plural };
}

export function notFound(subject: Subject, name: string): ApiError {
  return new ApiError('NotFound', `${qualified(subject)} "${name}" not found`, { details: about(subject, name) });
}

export function alreadyExists(subject: Subject, name: string): ApiError {
  const message = `${qualified(subject)} "${name}" already exists`;
  return new ApiError('AlreadyExists', message, { details: about(subject, name) });
}

export function conflict(subject: Subject, name: string, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${qualified(subject)} "${name}": ${why}`;
  return new ApiError('Conflict', message, { details: about(subject, name) });
}

export const modified = 'the object has been modified; please apply your changes to the latest version and try again';

export interface FieldCause {
  readonly field: string;
  /** FieldValueRequired, FieldValueInvalid, FieldValueForbidden, FieldValueDuplicate, FieldValueNotSupported, … */
  readonly reason: string;
  /** `Required value: …`, without the field. */
  readonly message: string;
}

/** 422 with one cause per field. `kind` is the kind's name, as upstream puts it into message and details. */
export function invalid(kind: { group: string; kind: string }, name: string, causes: readonly FieldCause[]): ApiError {
  const lines = causes.map(({ field, message }) => `${field}: ${message}`);
  const list = lines.length === 1 ? (lines[0] ?? '') : `[${lines.join(', ')}]`;
  const qualifiedKind = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  return new ApiError('Invalid', `${qualifiedKind} "${name}" is invalid: ${list}`, {
    details: {
      ...(name === '' ? {} : { name }),
      ...(kind.group === '' ? {} : { group: kind.group }),
      kind: kind.kind,
      causes: causes.map(({ field, reason, message }) => ({ reason, message, field })),
    },
  });
}

export function methodNotAllowed(): ApiError {
  return new ApiError('MethodNotAllowed', 'the server does not allow this method on the requested resource', {
    details: {},
  });
}

/** For paths and resources that the server does not know. */
export function unknownResource(): ApiError {
  return new ApiError('NotFound', 'the server could not find the requested resource', { details: {} });
}

/** Any thrown value as what the client is told. Bugs become 500 without their inside. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError('InternalError', 'Internal error occurred: see the log of the API server', { cause: error });
}

export function badRequest(message: string): ApiError {
  return new ApiError('BadRequest' satisfies StatusReason, message);
}
