// One request for a resource, after it was authenticated and authorized: from verb and query to the registry and back.

import type { KubeObject } from '../../api/index.ts';
import type { CachedObject } from '../cache/index.ts';
import { ApiError } from '../contracts.ts';
import { eachConverted } from '../registry/conversion.ts';
import { parseDeleteOptions } from '../registry/deletion.ts';
import { listPage, revisionOf, waitVisible } from '../registry/listing.ts';
import type { Registry } from '../registry/registry.ts';
import type { Resource } from '../registry/resource.ts';
import { applyDefaults, applyPatch } from '../registry/schema.ts';
import { compileSelection, select } from '../registry/selection.ts';
import { partialJson, tableJson } from '../registry/table.ts';
import { serveApply } from './apply-requests.ts';
import { checkPatchOptions } from './field-manager.ts';
import { bodyFormatOf, parseBody, patchTypeOf } from './negotiate.ts';
import { watchForm } from './protobuf-answers.ts';
import { checkListOptions, checkWatchOptions, integerOf } from './request-options.ts';
import { isSet } from './request-target.ts';
import {
  converted,
  fieldValidationOf,
  type ResourceRequest,
  readAs,
  sendWritten,
  toStored,
  writeRequestOf,
} from './resource-request.ts';
import { includeOf, jsonHeaders, sendList, sendObject, served } from './respond.ts';
import { methodNotAllowed, notFound } from './status-body.ts';

/** Answers the request; what it throws is told as a Status. */
export function serveResource(registry: Registry, request: ResourceRequest): void | Promise<void> {
  const { verb, target, resource } = request;
  checkScope(resource, request);
  if (resource.spec.verbs !== undefined && !resource.spec.verbs.some((one) => one === verb)) throw methodNotAllowed();
  switch (verb) {
    case 'get':
      return converted(resource, () => serveGet(registry, request));
    case 'list':
      return converted(resource, () => serveList(registry, request));
    case 'watch':
      return serveWatch(registry, request);
    case 'create':
      if (target.name !== '') throw methodNotAllowed();
      return serveCreate(registry, request);
    case 'update':
      if (target.name === '') throw methodNotAllowed();
      return serveUpdate(registry, request);
    case 'patch':
      if (target.name === '') throw methodNotAllowed();
      return servePatch(registry, request);
    case 'delete':
      return serveDelete(registry, request);
    case 'deletecollection':
      return serveDeleteCollection(registry, request);
    default:
      throw methodNotAllowed();
  }
}

/** A namespaced resource is written within a namespace; a cluster-scoped one is not found inside of one. */
function checkScope({ spec }: Resource, { target, verb }: ResourceRequest): void {
  if (!spec.namespaced && target.namespace !== '') throw notFound(spec, target.name);
  if (!spec.namespaced || target.namespace !== '') return;
  if (verb === 'list' || verb === 'watch') return;
  throw target.name === '' ? methodNotAllowed() : notFound(spec, target.name);
}

function serveGet({ cache, clock }: Registry, request: ResourceRequest): void | Promise<void> {
  const { exchange, resource, target, query } = request;
  const wanted = query.get('resourceVersion') ?? '';
  if (wanted !== '' && Number(wanted) > cache.revision) {
    return waitVisible(cache, Number(wanted)).then(() => sendFound());
  }
  return sendFound();

  function sendFound(): void {
    const object = resource.cache.get(target.namespace, target.name);
    if (object === undefined) throw notFound(resource.spec, target.name);
    const { accepted } = request;
    sendObject(exchange, resource, { bytes: object.bytes, status: 200 }, { accepted, query, now: clock.now() });
  }
}

async function serveList({ cache, store, clock, pool }: Registry, request: ResourceRequest): Promise<void> {
  const { exchange, resource, query, accepted } = request;
  const selection = selectionOf(request);
  checkListOptions(query);
  integerOf(query, 'timeoutSeconds');
  if (resource.spec.custom?.converts === true) {
    await eachConverted(resource.cache.list(selection.namespace), (object) => served(resource, object));
  }
  const page = await listPage(
    resource,
    {
      selection,
      limit: Math.max(0, integerOf(query, 'limit') ?? 0),
      continue: query.get('continue') ?? '',
      resourceVersion: query.get('resourceVersion') ?? '',
      match: query.get('resourceVersionMatch') ?? '',
    },
    { cache, store },
  );
  await sendList(exchange, resource, page, { accepted, query, now: clock.now(), pool });
}

function selectionOf({ resource, target, query }: ResourceRequest) {
  return compileSelection(resource, target.namespace === '' ? undefined : target.namespace, query);
}

const watchTimeoutMinMs = 1_800_000;

