// LimitRanges: containers get the default requests and limits of their namespace; then the smallest, the greatest and the
// ratio of limit to request are enforced for containers, pods and claims.
// Source: k8s.io/kubernetes plugin/pkg/admission/limitranger; Kubernetes documentation, "Limit Ranges".

import {
  type Container,
  compareQuantities,
  formatQuantity,
  kinds,
  type LimitRange,
  type PersistentVolumeClaim,
  type Pod,
  parseQuantity,
  podResources,
  type Quantity,
  quantityMilliValue,
} from '../../api/index.ts';
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from '../contracts.ts';
import { byNamespace } from './by-namespace.ts';
import { isPod, isPodResize, refuse } from './refuse.ts';

type Named = Readonly<Record<string, string>>;
/** As on the wire: the client's type calls `default` something else, because its language would not take it. */
type Item = NonNullable<LimitRange['spec']>['limits'][number] & { readonly default?: Named };
type Amounts = Readonly<Record<string, Quantity>>;

interface Demand {
  readonly requests: Amounts;
  readonly limits: Amounts;
}

const annotation = 'kubernetes.io/limit-ranger';

export function limitRanger(reader: ObjectReader): AdmissionPlugin {
  const itemsIn = byNamespace(reader, kinds.limitRange, (all) => all.flatMap(({ spec }) => spec?.limits ?? []));
  return {
    name: 'LimitRanger',
    mutate(request) {
      const pod = request.object as Pod;
      if (request.operation !== 'CREATE' || !isPod(request)) return pod;
      const items = itemsIn(request.namespace ?? '').filter(({ type }) => type === 'Container');
      return items.length === 0 ? pod : items.reduce(withDefaults, pod);
    },
    validate(request) {
      const items = isLimited(request) ? itemsIn(request.namespace ?? '') : [];
      if (items.length === 0) return;
      const wrong =
        request.kind.plural === 'pods'
          ? wrongInPod(request.object as Pod, items)
          : wrongInClaim(request.object as PersistentVolumeClaim, items);
      if (wrong.length > 0) throw refuse(request, wrong.length === 1 ? (wrong[0] ?? '') : `[${wrong.join(', ')}]`);
    },
  };
}

/** A pod's resources change through its resize alone; claims are looked at with each change. */
function isLimited(request: AdmissionRequest): boolean {
  const { kind, operation, subresource, object } = request;
  if (isPod(request)) return operation === 'CREATE';
  if (isPodResize(request)) return operation === 'UPDATE';
  const isClaim = kind.group === '' && kind.plural === 'persistentvolumeclaims' && subresource === '';
  return isClaim && object !== undefined && object.metadata?.deletionTimestamp === undefined;
}

function withDefaults(pod: Pod, item: Item): Pod {
  if (pod.spec === undefined) return pod;
  // What the LimitRange leaves out was filled in when it was stored.
  const defaults = { limits: item.default ?? {}, requests: item.defaultRequest ?? {} };
  const told: string[] = [];
  const fill =
    (what: string) =>
    (container: Container): Container => {
      const { requests, limits } = container.resources ?? {};
      const [newRequests, newLimits] = [missing(defaults.requests, requests), missing(defaults.limits, limits)];
      const [requestNames, limitNames] = [Object.keys(newRequests).sort(), Object.keys(newLimits).sort()];
      if (requestNames.length > 0) told.push(`${requestNames.join(', ')} request for ${what} ${container.name}`);
      if (limitNames.length > 0) told.push(`${limitNames.join(', ')} limit for ${what} ${container.name}`);
      if (requestNames.length + limitNames.length === 0) return container;
      const resources = {
        ...container.resources,
        requests: { ...requests, ...newRequests },
        limits: { ...limits, ...newLimits },
      };
      return { ...container, resources };
    };
  const containers = (pod.spec.containers ?? []).map(fill('container'));
  const initContainers = pod.spec.initContainers?.map(fill('init container'));
  if (told.length === 0) return pod;
  const annotations = { ...pod.metadata?.annotations, [annotation]: `LimitRanger plugin set: ${told.join('; ')}` };
  const spec = { ...pod.spec, containers, ...(initContainers && { initContainers }) };
  return { ...pod, metadata: { ...pod.metadata, annotations }, spec };
}

