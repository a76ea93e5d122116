// The OpenAPI documents hold what kubectl looks for, and name nothing that is not there.

import t from 'tap';
import { encodeOpenApi, openApiDocuments, openApiV3Index, schemaDirectory } from '../../src/api/index.ts';
import { unmarkedEnums } from '../../src/api/schema/enums.ts';
import { ensureSchemas, readSchemas } from './schemas.ts';

ensureSchemas();

interface Document {
  readonly paths: Record<
    string,
    Record<string, { parameters?: { name: string }[]; 'x-kubernetes-group-version-kind'?: object }>
  >;
  readonly components: {
    readonly schemas: Record<string, { properties?: Record<string, Record<string, unknown>>; description?: string }>;
  };
  readonly definitions: Document['components']['schemas'];
}

const documents = openApiDocuments();

function v3(path: string): Document {
  const entry = documents.list.v3[path];
  if (entry === undefined) throw new Error(`no document for ${path}`);
  return JSON.parse(documents.read(entry).toString()) as Document;
}

t.test('a PATCH tells that it validates fields', async (t) => {
  const { patch } = v3('apis/apps/v1').paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}'] ?? {};
  t.ok(patch?.parameters?.some(({ name }) => name === 'fieldValidation'));
  t.strictSame(patch?.['x-kubernetes-group-version-kind'], { group: 'apps', version: 'v1', kind: 'Deployment' });
});

t.test('fields carry descriptions and how they merge', async (t) => {
  const { schemas } = v3('api/v1').components;
  t.match(schemas['io.k8s.api.core.v1.PodSpec']?.properties?.['containers'], {
    description: /List of containers/,
    'x-kubernetes-patch-merge-key': 'name',
    'x-kubernetes-patch-strategy': 'merge',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
  });
  t.match(schemas['io.k8s.api.core.v1.PodSpec']?.properties?.['tolerations'], { 'x-kubernetes-list-type': 'atomic' });
  t.match(schemas['io.k8s.api.core.v1.Pod'], {
    'x-kubernetes-group-version-kind': [{ group: '', version: 'v1', kind: 'Pod' }],
  });
});

t.test('enums stand where types mark them, sorted, and nowhere else', async (t) => {
  const { values } = readSchemas();
  const { v2, v3: all } = documents.list;
  const met = new Set<string>();
  for (const entry of [v2, ...Object.values(all)]) {
    const document = JSON.parse(documents.read(entry).toString()) as Document;
    const wrong: string[] = [];
    for (const [type, { properties = {} }] of Object.entries(document.definitions ?? document.components.schemas)) {
      for (const [field, schema] of Object.entries(properties)) {
        const checked = unmarkedEnums[type]?.[field] === undefined ? values[type]?.[field] : undefined;
        const published = enumOf(schema);
        if (checked !== undefined) met.add(`${type}.${field}`);
        const sorted =
          published === undefined || published.every((one, at) => at === 0 || (published[at - 1] ?? '') < one);
        const holdsAll =
          checked === undefined ? published === undefined : checked.every((one) => published?.includes(one));
        if (!sorted || !holdsAll) wrong.push(`${type}.${field}: ${published}, not ${checked}`);
      }
    }
    t.strictSame(wrong, [], entry.file);
  }
  const marked = Object.entries(values).flatMap(([type, fields]) =>
    Object.keys(fields).flatMap((field) => (unmarkedEnums[type]?.[field] === undefined ? [`${type}.${field}`] : [])),
  );
  const notServed = /\.(MutatingAdmissionPolicySpec|Mutation)\./;
  t.strictSame(
    marked.filter((name) => !met.has(name) && !notServed.test(name)),
    [],
  );
  const { schemas } = v3('api/v1').components;
  t.match(schemas['io.k8s.api.core.v1.Toleration']?.properties?.['operator'], {
    enum: ['Equal', 'Exists', 'Gt', 'Lt'],
  });
  t.match(schemas['io.k8s.api.core.v1.PersistentVolumeSpec']?.properties?.['accessModes'], {
    type: 'array',
    items: { type: 'string', enum: ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'] },
  });
});

/** Of a field's schema, of its items', of its values'. */
function enumOf(schema: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  const inner = (schema['items'] ?? schema['additionalProperties']) as typeof schema | undefined;
  return inner === undefined ? (schema['enum'] as readonly string[] | undefined) : enumOf(inner);
}

t.test('apiVersion and kind are described, and open', async (t) => {
  const properties = v3('api/v1').components.schemas['io.k8s.api.core.v1.Pod']?.properties ?? {};
  t.strictSame(Object.keys(properties['kind'] ?? {}).sort(), ['description', 'type']);
  t.match(properties['apiVersion'], { type: 'string', description: /^APIVersion defines the versioned schema/ });
});

t.test('every reference leads somewhere, in every document', async (t) => {
  const { v2, v3: all } = documents.list;
  for (const entry of [v2, ...Object.values(all)]) {
    const text = documents.read(entry).toString();
    const document = JSON.parse(text) as Document;
    const known = document.definitions ?? document.components.schemas;
    const missing = [...text.matchAll(/"\$ref":"#\/(?:definitions|components\/schemas)\/([^"]+)"/g)]
      .map(([, name = '']) => name)
      .filter((name) => !Object.hasOwn(known, name));
    t.strictSame([...new Set(missing)], [], entry.file);
  }
});

t.test('the index names each document with its hash', async (t) => {
  const hash = documents.list.v3['api/v1']?.hash;
  t.match(openApiV3Index(documents.list), {
    paths: { 'api/v1': { serverRelativeURL: `/openapi/v3/api/v1?hash=${hash}` } },
  });
});

t.test('schemas that were never generated are an error with a next step', async (t) => {
  t.throws(() => schemaDirectory('/nowhere/at/all'), {
    code: 'SCHEMAS_MISSING',
    hint: 'run: node scripts/generate-schemas.ts',
  });
});

t.test('version 2 as protobuf', async (t) => {
  const hex = (document: Record<string, unknown>): string => encodeOpenApi(document).toString('hex');
  // Tag and length of each field by hand: swagger is field 1, info field 2 with title 1 and version 2.
  t.equal(hex({ swagger: '2.0', info: { title: 'K', version: 'v' } }), '0a03322e301206' + '0a014b120176');
  // definitions 9 { 1 { name 1, value 2 { type 22 { value 1 }, required 19, vendor_extension 31 { name 1, value 2 { yaml 2 } } } } }
  const schema = { required: ['a'], type: 'object', 'x-k': true };
  const type = 'b20108' + '0a066f626a656374';
  const extension = 'fa010d' + '0a03782d6b' + '1206' + '120474727565';
  const value = `9a010161${type}${extension}`;
  const inner = (tag: string, content: string): string =>
    tag + (content.length / 2).toString(16).padStart(2, '0') + content;
  const entry = inner('0a', `0a0144${inner('12', value)}`);
  t.equal(hex({ definitions: { D: schema } }), inner('4a', entry));
  t.equal(documents.read(documents.list.v2Protobuf).subarray(0, 5).toString('hex'), '0a03322e30');
});

t.test('the protobuf form holds every name of the JSON form', async (t) => {
  const json = JSON.parse(documents.read(documents.list.v2).toString()) as Document & { readonly paths: object };
  const bytes = documents.read(documents.list.v2Protobuf);
  for (const name of [...Object.keys(json.definitions), ...Object.keys(json.paths)]) {
    if (!bytes.includes(name)) t.fail(name);
  }
});
