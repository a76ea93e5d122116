// A first-in first-out queue with a bound. The rule when full is the caller's: push says no, and nothing is dropped unseen.

export interface BoundedQueue<T> {
  readonly length: number;
  /** False when the queue is full or closed; the item was not taken. */
  push(item: T): boolean;
  /** Takes everything that is queued, without waiting. */
  drain(): T[];
  /** The next item; undefined once the queue is closed and empty. */
  shift(signal?: AbortSignal): Promise<T | undefined>;
  close(): void;
}

export function createBoundedQueue<T>(bound: number): BoundedQueue<T> {
  let items: T[] = [];
  let closed = false;
  const waiting: Array<(item: T | undefined) => void> = [];
  return {
    get length() {
      return items.length;
    },
    push(item) {
      if (closed) return false;
      const taker = waiting.shift();
      if (taker !== undefined) {
        taker(item);
        return true;
      }
      if (items.length >= bound) return false;
      items.push(item);
      return true;
    },
    drain() {
      const all = items;
      items = [];
      return all;
    },
    shift(signal) {
      if (items.length > 0) return Promise.resolve(items.shift());
      if (closed) return Promise.resolve(undefined);
      return new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(signal.reason);
        const take = (item: T | undefined): void => {
          signal?.removeEventListener('abort', onAbort);
          resolve(item);
        };
        const onAbort = (): void => {
          waiting.splice(waiting.indexOf(take), 1);
          reject(signal?.reason);
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        waiting.push(take);
      });
    },
    close() {
      closed = true;
      for (const take of waiting.splice(0)) take(undefined);
    },
  };
}
