// IntOrString: a number of pods, or a percentage of all of them. Source: k8s.io/apimachinery pkg/util/intstr.

import type { IntOrString } from './types.ts';

/** `value` scaled to `total`: 25 % of 10 is 3 rounded up and 2 rounded down. Throws for text that is no percentage. */
export function scaleIntOrString(value: IntOrString, total: number, rounding: 'up' | 'down'): number {
  if (typeof value === 'number') return value;
  const percent = percentOf(value);
  if (percent === undefined)
    throw new RangeError(`invalid value for IntOrString: ${JSON.stringify(value)} is not a percentage`);
  const exact = (percent * total) / 100;
  return rounding === 'up' ? Math.ceil(exact) : Math.floor(exact);
}

/** 25 for `25%`; undefined for anything else. */
export function percentOf(value: IntOrString): number | undefined {
  const match = typeof value === 'string' ? /^(\d+)%$/.exec(value) : null;
  return match === null ? undefined : Number(match[1]);
}
