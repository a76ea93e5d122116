// All controllers against the real API server over a memory store; the test plays scheduler and kubelet.

import type { Test } from 'tap';
import { type KindOf, type KubeObject, kinds, type Pod, type Stored } from '../../src/api/index.ts';
import { silentLogger } from '../../src/base/index.ts';
import { createClient, createInformerFactory, type HttpApiClient } from '../../src/client/index.ts';
import { type ControllerOptions, startControllers } from '../../src/controllers/index.ts';
import { startTestServer } from '../apiserver/harness.ts';

export async function startStory(t: Test, options: Partial<ControllerOptions> = {}): Promise<HttpApiClient> {
  const { server, ca, stop } = await startTestServer();
  const client = createClient({ server: server.url, ca });
  const end = new AbortController();
  const informers = createInformerFactory(client);
  const running = await startControllers(
    { client, informers, options: { names: 'all', rootCaPem: 'CA', ...options }, logger: silentLogger },
    end.signal,
  );
  t.teardown(async () => {
    end.abort();
    await running.stopped;
    await client.close();
    await stop();
  });
  return client;
}

export const namespace = 'default';

export type PodStatus = NonNullable<Pod['status']>;

/**
 * What scheduler and kubelets would do, once: pods get the status that `live` says, and what is being deleted ends.
 * A pod for which it says nothing stays as it is.
 */
export async function playNodes(
  client: HttpApiClient,
  live: (pod: Stored<Pod>) => Partial<PodStatus> | undefined = running,
): Promise<readonly Stored<Pod>[]> {
  const { items } = await client.list(kinds.pod, { namespace });
  for (const pod of items) {
    const at = { namespace, name: pod.metadata.name };
    if (pod.metadata.deletionTimestamp !== undefined) {
      await client.delete(kinds.pod, at, { gracePeriodSeconds: 0 }).catch(() => undefined);
      continue;
    }
    const status = pod.status?.phase === 'Pending' ? live(pod) : undefined;
    if (status === undefined) continue;
    await client.patch(kinds.pod, at, 'merge', { status }, { subresource: 'status' });
  }
  return items;
}

export function running(): Partial<PodStatus> {
  const since = new Date().toISOString();
  const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: since }];
  return { phase: 'Running', conditions } as unknown as Partial<PodStatus>;
}

export function ended(exitCode = 0): Partial<PodStatus> {
  const state = { terminated: { exitCode, finishedAt: new Date().toISOString() } };
  const containerStatuses = [{ name: 'c', image: 'i', imageID: '', ready: false, restartCount: 0, state }];
  return { phase: exitCode === 0 ? 'Succeeded' : 'Failed', containerStatuses } as unknown as Partial<PodStatus>;
}

export async function stored<T extends KubeObject>(
  client: HttpApiClient,
  kind: KindOf<T>,
): Promise<readonly Stored<T>[]> {
  return (await client.list(kind, { namespace })).items;
}
