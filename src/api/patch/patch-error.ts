// A patch that cannot be applied. `status` tells the API server which answer upstream gives: 400 BadRequest for a body that
// is no patch, 422 Invalid for one that does not fit the object, 413 for one that is past the bounds.

export type PatchFault = 'BadRequest' | 'Invalid' | 'RequestEntityTooLarge';

export class PatchError extends Error {
  readonly fault: PatchFault;
  constructor(fault: PatchFault, message: string) {
    super(message);
    this.name = 'PatchError';
    this.fault = fault;
  }
}

/** How Go's decoder calls a JSON value. */
export function goWord(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
