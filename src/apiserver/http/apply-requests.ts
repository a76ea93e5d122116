// PATCH of type application/apply-patch+yaml: server-side apply of an object or one of its subresources.
// Source: KEP-555; k8s.io/apiserver pkg/endpoints/handlers/patch.go (applyPatcher).

import type { KubeObject } from '../../api/index.ts';
import { timestampOf } from '../registry/deletion.ts';
import type { Registry } from '../registry/registry.ts';
import { applyDefaults, conformed, readAppliedConfig } from '../registry/schema.ts';
import { type ResourceRequest, sendWritten, toStored, writeRequestOf } from './resource-requests.ts';
import { notFound } from './status-body.ts';

/** Creates the object when it does not exist. Throws ApiError 400, 404 (subresources), 409 (fields of others), 422. */
export async function serveApply(registry: Registry, request: ResourceRequest): Promise<void> {
  const { exchange, resource, bodyLimit, query, target } = request;
  const config = readAppliedConfig(await exchange.readBody(bodyLimit));
  const force = isForced(query);
  const write = writeRequestOf(request);
  const apply = (old: KubeObject | undefined): KubeObject => {
    const now = timestampOf(registry.clock.now());
    // Defaults change the object in place, and it shares parts with the stored one.
    const object = structuredClone(registry.fields.apply(resource, { ...write, now }, { old, config, force }));
    conformed(resource.spec, object);
    applyDefaults(resource.spec, object);
    return toStored(request, object);
  };
  const written = await registry.writer.update(resource, write, apply, {
    isPatch: true,
    applied() {
      if (target.subresource !== '') throw notFound(resource.spec, target.name);
      return apply(undefined);
    },
  });
  sendWritten(registry, request, written, []);
}

export function isForced(query: URLSearchParams): boolean {
  const force = query.get('force');
  return force === '' || force === 'true' || force === '1';
}
