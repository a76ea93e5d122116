// A selector that cannot be understood; the API server answers 400 BadRequest with its message.

export class SelectorError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SelectorError';
  }
}
