// Runs one reconcile function whenever it has been poked, never twice at once, never more often than the interval, again
// with back-off after a failure. Everything in this folder that changes the host hangs on one of these, so a burst of a
// thousand informer events ends in a few transactions, and nothing polls.

import { type Backoff, type Clock, createBackoff, type Logger, messageOf } from '../base/index.ts';

export interface ReconcilerOptions {
  readonly name: string;
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** ms waited after a poke for others to join it. */
  readonly gather: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

export interface Reconciler {
  /** Something changed: run soon. Pokes during a run lead to exactly one more. */
  poke(): void;
  /** Why the last run failed; undefined when it succeeded or none has ended yet. */
  readonly lastError: string | undefined;
  /** How many runs succeeded. */
  readonly runs: number;
  /** Resolves when the loop has ended, after the signal aborted. */
  readonly ended: Promise<void>;
}

export function startReconciler(options: ReconcilerOptions): Reconciler {
  const { name, run, gather, clock, logger, signal } = options;
  let poked = Promise.withResolvers<void>();
  let lastError: string | undefined;
  let runs = 0;
  signal.addEventListener('abort', () => poked.resolve(), { once: true });
  const backoff = createBackoff({ initial: 50, max: 30_000, jitter: 0.2 });
  const ended = loop(backoff);
  return {
    poke: () => poked.resolve(),
    get lastError() {
      return lastError;
    },
    get runs() {
      return runs;
    },
    ended,
  };

  async function loop(delays: Backoff): Promise<void> {
    while (!signal.aborted) {
      await poked.promise;
      if (!(await slept(gather))) return;
      poked = Promise.withResolvers<void>();
      try {
        await run(signal);
        lastError = undefined;
        runs += 1;
        delays.reset();
      } catch (error) {
        if (signal.aborted) return;
        lastError = messageOf(error);
        const wait = delays.next();
        logger.warn(`${name} failed, trying again`, { error, wait });
        poked.resolve();
        if (!(await slept(wait))) return;
      }
    }
  }

  /** False when the signal aborted meanwhile. */
  async function slept(ms: number): Promise<boolean> {
    try {
      await clock.sleep(ms, signal);
    } catch {
      return false;
    }
    return !signal.aborted;
  }
}
