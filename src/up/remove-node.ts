// Takes a node out of the cluster: no new pods, its pods moved elsewhere as far as their disruption budgets allow, the
// machine reset, the Node deleted. Reset comes first, because an agent that runs would register its Node again.

import { setTimeout as sleep } from 'node:timers/promises';
import { kinds, type Pod } from '../api/index.ts';
import { type ApiClient, ApiStatusError } from '../client/index.ts';

export interface Drain {
  readonly client: ApiClient;
  readonly nodeName: string;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
  /** ms until pods that are still there are left to the reset. */
  readonly patience: number;
}

/** Cordons the node and evicts its pods. Pods of DaemonSets stay: they belong to the node. */
export async function drainNode({ client, nodeName, signal, onLine, patience }: Drain): Promise<void> {
  await client.patch(kinds.node, { name: nodeName }, 'merge', { spec: { unschedulable: true } }, { signal });
  const end = Date.now() + patience;
  for (;;) {
    const { items } = await client.list(kinds.pod, { fieldSelector: `spec.nodeName=${nodeName}`, signal });
    const left = items.filter(isMovable);
    if (left.length === 0 || Date.now() > end) return;
    onLine(`moving ${left.length} pods`);
    for (const pod of left) {
      if (pod.metadata.deletionTimestamp === undefined) await evict(client, pod, signal);
    }
    await sleep(500, undefined, { signal });
  }
}

function isMovable({ metadata, status }: Pod): boolean {
  if (metadata?.ownerReferences?.some(({ kind }) => kind === 'DaemonSet') === true) return false;
  return status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
}

/** 429: a disruption budget allows it later; 404: it has gone. */
async function evict(client: ApiClient, pod: Pod, signal: AbortSignal): Promise<void> {
  const at = { namespace: pod.metadata?.namespace, name: pod.metadata?.name ?? '' };
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: at };
  try {
    await client.post(kinds.pod, at, 'eviction', body, signal);
  } catch (error) {
    if (!(error instanceof ApiStatusError) || (error.code !== 429 && error.code !== 404)) throw error;
  }
}

export async function deleteNode(client: ApiClient, name: string, signal: AbortSignal): Promise<void> {
  try {
    await client.delete(kinds.node, { name }, { signal });
  } catch (error) {
    if (!(error instanceof ApiStatusError) || error.reason !== 'NotFound') throw error;
  }
}
