// Deletes every instance of a definition that is being deleted; those with finalizers are marked, and go when they may.

import type { KindSpec } from '../../api/index.ts';
import type { ResourceCache } from '../cache/index.ts';
import { ApiError, type UserInfo } from '../contracts.ts';
import type { ResourceTable } from '../registry/resource.ts';
import type { Writer } from '../registry/writing.ts';

const user: UserInfo = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] };
const atOnce = 500;

/** Resolves when each of them is gone or marked. */
export async function removeInstances(
  instances: ResourceCache,
  {
    storage,
    resources,
    writer,
  }: { readonly storage: KindSpec; readonly resources: ResourceTable; readonly writer: Writer },
): Promise<void> {
  const resource = resources.all().find(({ cache }) => cache === instances) ?? resources.ofKind(storage);
  if (resource === undefined) return;
  const objects = instances.list();
  for (let at = 0; at < objects.length; at += atOnce) {
    const group = objects.slice(at, at + atOnce).map(async ({ namespace, name }) => {
      const request = {
        user,
        namespace: namespace === '' ? undefined : namespace,
        name,
        subresource: '',
        dryRun: false,
      };
      try {
        await writer.remove(resource, request, { propagationPolicy: 'Background' });
      } catch (error) {
        if (!(error instanceof ApiError && error.reason === 'NotFound')) throw error;
      }
    });
    await Promise.all(group);
  }
}
