// How long a request may last: what its client asks for with `timeout` (kubectl's --request-timeout), and never longer than the
// server's own limit. Without it a body that does not come, or an answer that nobody reads, would hold its seat for ever.
// Source: apiserver pkg/endpoints/filters/request_deadline.go and pkg/server/filters/timeout.go.

import { goDurationMs, longestTimer } from '../../base/index.ts';
import { ApiError } from '../contracts.ts';

/** ms. Throws ApiError 400 for a `timeout` that is no duration; zero and less mean the server's limit. */
export function deadlineOf(query: URLSearchParams, limitMs: number): number {
  const most = Math.min(limitMs, longestTimer);
  const asked = query.get('timeout') ?? '';
  if (asked === '') return most;
  const ms = goDurationMs(asked);
  if (ms === undefined) {
    const why = `time: invalid duration ${JSON.stringify(asked)}`;
    throw new ApiError('BadRequest', `invalid timeout specified in the request URL - ${why}`);
  }
  return ms > 0 ? Math.min(ms, most) : most;
}

export function timedOut(): ApiError {
  return new ApiError('Timeout', 'Timeout: request did not complete within the allotted timeout');
}
