// What a client wants back (Accept) and what it sent (Content-Type).
// Whoever takes JSON gets JSON, whatever else was asked for first: it is what is stored. Protobuf is made for clients that
// take nothing else.
// Source: k8s.io/apiserver pkg/endpoints/handlers/negotiation, and "Kubernetes API concepts" (tables, partial metadata).

import { JSON_SCHEMA, load } from 'js-yaml';
import {
  apiVersionOf,
  decodeProtobuf,
  type GroupVersionKind,
  hasProtobuf,
  type KindSpec,
  protobufMediaType,
} from '../../api/index.ts';
import { messageOf } from '../../base/index.ts';
import { ApiError } from '../contracts.ts';
import type { DiscoveryVersion } from '../discovery/index.ts';

/** Which form of an object or list is answered. */
type View = 'object' | 'table' | 'partial';

export interface Accepted {
  readonly view: View;
  readonly format: 'json' | 'yaml' | 'protobuf';
  /** Set when aggregated discovery was asked for: its version. */
  readonly discovery?: DiscoveryVersion;
}

const plain: Accepted = { view: 'object', format: 'json' };
const seen = new Map<string, Accepted | undefined>();
const seenMax = 256;

const textTypes = 'application/json, application/yaml';
const acceptedTypes = `${textTypes}, ${protobufMediaType}`;
const patchTypes = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
} as const;
export type PatchType = (typeof patchTypes)[keyof typeof patchTypes];

/** Throws ApiError 406 when nothing of `accept` can be served. Remembers the answers: there are few different headers. */
export function acceptOf(accept: string | undefined): Accepted {
  const found = find(accept);
  if (found !== undefined) return found;
  throw notAcceptable(acceptedTypes);
}

/** The same for an answer that is a `kind`, which need not have a protobuf form. */
export function acceptFor(kind: GroupVersionKind, accept: string | undefined): Accepted {
  const found = acceptOf(accept);
  if (
    found.format === 'protobuf' &&
    found.view === 'object' &&
    !hasProtobuf({ apiVersion: apiVersionOf(kind), kind: kind.kind })
  )
    throw notAcceptable(textTypes);
  return found;
}

/** The same for an answer of which there are no tables: reviews. */
export function acceptWhole(kind: GroupVersionKind, accept: string | undefined): void {
  if (acceptFor(kind, accept).view === 'object') return;
  const whole = accept?.split(',').filter((clause) => !/;\s*as=/i.test(clause)) ?? [];
  if (whole.length === 0) throw notAcceptable(acceptedTypes);
  acceptFor(kind, whole.join(','));
}

const streamTypes = `application/json;stream=watch, ${protobufMediaType};stream=watch`;

/** The same for a watch, which there is none of in YAML. */
export function acceptStream(kind: GroupVersionKind, accept: string | undefined): Accepted {
  const found = acceptFor(kind, accept);
  if (found.format !== 'yaml') return found;
  const others = accept?.split(',').filter((clause) => !/^\s*application\/yaml\b/i.test(clause)) ?? [];
  if (others.length === 0 || find(others.join(',')) === undefined) throw notAcceptable(streamTypes);
  return acceptFor(kind, others.join(','));
}

/** How an error, or an answer that is no object of a resource, is written; JSON where nothing else can be. */
export function formatOfWhole(accept: string | undefined): Accepted['format'] {
  const found = find(accept);
  return found?.view === 'object' ? found.format : 'json';
}

function notAcceptable(types: string): ApiError {
  return new ApiError('NotAcceptable', `only the following media types are accepted: ${types}`);
}

function find(accept: string | undefined): Accepted | undefined {
  if (accept === undefined || accept === '' || accept === 'application/json' || accept === '*/*') return plain;
  let found = seen.get(accept);
  if (found === undefined && !seen.has(accept)) {
    found = negotiate(accept);
    if (seen.size < seenMax) seen.set(accept, found);
  }
  return found;
}

