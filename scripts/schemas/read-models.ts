// Reads the type declarations of kubernetes-models (fields, required, refs, enums, descriptions) and the attribute maps of
// @kubernetes/client-node (number and string formats) into one table of types. Nothing of either package is committed.

import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type ModelType =
  | { readonly scalar: 'string' | 'number' | 'boolean' | 'any'; readonly enum?: readonly string[] }
  | { readonly ref: string }
  | { readonly list: ModelType }
  | { readonly map: ModelType };

export interface ModelField {
  readonly type: ModelType;
  readonly required: boolean;
  readonly description: string;
  /** client-node's: int32, int64, double, byte, date-time, date-time-micro, int-or-string or ''. */
  readonly format: string;
}

export interface Model {
  /** `io.k8s.api.core.v1.Pod` */
  readonly name: string;
  readonly description: string;
  readonly fields: ReadonlyMap<string, ModelField>;
  readonly groupVersionKind?: { readonly group: string; readonly version: string; readonly kind: string };
}

interface Source {
  readonly file: string;
  readonly name: string;
  /** Class name in client-node, for formats. */
  readonly classNames: readonly string[];
}

interface Packages {
  readonly nodeModules: string;
  /** Identifier in kubernetes-models → full name. */
  readonly names: ReadonlyMap<string, string>;
  /** Descriptions of apiVersion and kind. */
  readonly typeMeta: ReadonlyMap<string, string>;
}

/** All types of the stable API versions, by full name. */
export function readModels(nodeModules: string): ReadonlyMap<string, Model> {
  const sources = [...builtInSources(nodeModules), ...machinerySources(nodeModules)];
  const names = new Map<string, string>();
  const texts = new Map<Source, string>();
  for (const source of sources) {
    const text = readFileSync(source.file, 'utf8');
    texts.set(source, text);
    const exported = /^export type \{ I\w+ as (II\w+)/m.exec(text)?.[1];
    if (exported !== undefined) names.set(exported, source.name);
  }
  const models = new Map<string, Model>();
  const packages = { nodeModules, names, typeMeta: readTypeMeta(nodeModules) };
  for (const source of sources) {
    const model = parseModel(source, texts.get(source) ?? '', packages);
    if (model !== undefined) models.set(model.name, model);
  }
  return models;
}

function builtInSources(nodeModules: string): Source[] {
  const root = join(nodeModules, 'kubernetes-models');
  return globSync(['v1/*.d.ts', '*/v1/*.d.ts', '*/v2/*.d.ts'], { cwd: root })
    .filter((path) => !path.endsWith('index.d.ts') && !path.startsWith('resource.k8s.io'))
    .sort()
    .map((path) => {
      const parts = path.replace(/\.d\.ts$/, '').split('/');
      const kind = parts.at(-1) ?? '';
      const version = parts.at(-2) ?? '';
      const group = (parts.length === 3 ? parts[0] : 'core') ?? '';
      const short = group.split('.')[0] ?? group;
      const prefix = `${short[0]?.toUpperCase()}${short.slice(1)}`;
      const versioned = `${version.toUpperCase()}${kind}`;
      return {
        file: join(root, path),
        name: `${packageOf(short)}.${version}.${kind}`,
        classNames: [`${prefix}${versioned}`, versioned],
      };
    });
}

function packageOf(group: string): string {
  if (group === 'apiextensions') return 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions';
  if (group === 'apiregistration') return 'io.k8s.kube-aggregator.pkg.apis.apiregistration';
  return `io.k8s.api.${group}`;
}

function machinerySources(nodeModules: string): Source[] {
  const root = join(nodeModules, '@kubernetes-models', 'apimachinery');
  return globSync(['api/**/*.d.ts', 'apis/**/*.d.ts', 'runtime/**/*.d.ts', 'util/**/*.d.ts', 'version/**/*.d.ts'], {
    cwd: root,
  })
    .filter((path) => !path.endsWith('index.d.ts'))
    .sort()
    .map((path) => {
      const dotted = path.replace(/\.d\.ts$/, '').replaceAll('/', '.');
      const kind = dotted.split('.').at(-1) ?? '';
      return { file: join(root, path), name: `io.k8s.apimachinery.pkg.${dotted}`, classNames: [`V1${kind}`] };
    });
}

function parseModel(source: Source, text: string, { nodeModules, names, typeMeta }: Packages): Model | undefined {
  const start = /^export interface I(\w+)(?: extends TypeMeta)? \{$/m.exec(text);
  const description = start === null ? '' : commentBefore(text.slice(0, start.index));
  const kind = source.name.split('.').at(-1) ?? '';
  if (start === null) {
    const alias = /^export type I\w+ = /m.exec(text);
    return alias === null
      ? undefined
      : { name: source.name, description: commentBefore(text.slice(0, alias.index)), fields: new Map() };
  }
  const body = text.slice(start.index + start[0].length, text.indexOf('\n}', start.index));
  const formats = readFormats(nodeModules, source.classNames);
  const fields = new Map<string, ModelField>();
  const pattern =
    /\n {4}(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n {4})?"([^"]+)"(\?)?: ((?:[^\n]|\n(?! {4}["/]))*);(?=\n|$)/g;
  let literals: { apiVersion?: string; kind?: string } = {};
  for (const [, comment = '', field = '', optional, type = ''] of body.matchAll(pattern)) {
    if (field === 'apiVersion' || field === 'kind') {
      const literal = /^"([^"]+)"$/.exec(type)?.[1];
      if (literal !== undefined) {
        literals = { ...literals, [field]: literal };
        // Its one value is no enum: upstream's documents leave it open.
        const description = typeMeta.get(field) ?? '';
        fields.set(field, { type: { scalar: 'string' }, required: false, description, format: '' });
        continue;
      }
    }
    fields.set(field, {
      type: parseType(type, (identifier) => (identifier === `I${kind}` ? source.name : names.get(identifier))),
      required: optional === undefined,
      description: cleanComment(comment),
      format: formats.get(field) ?? '',
    });
  }
  const groupVersionKind =
    literals.apiVersion === undefined || literals.kind === undefined
      ? {}
      : { groupVersionKind: { ...splitApiVersion(literals.apiVersion), kind: literals.kind } };
  return { name: source.name, description, fields, ...groupVersionKind };
}

