// The OpenAPI documents hold what kubectl looks for, and name nothing that is not there.

import t from 'tap';
import { openApiDocuments, openApiV3Index, schemaDirectory } from '../../src/api/index.ts';
import { ensureSchemas } from './schemas.ts';

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
