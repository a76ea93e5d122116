// GET of componentstatuses: objects that are made when somebody asks, out of what the components say about themselves.

import type { ComponentStatus } from '../../api/index.ts';
import { CachedObject } from '../cache/index.ts';
import { answerOf, type ComponentCheck } from '../health/index.ts';
import type { Registry } from '../registry/registry.ts';
import { compileSelection } from '../registry/selection.ts';
import type { ResourceRequest } from './resource-request.ts';
import { sendList, sendObject } from './respond.ts';
import { methodNotAllowed, notFound } from './status-body.ts';

/** Throws ApiError 404 for a name that no component has, 405 for everything but reading. */
export async function serveComponents(
  { cache, clock, pool }: Registry,
  { exchange, resource, target, verb, query, accepted }: ResourceRequest,
  checks: readonly ComponentCheck[],
): Promise<void> {
  if (verb !== 'get' && verb !== 'list') throw methodNotAllowed();
  const view = { accepted, query, now: clock.now() };
  if (verb === 'get') {
    const check = checks.find(({ name }) => name === target.name);
    if (check === undefined) throw notFound(resource.spec, target.name);
    const { bytes } = await statusOf(check, resource.cache.prefix);
    return sendObject(exchange, resource, { bytes, status: 200 }, view);
  }
  const { matches } = compileSelection(resource, undefined, query);
  const all = await Promise.all(checks.map((check) => statusOf(check, resource.cache.prefix)));
  const page = { revision: cache.revision, objects: all.filter(matches), continue: undefined, remaining: undefined };
  await sendList(exchange, resource, page, { ...view, pool });
}

async function statusOf(check: ComponentCheck, prefix: string): Promise<CachedObject> {
  const why = await answerOf(check);
  const status: ComponentStatus = {
    kind: 'ComponentStatus',
    apiVersion: 'v1',
    metadata: { name: check.name },
    conditions: [{ type: 'Healthy', status: why === undefined ? 'True' : 'False', message: why ?? 'ok' }],
  };
  return new CachedObject(prefix + check.name, Buffer.from(`${JSON.stringify(status)}\n`), 0, prefix.length);
}
