// The formats of OpenAPI strings and numbers that are checked; others mean nothing, as upstream.
// Source: "Extend the Kubernetes API with CustomResourceDefinitions", validation: supported formats.

import { isIPv4, isIPv6 } from 'node:net';
import { goDurationMs } from '../../base/index.ts';

type FormatTest = (text: string) => boolean;

const tests: Readonly<Record<string, FormatTest>> = {
  bsonobjectid: (text) => /^[0-9a-f]{24}$/i.test(text),
  uri: isUri,
  email: isEmail,
  hostname: isHostname,
  ipv4: (text) => isIPv4(text) || (text.includes('.') && isIPv6(text)),
  ipv6: (text) => isIPv6(text) && !text.includes('%'),
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
  ssn: (text) => text.length === 11 && /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text),
  hexcolor: (text) => /^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/.test(text),
  rgbcolor: isRgb,
  byte: (text) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text),
  password: () => true,
  date: (text) => /^\d{4}-\d\d-\d\d$/.test(text) && isDay(text),
  duration: isDuration,
  datetime: isDateTime,
  'date-time': isDateTime,
  'k8s-short-name': (text) => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text),
  'k8s-long-name': (text) =>
    text.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text),
};

/** Whether `format` is one that strings are held to. */
export function isKnownFormat(format: string): boolean {
  return Object.hasOwn(tests, format);
}

/** Whether `value` is what `format` says; true for a format that nobody knows. Those of numbers are not checked. */
export function fitsFormat(format: string, value: unknown): boolean {
  return typeof value !== 'string' || !isKnownFormat(format) || tests[format]?.(value) === true;
}

const units = ['ns', 'us', 'µs', 'ms', 's', 'm', 'h', 'hr', 'd', 'w', 'wk'];
const unitStarts = ['nano', 'micro', 'milli', 'sec', 'min', 'hour', 'day', 'week'];

/** Go's, or any text with a number and a unit in it, such as `1 day` or `3 weeks`. */
function isDuration(text: string): boolean {
  if (goDurationMs(text) !== undefined) return true;
  const parts = [...text.matchAll(/\d+\s*([A-Za-zµ]+)/g)].map(([, unit = '']) => unit.toLowerCase());
  return parts.some((part) => units.includes(part) || unitStarts.some((start) => part.startsWith(start)));
}

/** An absolute URI, a path from the root, or `*`. */
function isUri(text: string): boolean {
  return text === '*' || URL.canParse(text) || /^\/[^\s]*$/.test(text) || /^[a-z][a-z\d+.-]*:\/\/$/i.test(text);
}

const atom = String.raw`[^\s()<>[\]:;@\\,."]+`;
const dotted = `${atom}(?:\\.${atom})*`;
const address = `(?:${dotted}|"(?:[^"\\\\]|\\\\.)*")@${dotted}`;
const mailbox = new RegExp(`^(?:${address}|(?:[^<>@]*\\s*)?<${address}>)$`);

/** An address of RFC 5322, with or without a name before it. */
function isEmail(text: string): boolean {
  return mailbox.test(text.trim());
}

const label = String.raw`[a-zA-Z\d\p{S}\p{L}](?:[a-zA-Z\d\-\p{S}\p{L}]{0,61}[a-zA-Z\d\p{S}\p{L}])?`;
const hostname = new RegExp(
  String.raw`^(?:[a-zA-Z\d\p{S}\p{L}](?:-?[a-zA-Z\d\p{S}\p{L}]{0,62})?|(?:${label}\.)+[a-zA-Z\p{L}]{2,63})$`,
  'u',
);

/** One label, or several of which the last is a top-level domain. */
function isHostname(text: string): boolean {
  return text.length <= 255 && hostname.test(text) && text.split('.').every((part) => part.length <= 63);
}

/** Of either family, host bits allowed. */
function isCidr(text: string): boolean {
  const slash = text.indexOf('/');
  const bits = text.slice(slash + 1);
  const address = text.slice(0, slash);
  if (slash < 0 || !/^\d{1,3}$/.test(bits)) return false;
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
  const match = /^(\d{4}-\d\d-\d\d)[Tt](\d\d):(\d\d):(\d\d)(.\d+)?([Zz]|[+-]\d\d:\d\d)$/.exec(text);
  if (match === null) return false;
  const [, day = '', hour, minute, second] = match;
  return isDay(day) && Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60;
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
