// The discovery documents: legacy (one per group and version) and aggregated (all at once).
// Source: k8s.io/api apidiscovery/v2, apimachinery meta/v1 APIResourceList; KEP-3352.

import { apiVersionOf } from '../../api/index.ts';
import type { ApiResource, ApiVersion } from './api-resources.ts';

/** The body for a discovery path; undefined when it is none or names nothing that is served. */
export function discoveryDocument(path: string, versions: readonly ApiVersion[], address: string): object | undefined {
  const parts = path.split('/').filter(Boolean);
  const [root, first, second, ...more] = parts;
  if (more.length > 0) return undefined;
  if (root === 'api') return second === undefined ? coreDocument(first, versions, address) : undefined;
  if (root !== 'apis') return undefined;
  const groups = groupsOf(versions);
  if (first === undefined) return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupDocument) };
  const group = groups.find(([served]) => served?.group === first);
  if (group === undefined) return undefined;
  if (second === undefined) return { kind: 'APIGroup', apiVersion: 'v1', ...groupDocument(group) };
  const version = group.find((one) => one.version === second);
  return version === undefined ? undefined : resourceList(version);
}

function coreDocument(
  version: string | undefined,
  versions: readonly ApiVersion[],
  address: string,
): object | undefined {
  const core = versions.filter(({ group }) => group === '');
  if (version === undefined) {
    return {
      kind: 'APIVersions',
      versions: core.map((one) => one.version),
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
    };
  }
  const served = core.find((one) => one.version === version);
  return served === undefined ? undefined : resourceList(served);
}

type Group = readonly ApiVersion[];

function groupsOf(versions: readonly ApiVersion[]): readonly Group[] {
  const named = versions.filter(({ group }) => group !== '');
  return [...Map.groupBy(named, ({ group }) => group).values()];
}

function groupDocument(group: Group): object {
  const name = group[0]?.group ?? '';
  const versions = group.map(({ version }) => ({ groupVersion: apiVersionOf({ group: name, version }), version }));
  return { name, versions, preferredVersion: versions[0] };
}

function resourceList({ group, version, resources }: ApiVersion): object {
  const groupVersion = apiVersionOf({ group, version });
  const at = (kind: { group: string; version: string }): object =>
    kind.group === group && kind.version === version ? {} : { group: kind.group, version: kind.version };
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion,
    resources: resources.flatMap((resource) => [
      {
        name: resource.name,
        singularName: resource.singular,
        namespaced: resource.namespaced,
        ...at(resource.kind),
        kind: resource.kind.kind,
        verbs: resource.verbs,
        ...listed('shortNames', resource.shortNames),
        ...listed('categories', resource.categories),
      },
      ...resource.subresources.map((sub) => ({
        name: `${resource.name}/${sub.name}`,
        singularName: '',
        namespaced: resource.namespaced,
        ...at(sub.kind),
        kind: sub.kind.kind,
        verbs: sub.verbs,
      })),
    ]),
  };
}

/** Both have the same fields. */
export type DiscoveryVersion = 'v2' | 'v2beta1';

/** The aggregated form of `/api` or `/apis`. */
export function aggregatedDocument(
  path: '/api' | '/apis',
  versions: readonly ApiVersion[],
  discovery: DiscoveryVersion,
): object {
  const groups = path === '/api' ? [versions.filter(({ group }) => group === '')] : groupsOf(versions);
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${discovery}`,
    metadata: {},
    items: groups.map((group) => ({
      metadata: { name: group[0]?.group ?? '', creationTimestamp: null },
      versions: group.map(({ version, resources, isStale }) => ({
        version,
        resources: resources.map(aggregatedResource),
        freshness: isStale === true ? 'Stale' : 'Current',
      })),
    })),
  };
}

function aggregatedResource(resource: ApiResource): object {
  const { group, version, kind } = resource.kind;
  const subresources = resource.subresources.map((sub) => ({
    subresource: sub.name,
    responseKind: { group: sub.kind.group, version: sub.kind.version, kind: sub.kind.kind },
    verbs: sub.verbs,
  }));
  return {
    resource: resource.name,
    responseKind: { group, version, kind },
    scope: resource.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: resource.singular,
    verbs: resource.verbs,
    ...listed('shortNames', resource.shortNames),
    ...listed('categories', resource.categories),
    ...listed('subresources', subresources),
  };
}

function listed(name: string, values: readonly unknown[]): object {
  return values.length === 0 ? {} : { [name]: values };
}
