// Compares src/api/schema/overlay.ts, which states by hand how lists, maps and objects merge, with upstream's own sources:
// the struct tags of k8s.io/api and apimachinery (patchStrategy, patchMergeKey) and the schemas of client-go's and
// apiextensions-apiserver's apply configurations (list and map types, atomic objects, defaults but zeros). Facts are
// compared, nothing is copied. GO-DIR holds the folders api, apimachinery, client-go and apiextensions-apiserver as the Go
// modules k8s.io/* lay them out; on Debian: golang-k8s-*-dev, below /usr/share/gocode/src/k8s.io.
// Prints one line a difference; exit code 1 when there are any.
// usage: node scripts/compare-schema-facts.ts GO-DIR

import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { atomicTypes, fieldDefaults, mergeFacts } from '../src/api/schema/overlay.ts';
import type { MergeFacts, SchemaFile } from '../src/api/schema/shape.ts';

/** A type of structured-merge-diff's schema language. */
interface TypeRef {
  readonly namedType?: string;
  readonly elementRelationship?: string;
  readonly list?: { readonly elementRelationship: string; readonly keys?: readonly string[] };
  readonly map?: { readonly elementRelationship?: string };
}

interface TypeDef {
  readonly name: string;
  readonly map?: {
    readonly elementRelationship?: string;
    readonly fields?: readonly { readonly name: string; readonly type: TypeRef; readonly default?: unknown }[];
  };
}

const [source] = process.argv.slice(2);
const applySchemas = [
  'client-go/applyconfigurations/internal/internal.go',
  'apiextensions-apiserver/pkg/client/applyconfiguration/internal/internal.go',
];
if (source === undefined || !existsSync(join(source, 'api'))) {
  console.log(
    `skipped: ${source ?? 'no GO-DIR given'}: no folder with upstream's sources (api, apimachinery, client-go)`,
  );
  process.exit(0);
}

const types = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'dist', 'schemas', 'types.json'), 'utf8'),
) as SchemaFile;
const differences = [...compareTags(source), ...compareApplySchemas(source)].sort();
for (const line of new Set(differences)) console.log(line);
console.log(`${differences.length} differences`);
process.exitCode = differences.length === 0 ? 0 : 1;

/** Patch strategies and keys, which only the Go structs carry. */
function compareTags(root: string): string[] {
  const files = [
    ...globSync('api/*/{v1,v2}/types.go', { cwd: root }),
    'apimachinery/pkg/apis/meta/v1/types.go',
    ...globSync('apiextensions-apiserver/pkg/apis/apiextensions/v1/types*.go', { cwd: root }),
  ].filter((file) => existsSync(join(root, file)));
  return files.flatMap((file) => {
    const prefix = `io.k8s.${file.replace(/\/[^/]+$/, '').replaceAll('/', '.')}`;
    return readTags(readFileSync(join(root, file), 'utf8')).flatMap(({ struct, field, strategy, key }) => {
      const type = `${prefix}.${struct}`;
      if (types.types[type]?.fields[field] === undefined) return [];
      const ours = mergeFacts[type]?.[field];
      return [
        ...differ(`${type}.${field} patchStrategy`, ours?.patchStrategy, strategy),
        ...differ(`${type}.${field} patchMergeKey`, ours?.patchMergeKey, key),
      ];
    });
  });
}

interface Tags {
  readonly struct: string;
  readonly field: string;
  readonly strategy: string | undefined;
  readonly key: string | undefined;
}

function readTags(text: string): Tags[] {
  const tags: Tags[] = [];
  let struct = '';
  for (const line of text.split('\n')) {
    struct = /^type (\w+) struct/.exec(line)?.[1] ?? struct;
    const field = /^\t[^/].*`.*json:"([^",]+)/.exec(line)?.[1];
    if (field === undefined) continue;
    const tag = (name: string): string | undefined => new RegExp(` ?${name}:"([^"]*)"`).exec(line)?.[1];
    tags.push({ struct, field, strategy: tag('patchStrategy'), key: tag('patchMergeKey') });
  }
  return tags;
}

function compareApplySchemas(root: string): string[] {
  return applySchemas.flatMap((file) => {
    const path = join(root, file);
    if (!existsSync(path)) return [`${file} is not there: not compared`];
    const yaml = /YAMLObject\(`([\s\S]*?)`\)/.exec(readFileSync(path, 'utf8'))?.[1] ?? '';
    return (load(yaml) as { types: readonly TypeDef[] }).types.flatMap(compareType);
  });
}

function compareType({ name, map }: TypeDef): string[] {
  const shape = types.types[name];
  if (shape === undefined || map === undefined) return [];
  const lines = differ(
    `${name} atomic`,
    atomicTypes.has(name) || undefined,
    map.elementRelationship === 'atomic' || undefined,
  );
  for (const { name: field, type, default: fallback } of map.fields ?? []) {
    if (shape.fields[field] === undefined) continue;
    const ours: MergeFacts = mergeFacts[name]?.[field] ?? {};
    const { list } = type;
    const listType =
      list === undefined || list.elementRelationship === 'atomic' ? undefined : list.keys === undefined ? 'set' : 'map';
    const mapType = (type.map ?? type).elementRelationship === 'atomic' ? 'atomic' : undefined;
    lines.push(
      ...differ(`${name}.${field} listType`, ours.listType === 'atomic' ? undefined : ours.listType, listType),
      ...differ(`${name}.${field} listMapKeys`, [...(ours.listMapKeys ?? [])].sort(), [...(list?.keys ?? [])].sort()),
      ...differ(`${name}.${field} mapType`, ours.mapType, mapType),
    );
    const zero = fallback === '' || fallback === 0 || fallback === false || typeof fallback === 'object';
    const own = fieldDefaults[name]?.[field];
    if (!zero) lines.push(...differ(`${name}.${field} default`, own, fallback));
  }
  return lines;
}

function differ(what: string, ours: unknown, theirs: unknown): string[] {
  const [left, right] = [JSON.stringify(ours), JSON.stringify(theirs)];
  return left === right ? [] : [`${what}: ours ${left ?? 'nothing'}, upstream ${right ?? 'nothing'}`];
}
