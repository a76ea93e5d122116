// ControllerRevisions: what they hold never changes. Source: kubernetes pkg/apis/apps/validation.

import { type FieldError, required } from '../field-error.ts';
import type { ControllerRevision } from '../types.ts';
import { immutable, nonNegative } from './rules.ts';

export function validateControllerRevision({ data, revision }: ControllerRevision): readonly FieldError[] {
  return [...(data === undefined ? [required('data', 'data is mandatory')] : []), ...nonNegative('revision', revision)];
}

export function validateControllerRevisionUpdate(
  one: ControllerRevision,
  old: ControllerRevision,
): readonly FieldError[] {
  return immutable('data', one.data, old.data);
}
