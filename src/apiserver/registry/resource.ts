// The table of served resources. It is filled from the kinds table at start and may grow and shrink at run time
// (CustomResourceDefinitions), so everything asks it per request and nobody keeps a copy: routes, discovery, the reader.

import { apiVersionOf, type GroupVersionKind, type KindSpec, type KubeObject } from '../../api/index.ts';
import { type Layout, layOut, type ResourceCache, registryRoot, type WatchCache } from '../cache/index.ts';
import { strategyOf } from './strategies/index.ts';
import type { Strategy } from './strategy.ts';

export interface Resource {
  /** The kind as this path serves it. */
  readonly spec: KindSpec;
  /** The kind that is stored; differs from `spec` for a second version or group of the same objects. */
  readonly stored: KindSpec;
  /** By whose rules a write is judged: the version in which a custom object is sent, the stored form of all others. */
  readonly judged: KindSpec;
  readonly apiVersion: string;
  readonly cache: ResourceCache;
  readonly strategy: Strategy;
  keyOf(namespace: string | undefined, name: string): string;
  layOut(object: KubeObject): Layout;
  /** From the stored form to the served one; undefined when they are the same bytes. */
  readonly fromStored: ((object: KubeObject) => KubeObject) | undefined;
  readonly toStored: ((object: KubeObject) => KubeObject) | undefined;
  /** Brings a stored object up to the present definition of the stored kind; undefined when all of them are. */
  readonly refresh: ((object: KubeObject) => KubeObject) | undefined;
}

export interface ResourceTable {
  find(group: string, version: string, plural: string): Resource | undefined;
  ofKind(kind: GroupVersionKind): Resource | undefined;
  /** The kinds that are served of what is stored as `stored`; remembered until the table changes. */
  versionsOf(stored: KindSpec): readonly KindSpec[];
  /** In the order of the kinds table; then those that came at run time. */
  all(): readonly Resource[];
  /** A virtual kind is only known as what others are stored as. */
  add(spec: KindSpec): void;
  remove(spec: KindSpec): void;
}

export function createResourceTable(cache: WatchCache, kinds: readonly KindSpec[]): ResourceTable {
  const byPath = new Map<string, Resource>();
  const byKind = new Map<string, Resource>();
  const specs = new Map<string, KindSpec>();
  const versions = new Map<string, readonly KindSpec[]>();

  function storedSpec(spec: KindSpec): KindSpec {
    const stored = spec.storedAs === undefined ? spec : specs.get(kindKey(spec.storedAs.kind));
    if (stored === undefined) throw new Error(`${spec.kind} is stored as a kind that is not in the table`);
    return stored;
  }

  function add(spec: KindSpec): void {
    versions.clear();
    specs.set(kindKey(spec), spec);
    if (spec.virtual === true) return;
    const resource = makeResource(cache, spec, storedSpec(spec));
    byPath.set(pathKey(spec.group, spec.version, spec.plural), resource);
    byKind.set(kindKey(spec), resource);
  }

  for (const spec of kinds) specs.set(kindKey(spec), spec);
  for (const spec of kinds) add(spec);

  return {
    find: (group, version, plural) => byPath.get(pathKey(group, version, plural)),
    ofKind: (kind) => byKind.get(kindKey(kind)),
    all: () => [...byPath.values()],
    add,
    versionsOf(stored) {
      const key = kindKey(stored);
      let found = versions.get(key);
      if (found === undefined) {
        found = [...byPath.values()].filter((one) => kindKey(one.stored) === key).map(({ spec }) => spec);
        versions.set(key, found);
      }
      return found;
    },
    remove(spec) {
      versions.clear();
      specs.delete(kindKey(spec));
      byKind.delete(kindKey(spec));
      byPath.delete(pathKey(spec.group, spec.version, spec.plural));
    },
  };
}

/** What is stored as another kind follows that kind's rules and its own beside. */
function judgedAs(spec: KindSpec, stored: KindSpec): KindSpec {
  if (spec.custom !== undefined || spec === stored) return spec;
  return {
    ...stored,
    validateNew: (object) => [...(stored.validateNew?.(object) ?? []), ...(spec.validateNew?.(object) ?? [])],
    validateUpdate: (object, old) => [
      ...(stored.validateUpdate?.(object, old) ?? []),
      ...(spec.validateUpdate?.(object, old) ?? []),
    ],
  };
}

function makeResource(cache: WatchCache, spec: KindSpec, stored: KindSpec): Resource {
  const prefix = `${registryRoot}${stored.group === '' ? 'core' : stored.group}/${stored.plural}/`;
  const apiVersion = apiVersionOf(stored);
  return {
    spec,
    stored,
    judged: judgedAs(spec, stored),
    apiVersion: apiVersionOf(spec),
    cache: cache.resource(prefix),
    strategy: strategyOf(stored),
    keyOf: (namespace, name) =>
      namespace === undefined || namespace === '' ? prefix + name : `${prefix}${namespace}/${name}`,
    layOut: (object) => layOut(object, stored.kind, apiVersion),
    fromStored: spec.storedAs === undefined ? undefined : (object) => spec.storedAs?.fromStored(object) ?? object,
    toStored: spec.storedAs === undefined ? undefined : (object) => spec.storedAs?.toStored(object) ?? object,
    refresh: stored.storedAs === undefined ? undefined : (object) => stored.storedAs?.fromStored(object) ?? object,
  };
}

function pathKey(group: string, version: string, plural: string): string {
  return `${group}/${version}/${plural}`;
}

function kindKey({ group, version, kind }: GroupVersionKind): string {
  return `${group}/${version}/${kind}`;
}
