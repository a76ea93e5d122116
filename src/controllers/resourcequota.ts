// resourcequota: keeps each ResourceQuota's status equal to what its namespace holds. What an object uses is api/quota's
// business, shared with the admission plugin that refuses what does not fit; this only sums, and corrects what admission
// counted for requests that came to nothing.
//
// The admission plugin charges the status before the object it admits is stored, so a sum made in between is too small and
// would give the charge back. Therefore a change of status alone wakes nobody, and a number goes down only when no charge
// came for a moment (or has kept coming for too long). A number goes up at once. Source: the ResourceQuota documentation.

import {
  addUsage,
  compareQuantities,
  countNameOf,
  formatQuantity,
  type KindSpec,
  type KubeObject,
  kinds,
  matchesScopes,
  parseQuantity,
  type Quantities,
  type Quantity,
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

/** Longer than an admitted object needs to be stored and to show in the caches, ms. */
const settling = 250;
/** Where charges never pause, what is freed must be given back all the same, ms. */
const longestSettling = 5_000;

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
  ofCustomKind: (kind) => ({ watch: watchCounted(kind) }),
  reconcile(key, { view, now, unchangedSince }) {
    const quota = view.get(kinds.resourceQuota, key);
    if (quota === undefined) return [];
    const { uid, resourceVersion } = quota.metadata;
    const usage = usageIn(quota, view, now);
    const tooMuch = isLower(quota, usage);
    const isQuiet = now - unchangedSince(uid, resourceVersion) >= settling;
    const isOverdue = now - unchangedSince(`${uid} lowering`, String(tooMuch)) >= longestSettling;
    return reconcileQuota(quota, usage, !tooMuch || isQuiet || isOverdue);
  },
};

function watchCounted(kind: KindSpec): Watch {
  return watch<KubeObject>(kind, ({ metadata: { namespace } }, view, change) => {
    const quotas = namespace === undefined ? [] : view.list(kinds.resourceQuota, namespace);
    return quotas.filter((quota) => concerns(quota, kind, change)).map(keyOf);
  });
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
  const custom = view.customKinds().filter(({ namespaced }) => namespaced);
  const relevant = [...countedKinds, ...custom].filter(
    (kind) => namedKinds.has(kind) || Object.hasOwn(hard, countNameOf(kind)),
  );
  return addUsage(
    relevant.flatMap((kind) =>
      view.list<KubeObject>(kind, quota.metadata.namespace).map((object) => usageFor(quota, kind, object, now)),
    ),
  );
}

const nothing = parseQuantity('0');

function usedOf(quota: ResourceQuota, name: string): Quantity {
  return parseQuantity(quota.status?.used?.[name] ?? '0');
}

/** The status says that more is used than there is. */
function isLower(quota: ResourceQuota, usage: Quantities): boolean {
  const names = Object.keys(quota.spec?.hard ?? {});
  return names.some((name) => compareQuantities(usage[name] ?? nothing, usedOf(quota, name)) < 0);
}

/**
 * @param usage sums of what the quota's namespace holds; a resource that is not in it is not used
 * @param mayLower whether numbers may go down now; otherwise they stay, and the quota is looked at again soon
 */
export function reconcileQuota(quota: Stored<ResourceQuota>, usage: Quantities, mayLower: boolean): readonly Action[] {
  if (quota.metadata.deletionTimestamp !== undefined) return [];
  const hard = quota.spec?.hard ?? {};
  const shown = (name: string): Quantity => {
    const summed = usage[name] ?? nothing;
    const held = usedOf(quota, name);
    return !mayLower && compareQuantities(summed, held) < 0 ? held : summed;
  };
  const used = Object.fromEntries(Object.keys(hard).map((name) => [name, formatQuantity(shown(name))]));
  const status = { hard, used };
  const report = isSame(status, { hard: {}, used: {}, ...quota.status })
    ? []
    : [updateSubresource(kinds.resourceQuota, 'status', { ...quota, status })];
  return [later(mayLower ? resync : settling), ...report];
}
