// What a pod asks for as a whole: the greatest demand of its life, from its containers and from what it says of itself.
// Regular containers and sidecars (init containers that restart always) run together; other init containers run one after
// another beside the sidecars started before them. Source: k8s.io/component-helpers resource (PodRequests, PodLimits).

import { addQuantities, compareQuantities, parseQuantity, type Quantity } from '../quantity.ts';
import type { Container, Pod, ResourceRequirements } from '../types.ts';

export type Quantities = Readonly<Record<string, Quantity>>;

type Side = 'requests' | 'limits';
type Named = Readonly<Record<string, string>>;

/** Requests or limits of the pod as the scheduler and quotas count them, by resource name. */
export function podResources(pod: Pod, side: Side): Quantities {
  const { containers = [], initContainers = [], overhead, resources } = pod.spec ?? {};
  let running = sum(containers.map((container) => demandOf(pod, container, side)));
  let starting: Quantities = {};
  let sidecars: Quantities = {};
  for (const container of initContainers) {
    const demand = demandOf(pod, container, side);
    if (container.restartPolicy === 'Always') {
      running = sum([running, demand]);
      sidecars = sum([sidecars, demand]);
      starting = greater(starting, sidecars);
    } else {
      starting = greater(starting, sum([sidecars, demand]));
    }
  }
  const own = { ...greater(running, starting), ...quantitiesOf(resources?.[side]) };
  return sum([own, overheadOf(own, quantitiesOf(overhead), side)]);
}

/** Overhead raises a limit only where there is one. */
function overheadOf(own: Quantities, overhead: Quantities, side: Side): Quantities {
  if (side === 'requests') return overhead;
  return Object.fromEntries(Object.entries(overhead).filter(([name]) => Object.hasOwn(own, name)));
}

/** What is asked for, or what the node still holds for it while a resize is under way, whichever is more. */
function demandOf(pod: Pod, { name, resources }: Container, side: Side): Quantities {
  const asked = quantitiesOf(resources?.[side]);
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const status = [...containerStatuses, ...initContainerStatuses].find((one) => one.name === name);
  if (status === undefined) return asked;
  const held = quantitiesOf((status.resources as ResourceRequirements | undefined)?.[side]);
  const allocated = side === 'requests' ? quantitiesOf(status.allocatedResources) : {};
  return greater(greater(asked, held), allocated);
}

function quantitiesOf(named: Named | undefined): Quantities {
  return Object.fromEntries(Object.entries(named ?? {}).map(([name, text]) => [name, parseQuantity(text)]));
}

export function sum(all: readonly Quantities[]): Quantities {
  const total: Record<string, Quantity> = {};
  for (const one of all) {
    for (const [name, quantity] of Object.entries(one)) {
      const held = total[name];
      total[name] = held === undefined ? quantity : addQuantities(held, quantity);
    }
  }
  return total;
}

/** The greater of both, by resource name. */
export function greater(a: Quantities, b: Quantities): Quantities {
  const most: Record<string, Quantity> = { ...a };
  for (const [name, quantity] of Object.entries(b)) {
    const held = most[name];
    if (held === undefined || compareQuantities(quantity, held) > 0) most[name] = quantity;
  }
  return most;
}
