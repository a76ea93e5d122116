// The queue between informers and a reconciler. Keys, not events: a key that is added ten times before a worker is free
// is worked once, on the newest state. The rules that make a reconciler safe to write without locks:
//   - a key waits at most once, and is never in two workers at a time; added while it is worked, it is worked again after
//   - a failed key comes back after a delay that doubles with each failure in a row; other keys do not wait for it
//   - on stop, workers finish the key in hand; what waits is forgotten (level-driven: the next start sees it again)
// The bound is the number of keys, which is the number of objects: a queue of keys needs no other.

import {
  type Backoff,
  type Clock,
  createBackoff,
  type Logger,
  messageOf,
  silentLogger,
  systemClock,
} from '../base/index.ts';
import type { ObjectKey } from './client.ts';

/** What a worker answers: nothing when done, or when to look at the key again (ms). */
export type WorkResult = undefined | { readonly requeueAfter: number };

export interface WorkQueueOptions {
  /** For log lines. */
  readonly name: string;
  readonly work: (key: ObjectKey, signal: AbortSignal) => Promise<void> | Promise<WorkResult>;
  /** Keys worked at the same time. Default 1. */
  readonly parallel?: number;
  /** ms after the first failure of a key; doubles. Default 5. */
  readonly initialDelay?: number;
  /** ms, longest delay between tries. Default 300,000. */
  readonly maxDelay?: number;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

export interface WorkQueue {
  /** Keys that wait now, without delayed ones and those in work. */
  readonly length: number;
  add(key: ObjectKey): void;
  /** Adds the key after `ms`; of several delays for one key the earliest counts. */
  addAfter(key: ObjectKey, ms: number): void;
  /** Works until `signal` aborts; resolves when the last key in hand is finished. */
  run(signal: AbortSignal): Promise<void>;
}

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const { name, work, parallel = 1, initialDelay = 5, maxDelay = 300_000 } = options;
  const { logger = silentLogger, clock = systemClock } = options;
  const waiting = new Set<ObjectKey>();
  const working = new Set<ObjectKey>();
  const dirty = new Set<ObjectKey>();
  const failures = new Map<ObjectKey, Backoff>();
  const delayed = new Map<ObjectKey, { readonly at: number; readonly stop: AbortController }>();
  let running: AbortSignal | undefined;
  let idle: (() => void) | undefined;

  return {
    get length() {
      return waiting.size;
    },
    add,
    addAfter,
    async run(signal) {
      running = signal;
      const drained = Promise.withResolvers<void>();
      const stop = (): void => {
        for (const { stop: cancel } of delayed.values()) cancel.abort();
        delayed.clear();
        waiting.clear();
        dirty.clear();
        if (working.size === 0) drained.resolve();
        else idle = drained.resolve;
      };
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
      pump();
      await drained.promise;
    },
  };

  function add(key: ObjectKey): void {
    if (running?.aborted === true) return;
    if (working.has(key)) {
      dirty.add(key);
      return;
    }
    waiting.add(key);
    pump();
  }

  function addAfter(key: ObjectKey, ms: number): void {
    if (running?.aborted === true) return;
    if (ms <= 0) {
      add(key);
      return;
    }
    const at = clock.now() + ms;
    const earlier = delayed.get(key);
    if (earlier !== undefined && earlier.at <= at) return;
    earlier?.stop.abort();
    const stop = new AbortController();
    delayed.set(key, { at, stop });
    clock.sleep(ms, stop.signal).then(
      () => {
        delayed.delete(key);
        add(key);
      },
      () => undefined,
    );
  }

  function pump(): void {
    if (running === undefined || running.aborted) return;
    for (const key of waiting) {
      if (working.size >= parallel) return;
      waiting.delete(key);
      working.add(key);
      void workOne(key, running);
    }
  }

  async function workOne(key: ObjectKey, signal: AbortSignal): Promise<void> {
    try {
      const result = await work(key, signal);
      failures.delete(key);
      if (result !== undefined) addAfterWork(key, result.requeueAfter);
    } catch (error) {
      if (!signal.aborted) addAfterWork(key, delayAfterFailure(key, error));
    }
    working.delete(key);
    if (dirty.delete(key)) waiting.add(key);
    if (signal.aborted && working.size === 0) idle?.();
    pump();
  }

  /** As addAfter, for a key that is still marked as in work. */
  function addAfterWork(key: ObjectKey, ms: number): void {
    if (ms <= 0) dirty.add(key);
    else addAfter(key, ms);
  }

  function delayAfterFailure(key: ObjectKey, error: unknown): number {
    const backoff = failures.get(key) ?? createBackoff({ initial: initialDelay, max: maxDelay });
    failures.set(key, backoff);
    const wait = backoff.next();
    logger.warn(`${name}: work failed, trying again`, {
      key,
      error: messageOf(error),
      attempt: backoff.attempts,
      wait,
    });
    return wait;
  }
}
