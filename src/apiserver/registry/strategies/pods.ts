// Pods: a phase and a quality-of-service class from the start, and graceful deletion: a pod that runs on a node is marked,
// its agent stops it and deletes it for good with grace 0. Source: pkg/registry/core/pod/strategy.go.

import { type Pod, qosClassOf } from '../../../api/index.ts';
import type { Strategy } from '../strategy.ts';
import { section, withField } from './fields.ts';

const defaultGrace = 30;

export const pods: Strategy = {
  answersDeleted: true,
  create: (object) => withField(object, 'status', { phase: 'Pending', qosClass: qosClassOf(object as Pod) }),
  status(object, old) {
    const { deletionTimestamp: _marked, ownerReferences: _owners, ...meta } = object.metadata ?? {};
    const kept = pick(old.metadata ?? {}, ['deletionTimestamp', 'ownerReferences']);
    const wanted = { ...object, metadata: { ...meta, ...kept } };
    const { qosClass } = section(old, 'status');
    // Reports may leave the class out; it never changes.
    return qosClass === undefined || section(object, 'status')['qosClass']
      ? wanted
      : withField(wanted, 'status', { ...section(object, 'status'), qosClass });
  },
  grace(object, wanted) {
    const pod = object as Pod;
    const phase = pod.status?.phase;
    if (pod.spec?.nodeName === undefined || pod.spec.nodeName === '') return 0; // nobody runs it
    if (phase === 'Succeeded' || phase === 'Failed') return 0;
    const seconds = wanted ?? pod.spec.terminationGracePeriodSeconds ?? defaultGrace;
    return seconds < 0 ? 1 : seconds;
  },
};

function pick(from: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)));
}
