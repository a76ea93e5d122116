// Paths of files inside volumes, and their modes. Source: kubernetes pkg/apis/core/validation
// (validateLocalDescendingPath, ValidateLocalNonReservedPath).

import { type FieldError, invalid } from '../field-error.ts';

const maxMode = 0o777;

/** No step up. */
export function noBacksteps(field: string, path: string): FieldError[] {
  return path.includes('..') && path.split('/').includes('..') ? [invalid(field, path, "must not contain '..'")] : [];
}

/** Somewhere below a folder. */
export function validDescendingPath(field: string, path: string): FieldError[] {
  const errors = path.startsWith('/') ? [invalid(field, path, 'must be a relative path')] : [];
  errors.push(...noBacksteps(field, path));
  return errors;
}

/** The same where names that begin with two dots belong to the node agent. */
export function validFilePath(field: string, path: string): FieldError[] {
  const errors = validDescendingPath(field, path);
  if (path.startsWith('..') && !path.startsWith('../')) {
    errors.push(invalid(field, path, "must not start with '..'"));
  }
  return errors;
}

export function validMode(field: string, mode: number | undefined): FieldError[] {
  return mode === undefined || (mode >= 0 && mode <= maxMode)
    ? []
    : [invalid(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive')];
}
