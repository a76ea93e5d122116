// Paths and operations of the OpenAPI documents out of kinds: at build time for the table, at run time for the kinds of
// CustomResourceDefinitions. kubectl looks here for the query parameters that a
// server understands (fieldValidation, dryRun) and for the kind behind a resource; nobody generates clients from it, so
// responses name their schema and nothing more.

import { apiVersionOf, type GroupVersionKind, type KindSpec, pathOf, type SubresourceSpec, type Verb } from './kind.ts';

type Json = Record<string, unknown>;

export type OpenApiVersion = 2 | 3;

/** A reference to a named type. */
export function refTo(name: string, version: OpenApiVersion): Json {
  return { $ref: version === 3 ? `#/components/schemas/${name}` : `#/definitions/${name}` };
}

/** What an operation is made from. */
interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  readonly action: string;
  readonly id: string;
  readonly description: string;
  readonly query: readonly string[];
  readonly body?: string;
  readonly answer: string;
  readonly kind: GroupVersionKind;
  readonly isCustom: boolean;
}

const machinery = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const writeQuery = ['dryRun', 'fieldManager', 'fieldValidation'];
const listQuery = [
  'allowWatchBookmarks',
  'continue',
  'fieldSelector',
  'labelSelector',
  'limit',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'timeoutSeconds',
  'watch',
];
const deleteQuery = ['dryRun', 'gracePeriodSeconds', 'orphanDependents', 'propagationPolicy'];

const booleans = new Set(['allowWatchBookmarks', 'sendInitialEvents', 'watch', 'force', 'orphanDependents']);
const integers = new Set(['limit', 'timeoutSeconds', 'gracePeriodSeconds']);

const descriptions: Readonly<Record<string, string>> = {
  allowWatchBookmarks: 'Ask for BOOKMARK events that carry only a resourceVersion.',
  continue: 'The token of the previous chunk of a list.',
  dryRun: 'All: answer as if, and store nothing.',
  fieldManager: 'Who writes; used by server-side apply.',
  fieldSelector: 'Only objects whose fields match.',
  fieldValidation: 'What to do with unknown and duplicate fields: Ignore, Warn or Strict.',
  force: 'Take over fields that other managers own.',
  gracePeriodSeconds: 'Seconds until the object is removed; 0 for at once.',
  labelSelector: 'Only objects whose labels match.',
  limit: 'How many objects one answer holds at most.',
  orphanDependents: 'Deprecated: use propagationPolicy.',
  pretty: 'Indent the answer.',
  propagationPolicy: 'What happens to dependents: Orphan, Background or Foreground.',
  resourceVersion: 'Not older than this, or from here on for a watch.',
  resourceVersionMatch: 'How resourceVersion is read: Exact or NotOlderThan.',
  sendInitialEvents: 'Begin a watch with what there is.',
  timeoutSeconds: 'When to end the request.',
  watch: 'Answer with a stream of changes.',
};

/** All paths of one kind, for documents of `version`. `typeOf` names a kind's schema. */
export function pathsOf(
  kind: KindSpec,
  version: OpenApiVersion,
  typeOf: (kind: GroupVersionKind) => string | undefined,
): Record<string, Json> {
  if (kind.plural === '') return {};
  const paths: Record<string, Json> = {};
  const own = typeOf(kind) ?? kind.kind;
  const base = decodeURIComponent(pathOf(kind, kind.namespaced ? { namespace: '{namespace}' } : {}));
  const add = (path: string, operations: readonly Operation[]): void => {
    if (operations.length > 0) paths[path] = pathItem(path, operations, version);
  };
  const list = `${own}List`;
  const collection = operationsOf(kind, own, list, (verb) => ['list', 'create', 'deletecollection'].includes(verb));
  add(base, collection);
  if (kind.namespaced) add(pathOf(kind), collection.filter(({ action }) => action === 'list').map(forAllNamespaces));
  add(
    `${base}/{name}`,
    operationsOf(kind, own, list, (verb) => ['get', 'update', 'patch', 'delete'].includes(verb)),
  );
  for (const sub of kind.subresources ?? []) {
    add(
      `${base}/{name}/${sub.name}`,
      subresourceOperations(kind, sub, sub.kind === undefined ? own : typeOf(sub.kind)),
    );
  }
  return paths;
}

function forAllNamespaces(operation: Operation): Operation {
  return { ...operation, id: `${operation.id}ForAllNamespaces` };
}

function operationsOf(kind: KindSpec, own: string, list: string, wanted: (verb: Verb) => boolean): Operation[] {
  const verbs = kind.verbs ?? ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update'];
  return verbs.filter((verb) => verb !== 'watch' && wanted(verb)).map((verb) => operationOf(kind, verb, own, list));
}