function missing(defaults: Named, have: Named | undefined): Named {
  return Object.fromEntries(Object.entries(defaults).filter(([name]) => !Object.hasOwn(have ?? {}, name)));
}

function wrongInPod(pod: Pod, items: readonly Item[]): string[] {
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  return items.flatMap((item) => {
    if (item.type === 'Container') return containers.flatMap((container) => wrongIn(item, demandOf(container)));
    if (item.type !== 'Pod') return [];
    return wrongIn(item, { requests: podResources(pod, 'requests'), limits: podResources(pod, 'limits') });
  });
}

function demandOf({ resources }: Container): Demand {
  return { requests: parsed(resources?.requests), limits: parsed(resources?.limits) };
}

function wrongIn(item: Item, { requests, limits }: Demand): string[] {
  const { type } = item;
  return [
    ...Object.entries(parsed(item.min)).flatMap(([name, least]) =>
      belowMin({ name, type, least }, requests[name], limits[name]),
    ),
    ...Object.entries(parsed(item.max)).flatMap(([name, most]) =>
      aboveMax({ name, type, most }, requests[name], limits[name]),
    ),
    ...Object.entries(parsed(item.maxLimitRequestRatio)).flatMap(([name, ratio]) =>
      aboveRatio({ name, type, ratio }, requests[name], limits[name]),
    ),
  ];
}

function wrongInClaim({ spec }: PersistentVolumeClaim, items: readonly Item[]): string[] {
  const requests = parsed(spec?.resources?.requests);
  return items
    .filter(({ type }) => type === 'PersistentVolumeClaim')
    .flatMap(({ type, min, max }) => [
      ...Object.entries(parsed(min)).flatMap(([name, least]) =>
        belowMin({ name, type, least }, requests[name], undefined),
      ),
      ...Object.entries(parsed(max)).flatMap(([name, most]) => {
        const says = `maximum ${name} usage per ${type} is ${formatQuantity(most)}`;
        const request = requests[name];
        if (request === undefined) return [`${says}.  No request is specified`];
        return compareQuantities(request, most) > 0 ? [`${says}, but request is ${formatQuantity(request)}`] : [];
      }),
    ]);
}

interface Rule {
  readonly name: string;
  readonly type: string;
}

function belowMin(
  { name, type, least }: Rule & { readonly least: Quantity },
  request: Quantity | undefined,
  limit: Quantity | undefined,
): string[] {
  const says = `minimum ${name} usage per ${type} is ${formatQuantity(least)}`;
  if (request === undefined) return [`${says}.  No request is specified`];
  if (compareQuantities(request, least) < 0) return [`${says}, but request is ${formatQuantity(request)}`];
  if (limit === undefined || compareQuantities(limit, least) >= 0) return [];
  return [`${says}, but limit is ${formatQuantity(limit)}`];
}

function aboveMax(
  { name, type, most }: Rule & { readonly most: Quantity },
  request: Quantity | undefined,
  limit: Quantity | undefined,
): string[] {
  const says = `maximum ${name} usage per ${type} is ${formatQuantity(most)}`;
  if (limit === undefined) return [`${says}.  No limit is specified`];
  if (compareQuantities(limit, most) > 0) return [`${says}, but limit is ${formatQuantity(limit)}`];
  if (request === undefined || compareQuantities(request, most) <= 0) return [];
  return [`${says}, but request is ${formatQuantity(request)}`];
}

function aboveRatio(
  { name, type, ratio }: Rule & { readonly ratio: Quantity },
  request: Quantity | undefined,
  limit: Quantity | undefined,
): string[] {
  const says = `${name} max limit to request ratio per ${type} is ${formatQuantity(ratio)}`;
  const [asked, most] = [request, limit].map((one) => (one === undefined ? 0 : quantityMilliValue(one)));
  if (asked === undefined || asked === 0) return [`${says}, but no request is specified or request is 0`];
  if (most === undefined || most === 0) return [`${says}, but no limit is specified or limit is 0`];
  // Shown as upstream computes it: per thousand.
  const observed = (most / asked) * 1000;
  return observed > quantityMilliValue(ratio) ? [`${says}, but provided ratio is ${(observed / 1000).toFixed(6)}`] : [];
}

function parsed(named: Named | undefined): Amounts {
  return Object.fromEntries(Object.entries(named ?? {}).map(([name, text]) => [name, parseQuantity(text)]));
}
