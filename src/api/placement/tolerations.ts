// Taints and tolerations. Source: core/v1 Toleration.ToleratesTaint.

import type { Taint, Toleration } from '../types.ts';

/** The first taint with one of these effects that nothing tolerates; undefined when there is none. */
export function untoleratedTaint(
  taints: readonly Taint[],
  tolerations: readonly Toleration[],
  effects: readonly string[],
): Taint | undefined {
  return taints.find((taint) => effects.includes(taint.effect) && !tolerations.some((one) => tolerates(one, taint)));
}

export function tolerates(
  { key = '', operator = 'Equal', value = '', effect = '' }: Toleration,
  taint: Taint,
): boolean {
  if (effect !== '' && effect !== taint.effect) return false;
  if (key === '' ? operator !== 'Exists' : key !== taint.key) return false;
  return operator === 'Exists' || value === (taint.value ?? '');
}
