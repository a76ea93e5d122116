// The forms that upstream gives to scalars with a format when it answers: quantities are canonical, times are UTC seconds,
// micro times have six digits. Source: apimachinery Quantity, meta/v1 Time and MicroTime, Go encoding/base64.

import { microTimestamp, timestamp } from '../duration.ts';
import { canonicalQuantity, QuantityError } from '../quantity.ts';
import { DecodeError } from './decode-error.ts';

export function normalQuantity(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number') throw new DecodeError(quantityMessage);
  try {
    return canonicalQuantity(value);
  } catch (error) {
    if (!(error instanceof QuantityError)) throw error;
    throw new DecodeError(error.message);
  }
}

const quantityMessage = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

const utcSeconds = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.(\d+))?(?:[Zz]|[+-]\d\d:\d\d)$/;

export function normalTime(value: string): string {
  const ms = parseTime(value, '2006-01-02T15:04:05Z07:00');
  return utcSeconds.test(value) ? value : timestamp(ms);
}

export function normalMicroTime(value: string): string {
  const ms = parseTime(value, '2006-01-02T15:04:05.000000Z07:00');
  const digits = rfc3339.exec(value)?.[1] ?? '';
  return `${microTimestamp(ms).slice(0, 20)}${digits.slice(0, 6).padEnd(6, '0')}Z`;
}

function parseTime(value: string, layout: string): number {
  const ms = rfc3339.test(value) ? Date.parse(value) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  const shown = JSON.stringify(value);
  throw new DecodeError(`parsing time ${shown} as "${layout}": cannot parse ${shown} as "2006"`);
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Line breaks are allowed and taken out, as Go's decoder does. */
export function normalBytes(value: string): string {
  if (base64.test(value)) return value;
  const joined = value.replace(/[\r\n]/g, '');
  if (base64.test(joined)) return joined;
  const bad = /[^A-Za-z0-9+/]/.exec(value);
  throw new DecodeError(`illegal base64 data at input byte ${bad?.index ?? value.length}`);
}
