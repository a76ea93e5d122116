// Pods: a phase and a quality-of-service class from the start, and graceful deletion: a pod that runs on a node is marked,
// its agent stops it and deletes it for good with grace 0. Source: pkg/registry/core/pod/strategy.go.

import { type Pod, qosClassOf, sameJson } from '../../../api/index.ts';
import { invalid } from '../../http/status-body.ts';
import type { Strategy } from '../strategy.ts';
import { section, withField } from './fields.ts';

const defaultGrace = 30;

export const pods: Strategy = {
  answersDeleted: true,
  create: (object) => withField(object, 'status', { phase: 'Pending', qosClass: qosClassOf(object as Pod) }),
  update(object, old) {
    const [wanted, kept] = [object, old].map((one) => section(one, 'spec')['ephemeralContainers'] ?? []);
    if (sameJson(wanted, kept)) return object;
    const message =
      'Forbidden: pod updates may not change ephemeral containers, the ephemeralcontainers subresource may';
    throw invalid({ group: '', kind: 'Pod' }, object.metadata?.name ?? '', [
      { reason: 'FieldValueForbidden', field: 'spec.ephemeralContainers', message },
    ]);
  },
  status(object, old) {
    const { deletionTimestamp: _marked, ownerReferences: _owners, ...meta } = object.metadata ?? {};
    const kept = pick(old.metadata ?? {}, ['deletionTimestamp', 'ownerReferences']);
    return { ...object, metadata: { ...meta, ...kept } };
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
