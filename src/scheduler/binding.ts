// The requests by which a decision becomes known: the Binding of a pod to its node, the condition of a pod that no node can
// take, and the end of those that make room for another.

import {
  type Binding,
  kinds,
  type PersistentVolumeClaim,
  type Pod,
  type Stored,
  selectedNodeAnnotation,
  timestamp,
} from '../api/index.ts';
import { type Clock, type Logger, messageOf } from '../base/index.ts';
import { type ApiClient, ApiStatusError } from '../client/index.ts';

export async function bindPod(
  client: ApiClient,
  { metadata }: Stored<Pod>,
  nodeName: string,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace, uid } = metadata;
  const binding: Binding = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name, uid, ...(namespace === undefined ? {} : { namespace }) },
    target: { apiVersion: 'v1', kind: 'Node', name: nodeName },
  };
  await client.post<Binding, unknown>(kinds.pod, { namespace, name }, 'binding', binding, signal);
}

/** Ends a pod so that one of higher priority has room; its status says why. Throws what the API server answers. */
export async function endVictim(
  client: ApiClient,
  { metadata }: Stored<Pod>,
  preemptor: Stored<Pod>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const { name, namespace, uid } = metadata;
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'PreemptionByScheduler',
    message: `${preemptor.spec?.schedulerName ?? 'default-scheduler'}: preempting to accommodate a higher priority pod`,
    lastTransitionTime: timestamp(clock.now()),
  };
  const patch = { metadata: { uid }, status: { conditions: [condition] } };
  await client.patch(kinds.pod, { namespace, name }, 'strategic', patch, { subresource: 'status', signal });
  await client.delete(kinds.pod, { namespace, name }, { preconditions: uid === undefined ? {} : { uid }, signal });
}

/** Tells a claim the node of the pod that waits for it. Throws what the API server answers. */
export async function selectNode(
  client: ApiClient,
  { metadata }: Stored<PersistentVolumeClaim>,
  nodeName: string,
  signal: AbortSignal,
): Promise<void> {
  if (metadata.annotations?.[selectedNodeAnnotation] === nodeName) return;
  const { name, namespace } = metadata;
  const patch = { metadata: { annotations: { [selectedNodeAnnotation]: nodeName } } };
  await client.patch(kinds.persistentVolumeClaim, { namespace, name }, 'merge', patch, { signal });
}

/** Says where a pod will have room; undefined: nowhere any more. Throws what the API server answers. */
export async function nominate(
  client: ApiClient,
  { metadata }: Stored<Pod>,
  nodeName: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace } = metadata;
  const patch = { status: { nominatedNodeName: nodeName ?? null } };
  await client.patch(kinds.pod, { namespace, name }, 'strategic', patch, { subresource: 'status', signal });
}

/** Sets PodScheduled=False, unless the pod says so already. Best effort: the next failure says it again. */
export async function markUnschedulable(
  client: ApiClient,
  { metadata, status }: Stored<Pod>,
  message: string,
  { clock, logger, signal }: { readonly clock: Clock; readonly logger: Logger; readonly signal: AbortSignal },
): Promise<void> {
  const held = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (held?.status === 'False' && held.reason === 'Unschedulable' && held.message === message) return;
  const lastTransitionTime = held?.status === 'False' ? held.lastTransitionTime : timestamp(clock.now());
  const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message, lastTransitionTime };
  const { namespace, name } = metadata;
  try {
    const patch = { status: { conditions: [condition] } };
    await client.patch(kinds.pod, { namespace, name }, 'strategic', patch, { subresource: 'status', signal });
  } catch (error) {
    if (signal.aborted || (error instanceof ApiStatusError && error.code === 404)) return;
    logger.warn('condition of a waiting pod not written', { pod: `${namespace}/${name}`, error: messageOf(error) });
  }
}
