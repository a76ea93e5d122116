// Whether a pod of a DaemonSet belongs on a node: its nodeSelector, required node affinity, nodeName and tolerations. What
// is free on the node does not matter here; the scheduler decides that. Source: core/v1 NodeAffinity.

import { compileNodeSelection, type Node, type PodSpec, type Stored, untoleratedTaint } from '../api/index.ts';

export interface Fit {
  /** A pod may start there. */
  readonly start: boolean;
  /** A pod that is there may stay. */
  readonly stay: boolean;
}

export function fitOn(node: Stored<Node>, spec: PodSpec = { containers: [] }): Fit {
  const { nodeName = '', tolerations = [] } = spec;
  const isMeant = (nodeName === '' || nodeName === node.metadata.name) && compileNodeSelection(spec)?.(node) !== false;
  if (!isMeant) return { start: false, stay: false };
  const taints = node.spec?.taints ?? [];
  const refusing = (...effects: readonly string[]): boolean =>
    untoleratedTaint(taints, tolerations, effects) !== undefined;
  return { start: !refusing('NoSchedule', 'NoExecute'), stay: !refusing('NoExecute') };
}
