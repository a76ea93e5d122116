// What is added to the OpenAPI version 2 document beside the built-in kinds: the paths and types of custom kinds, and those
// of other servers' group-versions. A server's document brings the types of its machinery along; a name that means something
// else here already gets a number, and its references with it. References are followed in the text, so no depth hurts.
// Source: kube-openapi pkg/aggregator, MergeSpecsIgnorePathConflict and FilterSpecByPaths.

import { encodeOpenApi, sameJson } from '../../api/index.ts';

type Json = Readonly<Record<string, unknown>>;

export interface OpenApiPart {
  readonly paths: Json;
  readonly definitions: Json;
}

const typeReference = /"\$ref":"#\/definitions\/([^"]+)"/g;
/** Upstream's servers name parameters that many operations have; they are put where they are used. */
const parameterReference = /\{"\$ref":"#\/parameters\/([^"]+)"\}/g;

/** Of a whole document, what is below `root` (`apis/<group>/<version>`) and its types. Throws for a text that is none. */
export function partOf(text: string, root: string): OpenApiPart {
  const {
    paths = {},
    definitions = {},
    parameters = {},
  } = JSON.parse(text) as Partial<OpenApiPart> & {
    readonly parameters?: Json;
  };
  const own = Object.entries(paths).filter(([path]) => path === `/${root}` || path.startsWith(`/${root}/`));
  const inlined = JSON.stringify(Object.fromEntries(own)).replace(parameterReference, (whole, name: string) => {
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    return parameter === undefined ? whole : JSON.stringify(parameter);
  });
  const part = { paths: JSON.parse(inlined) as Json, definitions: reachable(inlined, definitions) };
  // A document that cannot be told as protobuf would spoil everybody's.
  encodeOpenApi({ ...part });
  return part;
}

function reachable(text: string, definitions: Json): Json {
  const found = new Map<string, unknown>();
  const texts = [text];
  for (let next = texts.pop(); next !== undefined; next = texts.pop()) {
    for (const [, name = ''] of next.matchAll(typeReference)) {
      if (found.has(name) || !Object.hasOwn(definitions, name)) continue;
      found.set(name, definitions[name]);
      texts.push(JSON.stringify(definitions[name]));
    }
  }
  return Object.fromEntries(found);
}

/** `own` and `parts` as one part that can be put beside `there`: a path that is taken stays whose it was. */
export function joinParts(there: OpenApiPart, own: OpenApiPart, parts: readonly OpenApiPart[]): OpenApiPart {
  const paths = new Map(Object.entries(own.paths));
  const definitions = new Map(Object.entries(own.definitions));
  const typeNamed = (name: string): unknown =>
    definitions.get(name) ?? (Object.hasOwn(there.definitions, name) ? there.definitions[name] : undefined);
  for (const part of parts) {
    const names = new Map(
      Object.entries(part.definitions).map(([name, type]) => [name, freeName(name, type, typeNamed)] as const),
    );
    const { paths: added, definitions: types } = renamed(part, names);
    for (const [path, item] of Object.entries(added)) {
      if (!paths.has(path) && !Object.hasOwn(there.paths, path)) paths.set(path, item);
    }
    for (const [name, type] of Object.entries(types)) {
      const known = names.get(name) ?? name;
      if (typeNamed(known) === undefined) definitions.set(known, type);
    }
  }
  return { paths: Object.fromEntries(paths), definitions: Object.fromEntries(definitions) };
}

function freeName(name: string, type: unknown, typeNamed: (name: string) => unknown): string {
  for (let count = 1; ; count += 1) {
    const wanted = count === 1 ? name : `${name}_v${count}`;
    const taken = typeNamed(wanted);
    if (taken === undefined || sameJson(taken, type)) return wanted;
  }
}

/** References alone; the types keep their old names as keys. */
function renamed(part: OpenApiPart, names: ReadonlyMap<string, string>): OpenApiPart {
  if ([...names].every(([from, to]) => from === to)) return part;
  const text = JSON.stringify(part).replace(
    typeReference,
    (_whole, name: string) => `"$ref":"#/definitions/${names.get(name) ?? name}"`,
  );
  return JSON.parse(text) as OpenApiPart;
}
