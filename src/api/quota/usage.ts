// What one object uses of a namespace's ResourceQuota, by quota resource name. Every object counts as
// `count/<plural>[.<group>]`; some core kinds have names of their own beside that. The admission plugin and the controller
// share this, so that what is admitted and what is reported cannot differ.
// Source: "Resource Quotas" in the Kubernetes documentation; k8s.io/kubernetes pkg/quota/v1/evaluator/core.

import { groupResourceOf, type KindSpec } from '../kind.ts';
import { parseQuantity } from '../quantity.ts';
import type { KubeObject, PersistentVolumeClaim, Pod, Service } from '../types.ts';
import { greater, podResources, type Quantities, sum } from './pod-resources.ts';

const one = parseQuantity('1');

/** Kinds that may be limited by their bare plural too. */
const bareNames = new Set(['configmaps', 'replicationcontrollers', 'resourcequotas', 'secrets']);

/** Resources that quotas name without a prefix as well as with `requests.`. */
const plainRequests = new Set(['cpu', 'memory', 'ephemeral-storage']);

/**
 * @param now ms since the epoch: a pod whose grace period is over counts no more. Without it, it counts until it is gone.
 */
export function usageOf(kind: KindSpec, object: KubeObject, now?: number): Quantities {
  const counted = { [countNameOf(kind)]: one };
  if (kind.group !== '') return counted;
  if (bareNames.has(kind.plural)) return { ...counted, [kind.plural]: one };
  if (kind.plural === 'pods') return { ...counted, ...podUsage(object, now) };
  if (kind.plural === 'services') return { ...counted, ...serviceUsage(object) };
  if (kind.plural === 'persistentvolumeclaims') return { ...counted, ...claimUsage(object) };
  return counted;
}

/** `count/pods`, `count/deployments.apps`. */
export function countNameOf(kind: Pick<KindSpec, 'group' | 'plural'>): string {
  return `count/${groupResourceOf(kind)}`;
}

/** Sums, by resource name. */
export function addUsage(all: readonly Quantities[]): Quantities {
  return sum(all);
}

function podUsage(pod: Pod, now: number | undefined): Quantities {
  if (!isCharged(pod, now)) return {};
  const named = Object.entries(podResources(pod, 'requests')).flatMap(([name, quantity]) => {
    const isPlain = plainRequests.has(name) || name.startsWith('hugepages-');
    return [[`requests.${name}`, quantity] as const, ...(isPlain ? [[name, quantity] as const] : [])];
  });
  const limits = Object.entries(podResources(pod, 'limits'))
    .filter(([name]) => plainRequests.has(name))
    .map(([name, quantity]) => [`limits.${name}`, quantity] as const);
  return { pods: one, ...Object.fromEntries([...named, ...limits]) };
}

/** Finished pods are free, and so are those that a lost node cannot finish. */
function isCharged({ metadata, status }: Pod, now: number | undefined): boolean {
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return false;
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata ?? {};
  if (now === undefined || deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return true;
  return now <= Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000;
}

function serviceUsage({ spec }: Service): Quantities {
  const ports = spec?.ports ?? [];
  const given = ports.filter(({ nodePort = 0 }) => nodePort !== 0);
  const nodePorts = (count: number): Quantities => ({ 'services.nodeports': parseQuantity(count) });
  if (spec?.type === 'NodePort') return { services: one, ...nodePorts(ports.length) };
  if (spec?.type !== 'LoadBalancer') return { services: one };
  // Node ports are not allocated yet when the object is admitted: the ports that will get one count.
  const allocated = spec.allocateLoadBalancerNodePorts === false ? given : ports;
  return { services: one, 'services.loadbalancers': one, ...nodePorts(allocated.length) };
}

function claimUsage({ metadata, spec, status }: PersistentVolumeClaim): Quantities {
  const annotated = metadata?.annotations?.['volume.beta.kubernetes.io/storage-class'];
  const storageClass = annotated ?? spec?.storageClassName ?? '';
  const asked = spec?.resources?.requests?.['storage'];
  const allocated = status?.allocatedResources?.['storage'];
  // A claim that grew and is asked to shrink back holds what was allocated.
  const storage = greater(storageOf(asked), storageOf(allocated));
  const own: Quantities = { persistentvolumeclaims: one, ...storage };
  if (storageClass === '') return own;
  const prefix = `${storageClass}.storageclass.storage.k8s.io/`;
  return { ...own, ...Object.fromEntries(Object.entries(own).map(([name, value]) => [`${prefix}${name}`, value])) };
}

function storageOf(text: string | undefined): Quantities {
  return text === undefined ? {} : { 'requests.storage': parseQuantity(text) };
}
