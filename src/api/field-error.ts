// What validation says of one field, in upstream's shapes, and the Status that a 422 answer carries.
// Source: k8s.io/apimachinery util/validation/field (Error, ErrorType) and api/errors NewInvalid.

import type { Status } from './types.ts';

export type FieldErrorType =
  | 'Required'
  | 'Invalid'
  | 'NotSupported'
  | 'Duplicate'
  | 'Forbidden'
  | 'TooLong'
  | 'TooMany'
  | 'NotFound'
  | 'TypeInvalid'
  | 'InternalError';

export interface FieldError {
  readonly type: FieldErrorType;
  /** `spec.containers[0].image` */
  readonly field: string;
  /** All that follows the field and a colon: `Required value: …`. */
  readonly message: string;
}

const causeReasons: Readonly<Record<FieldErrorType, string>> = {
  Required: 'FieldValueRequired',
  Invalid: 'FieldValueInvalid',
  NotSupported: 'FieldValueNotSupported',
  Duplicate: 'FieldValueDuplicate',
  Forbidden: 'FieldValueForbidden',
  TooLong: 'FieldValueTooLong',
  TooMany: 'FieldValueTooMany',
  NotFound: 'FieldValueNotFound',
  TypeInvalid: 'FieldValueTypeInvalid',
  InternalError: 'InternalError',
};

export function required(field: string, detail = ''): FieldError {
  return make('Required', field, 'Required value', detail);
}

export function invalid(field: string, value: unknown, detail: string): FieldError {
  return make('Invalid', field, `Invalid value: ${shown(value)}`, detail);
}

/** Something is wrong with a structure that would say nothing if it were printed. */
export function invalidAsWhole(field: string, detail: string): FieldError {
  return make('Invalid', field, 'Invalid value', detail);
}

export function notSupported(field: string, value: unknown, supported: readonly string[]): FieldError {
  const list = supported.map((one) => JSON.stringify(one)).join(', ');
  return make('NotSupported', field, `Unsupported value: ${shown(value)}`, `supported values: ${list}`);
}

export function duplicate(field: string, value: unknown): FieldError {
  return make('Duplicate', field, `Duplicate value: ${shown(value)}`, '');
}

export function forbidden(field: string, detail: string): FieldError {
  return make('Forbidden', field, 'Forbidden', detail);
}

export function tooLong(field: string, max: number): FieldError {
  return make('TooLong', field, 'Too long', `may not be more than ${max} bytes`);
}

export function tooMany(field: string, have: number, max: number): FieldError {
  return make('TooMany', field, `Too many: ${have}`, `must have at most ${max} items`);
}

export function notFound(field: string, value: unknown): FieldError {
  return make('NotFound', field, `Not found: ${shown(value)}`, '');
}

/** `spec: Required value` as upstream prints one error. */
export function fieldErrorText(error: FieldError): string {
  return `${error.field}: ${error.message}`;
}

/** Message and details of the 422 Status for an object with these errors: `Deployment.apps "x" is invalid: [a, b]`. */
export function invalidStatus(
  kind: { readonly group: string; readonly kind: string },
  name: string,
  errors: readonly FieldError[],
): { readonly message: string; readonly details: NonNullable<Status['details']> } {
  const texts = [...new Set(errors.map(fieldErrorText))];
  const list = texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
  const groupKind = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  return {
    message: `${groupKind} ${JSON.stringify(name)} is invalid: ${list}`,
    details: {
      ...(name === '' ? {} : { name }),
      ...(kind.group === '' ? {} : { group: kind.group }),
      kind: kind.kind,
      causes: errors.map(({ type, field, message }) => ({ reason: causeReasons[type], message, field })),
    },
  };
}

function make(type: FieldErrorType, field: string, what: string, detail: string): FieldError {
  return { type, field, message: detail === '' ? what : `${what}: ${detail}` };
}

function shown(value: unknown): string {
  return value === undefined ? 'null' : JSON.stringify(value);
}
