// Label selectors for controllers. A selector that cannot be read selects nothing: one bad object must not stop the
// controllers of all others.

import {
  compileLabelSelector,
  type LabelMatcher,
  type LabelSelector,
  type Labels,
  SelectorError,
} from '../api/index.ts';

export function selectorOf(selector: LabelSelector | undefined): LabelMatcher {
  try {
    return compileLabelSelector(selector);
  } catch (error) {
    if (error instanceof SelectorError) return compileLabelSelector(undefined);
    throw error;
  }
}

export type { Labels };

/** Whether `labels` has every pair of `wanted`; the selector form of Services and ReplicationControllers. */
export function containsLabels(labels: Labels = {}, wanted: Labels): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}
