// pods/binding: gives a pod its node, once. Source: pkg/registry/core/pod/storage (BindingREST, setPodNodeAndMetadata).

import type { Binding, Pod } from '../../api/index.ts';
import { conflict, invalid } from '../http/status-body.ts';

const subject = { group: '', plural: 'pods/binding' };

/** Throws ApiError 422 for a binding that names no node. */
export function checkBinding(binding: Binding): void {
  const { kind, name } = binding.target ?? {};
  if (kind && kind !== 'Node') {
    const message = `Unsupported value: ${JSON.stringify(kind)}: supported values: "Node", "<empty>"`;
    throw refused(binding, 'target.kind', 'FieldValueNotSupported', message);
  }
  if (!name) throw refused(binding, 'target.name', 'FieldValueRequired', 'Required value');
}

function refused(binding: Binding, field: string, reason: string, message: string): Error {
  return invalid({ group: '', kind: 'Binding' }, binding.metadata?.name ?? '', [{ field, reason, message }]);
}

/** The pod on its node, PodScheduled. Throws ApiError 409 when it is bound or going away. */
export function boundPod(pod: Pod, binding: Binding, now: string): Pod {
  const name = pod.metadata?.name ?? '';
  const { uid } = binding.metadata ?? {};
  if (uid !== undefined && uid !== '' && uid !== pod.metadata?.uid) {
    const have = pod.metadata?.uid;
    throw conflict(subject, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${have}`);
  }
  if (pod.metadata?.deletionTimestamp !== undefined) {
    throw conflict(subject, name, `pod ${name} is being deleted, cannot be assigned to a host`);
  }
  const nodeName = pod.spec?.nodeName ?? '';
  if (nodeName !== '') throw conflict(subject, name, `pod ${name} is already assigned to node "${nodeName}"`);
  if ((pod.spec?.schedulingGates?.length ?? 0) > 0) {
    throw conflict(subject, name, `pod ${name} has non-empty .spec.schedulingGates`);
  }
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'PodScheduled');
  return {
    ...pod,
    metadata: { ...pod.metadata, ...mergedAnnotations(pod, binding) },
    spec: { ...pod.spec, nodeName: binding.target.name ?? '' },
    status: {
      ...pod.status,
      conditions: [...others, { type: 'PodScheduled', status: 'True', lastTransitionTime: now }],
    },
  } as unknown as Pod;
}

function mergedAnnotations(pod: Pod, binding: Binding): object {
  const added = binding.metadata?.annotations;
  return added === undefined ? {} : { annotations: { ...pod.metadata?.annotations, ...added } };
}
