// Objects that somebody else converts from one version to another (conversion webhooks of CustomResourceDefinitions), inside
// of code that can't wait. Whoever needs a conversion that is not known yet throws ConversionPending; whoever can wait
// catches it, waits, and does the same once more, when the answer is remembered. So only kinds with a webhook pay, and the
// path of all others stays synchronous. Refused: making every conversion asynchronous, which each read and write would pay.

import { ApiError } from '../contracts.ts';

/** A conversion is under way. A client that sees it was not waited for, and may try again. */
export class ConversionPending extends ApiError {
  /** Rejects with the ApiError that says why it failed. */
  readonly settled: Promise<unknown>;

  constructor(settled: Promise<unknown>) {
    super('ServiceUnavailable', 'the object is being converted to another version', { retryAfterSeconds: 1 });
    this.name = 'ConversionPending';
    this.settled = settled;
  }
}

/** An object may be wanted in several versions, each of which shows when the one before it is there. */
const roundsMax = 100;

/** `work` must not have done anything by the time it asks for a conversion. */
export async function whenConverted<T>(work: () => T | Promise<T>): Promise<T> {
  for (let round = 1; ; round += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ConversionPending) || round === roundsMax) throw error;
      await error.settled;
    }
  }
}

/** The same for many, which are asked for together. */
export function eachConverted<T, U>(items: readonly T[], convert: (item: T) => U): Promise<readonly U[]> {
  return whenConverted(() => {
    const pending: Promise<unknown>[] = [];
    const converted = items.flatMap((item) => {
      try {
        return [convert(item)];
      } catch (error) {
        if (!(error instanceof ConversionPending)) throw error;
        pending.push(error.settled);
        return [];
      }
    });
    if (pending.length > 0) throw new ConversionPending(Promise.all(pending));
    return converted;
  });
}
