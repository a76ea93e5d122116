// A body or patch result that is not an object of the kind; the API server answers 400 BadRequest with its message.

export class DecodeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DecodeError';
  }
}

/** Bounds on what a client may send. Upstream's JSON decoder stops at depth 10,000; recursion here must stay cheap. */
export const maxDepth = 1000;
