// pods/log: the query of the API (PodLogOptions) checked, and as the node agent's query. The names are the same on both
// sides. Source: Kubernetes API reference, read log of the specified Pod; validation as upstream.

import { type FieldError, invalidStatus } from '../../api/index.ts';
import { ApiError } from '../contracts.ts';
import { integerOf } from '../http/request-options.ts';

const passed = [
  'follow',
  'previous',
  'sinceSeconds',
  'sinceTime',
  'timestamps',
  'tailLines',
  'limitBytes',
  'stream',
] as const;
const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
const least = { sinceSeconds: 1, tailLines: 0, limitBytes: 1 } as const;
const atLeast = { 0: 'must be greater than or equal to 0', 1: 'must be greater than 0' } as const;

/** The agent's query. Throws ApiError 400 for what is no number or time, 422 for numbers out of range. */
export function agentLogQuery(query: URLSearchParams, podName: string): URLSearchParams {
  const errors: FieldError[] = [];
  for (const [field, min] of Object.entries(least)) {
    const value = integerOf(query, field);
    if (value === undefined || value >= min) continue;
    errors.push({ type: 'Invalid', field, message: `Invalid value: ${value}: ${atLeast[min]}` });
  }
  const since = query.get('sinceTime') ?? '';
  if (since !== '' && !rfc3339.test(since)) {
    throw new ApiError(
      'BadRequest',
      `parsing time ${JSON.stringify(since)} as "2006-01-02T15:04:05Z07:00": cannot parse it`,
    );
  }
  if (query.has('sinceSeconds') && query.has('sinceTime')) {
    const message = 'Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified';
    errors.push({ type: 'Forbidden', field: 'sinceSeconds', message });
  }
  if (errors.length > 0) {
    const { message, details } = invalidStatus({ group: '', kind: 'PodLogOptions' }, podName, errors);
    throw new ApiError('Invalid', message, { details });
  }
  const own = new URLSearchParams();
  for (const name of passed) {
    const value = query.get(name);
    if (value !== null && value !== '') own.set(name, value);
  }
  return own;
}
