// The head of an HTTP/1.1 request in the form that nearly all requests have. It is read strictly: whatever is rare, doubtful
// or wrong (chunked bodies, upgrades, repeated fields, folded lines, HTTP/1.0, …) is not judged here but left to node:http's
// parser, so there is one place that knows the whole grammar and a fast one that knows the plain case.
// Source: RFC 9112 §2–6, RFC 9110 §5.

import type { IncomingHttpHeaders } from 'node:http';

export interface PlainHead {
  readonly method: string;
  readonly target: string;
  /** Names in lower case. Shared by requests that repeat the same fields: never changed. */
  readonly headers: IncomingHttpHeaders;
  /** Bytes of body that follow. */
  readonly length: number;
}

/** The fields of the last request of a connection: clients send nearly the same ones again and again. */
export interface KnownFields {
  text: string;
  headers: IncomingHttpHeaders;
  length: number;
}

const requestLine = /^(GET|HEAD|POST|PUT|PATCH|DELETE) (\/[!-~]*) HTTP\/1\.1$/;
const fieldName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const unusual = /[^\t\r\n -~]/;
const digits = /^\d{1,15}$/;
/** Fields that change how the message or the connection is read. */
const special = new Set(['transfer-encoding', 'upgrade', 'expect', 'trailer', '__proto__']);

/** @param text everything before the empty line, Latin-1. Undefined: not of the plain form. */
export function parsePlainHead(text: string, known: KnownFields): PlainHead | undefined {
  const lineEnd = text.indexOf('\r\n');
  const match = lineEnd < 0 ? null : requestLine.exec(text.slice(0, lineEnd));
  if (match === null) return undefined;
  const fields = text.slice(lineEnd + 2);
  if (fields !== known.text) {
    const read = parseFields(fields);
    if (read === undefined) return undefined;
    known.text = fields;
    known.headers = read.headers;
    known.length = read.length;
  }
  const [, method = '', target = ''] = match;
  return { method, target, headers: known.headers, length: known.length };
}

function parseFields(text: string): { readonly headers: IncomingHttpHeaders; readonly length: number } | undefined {
  if (unusual.test(text)) return undefined;
  const headers: Record<string, string> = {};
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    if (colon < 1 || !fieldName.test(name) || line.includes('\r') || line.includes('\n')) return undefined;
    if (special.has(name) || headers[name] !== undefined) return undefined;
    headers[name] = line.slice(colon + 1).trim();
  }
  const { host, connection = 'keep-alive', 'content-length': declared = '0' } = headers;
  if (host === undefined || connection.toLowerCase() !== 'keep-alive' || !digits.test(declared)) return undefined;
  return { headers, length: Number(declared) };
}
