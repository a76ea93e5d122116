// A pod that says nothing about it stays five minutes on a node that is not ready or cannot be reached.
// Source: Kubernetes documentation, "Taints and Tolerations", taint based evictions.

import type { Pod, Toleration } from '../../api/index.ts';
import type { AdmissionPlugin } from '../contracts.ts';
import { isPod } from './refuse.ts';

const keys = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  mutate(request) {
    const pod = request.object as Pod;
    if (!isPod(request) || pod.spec === undefined) return pod;
    const have = pod.spec.tolerations ?? [];
    const missing = keys.filter((key) => !have.some((toleration) => covers(toleration, key)));
    if (missing.length === 0) return pod;
    const added = missing.map((key) => ({ effect: 'NoExecute', key, operator: 'Exists', tolerationSeconds: 300 }));
    return { ...pod, spec: { ...pod.spec, tolerations: [...have, ...added] } };
  },
};

function covers({ key = '', effect = '' }: Toleration, wanted: string): boolean {
  return (key === wanted || key === '') && (effect === 'NoExecute' || effect === '');
}
