// How long certificates live, when they are renewed, and when it is time to warn. Waiting is done in pieces: a timer counts
// the time that the processor was awake, so after a suspend, or when the clock was set, it would wake hours late.

import type { Clock } from '../base/index.ts';
import type { Certificate } from './read.ts';

export const leafLifetime = 365 * 86_400_000;
/** Machines whose clock is a little behind accept a new certificate at once. */
const backdate = 5 * 60_000;

/** What a certificate made at `now` says. @param lifetime ms */
export function validity(now: Date, lifetime: number): Dates {
  const before = Math.min(backdate, lifetime / 10);
  return { notBefore: new Date(now.getTime() - before), notAfter: new Date(now.getTime() + lifetime) };
}

/** The `lifetime` that validity was given, in ms. */
export function lifetimeOf({ notBefore, notAfter }: Dates): number {
  const whole = notAfter.getTime() - notBefore.getTime();
  return whole - Math.min(backdate, whole / 11);
}

type Dates = Pick<Certificate, 'notBefore' | 'notAfter'>;

/** ms since the epoch: two thirds of its life are over then. */
export function renewalTime({ notBefore, notAfter }: Dates): number {
  return notBefore.getTime() + ((notAfter.getTime() - notBefore.getTime()) * 2) / 3;
}

/** ms since the epoch: the last tenth of its life begins. Who renews has failed for months by then. */
export function warningTime({ notBefore, notAfter }: Dates): number {
  return notAfter.getTime() - (notAfter.getTime() - notBefore.getTime()) / 10;
}

const longestNap = 3_600_000;

/** Resolves when `clock` shows `time`, whatever happens to the clock meanwhile; rejects when `signal` aborts. */
export async function waitUntil(clock: Clock, time: number, signal: AbortSignal): Promise<void> {
  for (let left = time - clock.now(); left > 0; left = time - clock.now()) {
    await clock.sleep(Math.min(left, longestNap), signal);
  }
  signal.throwIfAborted();
}
