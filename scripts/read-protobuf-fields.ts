// Makes src/api/protobuf/fields/*.ts: which number and type each JSON field has in Kubernetes' protobuf form. Facts only:
// names, numbers, types and when a field shows in JSON; no sentence of the sources is taken over.
//
// Read are, for each group and version of the kinds table, `generated.proto` (numbers and types) and the Go structs beside
// it (JSON name, pointer or value, omitempty), because the .proto alone does not say whether an absent string means "" or
// nothing. PROTO-DIR holds the folders api, apimachinery, apiextensions-apiserver and kube-aggregator as the Go modules
// k8s.io/* lay them out; on Debian: golang-k8s-api-dev and its sisters, below /usr/share/gocode/src/k8s.io. A group whose
// folder is not there keeps the table it has. Messages that no served kind reaches are left out.
// usage: node scripts/read-protobuf-fields.ts PROTO-DIR

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allKinds } from '../src/api/index.ts';

const [source] = process.argv.slice(2);
if (source === undefined || !existsSync(join(source, 'apimachinery'))) {
  console.error('usage: node scripts/read-protobuf-fields.ts PROTO-DIR   (a folder that holds api and apimachinery)');
  process.exit(2);
}
const out = join(import.meta.dirname, '..', 'src', 'api', 'protobuf', 'fields');

interface ProtoField {
  readonly number: number;
  /** `string`, `PodSpec`, `core/v1.PodSpec` */
  readonly type: string;
  readonly shape: 'one' | 'list' | 'map';
}

interface GoField {
  readonly json: string;
  readonly pointer: boolean;
  readonly omits: boolean;
  readonly inline: boolean;
}

interface Package {
  readonly group: string;
  readonly version: string;
  readonly messages: ReadonlyMap<string, readonly ProtoField[]>;
  /** Struct → field number → facts. */
  readonly structs: ReadonlyMap<string, ReadonlyMap<number, GoField>>;
}

/** Messages with a JSON form of their own; see src/api/protobuf/line.ts. */
const scalars: Readonly<Record<string, string>> = {
  'meta/v1.Time': 'time',
  'meta/v1.MicroTime': 'microTime',
  'meta/v1.FieldsV1': 'json',
  'runtime.RawExtension': 'json',
  'resource.Quantity': 'quantity',
  'intstr.IntOrString': 'intOrString',
  'apiextensions/v1.JSON': 'json',
};

/** Messages that no kind's field holds: what goes with requests and answers. */
const metaRoots = [
  'APIGroup',
  'APIGroupList',
  'APIResourceList',
  'APIVersions',
  'CreateOptions',
  'DeleteOptions',
  'GetOptions',
  'ListOptions',
  'PartialObjectMetadata',
  'PartialObjectMetadataList',
  'PatchOptions',
  'Status',
  'UpdateOptions',
];

const packages = readPackages(source);
const lines = new Map<string, Map<string, string>>();
for (const root of metaRoots) visit(`meta/v1.${root}`);
for (const { group, version, kind } of allKinds) {
  for (const name of [kind, `${kind}List`]) visit(`${shortOf(group)}/${version}.${name}`);
}
for (const [key, messages] of lines) write(key, messages);

function readPackages(root: string): ReadonlyMap<string, Package> {
  const served = new Map(allKinds.map(({ group, version }) => [`${shortOf(group)}/${version}`, { group, version }]));
  served.set('meta/v1', { group: 'meta.k8s.io', version: 'v1' });
  const found = new Map<string, Package>();
  for (const [key, at] of served) {
    const folder = [
      join(root, 'api', key),
      join(root, 'apimachinery', 'pkg', 'apis', key),
      join(root, 'apiextensions-apiserver', 'pkg', 'apis', key),
      join(root, 'kube-aggregator', 'pkg', 'apis', key),
    ].find((one) => existsSync(join(one, 'generated.proto')));
    if (folder === undefined) console.error(`no generated.proto for ${key}: its table is left as it is`);
    else found.set(key, { ...at, messages: readProto(folder, key), structs: readGo(folder) });
  }
  return found;
}

function readProto(folder: string, key: string): ReadonlyMap<string, readonly ProtoField[]> {
  const text = readFileSync(join(folder, 'generated.proto'), 'utf8').replaceAll(/^\s*\/\/.*$/gm, '');
  const messages = new Map<string, ProtoField[]>();
  for (const [, name = '', body = ''] of text.matchAll(/^message (\w+) \{\n([\s\S]*?)^\}/gm)) {
    const fields = [...body.matchAll(/^\s*(optional|repeated|map<string, ([\w.]+)>)\s+(?:([\w.]+) )?\w+ = (\d+);/gm)];
    messages.set(
      name,
      fields.map(([, label, value, type = '', number]) => ({
        number: Number(number),
        type: qualified(value ?? type, key),
        shape: value !== undefined ? 'map' : label === 'repeated' ? 'list' : 'one',
      })),
    );
  }
  return messages;
}

/** `.k8s.io.api.core.v1.PodSpec` as `core/v1.PodSpec`, a name of the same file with that file's key; scalars as they are. */
function qualified(type: string, key: string): string {
  if (/^[a-z0-9]+$/.test(type)) return type;
  const parts = type.split('.').filter((part) => part !== '');
  const name = parts.pop() ?? '';
  if (parts.length === 0) return scalars[`${key}.${name}`] ?? `${key}.${name}`;
  const [version = '', group = ''] = parts.reverse();
  const full = /^v\d/.test(version) ? `${group}/${version}.${name}` : `${version}.${name}`;
  return scalars[full] ?? full;
}