function splitApiVersion(apiVersion: string): { group: string; version: string } {
  const [first = '', second] = apiVersion.split('/');
  return second === undefined ? { group: '', version: first } : { group: first, version: second };
}

function parseType(text: string, resolve: (identifier: string) => string | undefined): ModelType {
  const type = text.trim();
  if (type === 'string' || type === 'number' || type === 'boolean') return { scalar: type };
  const list = /^Array<([\s\S]+)>$/.exec(type)?.[1];
  if (list !== undefined) return { list: parseType(list, resolve) };
  const map = /^\{\s*\[key: string\]: ([\s\S]+);\s*\}$/.exec(type)?.[1];
  if (map !== undefined) return { map: parseType(map, resolve) };
  if (/^\{\s*\}$/.test(type)) return { scalar: 'any' };
  if (type.startsWith('"')) {
    return { scalar: 'string', enum: type.split(' | ').map((one) => JSON.parse(one) as string) };
  }
  // An object written in place: StatefulSet's claim templates are whole PersistentVolumeClaims. Its spec names its type.
  const spec = /^\{[\s\S]*"spec"\?: (\w+);/.exec(type)?.[1];
  const name = spec === undefined ? resolve(type) : resolve(spec)?.replace(/Spec$/, '');
  if (name === undefined) throw new Error(`generate-schemas: cannot read the type ${JSON.stringify(type)}`);
  return { ref: name };
}

function readFormats(nodeModules: string, classNames: readonly string[]): ReadonlyMap<string, string> {
  const folder = join(nodeModules, '@kubernetes', 'client-node', 'dist', 'gen', 'models');
  const file = classNames.map((name) => join(folder, `${name}.js`)).find((path) => existsSync(path));
  if (file === undefined) return new Map();
  const found = readFileSync(file, 'utf8').matchAll(/"baseName": "([^"]+)",\s*"type": "[^"]*",\s*"format": "([^"]+)"/g);
  return new Map([...found].map(([, field = '', format = '']) => [field, format]));
}

/** What client-node says of apiVersion and kind, on which the models are silent; the same in every kind. */
function readTypeMeta(nodeModules: string): ReadonlyMap<string, string> {
  const file = join(nodeModules, '@kubernetes', 'client-node', 'dist', 'gen', 'models', 'V1Pod.d.ts');
  const found = readFileSync(file, 'utf8').matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*'(apiVersion|kind)'\?:/g);
  return new Map([...found].map(([, comment = '', field = '']) => [field, cleanComment(comment)]));
}

function commentBefore(text: string): string {
  const comment = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*$/.exec(text)?.[1];
  return comment === undefined ? '' : cleanComment(comment);
}

function cleanComment(comment: string): string {
  return comment
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').replaceAll('\\*', '*'))
    .join('\n')
    .trim();
}
