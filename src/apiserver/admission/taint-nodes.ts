// A new node gets no pods until it is ready: the node lifecycle controller takes the taint away when it is.

import type { Node } from '../../api/index.ts';
import type { AdmissionPlugin } from '../contracts.ts';

const notReady = { effect: 'NoSchedule', key: 'node.kubernetes.io/not-ready' } as const;

export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  mutate({ kind, operation, subresource, object }) {
    const node = object as Node;
    if (operation !== 'CREATE' || kind.group !== '' || kind.plural !== 'nodes' || subresource !== '') return node;
    const taints = node.spec?.taints ?? [];
    if (taints.some(({ key, effect }) => key === notReady.key && effect === notReady.effect)) return node;
    return { ...node, spec: { ...node.spec, taints: [...taints, notReady] } };
  },
};
