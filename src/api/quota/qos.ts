// The quality-of-service class of a pod, from what its containers ask for. Written into status when a pod is created, and
// kept: the agent puts the pod's processes below the cgroup of that class, where they stay. Source: pkg/apis/core/v1/helper/qos.

import { compareQuantities, parseQuantity, type Quantity } from '../quantity.ts';
import type { Pod } from '../types.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

const counted = ['cpu', 'memory'] as const;

/** Guaranteed: every container has equal requests and limits of cpu and memory; BestEffort: none has any of them. */
export function qosClassOf({ spec }: Pod): QosClass {
  const amounts = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].flatMap(({ resources }) =>
    counted.map((name) => {
      const limit = amountOf(resources?.limits?.[name]);
      return { limit, request: amountOf(resources?.requests?.[name]) ?? limit };
    }),
  );
  if (amounts.every(({ request, limit }) => request === undefined && limit === undefined)) return 'BestEffort';
  const isGuaranteed = amounts.every(
    ({ request, limit }) => limit !== undefined && request !== undefined && compareQuantities(request, limit) === 0,
  );
  return isGuaranteed ? 'Guaranteed' : 'Burstable';
}

/** undefined for none and for 0. */
function amountOf(text: string | undefined): Quantity | undefined {
  const quantity = text === undefined ? undefined : parseQuantity(text);
  return quantity === undefined || BigInt(quantity.mantissa) === 0n ? undefined : quantity;
}
