// The registry as the rest of the API server sees it: parsed objects to read, and writes without a request.

import type { KindSpec, KubeObject, ObjectMeta } from '../../api/index.ts';
import type { ObjectReader, ObjectWriter, UserInfo } from '../contracts.ts';
import { ApiError } from '../contracts.ts';
import type { Resource, ResourceTable } from './resource.ts';
import { applyDefaults } from './schema.ts';
import type { WriteRequest, Writer } from './writing.ts';

export function createObjectReader(resources: ResourceTable): ObjectReader {
  const of = (kind: KindSpec): Resource => resourceOf(resources, kind);
  return {
    get: <T extends KubeObject>(kind: KindSpec, namespace: string | undefined, name: string) =>
      of(kind).cache.get(namespace, name)?.parsed<T>(),
    list: <T extends KubeObject>(kind: KindSpec, namespace?: string) =>
      of(kind)
        .cache.list(namespace)
        .map((object) => object.parsed<T>()),
    versionsOf: (kind) => resources.versionsOf(kind),
    onChange(kind, handler) {
      of(kind).cache.listen((events) => {
        for (const { object, deleted } of events) {
          const namespace = object.namespace === '' ? undefined : object.namespace;
          handler({ type: deleted ? 'delete' : 'put', namespace, name: object.name });
        }
      });
    },
  };
}

const system: UserInfo = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] };

/** @param writer without admission: what the server itself writes is not judged. */
export function createObjectWriter(resources: ResourceTable, writer: Writer): ObjectWriter {
  const requestFor = (namespace: string | undefined, name: string): WriteRequest => ({
    user: system,
    namespace,
    name,
    subresource: '',
    dryRun: false,
  });

  async function updatePart<T extends KubeObject>(
    kind: KindSpec,
    request: WriteRequest,
    change: (object: T) => T | undefined,
  ): Promise<T | undefined> {
    const resource = resourceOf(resources, kind);
    const changed = (old: KubeObject): KubeObject => {
      const wanted = change(old as T);
      if (wanted === undefined) return old;
      const own = structuredClone(wanted) as KubeObject;
      applyDefaults(kind, own);
      return own;
    };
    try {
      return parse<T>((await writer.update(resource, request, changed, { isPatch: true })).bytes);
    } catch (error) {
      if (error instanceof ApiError && error.reason === 'NotFound') return undefined;
      throw error;
    }
  }

  return {
    async ensure<T extends KubeObject>(kind: KindSpec, object: T & { readonly metadata: ObjectMeta }): Promise<T> {
      const resource = resourceOf(resources, kind);
      const { namespace, name = '' } = object.metadata;
      const known = resource.cache.get(namespace, name);
      if (known !== undefined) return known.parsed<T>();
      const own = structuredClone(object) as KubeObject;
      applyDefaults(kind, own);
      try {
        return parse<T>((await writer.create(resource, requestFor(namespace, name), own)).bytes);
      } catch (error) {
        const now = resource.cache.get(namespace, name);
        if (error instanceof ApiError && error.reason === 'AlreadyExists' && now !== undefined) return now.parsed<T>();
        throw error;
      }
    },

    update: (kind, namespace, name, change) => updatePart(kind, requestFor(namespace, name), change),
    updateStatus: (kind, namespace, name, change) =>
      updatePart(kind, { ...requestFor(namespace, name), subresource: 'status' }, change),
  };
}

function parse<T>(bytes: Buffer | undefined): T {
  return JSON.parse((bytes ?? Buffer.from('{}')).toString()) as T;
}

function resourceOf(resources: ResourceTable, kind: KindSpec): Resource {
  const resource = resources.ofKind(kind);
  if (resource === undefined) throw new Error(`${kind.kind} is not a stored kind of this server`);
  return resource;
}