async function serveWatch(registry: Registry, request: ResourceRequest): Promise<void> {
  const { cache, watches } = registry;
  const { exchange, resource, query, target } = request;
  const compiled = selectionOf(request);
  // A watch of one path is a watch of that name.
  const selection = target.name === '' ? compiled : { ...compiled, everything: false, matches: nameOnly(target.name) };
  checkWatchOptions(query);
  const initial = query.get('sendInitialEvents');
  const after = revisionOf(query.get('resourceVersion') ?? '');
  if (after > cache.revision) await waitVisible(cache, after);

  const seconds = integerOf(query, 'timeoutSeconds') ?? 0;
  const { contentType, ...form } = watchForm(request.accepted, renderFor(registry, request));
  const headers = { ...jsonHeaders(), 'content-type': contentType };
  if (exchange.protocol === 'HTTP/1.1') headers['transfer-encoding'] = 'chunked';
  const stream = exchange.stream(200, headers);
  const watcher = watches.start(
    {
      stream,
      selection,
      ...form,
      mayWait: resource.spec.custom?.converts === true,
      bookmarks: isSet(query, 'allowWatchBookmarks'),
      kind: resource.spec.kind,
      apiVersion: resource.apiVersion,
    },
    {
      resource: resource.cache,
      after: initial !== 'true' && after > 0 ? after : undefined,
      initialEventsEnd: initial === 'true',
      onlyNew: initial === 'false',
      timeoutMs: seconds > 0 ? seconds * 1000 : Math.round(watchTimeoutMinMs * (1 + Math.random())),
    },
  );
  exchange.onClose(() => watcher.close());
}

function nameOnly(name: string): (object: CachedObject) => boolean {
  return (object) => object.name === name;
}

function renderFor({ clock }: Registry, request: ResourceRequest): ((object: CachedObject) => string) | undefined {
  const { resource, accepted, query } = request;
  switch (accepted.view) {
    case 'partial':
      return (object) => partialJson(object.parsed());
    case 'table': {
      const include = includeOf(query);
      let headers = true;
      return (object) => {
        const meta = { resourceVersion: String(object.revision) };
        const shown = served(resource, object);
        const text = tableJson(resource.spec, [shown], { meta, include, now: clock.now(), headers });
        headers = false;
        return text;
      };
    }
    case 'object':
      return resource.fromStored === undefined ? undefined : (object) => served(resource, object).bytes.toString();
  }
}

async function serveCreate(registry: Registry, request: ResourceRequest): Promise<void> {
  const { object, warnings } = await readAs(request.resource.spec, request);
  applyDefaults(request.resource.spec, object);
  const { resource } = request;
  const written = await converted(resource, () =>
    registry.writer.create(resource, writeRequestOf(request), toStored(request, object)),
  );
  return converted(resource, () => sendWritten(registry, request, written, warnings));
}

async function serveUpdate(registry: Registry, request: ResourceRequest): Promise<void> {
  const { resource } = request;
  const { object, warnings } = await readAs(request.resource.spec, request);
  applyDefaults(resource.spec, object);
  const written = await converted(resource, () => {
    const wanted = toStored(request, object);
    return registry.writer.update(resource, writeRequestOf(request), () => wanted, { createFrom: wanted });
  });
  return converted(resource, () => sendWritten(registry, request, written, warnings));
}

async function servePatch(registry: Registry, request: ResourceRequest): Promise<void> {
  const { exchange, resource, bodyLimit, query } = request;
  const type = patchTypeOf(resource.spec, exchange.headers['content-type']);
  checkPatchOptions(query, type === 'apply');
  if (type === 'apply') return serveApply(registry, request);
  const patch = parseBody(await exchange.readBody(bodyLimit));
  const mode = fieldValidationOf(query);
  let warnings: readonly string[] = [];
  const change = (_old: KubeObject, bytes: Buffer): KubeObject => {
    const stored = JSON.parse(bytes.toString()) as KubeObject;
    const current = resource.fromStored === undefined ? stored : resource.fromStored(stored);
    const patched = applyPatch(resource.spec, type, current, { patch, mode });
    warnings = patched.warnings;
    applyDefaults(resource.spec, patched.object);
    return toStored(request, patched.object);
  };
  const written = await converted(resource, () =>
    registry.writer.update(resource, writeRequestOf(request), change, { isPatch: true }),
  );
  return converted(resource, () => sendWritten(registry, request, written, warnings));
}

async function serveDelete(registry: Registry, request: ResourceRequest): Promise<void> {
  const { resource, target } = request;
  if (target.subresource !== '') throw methodNotAllowed();
  const options = await readDeleteOptions(request);
  const write = { ...writeRequestOf(request), dryRun: options.dryRun === true };
  const written = await converted(resource, () => registry.writer.remove(resource, write, options));
  return converted(resource, () => sendWritten(registry, request, written, []));
}

const deletionsAtOnce = 1000;

async function serveDeleteCollection(registry: Registry, request: ResourceRequest): Promise<void> {
  const { exchange, resource, query, accepted } = request;
  const options = await readDeleteOptions(request);
  const dryRun = options.dryRun === true;
  const objects = select(resource.cache, selectionOf(request));
  const write = writeRequestOf(request);
  for (let at = 0; at < objects.length; at += deletionsAtOnce) {
    const group = objects.slice(at, at + deletionsAtOnce);
    await Promise.all(
      group.map(({ name, namespace }) =>
        registry.writer.remove(resource, { ...write, name, namespace, dryRun }, options).catch(ignoreGone),
      ),
    );
  }
  const { clock, pool } = registry;
  const page = { revision: registry.cache.revision, objects, continue: undefined, remaining: undefined };
  await sendList(exchange, resource, page, { accepted, query, now: clock.now(), pool });
}

function ignoreGone(error: unknown): void {
  if (error instanceof ApiError && error.reason === 'NotFound') return;
  throw error;
}

async function readDeleteOptions({ exchange, bodyLimit, query }: ResourceRequest) {
  const body = await exchange.readBody(bodyLimit);
  const value = body.length === 0 ? undefined : parseBody(body, bodyFormatOf(exchange.headers['content-type']));
  return parseDeleteOptions(value, query);
}
