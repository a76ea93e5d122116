// Subresources that are not a part of the object in the object's own form: scale and binding; eviction-requests.ts has the
// third.

import { type Binding, type KubeObject, kinds, type Pod } from '../../api/index.ts';
import { boundPod, checkBinding } from '../registry/binding.ts';
import { timestampOf } from '../registry/deletion.ts';
import { addressExisting, checkUid } from '../registry/metadata.ts';
import type { Registry } from '../registry/registry.ts';
import { scaleOf, withScale } from '../registry/scale.ts';
import { applyPatch } from '../registry/schema.ts';
import { serveScaleApply } from './apply-requests.ts';
import { serveEviction } from './eviction-requests.ts';
import { checkPatchOptions } from './field-manager.ts';
import { parseBody, patchTypeOf } from './negotiate.ts';
import {
  converted,
  fieldValidationOf,
  fromStored,
  type ResourceRequest,
  readAs,
  toStored,
  writeRequestOf,
} from './resource-request.ts';
import { serveResource } from './resource-requests.ts';
import { sendJson } from './respond.ts';
import { badRequest, methodNotAllowed, notFound, unknownResource } from './status-body.ts';

/** Throws ApiError 404 for a subresource the kind does not have, 405 for a verb that it does not take. */
export function serveSubresource(registry: Registry, request: ResourceRequest): void | Promise<void> {
  const { target, resource, verb } = request;
  const spec = resource.spec.subresources?.find(({ name }) => name === target.subresource);
  if (spec === undefined) throw unknownResource();
  if (!spec.verbs.some((one) => one === verb)) throw methodNotAllowed();
  switch (target.subresource) {
    case 'scale':
      return serveScale(registry, request);
    case 'binding':
      return serveBinding(registry, request, target.name);
    case 'eviction':
      return serveEviction(registry, request);
    default:
      return serveResource(registry, request);
  }
}

async function serveScale(registry: Registry, request: ResourceRequest): Promise<void> {
  const { exchange, resource, target, verb } = request;
  const paths = resource.spec.scale;
  if (paths === undefined) throw unknownResource();
  if (verb === 'get') {
    const object = resource.cache.get(target.namespace, target.name);
    if (object === undefined) throw notFound(resource.spec, target.name);
    const shown = await converted(resource, () => fromStored(request, object.parsed()));
    return sendJson(exchange, 200, scaleOf(shown, paths));
  }
  if (verb === 'patch') {
    const isApply = patchTypeOf(resource.spec, exchange.headers['content-type']) === 'apply';
    checkPatchOptions(request.query, isApply);
    if (isApply) return serveScaleApply(registry, request, paths);
  }
  const change = verb === 'patch' ? await patchedScale(request) : await givenScale(request);
  // Written through the main resource's rules: a new number of replicas is a new generation.
  const write = { ...writeRequestOf(request), subresource: 'scale' };
  const scaled = (stored: KubeObject): KubeObject => {
    const old = fromStored(request, stored);
    const current = scaleOf(old, paths);
    const wanted = addressExisting(change(current), kinds.scale, write);
    if (verb !== 'patch') checkUid(wanted, current, resource.spec);
    return toStored(request, withScale(old, wanted, paths));
  };
  const { bytes } = await converted(resource, () =>
    registry.writer.update(resource, write, scaled, verb === 'patch' ? { isPatch: true } : {}),
  );
  if (bytes === undefined) throw notFound(resource.spec, target.name);
  const shown = await converted(resource, () => fromStored(request, JSON.parse(bytes.toString()) as KubeObject));
  sendJson(exchange, 200, scaleOf(shown, paths));
}

type ScaleChange = (current: KubeObject) => KubeObject;

async function givenScale(request: ResourceRequest): Promise<ScaleChange> {
  const { object } = await readAs(kinds.scale, request);
  return () => object;
}

async function patchedScale(request: ResourceRequest): Promise<ScaleChange> {
  const { exchange, resource, bodyLimit, query } = request;
  const type = patchTypeOf(resource.spec, exchange.headers['content-type']);
  const patch = parseBody(await exchange.readBody(bodyLimit));
  // A Scale has no lists, so the strategic form means the same as the merge form.
  const how = type === 'strategic' ? 'merge' : type;
  const mode = fieldValidationOf(query);
  return (current) => applyPatch(kinds.scale, how, current, { patch, mode }).object;
}

/** POST pods/NAME/binding, and POST bindings with the pod's name in the body. */
export async function serveBinding(registry: Registry, request: ResourceRequest, podName: string): Promise<void> {
  const { resource, exchange } = request;
  const binding = (await readAs(kinds.binding, request)).object as Binding;
  const { name: named = '' } = binding.metadata ?? {};
  if (named === '') throw badRequest('Name parameter required.');
  if (podName !== '' && named !== podName) throw badRequest('name in URL does not match name in Binding object');
  checkBinding(binding);
  const now = timestampOf(registry.clock.now());
  await registry.writer.update(
    resource,
    { ...writeRequestOf(request), name: named, subresource: 'binding' },
    (old) => boundPod(old as Pod, binding, now) as KubeObject,
    { isPatch: true },
  );
  sendJson(exchange, 201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });
}
