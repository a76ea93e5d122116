// What the server serves, as the rows that every form of discovery is printed from. Derived from the resource table on each
// request: it is small, and a kind that was added a moment ago must be there.

import { apiVersionOf, type GroupVersionKind, type KindSpec, type Verb } from '../../api/index.ts';

const allVerbs: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** A kind that is created and answered, but never stored. `resource` may name a subresource: `serviceaccounts/token`. */
export interface VirtualResource extends GroupVersionKind {
  readonly resource: string;
  readonly servedUnder: { readonly group: string; readonly version: string };
  readonly namespaced: boolean;
}

export interface ApiSubresource {
  readonly name: string;
  readonly kind: GroupVersionKind;
  readonly verbs: readonly string[];
}

export interface ApiResource {
  readonly name: string;
  readonly singular: string;
  readonly kind: GroupVersionKind;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly ApiSubresource[];
}

export interface ApiVersion {
  readonly group: string;
  readonly version: string;
  readonly resources: readonly ApiResource[];
  /** Another server's, which does not answer at present: this is what it served last. */
  readonly isStale?: true;
}

/** One entry per group and version, groups in the order of the table, within a group the preferred version first. */
export function apiVersions(kinds: readonly KindSpec[], virtual: readonly VirtualResource[]): readonly ApiVersion[] {
  const found = new Map<string, { group: string; version: string; resources: ApiResource[] }>();
  const versionOf = (group: string, version: string): ApiResource[] => {
    const key = apiVersionOf({ group, version });
    const known = found.get(key);
    if (known !== undefined) return known.resources;
    const made = { group, version, resources: [] };
    found.set(key, made);
    return made.resources;
  };
  for (const kind of kinds) versionOf(kind.group, kind.version).push(resourceOf(kind, virtual));
  for (const one of virtual) {
    if (one.resource.includes('/')) continue;
    versionOf(one.servedUnder.group, one.servedUnder.version).push(virtualResource(one));
  }
  const versions = [...found.values()].map((one) => ({
    ...one,
    resources: one.resources.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  }));
  const groups = Map.groupBy(versions, ({ group }) => group);
  return [...groups.values()].flatMap((group) => group.toSorted((a, b) => byPriority(a.version, b.version)));
}

/**
 * The preferred version first: v2, v1, v2beta1, v1beta2, v1alpha1, then other names by the alphabet.
 * Source: "Extend the Kubernetes API with CustomResourceDefinitions", version priority.
 */
function byPriority(a: string, b: string): number {
  const [left, right] = [rankOf(a), rankOf(b)];
  if (left === undefined || right === undefined) {
    return Number(left === undefined) - Number(right === undefined) || (a < b ? -1 : 1);
  }
  return right.stability - left.stability || right.major - left.major || right.minor - left.minor;
}

const stabilities = ['alpha', 'beta', ''];

function rankOf(
  version: string,
): { readonly stability: number; readonly major: number; readonly minor: number } | undefined {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (match === null) return undefined;
  const [, major, stability = '', minor = 0] = match;
  return { stability: stabilities.indexOf(stability), major: Number(major), minor: Number(minor) };
}

function resourceOf(kind: KindSpec, virtual: readonly VirtualResource[]): ApiResource {
  const own = (kind.subresources ?? []).map(({ name, verbs, kind: answered = kind }) => ({
    name,
    kind: answered,
    verbs: verbs.toSorted(),
  }));
  const added = virtual
    .filter(({ resource, servedUnder }) => resource.startsWith(`${kind.plural}/`) && servedUnder.group === kind.group)
    .map((one) => ({ name: one.resource.slice(kind.plural.length + 1), kind: one, verbs: ['create'] }))
    .filter(({ name }) => !own.some((known) => known.name === name));
  return {
    name: kind.plural,
    singular: kind.singular,
    kind,
    namespaced: kind.namespaced,
    verbs: (kind.verbs ?? allVerbs).toSorted(),
    shortNames: kind.shortNames ?? [],
    categories: kind.categories ?? [],
    subresources: [...own, ...added].sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

function virtualResource({ group, version, kind, resource, namespaced }: VirtualResource): ApiResource {
  return {
    name: resource,
    singular: kind.toLowerCase(),
    kind: { group, version, kind },
    namespaced,
    verbs: ['create'],
    shortNames: [],
    categories: [],
    subresources: [],
  };
}
