// What the project knows about one kind. The kinds table (kinds.ts) is a list of these, and routes, discovery, OpenAPI,
// RBAC, clients, printer columns and help derive from it: a new kind is one new entry.

import type { KubeObject } from './types.ts';

export type Verb = 'create' | 'get' | 'list' | 'watch' | 'update' | 'patch' | 'delete' | 'deletecollection';

export interface KindSpec {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

/** Ties a TypeScript type to a table entry: `kinds.pod` is a `KindOf<Pod>`, so `client.get(kinds.pod, …)` gives a Pod. */
export interface KindOf<T extends KubeObject> extends KindSpec {
  /** Never set: it only carries the type. */
  readonly $type?: T;
}

/** Identifies a kind without carrying its table entry. */
export type GroupVersionKind = Pick<KindSpec, 'group' | 'version' | 'kind'>;

/** `apps/v1`, or `v1` for the core group. */
export function apiVersionOf({ group, version }: Pick<KindSpec, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`;
}

/** The URL path of a kind's collection or of one object, without query. */
export function pathOf(
  kind: Pick<KindSpec, 'group' | 'version' | 'plural' | 'namespaced'>,
  at: {
    readonly namespace?: string | undefined;
    readonly name?: string | undefined;
    readonly subresource?: string | undefined;
  } = {},
): string {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const scope = kind.namespaced && at.namespace !== undefined ? `/namespaces/${encodeURIComponent(at.namespace)}` : '';
  const name = at.name === undefined ? '' : `/${encodeURIComponent(at.name)}`;
  const sub = at.subresource === undefined ? '' : `/${at.subresource}`;
  return `${root}${scope}/${kind.plural}${name}${sub}`;
}
