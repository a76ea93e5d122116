// Turns an answer that is not 2xx into an ApiStatusError. Servers answer a `Status` object; what is not one (a proxy's
// HTML, an empty body) still gets the reason that upstream gives the HTTP code.

import { ApiStatusError } from './client.ts';

const reasonOfCode: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/** How much of a foreign body ends in the message. */
const shownBytes = 200;

export function statusErrorOf(code: number, body: string, retryAfterHeader?: string): ApiStatusError {
  const status = parseStatus(body);
  const after = retryAfterOf(status?.details, retryAfterHeader);
  if (status !== undefined) {
    const reason = status.reason ?? reasonOfCode[code] ?? 'Unknown';
    return new ApiStatusError(status.code ?? code, reason, status.message ?? reason, status.details, after);
  }
  const reason = reasonOfCode[code] ?? 'Unknown';
  const shown = body.slice(0, shownBytes).trim();
  return new ApiStatusError(code, reason, `HTTP ${code}${shown === '' ? '' : `: ${shown}`}`, undefined, after);
}

interface StatusBody {
  readonly kind: 'Status';
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly retryAfterSeconds?: number };
}

function parseStatus(body: string): StatusBody | undefined {
  if (!body.startsWith('{')) return undefined;
  try {
    const parsed: unknown = JSON.parse(body);
    return isStatus(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isStatus(value: unknown): value is StatusBody {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status';
}

function retryAfterOf(details: StatusBody['details'], header: string | undefined): number | undefined {
  const seconds = header === undefined ? details?.retryAfterSeconds : Number(header);
  return seconds !== undefined && Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}
