// The recent events of one resource, bounded by count and by bytes. It answers two questions without the disk: what
// happened after revision N (a watch that resumes), and what did the objects look like at N (the next page of a list).

import type { CachedObject } from './cached-object.ts';
import type { CacheEvent } from './events.ts';

export interface RingBounds {
  readonly events: number;
  readonly bytes: number;
}

export interface EventRing {
  /** Every event after this revision is here. */
  readonly floor: number;
  push(event: CacheEvent): void;
  /** Events after `revision`; undefined when some of them have been forgotten. */
  after(revision: number): readonly CacheEvent[] | undefined;
  /** For every key changed after `revision`, what it held at it; undefined when that has been forgotten. */
  stateBefore(revision: number): ReadonlyMap<string, CachedObject | undefined> | undefined;
  /** Events at or before `revision` were seen by nobody here (the log was compacted, or this process began later). */
  raiseFloor(revision: number): void;
  /**
   * Forgets what is as old as `revision`, but for the newest hundred: a watch of something that seldom changes goes on from
   * where it was, however long ago that is.
   */
  trim(revision: number): void;
}

/** As the least that upstream's watch cache keeps (k8s.io/apiserver storage/cacher, defaultLowerBoundCapacity). */
const keptAlways = 100;

export function createEventRing(bounds: RingBounds, floorAtStart: number): EventRing {
  let events: (CacheEvent | undefined)[] = [];
  let first = 0; // index of the oldest live event; the array is trimmed when half of it is dead
  let bytes = 0;
  let floor = floorAtStart;

  function dropOldest(): void {
    const oldest = events[first];
    if (oldest === undefined) return;
    floor = Math.max(floor, oldest.revision);
    bytes -= oldest.weight;
    events[first] = undefined;
    first += 1;
    if (first > 64 && first * 2 > events.length) {
      events = events.slice(first);
      first = 0;
    }
  }

  function indexAfter(revision: number): number {
    let low = first;
    let high = events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((events[middle]?.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return {
    get floor() {
      return floor;
    },
    push(event) {
      events.push(event);
      bytes += event.weight;
      while (events.length - first > bounds.events || (bytes > bounds.bytes && events.length - first > 1)) dropOldest();
    },
    after(revision) {
      return revision < floor ? undefined : events.slice(indexAfter(revision)).filter((event) => event !== undefined);
    },
    stateBefore(revision) {
      if (revision < floor) return undefined;
      const state = new Map<string, CachedObject | undefined>();
      for (let at = indexAfter(revision); at < events.length; at += 1) {
        const event = events[at];
        if (event !== undefined && !state.has(event.object.key)) state.set(event.object.key, event.previous);
      }
      return state;
    },
    raiseFloor(revision) {
      floor = Math.max(floor, revision);
    },
    trim(revision) {
      while (events.length - first > keptAlways && (events[first]?.revision ?? Infinity) <= revision) dropOldest();
    },
  };
}