function readGo(folder: string): ReadonlyMap<string, ReadonlyMap<number, GoField>> {
  const structs = new Map<string, Map<number, GoField>>();
  const files = readdirSync(folder).filter((file) => /^[a-y]\w*\.go$/.test(file) && !/_test|generated/.test(file));
  for (const file of files) {
    const text = readFileSync(join(folder, file), 'utf8').replaceAll(/^\s*\/\/.*$/gm, '');
    for (const [, name = '', body = ''] of text.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)) {
      const fields = new Map<number, GoField>();
      for (const [, type = '', tags = ''] of body.matchAll(/^\s*(?:\w+\s+)?(\S+)\s+`(.*)`/gm)) {
        const number = /protobuf:"\w+,(\d+)/.exec(tags)?.[1];
        const [json = '', ...options] = (/json:"([^"]*)"/.exec(tags)?.[1] ?? '').split(',');
        if (number === undefined) continue;
        const omits = options.includes('omitempty');
        const zeroless = options.includes('omitzero');
        const inline = options.includes('inline') || (json === '' && !tags.includes('json:'));
        fields.set(Number(number), {
          json,
          inline,
          pointer: type.startsWith('*'),
          // omitempty never leaves out a struct, see encoding/json.
          omits: zeroless || (omits && !isStruct(type)),
        });
      }
      structs.set(name, fields);
    }
  }
  return structs;
}

/** Whether a Go type may be a struct by value; which ones are is decided with the .proto, in markOf. */
function isStruct(type: string): boolean {
  return /^(?:\w+\.)?(?:Time|MicroTime)$/.test(type);
}

function visit(name: string): void {
  const dot = name.lastIndexOf('.');
  const key = name.slice(0, dot);
  const message = name.slice(dot + 1);
  const of = packages.get(key);
  const fields = of?.messages.get(message);
  const known = lines.get(key) ?? new Map<string, string>();
  if (of === undefined || fields === undefined || known.has(message)) return;
  lines.set(key, known);
  known.set(message, '');
  const go = of.structs.get(message);
  const texts = fields
    .toSorted((a, b) => a.number - b.number)
    .map((field) => {
      if (field.type.includes('.')) visit(field.type);
      return fieldText(field, { go: go?.get(field.number), key });
    });
  known.set(message, texts.join(', '));
}

function fieldText(field: ProtoField, { go, key }: { readonly go: GoField | undefined; readonly key: string }): string {
  const local = field.type.startsWith(`${key}.`) ? field.type.slice(key.length + 1) : field.type;
  const shape = { one: '', list: '[]', map: '{}' }[field.shape];
  const type = `${shape}${local}`;
  // A slice type with methods, or a union with its own JSON: the message is its field.
  if (go === undefined || (go.inline && go.json === '' && !isMessage(field))) return `= ${field.number} ${type}`;
  if (go.inline) return isUnion(field, go) ? `= ${field.number} ${type}` : `... ${field.number} ${type}`;
  return `${go.json} ${field.number} ${type}${markOf(field, go)}`;
}

function isMessage({ type }: ProtoField): boolean {
  return type.includes('.');
}

/** An embedded struct is a value; what stands behind a pointer or in a list without a JSON name is one of several forms. */
function isUnion({ shape }: ProtoField, { pointer }: GoField): boolean {
  return pointer || shape !== 'one';
}

/** `?` there when it was sent; `!` always there; none: there unless it is zero. */
function markOf(field: ProtoField, { pointer, omits }: GoField): string {
  if (pointer) return omits ? '?' : '?!';
  if (field.shape !== 'one') return omits ? '' : '!';
  if (isMessage(field) && !isListMessage(field.type)) return '!';
  // To omitempty these are structs.
  if (field.type === 'quantity' || field.type === 'intOrString' || field.type === 'json') return '!';
  return omits ? '' : '!';
}

/** Named slices (Verbs, ExtraValue) have no struct. */
function isListMessage(type: string): boolean {
  const dot = type.lastIndexOf('.');
  return packages.get(type.slice(0, dot))?.structs.has(type.slice(dot + 1)) === false;
}

function write(key: string, messages: ReadonlyMap<string, string>): void {
  const of = packages.get(key);
  if (of === undefined) return;
  const constant = key.replace(/\/v(\d)/, 'V$1');
  const rows = [...messages].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, text]) => `${name}: ${text}`.trim());
  writeFileSync(
    join(out, `${key.replace('/', '-')}.ts`),
    `// Made by scripts/read-protobuf-fields.ts: facts about ${of.group === '' ? 'the core group' : of.group} ${of.version}. line.ts says how a line reads.

export const ${constant} = {
  group: '${of.group}',
  version: '${of.version}',
  messages: \`
${rows.join('\n')}
\`,
} as const;
`,
  );
}

/** `rbac` for rbac.authorization.k8s.io: the folder's name, and how a table refers to another one. */
function shortOf(group: string): string {
  return group === '' ? 'core' : (group.split('.')[0] ?? group);
}
