// A cluster for controller tests: the fake client, informers on it, and the controllers asked for.

import type { Test } from 'tap';
import type { KindOf, KubeObject, Stored } from '../../src/api/index.ts';
import { type Logger, silentLogger } from '../../src/base/index.ts';
import { createFakeClient, createInformerFactory, type FakeClient } from '../../src/client/index.ts';
import { type ControllerOptions, startControllers } from '../../src/controllers/index.ts';

export interface ToldEvent {
  readonly about: string;
  readonly reason: string;
  readonly message: string;
}

export interface Cluster {
  readonly client: FakeClient;
  readonly events: readonly ToldEvent[];
}

export interface ClusterRequest {
  readonly names: readonly string[];
  readonly objects?: readonly KubeObject[];
  readonly options?: Partial<ControllerOptions>;
  readonly logger?: Logger;
  readonly client?: FakeClient;
}

/** Controllers run until the test ends. */
export async function startCluster(t: Test, request: ClusterRequest): Promise<Cluster> {
  const { names, objects = [], options = {}, logger = silentLogger } = request;
  const client = request.client ?? createFakeClient(objects);
  const stop = new AbortController();
  const events: ToldEvent[] = [];
  const running = await startControllers(
    {
      client,
      informers: createInformerFactory(client),
      recorder: () => ({
        event: (about, _type, reason, message) => events.push({ about: about.metadata?.name ?? '', reason, message }),
      }),
      options: { ...options, names },
      logger,
    },
    stop.signal,
  );
  t.teardown(async () => {
    stop.abort();
    await client.close();
    await running.stopped;
  });
  return { client, events };
}

/** Asks again every few milliseconds until `look` answers something, for at most five seconds. */
export async function eventually<T>(look: () => Promise<T | undefined> | T | undefined, what: string): Promise<T> {
  for (let waited = 0; waited < 5_000; waited += 5) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`waited in vain: ${what}`);
}

export async function listOf<T extends KubeObject>(client: FakeClient, kind: KindOf<T>): Promise<readonly Stored<T>[]> {
  return (await client.list(kind)).items;
}
