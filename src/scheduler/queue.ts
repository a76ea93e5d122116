// Pods that wait for a node. Each is in one of three places:
//
//   active ──pop──► (being placed) ──no node──► unschedulable ──an event that could help──► backoff or active
//     ▲                                  └─────binding failed──► backoff
//     └──────────── its time has come ◄──────── backoff (1 s, doubling to 10 s)
//
// A pod that no node can take is not tried again until something happens that its refusal depends on; after five
// minutes it is tried anyway, in case an event was not recognised. Higher priority first, then who has waited longest.

import type { ClusterEvent, Filter } from './filters/filter.ts';
import type { PodNeeds } from './pod-needs.ts';

export interface QueuedPod {
  readonly needs: PodNeeds;
  readonly attempts: number;
}

interface SchedulingQueue {
  /** Pods that could be tried now. */
  readonly active: number;
  has(key: string): boolean;
  /** A new pod, or one whose demands changed: it is tried now. */
  add(needs: PodNeeds): void;
  /** The pod object changed without changing what it needs. */
  refresh(needs: PodNeeds): void;
  remove(key: string): void;
  pop(): QueuedPod | undefined;
  /** No node could take it. */
  putUnschedulable(pod: QueuedPod, refusedBy: ReadonlySet<Filter>): void;
  /** It had a node, and the binding failed. */
  putBackoff(pod: QueuedPod): void;
  /** Wakes the pods that the event could help. */
  onEvent(event: ClusterEvent): void;
  /** Moves what is due to active; answers when the next one is (ms since the epoch), undefined for never. */
  tick(): number | undefined;
}

const initialBackoff = 1_000;
const maxBackoff = 10_000;
const longestWait = 300_000;

interface Waiting extends QueuedPod {
  /** When it may be tried again. */
  readonly readyAt: number;
  /** When it is tried whatever happens. */
  readonly latestAt: number;
  readonly refusedBy: ReadonlySet<Filter>;
}

export function createSchedulingQueue(now: () => number): SchedulingQueue {
  /** Highest priority first; a Map is a queue whose members can leave from the middle. */
  let levels: { readonly priority: number; readonly pods: Map<string, QueuedPod> }[] = [];
  const backoff = new Map<string, Waiting>();
  const unschedulable = new Map<string, Waiting>();

  return {
    get active() {
      return levels.reduce((sum, { pods }) => sum + pods.size, 0);
    },
    has: (key) => backoff.has(key) || unschedulable.has(key) || levels.some(({ pods }) => pods.has(key)),
    add(needs) {
      remove(needs.key);
      activate({ needs, attempts: 0 });
    },
    refresh(needs) {
      for (const place of [backoff, unschedulable]) {
        const held = place.get(needs.key);
        if (held !== undefined) place.set(needs.key, { ...held, needs });
      }
      for (const { pods } of levels) {
        const held = pods.get(needs.key);
        if (held !== undefined) pods.set(needs.key, { ...held, needs });
      }
    },
    remove,
    pop() {
      for (const { pods } of levels) {
        const [first] = pods;
        if (first === undefined) continue;
        pods.delete(first[0]);
        return first[1];
      }
      return undefined;
    },
    putUnschedulable: (pod, refusedBy) => unschedulable.set(pod.needs.key, waitingOf(pod, refusedBy)),
    putBackoff: (pod) => backoff.set(pod.needs.key, waitingOf(pod, new Set())),
    onEvent(event) {
      for (const [key, waiting] of unschedulable) {
        if (!couldHelp(event, waiting.refusedBy)) continue;
        unschedulable.delete(key);
        if (waiting.readyAt <= now()) activate(waiting);
        else backoff.set(key, waiting);
      }
    },
    tick() {
      const at = now();
      wakeDue(backoff, ({ readyAt }) => readyAt <= at);
      wakeDue(unschedulable, ({ latestAt }) => latestAt <= at);
      let next = Number.POSITIVE_INFINITY;
      for (const { readyAt } of backoff.values()) next = Math.min(next, readyAt);
      for (const { latestAt } of unschedulable.values()) next = Math.min(next, latestAt);
      return next === Number.POSITIVE_INFINITY ? undefined : next;
    },
  };

  function remove(key: string): void {
    backoff.delete(key);
    unschedulable.delete(key);
    for (const { pods } of levels) pods.delete(key);
  }

  function activate({ needs, attempts }: QueuedPod): void {
    const level = levels.find(({ priority }) => priority === needs.priority) ?? {
      priority: needs.priority,
      pods: new Map(),
    };
    if (!levels.includes(level)) levels = [...levels, level].sort((a, b) => b.priority - a.priority);
    level.pods.set(needs.key, { needs, attempts });
  }

  function wakeDue(place: Map<string, Waiting>, isDue: (waiting: Waiting) => boolean): void {
    for (const [key, waiting] of place) {
      if (!isDue(waiting)) continue;
      place.delete(key);
      activate(waiting);
    }
  }

  function waitingOf({ needs, attempts }: QueuedPod, refusedBy: ReadonlySet<Filter>): Waiting {
    const delay = Math.min(maxBackoff, initialBackoff * 2 ** attempts);
    return { needs, attempts: attempts + 1, readyAt: now() + delay, latestAt: now() + longestWait, refusedBy };
  }
}

/** No filter refused it: there was no node at all. */
function couldHelp(event: ClusterEvent, refusedBy: ReadonlySet<Filter>): boolean {
  if (event === 'node-added') return true;
  for (const { helpedBy } of refusedBy) {
    if (helpedBy.includes(event)) return true;
  }
  return false;
}
