// What a client wants back (Accept) and what it sent (Content-Type).
// Source: k8s.io/apiserver pkg/endpoints/handlers/negotiation, and "Kubernetes API concepts" (tables, partial metadata).

import { JSON_SCHEMA, load } from 'js-yaml';
import { messageOf } from '../../base/index.ts';
import { ApiError } from '../contracts.ts';

/** Which form of an object or list is answered. */
type View = 'object' | 'table' | 'partial';

export interface Accepted {
  readonly view: View;
  readonly format: 'json' | 'yaml';
  /** Set when aggregated discovery was asked for: its version. */
  readonly discovery?: string;
}

const plain: Accepted = { view: 'object', format: 'json' };
const seen = new Map<string, Accepted | undefined>();
const seenMax = 256;

const acceptedTypes = 'application/json, application/yaml';
export const patchTypes = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
} as const;
export type PatchType = (typeof patchTypes)[keyof typeof patchTypes];

/** Throws ApiError 406 when nothing of `accept` can be served. Remembers the answers: there are few different headers. */
export function acceptOf(accept: string | undefined): Accepted {
  if (accept === undefined || accept === '' || accept === 'application/json' || accept === '*/*') return plain;
  let found = seen.get(accept);
  if (found === undefined && !seen.has(accept)) {
    found = negotiate(accept);
    if (seen.size < seenMax) seen.set(accept, found);
  }
  if (found !== undefined) return found;
  throw new ApiError('NotAcceptable', `only the following media types are accepted: ${acceptedTypes}`);
}

function negotiate(accept: string): Accepted | undefined {
  for (const clause of accept.split(',')) {
    const [type = '', ...rest] = clause.split(';').map((part) => part.trim().toLowerCase());
    const format = formatOf(type);
    if (format === undefined) continue;
    const parameters = new Map(rest.map((part) => part.split('=', 2) as [string, string]));
    const as = parameters.get('as');
    if (as === undefined) return { view: 'object', format };
    const group = parameters.get('g');
    const version = parameters.get('v') ?? '';
    if (group === 'meta.k8s.io' && as === 'table' && /^v1(beta1)?$/.test(version)) return { view: 'table', format };
    if (group === 'meta.k8s.io' && as.startsWith('partialobjectmetadata') && version === 'v1') {
      return { view: 'partial', format };
    }
    if (group === 'apidiscovery.k8s.io' && as === 'apigroupdiscoverylist' && version === 'v2') {
      return { view: 'object', format, discovery: version };
    }
  }
  return undefined;
}

function formatOf(type: string): Accepted['format'] | undefined {
  switch (type) {
    case 'application/json':
    case 'application/*':
    case '*/*':
      return 'json';
    case 'application/yaml':
      return 'yaml';
    default:
      return undefined;
  }
}

/** The bare media type of a Content-Type header, lower case. */
function mediaTypeOf(header: string | undefined): string {
  if (header === undefined) return '';
  const end = header.indexOf(';');
  return (end < 0 ? header : header.slice(0, end)).trim().toLowerCase();
}

export type BodyFormat = 'json' | 'yaml';

/** How a body is written. Throws ApiError 415 for what cannot be read. */
export function bodyFormatOf(contentType: string | undefined): BodyFormat {
  switch (mediaTypeOf(contentType)) {
    case '':
    case 'application/json':
      return 'json';
    case 'application/yaml':
      return 'yaml';
    default:
      throw new ApiError(
        'UnsupportedMediaType',
        `the body of the request was in an unknown format - accepted media types include: ${acceptedTypes}`,
      );
  }
}

/** Which patch a body is. Throws ApiError 415. */
export function patchTypeOf(contentType: string | undefined): PatchType {
  const type = mediaTypeOf(contentType);
  if (Object.hasOwn(patchTypes, type)) return patchTypes[type as keyof typeof patchTypes];
  throw new ApiError(
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${Object.keys(patchTypes).join(', ')}`,
  );
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A body that is no object of a kind in the table: patches, options, reviews. Throws ApiError 400. */
export function parseBody(body: Buffer, format: BodyFormat = 'json'): unknown {
  try {
    const text = utf8.decode(body);
    return format === 'yaml' ? load(text, { schema: JSON_SCHEMA }) : JSON.parse(text);
  } catch (cause) {
    throw new ApiError('BadRequest', `the body of the request does not parse: ${messageOf(cause)}`, { cause });
  }
}
