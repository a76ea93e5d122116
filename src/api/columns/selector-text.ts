// A LabelSelector as `kubectl get -o wide` shows it: `app=web,tier in (a,b)`; `<none>` for an empty one.

import { formatLabelSelector, type LabelRequirement } from '../selectors/labels.ts';
import type { LabelSelector } from '../types.ts';
import { orNone } from './column.ts';

const operators: Readonly<Record<string, LabelRequirement['operator']>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

export function selectorText(selector: LabelSelector | undefined): string {
  if (selector === undefined) return '<none>';
  const exact = Object.entries(selector.matchLabels ?? {}).map(
    ([key, value]): LabelRequirement => ({ key, operator: 'in', values: [value], isEquality: true }),
  );
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }): LabelRequirement => ({ key, operator: operators[operator] ?? 'exists', values }),
  );
  return orNone(formatLabelSelector([...exact, ...expressions]));
}
