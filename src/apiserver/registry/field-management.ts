// Who owns which fields of stored objects (metadata.managedFields), as the registry's write path needs it: every write is
// tracked under the name of its manager, and PATCH of type apply is worked out. The rules are pure, in api/apply; here they
// meet resources, versions and errors. An update that takes nothing from anybody costs one comparison of both objects, see
// docs/adr/0007-field-ownership.md.

import {
  type Applied,
  ApplyConflictError,
  apiVersionOf,
  applyConfiguration,
  createApplyTypes,
  entriesOf,
  type FieldWrite,
  faultsOf,
  type KubeObject,
  type ObjectVersion,
  resetFieldsOf,
  sameButTimes,
  sameValue,
  TypedError,
  trackUpdate,
} from '../../api/index.ts';
import { ApiError } from '../contracts.ts';
import { badRequest } from '../http/status-body.ts';
import { typeFaultsOf } from './config-types.ts';
import type { Resource, ResourceTable } from './resource.ts';

/** What tracking needs to know of a write. */
export interface ManagedWrite {
  /** Whom the changed fields will belong to; absent: the API server itself. */
  readonly manager?: string;
  readonly subresource: string;
}

export interface FieldManagement {
  /**
   * `wanted` with its metadata.managedFields as after this create (`old` undefined) or update. Both in the stored form,
   * before the server's own fields are set.
   */
  track(resource: Resource, write: ManagedWrite & { readonly now: string }, states: States): KubeObject;
  /**
   * What a configuration makes of the stored object (undefined: there is none), in the served form, with managedFields;
   * not yet conformed and defaulted. Throws ApiError 400, 409.
   */
  apply(resource: Resource, write: ManagedWrite & { readonly now: string }, application: Application): KubeObject;
}

interface States {
  readonly old: KubeObject | undefined;
  readonly wanted: KubeObject;
}

interface Application {
  readonly old: KubeObject | undefined;
  readonly config: KubeObject;
  readonly force: boolean;
}

const ownManager = 'kube-apiserver';

export function createFieldManagement(resources: ResourceTable): FieldManagement {
  const types = createApplyTypes();
  const versions = new WeakMap<Resource, Map<string, ObjectVersion>>();

  function versionOf(resource: Resource, subresource: string): ObjectVersion {
    let known = versions.get(resource);
    if (known === undefined) {
      known = new Map();
      versions.set(resource, known);
    }
    let version = known.get(subresource);
    if (version === undefined) {
      version = makeVersion(resource, subresource);
      known.set(subresource, version);
    }
    return version;
  }

  function makeVersion({ spec, apiVersion, fromStored, toStored }: Resource, subresource: string): ObjectVersion {
    return {
      apiVersion,
      type: types.ofKind(spec),
      ignored: resetFieldsOf(spec, subresource),
      fromStored: (object) => (fromStored === undefined || isEmpty(object) ? object : fromStored(object)),
      toStored: (object) => (toStored === undefined ? object : toStored(object)),
    };
  }

  function fieldWrite(resource: Resource, write: ManagedWrite & { readonly now: string }): FieldWrite {
    const { subresource, now } = write;
    return {
      manager: write.manager ?? ownManager,
      subresource,
      now,
      version: versionOf(resource, subresource),
      versionOf(apiVersion) {
        const other = resources.all().find((one) => one.apiVersion === apiVersion && isSameKind(one, resource));
        return other === undefined ? undefined : versionOf(other, subresource);
      },
    };
  }

  return {
    track(resource, write, { old, wanted }) {
      const entries = tracked(fieldWrite(resource, write), old, wanted);
      return withEntries(wanted, entries);
    },
    apply(resource, write, { old, config, force }) {
      const { spec, apiVersion } = resource;
      if (config.apiVersion !== apiVersion || config.kind !== spec.kind) {
        throw badRequest(`invalid object type: ${config.apiVersion ?? ''}, Kind=${config.kind ?? ''}`);
      }
      if ((config.metadata?.managedFields ?? null) !== null) throw badRequest('metadata.managedFields must be nil');
      const type = types.ofKind(spec);
      const mistyped = typeFaultsOf(spec, type, config);
      const [fault, ...others] = mistyped.length > 0 ? mistyped : faultsOf(type, config);
      if (fault !== undefined)
        throw untyped(config, others.length === 0 ? fault : ['errors:', fault, ...others].join('\n  '));
      const { object, managedFields } = applied(fieldWrite(resource, write), { live: old, config, force });
      return withEntries(object, managedFields);
    },
  };
}

type Entries = Applied['managedFields'];

/** An object that cannot be taken apart keeps its owners, as upstream: tracking must never be why a write fails. */
function tracked(write: FieldWrite, old: KubeObject | undefined, wanted: KubeObject): Entries {
  try {
    return trackUpdate(write, old, wanted);
  } catch (error) {
    if (error instanceof TypedError) return entriesOf(old);
    throw error;
  }
}

function applied(write: FieldWrite, application: Parameters<typeof applyConfiguration>[1]): Applied {
  try {
    return applyConfiguration(write, application);
  } catch (error) {
    if (error instanceof TypedError) throw untyped(application.config, error.message);
    if (!(error instanceof ApplyConflictError)) throw error;
    const { message, causes } = error;
    throw new ApiError('Conflict', message, { details: { causes: [...causes] } });
  }
}

function untyped({ apiVersion, kind, metadata }: KubeObject, why: string): ApiError {
  const name = [metadata?.namespace, metadata?.name].filter((part) => part !== undefined && part !== '').join('/');
  return badRequest(`failed to create typed patch object (${name}; ${apiVersion}, Kind=${kind}): ${why}`);
}

function withEntries(object: KubeObject, entries: Entries): KubeObject {
  const { metadata = {} } = object;
  const have: unknown = metadata.managedFields;
  if (have === entries || (have === undefined && entries.length === 0)) return object;
  const managedFields = entries.length === 0 ? undefined : entries;
  return { ...object, metadata: { ...metadata, managedFields } as unknown as typeof metadata };
}

/**
 * Whether `object` says what `old` does, the order of fields, the revision and the times at which managers last wrote aside:
 * then it need not be written.
 */
export function isSameButTimes(object: KubeObject, old: KubeObject): boolean {
  return sameButTimes(entriesOf(object), entriesOf(old)) && sameValue(comparable(object), comparable(old));
}

function comparable({ metadata = {}, ...rest }: KubeObject): object {
  return { ...rest, metadata: { ...metadata, managedFields: undefined, resourceVersion: undefined } };
}

function isSameKind(one: Resource, other: Resource): boolean {
  return (
    one.stored === other.stored ||
    apiVersionOf(one.stored) + one.stored.kind === apiVersionOf(other.stored) + other.stored.kind
  );
}

function isEmpty(object: object): boolean {
  for (const _key in object) return false;
  return true;
}
