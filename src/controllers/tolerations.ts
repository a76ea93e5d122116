// Which taints a pod puts up with.

import type { Taint, Toleration } from '../api/index.ts';

/** Source: core/v1 Toleration. An empty key with Exists matches every taint, an empty effect every effect. */
export function tolerates(
  { key = '', operator = 'Equal', value = '', effect = '' }: Toleration,
  taint: Taint,
): boolean {
  if (effect !== '' && effect !== taint.effect) return false;
  if (key !== '' && key !== taint.key) return false;
  if (operator === 'Exists') return true;
  return operator === 'Equal' && key !== '' && value === (taint.value ?? '');
}
