// How many requests may be worked on at once, reads and writes apart, so that a flood of one does not starve the other.
// Watches and streams count only while they begin. Source: kube-apiserver --max-requests-inflight and
// --max-mutating-requests-inflight; the numbers are its defaults.

import { ApiError } from '../contracts.ts';

export interface InFlight {
  readonly reading: number;
  readonly mutating: number;
  /** Throws ApiError 429 when full; the answer must be called once, when the request is done. */
  enter(mutates: boolean): () => void;
}

export interface InFlightLimits {
  readonly reading: number;
  readonly mutating: number;
}

const defaultLimits: InFlightLimits = { reading: 400, mutating: 200 };

export function createInFlight(limits: InFlightLimits = defaultLimits): InFlight {
  let reading = 0;
  let mutating = 0;
  return {
    get reading() {
      return reading;
    },
    get mutating() {
      return mutating;
    },
    enter(mutates) {
      if (mutates ? mutating >= limits.mutating : reading >= limits.reading) {
        throw new ApiError('TooManyRequests', 'Too many requests, please try again later.', { retryAfterSeconds: 1 });
      }
      if (mutates) mutating += 1;
      else reading += 1;
      let left = false;
      return () => {
        if (left) return;
        left = true;
        if (mutates) mutating -= 1;
        else reading -= 1;
      };
    },
  };
}
