// Other resources for containers that run. What the pod's spec asks for is only a wish: the agent agrees to it when the node
// has room, and that is what is `allocated` to a container from then on, by name; what the runtime has been told to give a
// container is `applied`, by container id. Both are found again in the pod's status after a restart of the agent, so
// nothing is written to disk. Pure; resize-act.ts carries it out. Source: KEP-1287, pkg/kubelet/allocation.

import type { Container, Pod } from '../../api/index.ts';
import type { Verdict } from './fit.ts';
import { isSidecar } from './identity.ts';
import { isRunning, newestOf, type RuntimePod } from './observe.ts';
import { amountsOf, podRequests } from './resources.ts';

export type Requirements = NonNullable<Container['resources']>;

export interface ResizeState {
  readonly allocated: Map<string, Requirements>;
  readonly applied: Map<string, Requirements>;
  /** Why the wish is not agreed to: Deferred (the node lacks room now) or Infeasible (it never has it). */
  pending: Verdict | undefined;
  /** Why what was agreed to is not applied yet. */
  failure: string | undefined;
  /** When that is tried again; ms since the epoch. */
  retryAt: number;
  /** It is being applied. */
  working: boolean;
  /** The pod's own cgroup may be of another size. */
  cgroupStale: boolean;
}

const counted = ['cpu', 'memory'] as const;
const sides = ['requests', 'limits'] as const;

export function createResizeState({ spec, status }: Pod): ResizeState {
  const statuses = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  const allocated = new Map<string, Requirements>();
  const applied = new Map<string, Requirements>();
  for (const { name, resources = {} } of [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]) {
    const told = statuses.find((one) => one.name === name);
    const had = (told?.resources as Requirements | undefined) ?? resources;
    allocated.set(name, had);
    const id = told?.containerID?.split('://')[1];
    if (id !== undefined) applied.set(id, had);
  }
  return { allocated, applied, pending: undefined, failure: undefined, retryAt: 0, working: false, cgroupStale: false };
}

/** The pod with other resources for its containers; those that `of` does not know keep theirs. */
function withResources(pod: Pod, of: (container: Container) => Requirements | undefined): Pod {
  if (pod.spec === undefined) return pod;
  const given = (container: Container): Container => {
    const resources = of(container) ?? container.resources;
    return resources === undefined ? container : { ...container, resources };
  };
  const { initContainers, containers } = pod.spec;
  const inits = initContainers === undefined ? {} : { initContainers: initContainers.map(given) };
  return { ...pod, spec: { ...pod.spec, ...inits, containers: containers.map(given) } };
}

/** The pod as the agent has agreed to run it. */
export function allocatedPod({ pod, resize }: { readonly pod: Pod; readonly resize: ResizeState }): Pod {
  return withResources(pod, ({ name }) => resize.allocated.get(name));
}

/** The allocated pod, and where a running container has more than that, with as much. */
export function largestPod(record: {
  readonly pod: Pod;
  readonly resize: ResizeState;
  readonly runtime: RuntimePod;
}): Pod {
  return withResources(allocatedPod(record), ({ name, resources = {} }) => {
    const newest = newestOf(record.runtime, name);
    const has = newest !== undefined && isRunning(newest) ? record.resize.applied.get(newest.id) : undefined;
    return has === undefined ? resources : larger(resources, has);
  });
}

/** No limit is more than any. */
function larger(a: Requirements, b: Requirements): Requirements {
  const most = (side: (typeof sides)[number]): Record<string, string> => {
    const [mine, theirs] = [a[side] ?? {}, b[side] ?? {}];
    const [left, right] = [amountsOf(mine), amountsOf(theirs)];
    return Object.fromEntries(
      counted.flatMap((name) => {
        const [one, other] = [mine[name], theirs[name]];
        if (one === undefined || other === undefined) {
          const known = side === 'limits' ? undefined : (one ?? other);
          return known === undefined ? [] : [[name, known]];
        }
        return [[name, (left[name] ?? 0) >= (right[name] ?? 0) ? one : other]];
      }),
    );
  };
  return { requests: most('requests'), limits: most('limits') };
}

/** Of cpu and memory, those of which one asks for something else than the other. */
export function resourcesChanged(a: Requirements = {}, b: Requirements = {}): readonly ('cpu' | 'memory')[] {
  return counted.filter((name) => sides.some((side) => amountsOf(a[side])[name] !== amountsOf(b[side])[name]));
}

/** How a running container gets its new resources: as it runs, or in its next life. */
export function mustRestart({ resources, resizePolicy = [] }: Container, applied: Requirements): boolean {
  const changed = resourcesChanged(resources, applied);
  return resizePolicy.some(
    ({ resourceName, restartPolicy }) =>
      restartPolicy === 'RestartContainer' && changed.some((name) => name === resourceName),
  );
}

/** The names of the containers for which the spec asks for something else than is allocated. */
export function wishes(pod: Pod, allocated: ReadonlyMap<string, Requirements>): readonly string[] {
  const { initContainers = [], containers = [] } = pod.spec ?? {};
  return [...initContainers.filter(isSidecar), ...containers]
    .filter(({ name, resources }) => resourcesChanged(resources, allocated.get(name) ?? resources).length > 0)
    .map(({ name }) => name);
}

/**
 * Why the pod may not have what its spec asks for; undefined when it may. Only what grows needs room.
 * @param given the pod as it is allocated now
 * @param others the other pods of this node, as they are allocated
 */
export function whyNoRoom(
  pod: Pod,
  given: Pod,
  { allocatable, others }: { readonly allocatable: Readonly<Record<string, string>>; readonly others: readonly Pod[] },
): Verdict | undefined {
  const [wanted, has, capacity] = [podRequests(pod), podRequests(given), amountsOf(allocatable)];
  const growing = counted.filter((name) => wanted[name] > has[name]);
  for (const name of growing) {
    const limit = capacity[name] ?? 0;
    if (wanted[name] <= limit) continue;
    const message = `Node didn't have enough capacity: ${name}, requested: ${wanted[name]}, capacity: ${limit}`;
    return { reason: 'Infeasible', message };
  }
  const used = others.map(podRequests);
  for (const name of growing) {
    const limit = capacity[name] ?? 0;
    const inUse = used.reduce((sum, one) => sum + one[name], 0);
    if (inUse + wanted[name] <= limit) continue;
    const message = `Node didn't have enough resource: ${name}, requested: ${wanted[name]}, used: ${inUse}, capacity: ${limit}`;
    return { reason: 'Deferred', message };
  }
  return undefined;
}
