// What pods ask for and nodes have, as plain numbers (millicores, bytes, counts), so that comparing is arithmetic.
// Rules: https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers and
// KEP-753 (sidecars): init containers run one after the other beside the sidecars started before them; the pod needs
// the larger of that peak and of what runs in the end, plus its overhead.

import {
  type Container,
  type PodSpec,
  type PodStatus,
  parseQuantity,
  quantityMilliValue,
  quantityValue,
} from '../api/index.ts';

export interface Resources {
  readonly milliCpu: number;
  readonly memory: number;
  readonly ephemeralStorage: number;
  /** Everything else by name: devices, huge pages. */
  readonly extended: ReadonlyMap<string, number>;
}

type ResourceList = Readonly<Record<string, string>>;

const noExtended: ReadonlyMap<string, number> = new Map();
const noResources: Resources = { milliCpu: 0, memory: 0, ephemeralStorage: 0, extended: noExtended };

/** Reads a resource list; `pods` is counted elsewhere. */
export function resourcesOf(list: ResourceList | undefined): Resources {
  if (list === undefined) return noResources;
  let milliCpu = 0;
  let memory = 0;
  let ephemeralStorage = 0;
  let extended: Map<string, number> | undefined;
  for (const [name, text] of Object.entries(list)) {
    const quantity = parseQuantity(text);
    if (name === 'cpu') milliCpu = quantityMilliValue(quantity);
    else if (name === 'memory') memory = quantityValue(quantity);
    else if (name === 'ephemeral-storage') ephemeralStorage = quantityValue(quantity);
    else if (name !== 'pods') {
      extended ??= new Map();
      extended.set(name, quantityValue(quantity));
    }
  }
  return { milliCpu, memory, ephemeralStorage, extended: extended ?? noExtended };
}

/**
 * What a pod reserves on its node: of each container what it asks for or, while a resize is under way, what the node
 * still holds for it, if that is more (KEP-1287).
 */
export function podRequests(spec: PodSpec, status?: PodStatus): Resources {
  const statuses = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  return totalOf(spec, ({ name, resources }) => {
    const asked = resourcesOf(resources?.requests);
    const held = statuses.find((one) => one.name === name);
    if (held?.allocatedResources === undefined && held?.resources === undefined) return asked;
    return [held.allocatedResources, held.resources?.requests].map(resourcesOf).reduce(largest, asked);
  });
}

/** A container that asks for nothing still counts as this much when nodes are compared, so that they do not all pile up. */
const assumedMilliCpu = 100;
const assumedMemory = 200 * 1024 * 1024;

/** As podRequests, with assumed requests where none are given; for scoring only. */
export function podWeight(spec: PodSpec): { readonly milliCpu: number; readonly memory: number } {
  return totalOf(spec, ({ resources }) => {
    const requests = resources?.requests;
    const asked = resourcesOf(requests);
    return {
      ...asked,
      milliCpu: requests?.['cpu'] === undefined ? assumedMilliCpu : asked.milliCpu,
      memory: requests?.['memory'] === undefined ? assumedMemory : asked.memory,
    };
  });
}

function totalOf(spec: PodSpec, of: (container: Container) => Resources): Resources {
  let running = sumOf(spec.containers.map(of));
  let sidecars = noResources;
  let peak = noResources;
  for (const container of spec.initContainers ?? []) {
    const asked = of(container);
    if (container.restartPolicy === 'Always') {
      sidecars = add(sidecars, asked);
      running = add(running, asked);
      peak = largest(peak, sidecars);
    } else {
      peak = largest(peak, add(sidecars, asked));
    }
  }
  const total = withPodLevel(largest(running, peak), spec);
  return spec.overhead === undefined ? total : add(total, resourcesOf(spec.overhead));
}

/** Requests of the pod as a whole replace the sum of its containers' (KEP-2837), resource by resource. */
function withPodLevel(total: Resources, { resources }: PodSpec): Resources {
  const requests = resources?.requests;
  if (requests === undefined) return total;
  const asked = resourcesOf(requests);
  return {
    ...total,
    milliCpu: requests['cpu'] === undefined ? total.milliCpu : asked.milliCpu,
    memory: requests['memory'] === undefined ? total.memory : asked.memory,
  };
}

function sumOf(all: readonly Resources[]): Resources {
  return all.length === 1 ? (all[0] ?? noResources) : all.reduce(add, noResources);
}

function add(a: Resources, b: Resources): Resources {
  return merged(a, b, (x, y) => x + y);
}

function largest(a: Resources, b: Resources): Resources {
  return merged(a, b, Math.max);
}

function merged(a: Resources, b: Resources, join: (x: number, y: number) => number): Resources {
  return {
    milliCpu: join(a.milliCpu, b.milliCpu),
    memory: join(a.memory, b.memory),
    ephemeralStorage: join(a.ephemeralStorage, b.ephemeralStorage),
    extended: mergedExtended(a.extended, b.extended, join),
  };
}

function mergedExtended(
  a: ReadonlyMap<string, number>,
  b: ReadonlyMap<string, number>,
  join: (x: number, y: number) => number,
): ReadonlyMap<string, number> {
  if (a.size === 0 && b.size === 0) return noExtended;
  const names = new Set([...a.keys(), ...b.keys()]);
  return new Map([...names].map((name) => [name, join(a.get(name) ?? 0, b.get(name) ?? 0)]));
}