function negotiate(accept: string): Accepted | undefined {
  let protobuf: Accepted | undefined;
  for (const clause of byPreference(accept.split(','))) {
    const [type = '', ...rest] = clause.split(';').map((part) => part.trim().toLowerCase());
    const format = formatOf(type);
    if (format === undefined) continue;
    const parameters = new Map(rest.map((part) => part.split('=', 2) as [string, string]));
    const as = parameters.get('as');
    if (format === 'protobuf') {
      protobuf ??= protobufClause(parameters);
      continue;
    }
    if (as === undefined) return { view: 'object', format };
    const group = parameters.get('g');
    const version = parameters.get('v') ?? '';
    if (group === 'meta.k8s.io' && as === 'table' && /^v1(beta1)?$/.test(version)) return { view: 'table', format };
    if (isPartial(parameters)) return { view: 'partial', format };
    if (group === 'apidiscovery.k8s.io' && as === 'apigroupdiscoverylist' && isDiscoveryVersion(version)) {
      return { view: 'object', format, discovery: version };
    }
  }
  return protobuf;
}

/** RFC 9110 §12.4.2: by `q`, those of one `q` as they came. */
function byPreference(clauses: readonly string[]): readonly string[] {
  if (!clauses.some((clause) => clause.includes('q='))) return clauses;
  const weightOf = (clause: string): number => Number(/;\s*q=([\d.]+)/i.exec(clause)?.[1] ?? 1);
  return clauses.toSorted((a, b) => weightOf(b) - weightOf(a));
}

/** client-go before 1.30 asks for v2beta1 alone. */
function isDiscoveryVersion(version: string): version is DiscoveryVersion {
  return version === 'v2' || version === 'v2beta1';
}

/** There are no tables in protobuf, as upstream. */
function protobufClause(parameters: ReadonlyMap<string, string>): Accepted | undefined {
  if (!parameters.has('as')) return { view: 'object', format: 'protobuf' };
  return isPartial(parameters) ? { view: 'partial', format: 'protobuf' } : undefined;
}

function isPartial(parameters: ReadonlyMap<string, string>): boolean {
  const as = parameters.get('as') ?? '';
  return (
    as.startsWith('partialobjectmetadata') && parameters.get('g') === 'meta.k8s.io' && parameters.get('v') === 'v1'
  );
}

function formatOf(type: string): Accepted['format'] | undefined {
  switch (type) {
    case 'application/json':
    case 'application/*':
    case '*/*':
      return 'json';
    case 'application/yaml':
      return 'yaml';
    case protobufMediaType:
      return 'protobuf';
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

export type BodyFormat = 'json' | 'yaml' | 'protobuf';

/** How a body is written. Throws ApiError 415 for what cannot be read. */
export function bodyFormatOf(contentType: string | undefined): BodyFormat {
  if (contentType === undefined || contentType === '') return 'json';
  switch (mediaTypeOf(contentType)) {
    case 'application/json':
      return 'json';
    case 'application/yaml':
      return 'yaml';
    case protobufMediaType:
      return 'protobuf';
    default:
      throw unknownFormat(acceptedTypes);
  }
}

/** The same for a body that must be a `kind`, which need not have a protobuf form. Throws ApiError 415. */
export function bodyFormatFor(kind: GroupVersionKind, contentType: string | undefined): BodyFormat {
  const format = bodyFormatOf(contentType);
  if (format === 'protobuf' && !hasProtobuf({ apiVersion: apiVersionOf(kind), kind: kind.kind }))
    throw unknownFormat(textTypes);
  return format;
}

function unknownFormat(types: string): ApiError {
  return new ApiError(
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${types}`,
  );
}

/** Which patch of a `kind` a body is: custom ones have no merge keys for the strategic form. Throws ApiError 415. */
export function patchTypeOf({ custom }: Pick<KindSpec, 'custom'>, contentType: string | undefined): PatchType {
  const type = mediaTypeOf(contentType);
  const known = Object.hasOwn(patchTypes, type) ? patchTypes[type as keyof typeof patchTypes] : undefined;
  if (known !== undefined && (known !== 'strategic' || custom === undefined)) return known;
  const taken = Object.entries(patchTypes).filter(([, one]) => one !== 'strategic' || custom === undefined);
  throw unknownFormat(taken.map(([media]) => media).join(', '));
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A body that is no object of a kind in the table: patches, options, reviews. Throws ApiError 400. */
export function parseBody(body: Buffer, format: BodyFormat = 'json'): unknown {
  try {
    if (format === 'protobuf') return decodeProtobuf(body);
    const text = utf8.decode(body);
    return format === 'yaml' ? load(text, { schema: JSON_SCHEMA }) : JSON.parse(text);
  } catch (cause) {
    throw new ApiError('BadRequest', `the body of the request does not parse: ${messageOf(cause)}`, { cause });
  }
}
