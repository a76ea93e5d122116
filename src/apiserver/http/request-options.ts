// What the query of a request says beside its selectors. Numbers are read as upstream reads them, and what makes no sense is
// refused in the name of the options' type (ListOptions, DeleteOptions, …), before anything is done: a DELETE whose grace
// period can't be read must not delete. Source: apimachinery meta/v1/validation and meta/internalversion/validation.

import type { ApiError } from '../contracts.ts';
import { badRequest, type FieldCause, invalid } from './status-body.ts';

export type OptionsKind = 'ListOptions' | 'CreateOptions' | 'UpdateOptions' | 'PatchOptions' | 'DeleteOptions';

/** 422 with one cause per field. */
export function refusedOptions(kind: OptionsKind, causes: readonly FieldCause[]): ApiError {
  return invalid({ group: 'meta.k8s.io', kind }, '', causes);
}

const int64Max = 2n ** 63n - 1n;
const int64Min = -(2n ** 63n);

/** A number of 64 bits; undefined when there is none. Throws ApiError 400. */
export function integerOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const wrong = (why: string): ApiError => badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`);
  if (!/^[+-]?\d+$/.test(text)) throw wrong('invalid syntax');
  if (text.length < 16) return Number(text);
  const value = BigInt(text.replace('+', ''));
  if (value > int64Max || value < int64Min) throw wrong('value out of range');
  return Number(value);
}

/** `All` is the only value there is. Throws ApiError 422 for another one. */
export function dryRunOf(values: readonly unknown[], kind: OptionsKind): boolean {
  if (values.every((one) => one === 'All')) return values.length > 0;
  const message = `Unsupported value: ${JSON.stringify(values)}: supported values: "All"`;
  throw refusedOptions(kind, [{ field: 'dryRun', reason: 'FieldValueNotSupported', message }]);
}

const matches = ['Exact', 'NotOlderThan', ''];

/** Throws ApiError 422 for parameters of a list that do not go together. */
export function checkListOptions(query: URLSearchParams): void {
  const { match, continues, version } = versionsOf(query);
  const causes: FieldCause[] = [];
  if (match !== '') {
    if (version === '') causes.push(forbidden('resourceVersionMatch is forbidden unless resourceVersion is provided'));
    if (continues) causes.push(forbidden('resourceVersionMatch is forbidden when continue is provided'));
    if (!matches.includes(match)) causes.push(unsupported(match, matches));
    if (match === 'Exact' && version === '0') {
      causes.push(forbidden('resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
    }
  }
  if (query.has('sendInitialEvents')) {
    causes.push(forbidden('sendInitialEvents is forbidden for list', 'sendInitialEvents'));
  }
  if (causes.length > 0) throw refusedOptions('ListOptions', causes);
}

/** The same for a watch. Source also: KEP-3157. */
export function checkWatchOptions(query: URLSearchParams): void {
  const { match, continues } = versionsOf(query);
  const initial = query.has('sendInitialEvents');
  const causes: FieldCause[] = [];
  if (initial && match !== 'NotOlderThan') {
    causes.push(forbidden('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
  }
  if (match !== '') {
    if (!initial)
      causes.push(forbidden('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'));
    if (match !== 'NotOlderThan') causes.push(unsupported(match, ['NotOlderThan']));
    if (continues) causes.push(forbidden('resourceVersionMatch is forbidden when continue is provided'));
  }
  if (causes.length > 0) throw refusedOptions('ListOptions', causes);
}

function versionsOf(query: URLSearchParams) {
  return {
    match: query.get('resourceVersionMatch') ?? '',
    continues: (query.get('continue') ?? '') !== '',
    version: query.get('resourceVersion') ?? '',
  };
}

function forbidden(why: string, field = 'resourceVersionMatch'): FieldCause {
  return { field, reason: 'FieldValueForbidden', message: `Forbidden: ${why}` };
}

function unsupported(value: string, supported: readonly string[]): FieldCause {
  const list = supported.map((one) => JSON.stringify(one)).join(', ');
  return {
    field: 'resourceVersionMatch',
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${list}`,
  };
}
