// JSON bodies: UTF-8 and depth are checked on the bytes, JSON.parse does the parsing, and duplicate keys are found by
// counting. A key is followed by the only colon outside strings, so if the parsed object has as many keys as the text has
// such colons, no key was given twice, and the slow search for its path is not needed. A parser of our own that looks at
// each key was the alternative; it costs ten times as much for what one request in a thousand needs.

import { isUtf8 } from 'node:buffer';
import { DecodeError, maxDepth } from './decode-error.ts';

export interface ParsedJson {
  readonly value: unknown;
  /** How many `key:` the text has. */
  readonly keys: number;
  readonly text: string;
}

/** Parses and bounds a body. Throws DecodeError with upstream's words. */
export function parseJson(bytes: Uint8Array): ParsedJson {
  if (!isUtf8(bytes)) throw new DecodeError('json parse error: invalid UTF-8 in the request body');
  const keys = countKeys(bytes);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  try {
    return { value: JSON.parse(text) as unknown, keys, text };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new DecodeError(`json parse error: ${goSyntaxMessage(error.message)}`);
  }
}

const quote = 0x22;
const backslash = 0x5c;

function countKeys(bytes: Uint8Array): number {
  let keys = 0;
  let depth = 0;
  const end = bytes.length;
  for (let at = 0; at < end; at += 1) {
    const byte = bytes[at];
    if (byte === quote) {
      for (at += 1; at < end && bytes[at] !== quote; at += 1) if (bytes[at] === backslash) at += 1;
    } else if (byte === 0x3a) keys += 1;
    else if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
      if (depth > maxDepth) throw new DecodeError('json parse error: exceeded max depth');
    } else if (byte === 0x7d || byte === 0x5d) depth -= 1;
  }
  return keys;
}

/** V8's words turned into those that clients of a Kubernetes API server know. */
function goSyntaxMessage(message: string): string {
  if (message.startsWith('Unexpected end of JSON') || message.startsWith('Unterminated')) {
    return 'unexpected end of JSON input';
  }
  const token = /^Unexpected (?:token '(.)'|non-whitespace)/su.exec(message);
  if (token === null) return message;
  return token[1] === undefined
    ? 'invalid character after top-level value'
    : `invalid character '${token[1]}' looking for beginning of value`;
}

/** Paths of keys that valid JSON text gives more than once, in order: `spec.replicas`, `spec.containers[0].image`. */
export function duplicateKeys(text: string): string[] {
  const found: string[] = [];
  const frames: Frame[] = [];
  let frame: Frame | undefined;
  let pendingKey: string | undefined;
  const pattern = /"(?:[^"\\]|\\.)*"|[{}[\],:]/gs;
  const texts = text.matchAll(pattern);
  let last: string | undefined;
  for (const [token] of texts) {
    switch (token) {
      case '{':
      case '[':
        frame = { prefix: childPath(frame, pendingKey), keys: token === '{' ? new Set() : undefined, index: 0 };
        frames.push(frame);
        pendingKey = undefined;
        break;
      case '}':
      case ']':
        frames.pop();
        frame = frames.at(-1);
        break;
      case ',':
        if (frame !== undefined) frame.index += 1;
        pendingKey = undefined;
        break;
      case ':':
        if (frame?.keys !== undefined && last !== undefined) {
          pendingKey = JSON.parse(last) as string;
          if (frame.keys.has(pendingKey)) found.push(childPath(frame, pendingKey));
          frame.keys.add(pendingKey);
        }
        break;
      default:
        last = token;
    }
  }
  return found;
}

interface Frame {
  readonly prefix: string;
  /** Keys seen in an object; undefined for an array. */
  readonly keys: Set<string> | undefined;
  index: number;
}

function childPath(parent: Frame | undefined, key: string | undefined): string {
  if (parent === undefined) return '';
  if (parent.keys === undefined) return `${parent.prefix}[${parent.index}]`;
  return parent.prefix === '' ? (key ?? '') : `${parent.prefix}.${key}`;
}
