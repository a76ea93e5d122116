// Which failed requests are tried again, and after how long. Pure. The rule: a request that cannot have been carried out
// (connection refused, 429) is repeated whatever its verb; one whose fate is unknown (connection lost after sending)
// only when repeating it changes nothing more than the first time did, which is true of reads alone: a PUT repeated
// after it had succeeded would be told Conflict.

import { codeOf } from '../base/index.ts';
import { ApiStatusError } from './client.ts';

/** The server never saw the request. */
const neverSent = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);
/** The connection broke; the server may have seen the request. */
const lost = new Set([
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_TIMEOUT',
  'ERR_HTTP2_STREAM_ERROR',
  'ERR_HTTP2_SESSION_ERROR',
]);

type RetryDecision =
  | { readonly again: false }
  /** `after` in ms when the server named it; otherwise the caller's backoff decides. */
  | { readonly again: true; readonly after: number | undefined; readonly why: string };

export function decideRetry(method: string, error: unknown): RetryDecision {
  if (error instanceof ApiStatusError) return decideOnStatus(error);
  const code = codeOf(error) ?? '';
  if (neverSent.has(code)) return { again: true, after: undefined, why: code };
  if (lost.has(code) && (method === 'GET' || method === 'HEAD')) return { again: true, after: undefined, why: code };
  return { again: false };
}

/** client-go's rule: 429, and 5xx when the server says when to come back. */
function decideOnStatus({ code, reason, retryAfter }: ApiStatusError): RetryDecision {
  if (code !== 429 && (code < 500 || retryAfter === undefined)) return { again: false };
  return { again: true, after: retryAfter === undefined ? undefined : retryAfter * 1000, why: `${code} ${reason}` };
}

/** True for errors that mean "no API server there now", as against an answer of one. */
export function isConnectionError(error: unknown): boolean {
  const code = codeOf(error) ?? '';
  return neverSent.has(code) || lost.has(code);
}
