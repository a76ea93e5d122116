// How the fake client changes an object: merge patches (RFC 7396) and the subresources that take another kind.

import type { Binding, KubeObject } from '../api/index.ts';
import { ApiStatusError } from './client.ts';
import type { AnyStored } from './fake-store.ts';

type Json = Readonly<Record<string, unknown>>;

/** RFC 7396. Strategic merge patches go through it too: lists are replaced, not merged by key. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const base = isRecord(target) ? target : {};
  const kept = Object.entries(base).filter(([field]) => patch[field] !== null);
  const changed = Object.entries(patch).filter(([, value]) => value !== null);
  return Object.fromEntries([...kept, ...changed.map(([field, value]) => [field, mergePatch(base[field], value)])]);
}

/** What a POST to a subresource does: the changed object (undefined: it is deleted) and the answer. */
export function fakePost(
  object: AnyStored,
  resource: string,
  body: unknown,
): { readonly object: KubeObject | undefined; readonly answer: unknown } {
  switch (resource) {
    case 'pods/binding':
      return { object: bind(object, body as Binding), answer: { kind: 'Status', status: 'Success' } };
    case 'pods/eviction':
      return { object: undefined, answer: { kind: 'Status', status: 'Success' } };
    case 'serviceaccounts/token':
      return {
        object,
        answer: { ...(body as Json), status: { token: 'fake', expirationTimestamp: '2999-01-01T00:00:00Z' } },
      };
    default:
      throw new Error(`the fake client does not do POST ${resource}`);
  }
}

function bind(pod: AnyStored, { target }: Binding): KubeObject {
  const spec = 'spec' in pod && isRecord(pod.spec) ? pod.spec : {};
  if (typeof spec['nodeName'] === 'string' && spec['nodeName'] !== '') {
    throw new ApiStatusError(
      409,
      'Conflict',
      `pod ${pod.metadata.name} is already assigned to node "${spec['nodeName']}"`,
    );
  }
  return mergePatch(pod, {
    spec: { nodeName: target.name },
    status: { conditions: [{ type: 'PodScheduled', status: 'True' }] },
  }) as KubeObject;
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
