// Whether a pod of a DaemonSet belongs on a node: its nodeSelector, required node affinity, nodeName and tolerations. What
// is free on the node does not matter here; the scheduler decides that. Source: core/v1 NodeAffinity.

import type { Node, PodSpec, Stored, Taint } from '../api/index.ts';
import { containsLabels } from './labels.ts';
import { tolerates } from './tolerations.ts';

type Term = NonNullable<
  NonNullable<
    NonNullable<NonNullable<PodSpec['affinity']>['nodeAffinity']>['requiredDuringSchedulingIgnoredDuringExecution']
  >['nodeSelectorTerms']
>[number];
type Requirement = NonNullable<Term['matchExpressions']>[number];

export interface Fit {
  /** A pod may start there. */
  readonly start: boolean;
  /** A pod that is there may stay. */
  readonly stay: boolean;
}

export function fitOn(node: Stored<Node>, spec: PodSpec | undefined): Fit {
  const { nodeName = '', nodeSelector = {}, affinity, tolerations = [] } = spec ?? {};
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  const isMeant =
    (nodeName === '' || nodeName === node.metadata.name) &&
    containsLabels(node.metadata.labels, nodeSelector) &&
    (terms === undefined || terms.some((term) => termMatches(term, node)));
  if (!isMeant) return { start: false, stay: false };
  const refused = (node.spec?.taints ?? []).filter((taint) => !tolerations.some((one) => tolerates(one, taint)));
  const has = (effect: Taint['effect']): boolean => refused.some((taint) => taint.effect === effect);
  return { start: !has('NoSchedule') && !has('NoExecute'), stay: !has('NoExecute') };
}

/** A term without requirements matches nothing. */
function termMatches({ matchExpressions = [], matchFields = [] }: Term, node: Stored<Node>): boolean {
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  return (
    matchExpressions.every((one) => holds(one, node.metadata.labels?.[one.key])) &&
    matchFields.every((one) => holds(one, one.key === 'metadata.name' ? node.metadata.name : undefined))
  );
}

function holds({ operator, values = [] }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return compares(value, values, (a, b) => a > b);
    case 'Lt':
      return compares(value, values, (a, b) => a < b);
    default:
      return false;
  }
}

function compares(
  value: string | undefined,
  values: readonly string[],
  compare: (a: number, b: number) => boolean,
): boolean {
  const integer = /^-?\d+$/;
  const [bound = ''] = values;
  return value !== undefined && integer.test(value) && integer.test(bound) && compare(Number(value), Number(bound));
}
