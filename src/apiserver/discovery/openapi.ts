// OpenAPI under /openapi: documents of built-in kinds are files made at build time, listed with the hash of their bytes, so
// nothing is held in memory. Those of custom kinds are made when somebody asks, and kept until the kinds change: version 3
// has one small document per group-version; version 2 is one document of everything, into which they and the parts of other
// servers are spliced, because parsing and printing it again would take a hundred times as long.

import { createHash } from 'node:crypto';
import {
  apiVersionOf,
  customType,
  customTypeName,
  encodeOpenApi,
  type GroupVersionKind,
  type KindSpec,
  type OpenApiEntry,
  type OpenApiVersion,
  openApiDocuments,
  openApiV3Index,
  pathsOf,
} from '../../api/index.ts';
import { joinParts, type OpenApiPart } from './openapi-part.ts';

export interface OpenApiAnswer {
  readonly body: Buffer;
  /** The hash of the bytes, for `ETag`. */
  readonly etag: string;
}

export interface OpenApi {
  /** The document for a path below /openapi; undefined when there is none. */
  read(path: string): OpenApiAnswer | undefined;
  /** The version 2 document as protobuf. */
  readProtobuf(): OpenApiAnswer;
}

/** Kinds that come and go at run time. */
export interface CustomKindsSource {
  served(): readonly KindSpec[];
  /** Another number when `served` answers something else. */
  readonly generation: number;
}

interface CustomDocuments {
  readonly generation: number;
  readonly v3: ReadonlyMap<string, Document>;
}

interface Version2 {
  readonly generation: number;
  readonly remote: readonly OpenApiPart[];
  /** Beside the built-in kinds. */
  readonly added: OpenApiPart;
  json: OpenApiAnswer | undefined;
  protobuf: OpenApiAnswer | undefined;
}

interface Document extends OpenApiAnswer {
  readonly etag: string;
  readonly specs: readonly KindSpec[];
}

type Json = Readonly<Record<string, unknown>>;

/** What other servers say of themselves. */
export interface RemoteOpenApi {
  /** Version 3 documents by `apis/<group>/<version>`; they take the place of our own. */
  openApi(): ReadonlyMap<string, { readonly body: Buffer; readonly etag: string }>;
  /** Of version 2; the same values as long as nothing changed. */
  openApiParts(): readonly OpenApiPart[];
}

/** The list is read when somebody asks first. Throws CodedError SCHEMAS_MISSING then when nothing was generated. */
export function createOpenApi(custom: CustomKindsSource, remote: RemoteOpenApi): OpenApi {
  let opened: ReturnType<typeof openApiDocuments> | undefined;
  let shared: Json | undefined;
  let made: CustomDocuments | undefined;
  let made2: Version2 | undefined;

  const open = (): ReturnType<typeof openApiDocuments> => {
    opened ??= openApiDocuments();
    return opened;
  };

  /** Types that custom kinds refer to, out of a built-in document that has all of them. */
  const sharedTypes = (): Json => {
    shared ??= typesIn(open());
    return shared;
  };

  function customDocuments(): CustomDocuments {
    const { generation } = custom;
    if (made?.generation === generation) return made;
    const before = made?.v3;
    const groups = Map.groupBy(custom.served(), (spec) => `apis/${apiVersionOf(spec)}`);
    const v3 = new Map(
      [...groups].map(([path, specs]) => {
        const known = before?.get(path);
        return [path, known !== undefined && isSameList(known.specs, specs) ? known : documentOf(specs, sharedTypes())];
      }),
    );
    made = { generation, v3 };
    return made;
  }

  /** undefined: there is nothing but built-in kinds. */
  function version2(): Version2 | undefined {
    const { generation } = custom;
    const [specs, parts] = [custom.served(), remote.openApiParts()];
    if (specs.length === 0 && parts.length === 0) return undefined;
    if (made2?.generation === generation && isSameList(made2.remote, parts)) return made2;
    const { list, read } = open();
    const { paths, types } = partsOf(specs, 2);
    const own = { paths, definitions: types };
    const added = parts.length === 0 ? own : joinParts(JSON.parse(read(list.v2).toString()) as OpenApiPart, own, parts);
    made2 = { generation, remote: parts, added, json: undefined, protobuf: undefined };
    return made2;
  }

  function read2(): OpenApiAnswer {
    const { list, read } = open();
    const builtIn = { body: read(list.v2), etag: list.v2.hash };
    const documents = version2();
    if (documents === undefined) return builtIn;
    documents.json ??= spliced(builtIn.body, documents.added);
    return documents.json;
  }

  function readProtobuf(): OpenApiAnswer {
    const { list, read } = open();
    const builtIn = { body: read(list.v2Protobuf), etag: list.v2Protobuf.hash };
    const documents = version2();
    if (documents === undefined) return builtIn;
    documents.protobuf ??= merged(builtIn.body, documents.added);
    return documents.protobuf;
  }

  return {
    readProtobuf,
    read(path) {
      const { list, read } = open();
      if (path === '/openapi/v2') return read2();
      const { v3 } = customDocuments();
      if (path === '/openapi/v3') {
        const own = [...v3, ...remote.openApi()].map(([name, { etag }]) => [name, { file: '', hash: etag }] as const);
        const index = openApiV3Index({ v3: { ...list.v3, ...Object.fromEntries(own) } });
        const body = Buffer.from(JSON.stringify(index));
        return { body, etag: etagOf(body) };
      }
      if (!path.startsWith('/openapi/v3/')) return undefined;
      const name = path.slice('/openapi/v3/'.length);
      const own = remote.openApi().get(name) ?? v3.get(name);
      if (own !== undefined) return own;
      const entry: OpenApiEntry | undefined = Object.hasOwn(list.v3, name) ? list.v3[name] : undefined;
      return entry === undefined ? undefined : { body: read(entry), etag: entry.hash };
    },
  };
}

