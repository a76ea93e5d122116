// The 422 answer of a review whose spec makes no sense.

import { type FieldError, invalidStatus } from '../../api/index.ts';
import { ApiError } from '../contracts.ts';

export function invalidReview(
  kind: { readonly group: string; readonly kind: string },
  name: string,
  errors: readonly FieldError[],
): ApiError {
  const { message, details } = invalidStatus(kind, name, errors);
  return new ApiError('Invalid', message, { details });
}
