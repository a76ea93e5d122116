// The formats of OpenAPI strings and numbers that are checked; others mean nothing, as upstream.
// Source: "Extend the Kubernetes API with CustomResourceDefinitions", validation: supported formats.

import { isIPv4, isIPv6 } from 'node:net';

type FormatTest = (text: string) => boolean;

const tests: Readonly<Record<string, FormatTest>> = {
  bsonobjectid: (text) => /^[0-9a-f]{24}$/i.test(text),
  uri: isUri,
  email: (text) => /^[^\s@<>]+@[^\s@<>]+$/.test(text),
  hostname: (text) =>
    text.length <= 255 &&
    /^([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*\.?$/.test(text),
  ipv4: (text) => isIPv4(text),
  ipv6: (text) => isIPv6(text),
  cidr: isCidr,
  mac: (text) => /^[0-9a-f]{2}([:-][0-9a-f]{2}){5,7}$/i.test(text) || /^[0-9a-f]{4}(\.[0-9a-f]{4}){2,3}$/i.test(text),
  uuid: uuid('[0-9a-f]'),
  uuid3: uuid('3'),
  uuid4: uuid('4', '[89ab]'),
  uuid5: uuid('5', '[89ab]'),
  isbn: (text) => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: (text) => isLuhn(text.replaceAll(/[ -]/g, '')),
  ssn: (text) => /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text),
  hexcolor: (text) => /^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/.test(text),
  rgbcolor: isRgb,
  byte: (text) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text),
  password: () => true,
  date: (text) => /^\d{4}-\d\d-\d\d$/.test(text) && isDay(text),
  duration: (text) =>
    isGoDuration(text) ||
    /^\d+(\.\d+)?\s*(ns|us|µs|ms|s|m|h|d|w|(nano|micro|milli)?(sec|second)s?|min(ute)?s?|h(ou)?rs?|days?|weeks?)$/i.test(
      text,
    ),
  datetime: isDateTime,
  'date-time': isDateTime,
  'k8s-short-name': (text) => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text),
  'k8s-long-name': (text) =>
    text.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text),
};

/** Whether `value` is what `format` says; true for a format that nobody knows. */
export function fitsFormat(format: string, value: unknown): boolean {
  if (typeof value === 'string') return !Object.hasOwn(tests, format) || tests[format]?.(value) === true;
  if (typeof value !== 'number') return true;
  if (format === 'int32') return value >= -2147483648 && value <= 2147483647;
  return true;
}

/** `1h30m`, `-1.5s`: what Go's time.ParseDuration takes. */
export function isGoDuration(text: string): boolean {
  return /^[-+]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$/.test(text);
}

function isUri(text: string): boolean {
  return URL.canParse(text) || /^\/[^\s]*$/.test(text);
}

/** Of either family, host bits allowed. */
function isCidr(text: string): boolean {
  const slash = text.indexOf('/');
  const bits = text.slice(slash + 1);
  const address = text.slice(0, slash);
  if (slash < 0 || !/^(0|[1-9]\d{0,2})$/.test(bits)) return false;
  return isIPv4(address) ? Number(bits) <= 32 : isIPv6(address) && Number(bits) <= 128;
}

function uuid(version: string, variant = '[0-9a-f]'): FormatTest {
  const pattern = new RegExp(
    `^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?${variant}[0-9a-f]{3}-?[0-9a-f]{12}$`,
    'i',
  );
  return (text) => pattern.test(text);
}

function isDateTime(text: string): boolean {
  const match = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d):(\d\d):(\d\d)([.,]\d+)?([Zz]|[+-]\d\d:?\d\d)$/.exec(text);
  if (match === null) return false;
  const [, day = '', hour, minute, second] = match;
  return isDay(day) && Number(hour) < 24 && Number(minute) < 60 && Number(second) < 61;
}

function isDay(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

function isIsbn10(text: string): boolean {
  const digits = text.replaceAll(/[ -]/g, '');
  if (!/^\d{9}[\dXx]$/.test(digits)) return false;
  const sum = [...digits].reduce(
    (total, digit, index) => total + (digit.toUpperCase() === 'X' ? 10 : Number(digit)) * (index + 1),
    0,
  );
  return sum % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const digits = text.replaceAll(/[ -]/g, '');
  if (!/^\d{13}$/.test(digits)) return false;
  return [...digits].reduce((total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 3), 0) % 10 === 0;
}

function isLuhn(digits: string): boolean {
  if (!/^\d{13,19}$/.test(digits)) return false;
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const doubled = Number(digit) * (index % 2 === 1 ? 2 : 1);
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return sum % 10 === 0;
}

function isRgb(text: string): boolean {
  const match = /^rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/.exec(text);
  return match?.slice(1).every((part) => Number(part) <= 255) === true;
}
