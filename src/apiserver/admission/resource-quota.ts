// ResourceQuota: what an object will use is charged to the quota's status before the object is stored, so that no number of
// concurrent writes gets past the limit. The charge is a compare-and-swap on the newest status, charges on their way
// included; requests for one namespace therefore follow each other without conflicts, and the group commit takes them
// together. A charge is given back when the object is not stored after all; deleted objects are counted off by the
// resourcequota controller. Locks in memory would do for one server but forget after a crash what was promised.
// Source: k8s.io/kubernetes staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota.

import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  type KubeObject,
  kinds,
  matchesScopes,
  type Pod,
  parseQuantity,
  type Quantities,
  type Quantity,
  type ResourceQuota,
  subtractQuantities,
  usageOf,
} from '../../api/index.ts';
import type { AdmissionPlugin, AdmissionRequest, ObjectReader, ObjectWriter } from '../contracts.ts';
import { byNamespace } from './by-namespace.ts';
import { isPod, refuse } from './refuse.ts';

type Named = Readonly<Record<string, string>>;

export interface ResourceQuotaOptions {
  readonly reader: ObjectReader;
  readonly writer: Pick<ObjectWriter, 'updateStatus'>;
}

/** Kinds whose usage may grow after their creation. */
const growing = new Set(['services', 'persistentvolumeclaims']);
/** With one of these in a quota, each container of a pod must say what it needs. */
const demanded = ['cpu', 'limits.cpu', 'limits.memory', 'memory', 'requests.cpu', 'requests.memory'];

export function resourceQuota({ reader, writer }: ResourceQuotaOptions): AdmissionPlugin {
  const quotasIn = byNamespace<ResourceQuota, readonly ResourceQuota[]>(reader, kinds.resourceQuota, (all) => all);

  /** Takes `delta` off the quota, or throws 403. */
  const charge = async (request: AdmissionRequest, quota: ResourceQuota, delta: Quantities): Promise<void> => {
    await writer.updateStatus<ResourceQuota>(kinds.resourceQuota, request.namespace, nameOf(quota), (newest) =>
      request.dryRun ? checked(request, newest, delta) : charged(request, newest, delta),
    );
  };
  const giveBack = async (request: AdmissionRequest, quota: ResourceQuota, delta: Quantities): Promise<void> => {
    await writer.updateStatus<ResourceQuota>(kinds.resourceQuota, request.namespace, nameOf(quota), (newest) =>
      withUsed(newest, remaining(quantitiesOf(newest.status?.used), delta)),
    );
  };

  const chargeAll = async (
    request: AdmissionRequest,
    quotas: readonly ResourceQuota[],
    delta: Quantities,
  ): Promise<void> => {
    const done: ResourceQuota[] = [];
    const undo = async (): Promise<void> => {
      await Promise.all(done.map((quota) => giveBack(request, quota, delta)));
    };
    try {
      for (const quota of quotas) {
        await charge(request, quota, delta);
        if (!request.dryRun) done.push(quota);
      }
    } catch (error) {
      await undo();
      throw error;
    }
    if (done.length > 0) request.onNotStored?.(undo);
  };

  return {
    name: 'ResourceQuota',
    validate(request) {
      if (!isCounted(request)) return;
      const all = quotasIn(request.namespace ?? '');
      if (all.length === 0) return;
      const object: KubeObject = { ...request.object, kind: request.kind.kind };
      const quotas = all.filter((quota) => matchesScopes(quota, object));
      for (const quota of quotas) checkDemanded(request, quota);
      const delta = deltaOf(request);
      const touched = quotas.filter((quota) => Object.keys(within(delta, quota)).length > 0);
      if (touched.length > 0) return chargeAll(request, touched, delta);
    },
  };
}

function isCounted({ kind, namespace, operation, subresource, object }: AdmissionRequest): boolean {
  if (namespace === undefined || object === undefined) return false;
  if (subresource !== '') return subresource === 'resize' && operation === 'UPDATE';
  return operation === 'CREATE' || (operation === 'UPDATE' && kind.group === '' && growing.has(kind.plural));
}

/** What the write adds; a write that frees something gives it back when the controller looks, as upstream. */
function deltaOf({ kind, object, oldObject }: AdmissionRequest): Quantities {
  const wanted = object === undefined ? {} : usageOf(kind, object);
  const before = oldObject === undefined ? {} : usageOf(kind, oldObject);
  return Object.fromEntries(Object.entries(remaining(wanted, before)).filter(([, quantity]) => !isZero(quantity)));
}

