// Bootstrap tokens: `abcdef.0123456789abcdef`. The first half names the token and may be shown; the second is secret.
// Format: https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/

import { randomInt, timingSafeEqual } from 'node:crypto';
import { CodedError, redact } from '../base/index.ts';

export interface BootstrapToken {
  /** 6 characters of a-z0-9. */
  readonly id: string;
  /** 16 characters of a-z0-9. */
  readonly secret: string;
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** @throws CodedError TOKEN_MALFORMED; the message never repeats a secret. */
export function parseToken(text: string): BootstrapToken {
  const match = /^([a-z0-9]{6})\.([a-z0-9]{16})$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new CodedError('TOKEN_MALFORMED', `"${shown(text)}" is not a bootstrap token`, {
      exit: 'invalidInput',
      hint: 'a token is 6 characters, a dot and 16 characters of a-z and 0-9; make one with: k8ts token create',
    });
  }
  return { id: match[1], secret: match[2] };
}

export function formatToken({ id, secret }: BootstrapToken): string {
  return `${id}.${secret}`;
}

/** A random token: 82 bits of secret. */
export function generateToken(): BootstrapToken {
  return { id: randomText(6), secret: randomText(16) };
}

/** Whether two texts are equal, in a time that does not tell where they differ. */
export function equalSecrets(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function randomText(length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
}

/** Enough of a mistyped token to recognise it: its half before the dot. */
function shown(text: string): string {
  const [id = ''] = redact(text).split('.', 1);
  return `${id.slice(0, 6)}…`;
}