function operationOf(kind: KindSpec, verb: Verb, own: string, list: string): Operation {
  const gvk = { group: kind.group, version: kind.version, kind: kind.kind };
  const isCustom = kind.custom !== undefined;
  const name = `${kind.namespaced ? 'Namespaced' : ''}${kind.kind}`;
  const id = (word: string): string => `${word}${groupWord(kind)}${name}`;
  const status = `${machinery}.Status`;
  const patch = `${machinery}.Patch`;
  switch (verb) {
    case 'list':
      return {
        method: 'get',
        action: 'list',
        id: id('list'),
        description: `list ${kind.plural}`,
        query: listQuery,
        answer: list,
        kind: gvk,
        isCustom,
      };
    case 'create':
      return {
        method: 'post',
        action: 'post',
        id: id('create'),
        description: `create a ${kind.kind}`,
        query: writeQuery,
        body: own,
        answer: own,
        kind: gvk,
        isCustom,
      };
    case 'deletecollection':
      return {
        method: 'delete',
        action: 'deletecollection',
        id: id('deleteCollection'),
        description: `delete many ${kind.plural}`,
        query: [...deleteQuery, ...listQuery.filter((one) => one !== 'watch' && one !== 'allowWatchBookmarks')],
        body: `${machinery}.DeleteOptions`,
        answer: status,
        kind: gvk,
        isCustom,
      };
    case 'update':
      return {
        method: 'put',
        action: 'put',
        id: id('replace'),
        description: `replace a ${kind.kind}`,
        query: writeQuery,
        body: own,
        answer: own,
        kind: gvk,
        isCustom,
      };
    case 'patch':
      return {
        method: 'patch',
        action: 'patch',
        id: id('patch'),
        description: `change a ${kind.kind}`,
        query: [...writeQuery, 'force'],
        body: patch,
        answer: own,
        kind: gvk,
        isCustom,
      };
    case 'delete':
      return {
        method: 'delete',
        action: 'delete',
        id: id('delete'),
        description: `delete a ${kind.kind}`,
        query: deleteQuery,
        body: `${machinery}.DeleteOptions`,
        answer: status,
        kind: gvk,
        isCustom,
      };
    default:
      return {
        method: 'get',
        action: 'get',
        id: id('read'),
        description: `read a ${kind.kind}`,
        query: [],
        answer: own,
        kind: gvk,
        isCustom,
      };
  }
}

function subresourceOperations(kind: KindSpec, sub: SubresourceSpec, type: string | undefined): Operation[] {
  const word = `${sub.name[0]?.toUpperCase()}${sub.name.slice(1)}`;
  if (sub.connect === true || type === undefined) {
    const gvk = sub.kind ?? { group: kind.group, version: kind.version, kind: kind.kind };
    return sub.verbs
      .filter((verb) => verb in connectMethods)
      .map((verb) => ({
        method: connectMethods[verb] ?? 'get',
        action: 'connect',
        id: `connect${groupWord(kind)}${kind.kind}${word}${verb}`,
        description: `${sub.name} of a ${kind.kind}`,
        query: [],
        answer: '',
        kind: gvk,
        isCustom: kind.custom !== undefined,
      }));
  }
  return sub.verbs.map((verb) => {
    const operation = operationOf(kind, verb, type, type);
    return {
      ...operation,
      id: `${operation.id}${word}`,
      description: `${operation.description}: ${sub.name}`,
      kind: sub.kind ?? operation.kind,
    };
  });
}

const connectMethods: Readonly<Record<string, Operation['method']>> = {
  get: 'get',
  create: 'post',
  update: 'put',
  patch: 'patch',
  delete: 'delete',
};

function groupWord(kind: KindSpec): string {
  const group = kind.group === '' ? 'core' : (kind.group.split('.')[0] ?? '');
  return `${group[0]?.toUpperCase()}${group.slice(1)}${kind.version.toUpperCase()}`;
}

function pathItem(path: string, operations: readonly Operation[], version: OpenApiVersion): Json {
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    ...typed({ type: 'string', uniqueItems: true }, version),
  }));
  return {
    ...Object.fromEntries(operations.map((operation) => [operation.method, operationJson(operation, version)])),
    ...(parameters.length === 0 ? {} : { parameters }),
  };
}

/** There is no strategic merge of custom objects. */
const strategic = 'application/strategic-merge-patch+json';
const answers = ['application/json', 'application/yaml'];
const patches = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  strategic,
];

function operationJson(operation: Operation, version: OpenApiVersion): Json {
  const { body, answer, method, isCustom } = operation;
  const query = ['pretty', ...operation.query].map((name) => queryParameter(name, version));
  const bodyTypes = method === 'patch' ? patches.filter((type) => !isCustom || type !== strategic) : answers;
  const common = {
    description: operation.description,
    operationId: operation.id,
    tags: [apiVersionOf(operation.kind).replace('/', '_')],
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': operation.kind,
  };
  const content = (types: readonly string[], name: string): Json =>
    Object.fromEntries(types.map((type) => [type, { schema: refTo(name, 3) }]));
  if (version === 3) {
    return {
      ...common,
      parameters: query,
      ...(body === undefined
        ? {}
        : { requestBody: { content: content(bodyTypes, body), required: method !== 'delete' } }),
      responses: { 200: { description: 'OK', ...(answer === '' ? {} : { content: content(answers, answer) }) } },
    };
  }
  const bodyParameter =
    body === undefined ? [] : [{ name: 'body', in: 'body', required: method !== 'delete', schema: refTo(body, 2) }];
  return {
    ...common,
    consumes: bodyTypes,
    produces: answers,
    schemes: ['https'],
    parameters: [...bodyParameter, ...query],
    responses: { 200: { description: 'OK', ...(answer === '' ? {} : { schema: refTo(answer, 2) }) } },
  };
}

function queryParameter(name: string, version: OpenApiVersion): Json {
  const type = booleans.has(name) ? 'boolean' : integers.has(name) ? 'integer' : 'string';
  return { name, in: 'query', description: descriptions[name] ?? '', ...typed({ type, uniqueItems: true }, version) };
}

function typed(schema: Json, version: OpenApiVersion): Json {
  return version === 3 ? { schema } : schema;
}
