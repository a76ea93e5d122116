// resourcequota: keeps each ResourceQuota's status equal to what its namespace holds. What an object uses is api/quota's
// business, shared with the admission plugin that refuses what does not fit; this only sums, and corrects what admission
// counted for requests that came to nothing.
//
// A change of status alone wakes nobody: the admission plugin writes it before the object it admitted shows in any cache,
// and a sum made in between would take the admitted object out again. Source: the ResourceQuota documentation.

import {
  addUsage,
  countNameOf,
  formatQuantity,
  type KindSpec,
  type KubeObject,
  kinds,
  matchesScopes,
  parseQuantity,
  type Quantities,
  type ResourceQuota,
  type Stored,
  usageOf,
} from '../api/index.ts';
import { keyOf } from '../client/index.ts';
import { later, updateSubresource } from './actions.ts';
import { type Action, type Change, type Controller, type View, type Watch, watch } from './controller.ts';
import { isSame } from './equality.ts';
import { ownableKinds } from './stored-kinds.ts';

/** A pod that a lost node cannot end stops counting without any event; as upstream's --resource-quota-sync-period, ms. */
const resync = 5 * 60_000;

const countedKinds = ownableKinds.filter(({ namespaced }) => namespaced);

/** Core kinds that quotas know by more names than count/<plural>. */
const namedKinds = new Set<KindSpec>([
  kinds.pod,
  kinds.service,
  kinds.configMap,
  kinds.secret,
  kinds.persistentVolumeClaim,
  kinds.replicationController,
  kinds.resourceQuota,
]);

export const resourceQuotaController: Controller = {
  name: 'resourcequota-controller',
  parallel: 5,
  watches: [
    ...countedKinds.map(watchCounted),
    watch(kinds.resourceQuota, (quota, _view, { type, previous, object }) =>
      type === 'updated' && isSame(previous?.spec, object.spec) ? [] : [keyOf(quota)],
    ),
  ],
  reconcile(key, { view, now }) {
    const quota = view.get(kinds.resourceQuota, key);
    return quota === undefined ? [] : reconcileQuota(quota, usageIn(quota, view, now));
  },
};

function watchCounted(kind: KindSpec): Watch {
  return watch<KubeObject>(kind, (object, view, change) =>
    view
      .list(kinds.resourceQuota, object.metadata.namespace)
      .filter((quota) => concerns(quota, kind, change))
      .map(keyOf),
  );
}

function concerns(quota: ResourceQuota, kind: KindSpec, { type, object, previous }: Change<KubeObject>): boolean {
  const after = textOf(usageFor(quota, kind, object));
  if (type !== 'updated' || previous === undefined) return after !== '{}';
  return after !== textOf(usageFor(quota, kind, previous));
}

/** What `object` uses of the resources that `quota` limits. */
function usageFor(quota: ResourceQuota, kind: KindSpec, object: KubeObject, now?: number): Quantities {
  if (!matchesScopes(quota, object)) return {};
  const hard = quota.spec?.hard ?? {};
  return Object.fromEntries(Object.entries(usageOf(kind, object, now)).filter(([name]) => Object.hasOwn(hard, name)));
}

function textOf(quantities: Quantities): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(quantities).map(([name, one]) => [name, formatQuantity(one)])),
  );
}

function usageIn(quota: Stored<ResourceQuota>, view: View, now: number): Quantities {
  const hard = quota.spec?.hard ?? {};
  const relevant = countedKinds.filter((kind) => namedKinds.has(kind) || Object.hasOwn(hard, countNameOf(kind)));
  return addUsage(
    relevant.flatMap((kind) =>
      view.list<KubeObject>(kind, quota.metadata.namespace).map((object) => usageFor(quota, kind, object, now)),
    ),
  );
}

/** @param usage sums of what the quota's namespace holds; a resource that is not in it is not used */
export function reconcileQuota(quota: Stored<ResourceQuota>, usage: Quantities): readonly Action[] {
  if (quota.metadata.deletionTimestamp !== undefined) return [];
  const hard = quota.spec?.hard ?? {};
  const nothing = parseQuantity('0');
  const used = Object.fromEntries(Object.keys(hard).map((name) => [name, formatQuantity(usage[name] ?? nothing)]));
  const status = { hard, used };
  const report = isSame(status, { hard: {}, used: {}, ...quota.status })
    ? []
    : [updateSubresource(kinds.resourceQuota, 'status', { ...quota, status })];
  return [later(resync), ...report];
}
