// From a request body to an object of a kind. Three answers: the object, the list of fields that are unknown or given
// twice (what to do with them is fieldValidation's: Strict refuses, Warn tells, Ignore drops), or a DecodeError whose
// message is the 400 Status's.

import { apiVersionOf, type GroupVersionKind } from '../kind.ts';
import { decodeProtobuf } from '../protobuf/envelope.ts';
import { builtInSchemas, type ObjectSchema } from '../schema/schema.ts';
import type { KubeObject } from '../types.ts';
import { conform } from './conform.ts';
import { DecodeError } from './decode-error.ts';
import { duplicateKeys, type ParsedJson, parseJson } from './json.ts';
import { parseYamlLeniently } from './yaml.ts';

export interface DecodeOptions {
  /** Default: json. */
  readonly format?: 'json' | 'yaml' | 'protobuf';
  /** Default: the built-in schema of `kind`. A kind without a schema is taken as it is. */
  readonly schema?: ObjectSchema;
}

export interface Decoded {
  /** Belongs to the caller; apiVersion and kind are always set. */
  readonly object: KubeObject;
  /** `unknown field "spec.foo"`, `duplicate field "spec.replicas"`. */
  readonly problems: readonly string[];
}

/**
 * Decodes a body that must hold a `kind`; a body that names no apiVersion and kind is taken for one.
 * Throws DecodeError.
 */
export function decodeObject(kind: GroupVersionKind, body: Uint8Array, options: DecodeOptions = {}): Decoded {
  if (options.format === 'protobuf') return decodeProtobufBody(kind, body, options.schema);
  if (body.length === 0 && options.format !== 'yaml')
    throw unrecognized(kind, body, "couldn't get version/kind; json parse error: unexpected end of JSON input");
  const parsed: ParsedBody = options.format === 'yaml' ? parseYamlBody(kind, body) : parseJsonBody(kind, body);
  // Go decodes null, and YAML without a document, into an object without fields.
  const value = parsed.value ?? {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    const what = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
    throw unrecognized(
      kind,
      body,
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${what} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    );
  }
  const schema = options.schema ?? builtInSchemas().ofKind(kind);
  if (schema === undefined) requireKind(kind, value);
  checkKind(kind, value);
  const { problems, keys } = conformTo(kind, value, schema);
  const duplicates =
    parsed.text === undefined || keys === parsed.keys
      ? (parsed.problems ?? [])
      : duplicateKeys(parsed.text).map((path) => `duplicate field ${JSON.stringify(path)}`);
  return { object: value, problems: duplicates.length === 0 ? problems : [...duplicates, ...problems] };
}

/** Fields that the sender's release knows and this one does not are no mistake of a person: nothing is reported. */
function decodeProtobufBody(kind: GroupVersionKind, body: Uint8Array, schema: ObjectSchema | undefined): Decoded {
  const object = decodeProtobuf(body, kind);
  checkKind(kind, object);
  conformTo(kind, object, schema);
  return { object, problems: [] };
}

/**
 * Makes an object that is already parsed (the result of a patch) one of its kind, in place; answers the unknown fields,
 * which are gone from it. Throws DecodeError.
 */
export function conformObject(kind: GroupVersionKind, object: KubeObject, schema?: ObjectSchema): readonly string[] {
  checkKind(kind, object);
  return conformTo(kind, object, schema).problems;
}

/** `strict decoding error: unknown field "spec.foo"`: the message when fieldValidation is Strict. */
export function strictDecodingMessage(kind: GroupVersionKind, problems: readonly string[]): string {
  return cannotHandle(kind, `strict decoding error: ${problems.join(', ')}`);
}

function conformTo(
  kind: GroupVersionKind,
  value: object,
  schema: ObjectSchema | undefined = builtInSchemas().ofKind(kind),
): { readonly problems: readonly string[]; readonly keys: number | undefined } {
  if (schema === undefined) return { problems: [], keys: undefined };
  try {
    return conform(schema, value);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new DecodeError(cannotHandle(kind, error.message));
  }
}

/** Of custom objects the kind may not be left out. */
function requireKind(kind: GroupVersionKind, value: { kind?: unknown }): void {
  if ((value.kind ?? '') !== '') return;
  throw new DecodeError(
    cannotHandle(kind, `unmarshalerDecoder: Object 'Kind' is missing in '${JSON.stringify(value).slice(0, 1000)}'`),
  );
}

/** Sets apiVersion and kind where they are missing, refuses others than the expected. */
function checkKind(kind: GroupVersionKind, value: { apiVersion?: unknown; kind?: unknown }): void {
  const apiVersion = apiVersionOf(kind);
  if (value.apiVersion === apiVersion && value.kind === kind.kind) return;
  const given = { apiVersion: value.apiVersion ?? '', kind: value.kind ?? '' };
  if (typeof given.apiVersion !== 'string' || typeof given.kind !== 'string') {
    throw new DecodeError(
      `the object provided is unrecognized (must be of type ${kind.kind}): couldn't get version/kind; apiVersion and kind must be strings`,
    );
  }
  if (given.kind !== '' && given.kind !== kind.kind) {
    throw new DecodeError(
      `${given.kind} in version ${JSON.stringify(given.apiVersion.replace(/^.*\//, ''))} cannot be handled as a ${kind.kind}: the request is for ${kind.kind} objects`,
    );
  }
  if (given.apiVersion !== '' && given.apiVersion !== apiVersion) {
    throw new DecodeError(
      `the API version in the data (${given.apiVersion}) does not match the expected API version (${apiVersion})`,
    );
  }
  value.apiVersion = apiVersion;
  value.kind = kind.kind;
}

function parseJsonBody(kind: GroupVersionKind, body: Uint8Array): ParsedJson {
  try {
    return parseJson(body);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw unrecognized(kind, body, `couldn't get version/kind; ${error.message}`);
  }
}

interface ParsedBody extends Partial<ParsedJson> {
  /** Keys that YAML gives more than once. */
  readonly problems?: readonly string[];
}

function parseYamlBody(kind: GroupVersionKind, body: Uint8Array): ParsedBody {
  try {
    return parseYamlLeniently(body);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw unrecognized(kind, body, error.message);
  }
}

function cannotHandle({ kind, version }: GroupVersionKind, why: string): string {
  return `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}`;
}

function unrecognized({ kind }: GroupVersionKind, body: Uint8Array, why: string): DecodeError {
  return new DecodeError(`the object provided is unrecognized (must be of type ${kind}): ${why} (${summary(body)})`);
}

/** The first bytes of a body: as text when it looks like JSON, else in hex. */
function summary(body: Uint8Array): string {
  if (body.length === 0) return '<empty>';
  const head = Buffer.from(body.subarray(0, 30)).toString(body[0] === 0x7b ? 'utf8' : 'hex');
  return body.length > 30 ? `${head} ...` : head;
}
