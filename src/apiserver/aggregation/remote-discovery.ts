// What a remote server says that it serves, as the rows that our own discovery is printed from. Pure.
// Source: apimachinery meta/v1 APIResourceList.

import type { ApiResource, ApiVersion } from '../discovery/index.ts';

interface Listed {
  readonly name?: string;
  readonly singularName?: string;
  readonly namespaced?: boolean;
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly verbs?: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

/** Reads an APIResourceList; undefined for anything else. */
export function readResourceList(
  text: string,
  { group, version }: { readonly group: string; readonly version: string },
): ApiVersion | undefined {
  const listed = resourcesIn(text);
  if (listed === undefined) return undefined;
  const kindOf = (one: Listed) => ({
    group: one.group || group,
    version: one.version || version,
    kind: one.kind ?? '',
  });
  const resources = listed
    .filter(({ name = '' }) => name !== '' && !name.includes('/'))
    .map((one): ApiResource => {
      const name = one.name ?? '';
      const own = listed.filter((sub) => sub.name?.startsWith(`${name}/`));
      return {
        name,
        singular: one.singularName ?? '',
        kind: kindOf(one),
        namespaced: one.namespaced === true,
        verbs: one.verbs ?? [],
        shortNames: one.shortNames ?? [],
        categories: one.categories ?? [],
        subresources: own.map((sub) => ({
          name: (sub.name ?? '').slice(name.length + 1),
          kind: kindOf(sub),
          verbs: sub.verbs ?? [],
        })),
      };
    });
  return { group, version, resources };
}

function resourcesIn(text: string): readonly Listed[] | undefined {
  try {
    const body = JSON.parse(text) as { readonly resources?: unknown } | null;
    return Array.isArray(body?.resources) ? (body.resources as readonly Listed[]) : undefined;
  } catch {
    return undefined;
  }
}