/** Source: pod evaluator, Constraints. */
function checkDemanded(request: AdmissionRequest, quota: ResourceQuota): void {
  if (!isPod(request)) return;
  const hard = quota.status?.hard ?? {};
  const { containers = [], initContainers = [], resources } = (request.object as Pod).spec ?? {};
  const missing = demanded
    .filter((name) => Object.hasOwn(hard, name))
    .map((name) => {
      const [side, resource] = name.startsWith('limits.')
        ? (['limits', name.slice('limits.'.length)] as const)
        : (['requests', name.replace('requests.', '')] as const);
      if (resources?.[side]?.[resource] !== undefined) return { name, lacking: [] };
      const lacking = [...containers, ...initContainers].filter(
        (one) => one.resources?.[side]?.[resource] === undefined,
      );
      return { name, lacking: lacking.map((one) => one.name).sort() };
    })
    .filter(({ lacking }) => lacking.length > 0);
  if (missing.length === 0) return;
  const told = missing.map(({ name, lacking }) => `${name} for: ${lacking.join(',')}`);
  throw refuse(request, `failed quota: ${nameOf(quota)}: must specify ${told.join('; ')}`);
}

function checked(request: AdmissionRequest, quota: ResourceQuota, delta: Quantities): undefined {
  charged(request, quota, delta);
  return undefined;
}

/** The quota with `delta` used up. Throws ApiError 403 when there is not that much left. */
function charged(request: AdmissionRequest, quota: ResourceQuota, delta: Quantities): ResourceQuota {
  const hard = quantitiesOf(quota.status?.hard);
  const used = quantitiesOf(quota.status?.used);
  const requested = Object.entries(within(delta, quota)).sort(([a], [b]) => (a < b ? -1 : 1));
  const unknown = requested.filter(([name]) => used[name] === undefined).map(([name]) => name);
  if (unknown.length > 0) {
    throw refuse(request, `status unknown for quota: ${nameOf(quota)}, resources: ${unknown.join(',')}`);
  }
  const total = requested.map(([name, quantity]) => [name, addQuantities(used[name] ?? quantity, quantity)] as const);
  const exceeded = total.filter(([name, quantity]) => {
    const limit = hard[name];
    return limit !== undefined && compareQuantities(quantity, limit) > 0;
  });
  if (exceeded.length > 0) {
    const shown = (from: Quantities): string =>
      exceeded.map(([name]) => `${name}=${from[name] === undefined ? '0' : formatQuantity(from[name])}`).join(',');
    const why = `requested: ${shown(delta)}, used: ${shown(used)}, limited: ${shown(hard)}`;
    throw refuse(request, `exceeded quota: ${nameOf(quota)}, ${why}`);
  }
  return withUsed(quota, { ...used, ...Object.fromEntries(total) });
}

/** What of `usage` the quota limits. */
function within(usage: Quantities, { status }: ResourceQuota): Quantities {
  const hard = status?.hard ?? {};
  return Object.fromEntries(Object.entries(usage).filter(([name]) => Object.hasOwn(hard, name)));
}

function withUsed(quota: ResourceQuota, used: Quantities): ResourceQuota {
  const texts = Object.entries(used).map(([name, quantity]) => [name, formatQuantity(quantity)]);
  return { ...quota, status: { ...quota.status, used: Object.fromEntries(texts) } };
}

/** `from` less `minus`, never below zero, for the names in `from`. */
function remaining(from: Quantities, minus: Quantities): Quantities {
  return Object.fromEntries(
    Object.entries(from).map(([name, quantity]) => {
      const less = minus[name];
      const left = less === undefined ? quantity : subtractQuantities(quantity, less);
      return [name, left.mantissa < 0 ? zero : left];
    }),
  );
}

const zero = parseQuantity('0');

function isZero(quantity: Quantity): boolean {
  return BigInt(quantity.mantissa) === 0n;
}

function quantitiesOf(named: Named | undefined): Quantities {
  return Object.fromEntries(Object.entries(named ?? {}).map(([name, text]) => [name, parseQuantity(text)]));
}

function nameOf({ metadata }: KubeObject): string {
  return metadata?.name ?? '';
}
