// Exponential back-off with full control over its bounds. One object per thing that is retried.

export interface BackoffOptions {
  /** First delay, ms. */
  readonly initial: number;
  /** Longest delay, ms. */
  readonly max: number;
  /** Default 2. */
  readonly factor?: number;
  /** Share of the delay that is random, 0 to 1, so that many clients do not return at once. Default 0. */
  readonly jitter?: number;
}

export interface Backoff {
  /** The delay before the next attempt, ms; grows with each call. */
  next(): number;
  /** Call after a success. */
  reset(): void;
  readonly attempts: number;
}

export function createBackoff(options: BackoffOptions, random: () => number = Math.random): Backoff {
  const { initial, max, factor = 2, jitter = 0 } = options;
  let attempts = 0;
  return {
    next() {
      const delay = Math.min(max, initial * factor ** attempts);
      attempts += 1;
      return Math.round(delay * (1 - jitter * random()));
    },
    reset() {
      attempts = 0;
    },
    get attempts() {
      return attempts;
    },
  };
}
