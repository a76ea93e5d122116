// PATCH of type application/apply-patch+yaml: server-side apply of an object or one of its subresources.
// Source: KEP-555; k8s.io/apiserver pkg/endpoints/handlers/patch.go (applyPatcher); of a Scale, managedfields/scalehandler.go.

import { type KubeObject, kinds, type ScalePaths } from '../../api/index.ts';
import { timestampOf } from '../registry/deletion.ts';
import type { Registry } from '../registry/registry.ts';
import { configOfScale, scaleOf } from '../registry/scale.ts';
import { applyDefaults, conformed, readAppliedConfig } from '../registry/schema.ts';
import type { Written } from '../registry/writing.ts';
import {
  converted,
  fromStored,
  type ResourceRequest,
  sendWritten,
  toStored,
  writeRequestOf,
} from './resource-request.ts';
import { sendJson } from './respond.ts';
import { badRequest, notFound } from './status-body.ts';

/** Creates the object when it does not exist. Throws ApiError 400, 404 (subresources), 409 (fields of others), 422. */
export async function serveApply(registry: Registry, request: ResourceRequest): Promise<void> {
  const config = readAppliedConfig(await request.exchange.readBody(request.bodyLimit));
  const written = await converted(request.resource, () => apply(registry, request, config));
  await converted(request.resource, () => sendWritten(registry, request, written, []));
}

/** The same for a Scale: its replicas are applied to the object that is scaled. */
export async function serveScaleApply(registry: Registry, request: ResourceRequest, paths: ScalePaths): Promise<void> {
  const { exchange, resource, bodyLimit } = request;
  const scale = readAppliedConfig(await exchange.readBody(bodyLimit));
  if (scale.apiVersion !== 'autoscaling/v1' || scale.kind !== kinds.scale.kind) {
    throw badRequest(`invalid object type: ${scale.apiVersion ?? ''}, Kind=${scale.kind ?? ''}`);
  }
  const of = { apiVersion: resource.apiVersion, kind: resource.spec.kind };
  const config = configOfScale(conformed(kinds.scale, scale), of, paths);
  const { bytes } = await converted(resource, () => apply(registry, request, config));
  if (bytes === undefined) throw notFound(resource.spec, request.target.name);
  const object = await converted(resource, () => fromStored(request, JSON.parse(bytes.toString()) as KubeObject));
  sendJson(exchange, 200, scaleOf(object, paths));
}

function apply(registry: Registry, request: ResourceRequest, config: KubeObject): Promise<Written> {
  const { resource, query, target } = request;
  const force = isForced(query);
  const write = writeRequestOf(request);
  const change = (old: KubeObject | undefined): KubeObject => {
    const now = timestampOf(registry.clock.now());
    // Defaults change the object in place, and it shares parts with the stored one.
    const object = structuredClone(registry.fields.apply(resource, { ...write, now }, { old, config, force }));
    applyDefaults(resource.spec, conformed(resource.spec, object));
    return toStored(request, object);
  };
  return registry.writer.update(resource, write, change, {
    isPatch: true,
    applied() {
      if (target.subresource !== '') throw notFound(resource.spec, target.name);
      return change(undefined);
    },
  });
}

function isForced(query: URLSearchParams): boolean {
  const force = query.get('force');
  return force === '' || force === 'true' || force === '1';
}
