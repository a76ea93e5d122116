// Filters about the node itself: its name, labels, taints.

import { tolerates, untoleratedTaint } from '../../api/index.ts';
import type { Filter } from './filter.ts';

const unschedulableTaint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const;
const hardEffects = ['NoSchedule', 'NoExecute'] as const;

export const nodeUnschedulable = {
  name: 'NodeUnschedulable',
  helpedBy: ['node-taints'],
  prepare: ({ tolerations }) => {
    const reason = ['node(s) were unschedulable'];
    if (tolerations.some((one) => tolerates(one, unschedulableTaint))) return undefined;
    return ({ unschedulable }) => (unschedulable ? reason : undefined);
  },
} as const satisfies Filter;

export const nodeAffinity = {
  name: 'NodeAffinity',
  helpedBy: ['node-labels'],
  prepare: ({ nodeSelection }) => {
    const reason = ["node(s) didn't match Pod's node affinity/selector"];
    return nodeSelection && (({ node }) => (nodeSelection(node) ? undefined : reason));
  },
} as const satisfies Filter;

export const taintToleration = {
  name: 'TaintToleration',
  helpedBy: ['node-taints'],
  prepare:
    ({ tolerations }) =>
    (node) => {
      if (node.taints.length === 0) return undefined;
      const taint = untoleratedTaint(node.taints, tolerations, hardEffects);
      return taint && [`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`];
    },
} as const satisfies Filter;
