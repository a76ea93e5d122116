// The OpenAPI documents: one version 3 document per group-version, and one version 2 document of everything.

import {
  allKinds,
  apiVersionOf,
  type GroupVersionKind,
  type KindSpec,
  type OpenApiVersion,
  pathsOf,
} from '../../src/api/index.ts';
import { openApiType, referencesOf } from './openapi-types.ts';
import type { Model } from './read-models.ts';

type Json = Record<string, unknown>;
const machinery = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const everywhere = ['DeleteOptions', 'Patch', 'Status', 'WatchEvent'].map((name) => `${machinery}.${name}`);
const info = { title: 'Kubernetes', version: 'v1.35.0' };

export interface OpenApiDocuments {
  /** `api/v1` or `apis/apps/v1` → document. */
  readonly v3: ReadonlyMap<string, Json>;
  readonly v2: Json;
}

export function openApiDocuments(models: ReadonlyMap<string, Model>): OpenApiDocuments {
  const names = new Map<string, string>();
  for (const { name, groupVersionKind: gvk } of models.values()) {
    if (gvk !== undefined) names.set(keyOf(gvk), name);
  }
  const typeOf = (kind: GroupVersionKind): string | undefined => names.get(keyOf(kind));
  const groups = Map.groupBy(allKinds, (kind) => (kind.group === '' ? 'api/' : 'apis/') + apiVersionOf(kind));
  const v3 = new Map(
    [...groups].map(([path, kinds]) => [
      path,
      { openapi: '3.0.0', info, paths: paths(kinds, 3, typeOf), components: { schemas: schemas(kinds, 3) } },
    ]),
  );
  const v2 = { swagger: '2.0', info, paths: paths(allKinds, 2, typeOf), definitions: schemas(allKinds, 2) };
  return { v3, v2 };

  /** The types of these kinds and of their lists, with all that they refer to, sorted by name. */
  function schemas(kinds: readonly KindSpec[], version: OpenApiVersion): Json {
    const used = new Set<string>();
    const visit = (name: string): void => {
      const model = models.get(name);
      if (used.has(name) || model === undefined) return;
      used.add(name);
      for (const other of referencesOf(model)) visit(other);
    };
    for (const name of everywhere) visit(name);
    for (const kind of kinds) {
      const name = typeOf(kind);
      for (const one of name === undefined ? [] : [name, `${name}List`]) visit(one);
      for (const sub of kind.subresources ?? []) visit((sub.kind && typeOf(sub.kind)) ?? '');
    }
    const gvks = groupVersionsOf(kinds);
    return Object.fromEntries(
      [...used].sort().flatMap((name) => {
        const model = models.get(name);
        return model === undefined ? [] : [[name, openApiType(model, version, kindsOf(model, gvks))]];
      }),
    );
  }
}

/** DeleteOptions and WatchEvent are kinds of every group-version, Status of the core one. */
function kindsOf(model: Model, groupVersions: readonly Omit<GroupVersionKind, 'kind'>[]): readonly GroupVersionKind[] {
  if (model.groupVersionKind !== undefined) return [model.groupVersionKind];
  const kind = model.name.startsWith(machinery) ? model.name.slice(machinery.length + 1) : '';
  if (kind === 'Status') return [{ group: '', version: 'v1', kind }];
  return kind === 'DeleteOptions' || kind === 'WatchEvent' ? groupVersions.map((gv) => ({ ...gv, kind })) : [];
}

function groupVersionsOf(kinds: readonly KindSpec[]): readonly Omit<GroupVersionKind, 'kind'>[] {
  const all = new Map(kinds.map(({ group, version }) => [`${group}/${version}`, { group, version }]));
  return [...all.values()];
}

function paths(
  kinds: readonly KindSpec[],
  version: OpenApiVersion,
  typeOf: (kind: GroupVersionKind) => string | undefined,
): Json {
  return Object.assign({}, ...kinds.map((kind) => pathsOf(kind, version, typeOf))) as Json;
}

function keyOf({ group, version, kind }: GroupVersionKind): string {
  return `${group}/${version}/${kind}`;
}
