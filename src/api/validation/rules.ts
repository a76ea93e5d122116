// Small rules that many kinds share, each answering field errors in upstream's words.

import { isIP } from 'node:net';
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../field-error.ts';
import type { IntOrString, LabelSelector } from '../types.ts';
import { whyNotLabelValue, whyNotQualifiedName } from './names.ts';

const immutableMessage = 'field is immutable';

/** What is wrong with each item of a list; the check gets the item's own path. */
export function each<T>(
  field: string,
  items: readonly T[] | undefined,
  check: (item: T, field: string) => readonly FieldError[],
): FieldError[] {
  const errors: FieldError[] = [];
  if (items === undefined) return errors;
  for (let at = 0; at < items.length; at += 1) {
    const found = check(items[at] as T, `${field}[${at}]`);
    if (found.length > 0) errors.push(...found);
  }
  return errors;
}

/** One error per reason. */
export function invalidFor(field: string, value: unknown, reasons: readonly string[]): FieldError[] {
  return reasons.length === 0 ? [] : reasons.map((reason) => invalid(field, value, reason));
}

/** Absent or '' is fine: defaults or `requireText` deal with it. */
export function oneOf(field: string, value: string | undefined, supported: readonly string[]): FieldError[] {
  return value === undefined || value === '' || supported.includes(value)
    ? []
    : [notSupported(field, value, supported)];
}

/** One of the set where it is there, and '' is not absent: what upstream keeps behind a pointer. */
export function strictlyOneOf(field: string, value: string | undefined, supported: readonly string[]): FieldError[] {
  return value === undefined || supported.includes(value) ? [] : [notSupported(field, value, supported)];
}

/** Must be there and one of the set. */
export function requireOneOf(field: string, value: string | undefined, supported: readonly string[]): FieldError[] {
  return value === undefined || value === '' ? [required(field)] : oneOf(field, value, supported);
}

export function requireText(field: string, value: string | undefined, detail?: string): FieldError[] {
  return value === undefined || value === '' ? [required(field, detail)] : [];
}

export function nonNegative(field: string, value: number | undefined): FieldError[] {
  return value !== undefined && value < 0 ? [invalid(field, value, 'must be greater than or equal to 0')] : [];
}

export function inRange(field: string, value: number | undefined, min: number, max: number): FieldError[] {
  if (value === undefined || (value >= min && value <= max)) return [];
  return [invalid(field, value, `must be between ${min} and ${max}, inclusive`)];
}

/** A number that is not negative, or a percentage. */
export function amount(field: string, value: IntOrString | undefined): FieldError[] {
  if (value === undefined) return [];
  if (typeof value === 'number') return nonNegative(field, value);
  if (/^[0-9]+%$/.test(value)) return [];
  return [
    invalid(
      field,
      value,
      "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
    ),
  ];
}

export function validIp(field: string, value: string): FieldError[] {
  return isIP(value) === 0
    ? [invalid(field, value, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')]
    : [];
}

/** Absent counts as ''. */
export function validCidr(field: string, value = ''): FieldError[] {
  const [address = '', bits = '', ...more] = value.split('/');
  const max = { 4: 32, 6: 128 }[isIP(address)] ?? -1;
  if (more.length === 0 && /^(0|[1-9]\d*)$/.test(bits) && Number(bits) <= max) return [];
  return [invalid(field, value, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')];
}

export function validLabels(field: string, labels: Readonly<Record<string, string>> | undefined): FieldError[] {
  const errors: FieldError[] = [];
  for (const key in labels) {
    const value = labels[key] ?? '';
    errors.push(
      ...invalidFor(field, key, whyNotQualifiedName(key)),
      ...invalidFor(field, value, whyNotLabelValue(value)),
    );
  }
  return errors;
}

export function validLabelSelector(field: string, selector: LabelSelector | undefined): FieldError[] {
  const errors = validLabels(`${field}.matchLabels`, selector?.matchLabels);
  for (const [index, { key = '', operator = '', values = [] }] of (selector?.matchExpressions ?? []).entries()) {
    const at = `${field}.matchExpressions[${index}]`;
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) {
        errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
      }
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      if (values.length > 0) errors.push(forbidden(`${at}.values`, why));
    } else errors.push(invalid(`${at}.operator`, operator, 'not a valid selector operator'));
    errors.push(...invalidFor(`${at}.key`, key, whyNotQualifiedName(key)));
    for (const [nth, value] of values.entries()) {
      errors.push(...invalidFor(`${at}.values[${nth}]`, value, whyNotLabelValue(value)));
    }
  }
  return errors;
}

/** A Duplicate error for each value that was there before; '' counts as absent. */
export function noDuplicates(values: readonly (readonly [field: string, value: string | undefined])[]): FieldError[] {
  const seen = new Set<string>();
  return values.flatMap(([field, value]) => {
    if (value === undefined || value === '') return [];
    if (seen.has(value)) return [duplicate(field, value)];
    seen.add(value);
    return [];
  });
}

/** Deep equality of JSON values; an absent field equals an undefined one. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = a as Readonly<Record<string, unknown>>;
  const right = b as Readonly<Record<string, unknown>>;
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) => sameJson(left[key], right[key]));
}

export function immutable(field: string, value: unknown, old: unknown): FieldError[] {
  return sameJson(value, old) ? [] : [invalid(field, value, immutableMessage)];
}