const machinery = 'io.k8s.apimachinery.';
const scaleGroup = 'apis/autoscaling/v1';
const scaleType = 'io.k8s.api.autoscaling.v1.Scale';
const scaleParts = [scaleType, `${scaleType}Spec`, `${scaleType}Status`];

function typesIn({ list, read }: ReturnType<typeof openApiDocuments>): Json {
  const entry = list.v3[scaleGroup];
  if (entry === undefined) throw new Error(`the OpenAPI documents hold none of ${scaleGroup}`);
  const { components } = JSON.parse(read(entry).toString()) as { components: { schemas: Json } };
  const wanted = Object.entries(components.schemas).filter(
    ([name]) => name.startsWith(machinery) || scaleParts.includes(name),
  );
  return Object.fromEntries(wanted);
}

function documentOf(specs: readonly KindSpec[], shared: Json): Document {
  const schemas = { ...partsOf(specs, 3).types, ...shared };
  const document = {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.35.0' },
    paths: partsOf(specs, 3).paths,
    components: { schemas: sorted(schemas) },
  };
  const body = Buffer.from(JSON.stringify(document));
  return { body, etag: etagOf(body), specs };
}

function partsOf(specs: readonly KindSpec[], version: OpenApiVersion): { readonly paths: Json; readonly types: Json } {
  const typeOf = (kind: GroupVersionKind): string => (kind.group === 'autoscaling' ? scaleType : customTypeName(kind));
  return {
    paths: Object.assign({}, ...specs.map((spec) => pathsOf(spec, version, typeOf))) as Json,
    types: Object.assign({}, ...specs.map((spec) => customType(spec, version))) as Json,
  };
}

const pathsMark = '"paths":{';
/** Where the paths end and the types begin; nothing before it ends so. */
const typesMark = '}},"definitions":{';

/** The built-in version 2 document with what is added in front of each of its two parts. */
function spliced(builtIn: Buffer, { paths, definitions }: OpenApiPart): OpenApiAnswer {
  const pathsAt = builtIn.indexOf(pathsMark) + pathsMark.length;
  const typesAt = builtIn.indexOf(typesMark) + typesMark.length;
  const inside = (part: Json): Buffer => {
    const members = JSON.stringify(part).slice(1, -1);
    return Buffer.from(members === '' ? '' : `${members},`);
  };
  const body = Buffer.concat([
    builtIn.subarray(0, pathsAt),
    inside(paths),
    builtIn.subarray(pathsAt, typesAt),
    inside(definitions),
    builtIn.subarray(typesAt),
  ]);
  return { body, etag: etagOf(body) };
}

/** As above, in protobuf. */
function merged(builtIn: Buffer, { paths, definitions }: OpenApiPart): OpenApiAnswer {
  const body = Buffer.concat([builtIn, encodeOpenApi({ paths, definitions })]);
  return { body, etag: etagOf(body) };
}

/** As upstream makes them, so that they are of the length that clients have seen. */
export function etagOf(body: Buffer): string {
  return createHash('sha512').update(body).digest('hex').toUpperCase();
}

function sorted(record: Json): Json {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index]);
}
