// Errors that a person can cause, as against bugs.
//
// A CodedError has a stable code (for scripts and search engines), a message that names the cause, and a hint that names
// the next step. Anything else that is thrown is a bug and is printed with its stack. Secrets must be redacted where the
// error is made (see redact), because an error can end in a log, a terminal or a Status object.

import { type ExitName, exitCodes } from './exit-codes.ts';

export interface CodedErrorOptions {
  /** Which exit code the k8ts command ends with. Default: failed. */
  readonly exit?: ExitName;
  /** The next step, as a sentence or a command to paste. */
  readonly hint?: string;
  readonly cause?: unknown;
}

export class CodedError extends Error {
  readonly code: string;
  readonly exit: ExitName;
  readonly hint: string | undefined;

  /** @param code UPPER_SNAKE_CASE; never changes once released. */
  constructor(code: string, message: string, options: CodedErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'CodedError';
    this.code = code;
    this.exit = options.exit ?? 'failed';
    this.hint = options.hint;
  }
}

/** How the one place that prints errors shows `error` to a person: message, code, hint; a stack only for bugs. */
export function describeError(error: unknown): string {
  if (error instanceof CodedError) {
    const hint = error.hint === undefined ? '' : `\n  what to do: ${error.hint}`;
    return `error: ${error.message} [${error.code}]${hint}`;
  }
  if (error instanceof Error) return `internal error: ${error.stack ?? error.message}`;
  return `internal error: ${String(error)}`;
}

export function exitCodeOf(error: unknown): number {
  return error instanceof CodedError ? exitCodes[error.exit] : exitCodes.failed;
}

/** The message of anything that was thrown, without a stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a Node, undici or CodedError error (ENOENT, ECONNREFUSED, …), if it has one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

const secretPatterns: readonly RegExp[] = [
  /\b([a-z0-9]{6})\.([a-z0-9]{16})\b/g, // bootstrap token: the id may be shown
  /(Bearer\s+)[\w.~+/-]+=*/gi,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g,
];

/** `text` without bootstrap token secrets, bearer tokens and private keys. */
export function redact(text: string): string {
  return secretPatterns.reduce(
    (out, pattern) => out.replace(pattern, (_match, shown) => `${typeof shown === 'string' ? shown : ''}<redacted>`),
    text,
  );
}
