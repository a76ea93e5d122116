// The workloads, in the order in which they build on each other: what `a` creates is read, written, watched and deleted by
// the others. The letter is what --only takes.

import { type Identity, type LoadClient, openClient } from './client.ts';
import type { WorkloadName } from './go-figures.ts';
import { drive, type Timed } from './measure.ts';
import { configMap, lease, nameOf, pod } from './objects.ts';

export interface Workload {
  readonly name: WorkloadName;
  /** What must be there before the clock starts; answers what is run instead. */
  prepare?(load: Load): Promise<Prepared>;
  run?(load: Load): Promise<Timed>;
}

interface Prepared {
  run(load: Load): Promise<Timed>;
  close(): Promise<void>;
}

/** What one run of all workloads shares. */
export interface Load {
  readonly identity: Identity;
  /** 16 connections; 32 for leases. */
  readonly client: LoadClient;
  readonly many: LoadClient;
  readonly namespace: string;
  /** Share of each workload's size. */
  readonly scale: number;
  /** resourceVersions of ConfigMaps and Leases by index. */
  readonly versions: { readonly configMaps: string[]; readonly leases: string[] };
}

const workers = 16;
const leaseWorkers = 32;
const watcherCount = 100;
const mergePatch = 'application/merge-patch+json';

const sized = (load: Load, count: number): number => Math.max(workers, Math.round(count * load.scale));
const configMaps = ({ namespace }: Load): string => `/api/v1/namespaces/${namespace}/configmaps`;
const pods = ({ namespace }: Load): string => `/api/v1/namespaces/${namespace}/pods`;
const leases = ({ namespace }: Load): string => `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
const versionIn = (body: Buffer): string =>
  /"resourceVersion"\s*:\s*"(\d+)"/.exec(body.toString('latin1', 0, 4096))?.[1] ?? '';

function listing(path: (load: Load) => string, count: number, at: number): Prepared['run'] {
  return async (load) => ({
    latencies: await drive(Math.max(3, Math.round(count * load.scale)), at, () => load.client.ask('GET', path(load))),
  });
}

export const workloads: readonly Workload[] = [
  {
    name: 'a create',
    run: async (load) => ({
      latencies: await drive(sized(load, 2000), workers, async (i) => {
        const { body } = await load.client.ask('POST', configMaps(load), configMap(i, 0));
        load.versions.configMaps[i] = versionIn(body);
      }),
    }),
  },
  {
    name: 'b get',
    run: async (load) => ({
      latencies: await drive(sized(load, 2000), workers, (i) =>
        load.client.ask('GET', `${configMaps(load)}/${nameOf('cm', i)}`),
      ),
    }),
  },
  { name: 'c list', run: listing(configMaps, 50, 4) },
  { name: 'c list rv=0', run: listing((load) => `${configMaps(load)}?resourceVersion=0`, 50, 4) },
  {
    name: 'd put',
    run: async (load) => ({
      latencies: await drive(sized(load, 2000), workers, async (i) => {
        const path = `${configMaps(load)}/${nameOf('cm', i)}`;
        const { body } = await load.client.ask('PUT', path, configMap(i, 1, load.versions.configMaps[i]));
        load.versions.configMaps[i] = versionIn(body);
      }),
    }),
  },
  {
    name: 'e patch',
    run: async (load) => ({
      latencies: await drive(sized(load, 2000), workers, (i) => {
        const patch = { metadata: { annotations: { 'load/patched': 'yes' } }, data: { generation: '2' } };
        return load.client.ask('PATCH', `${configMaps(load)}/${nameOf('cm', i)}`, patch, mergePatch);
      }),
    }),
  },
  { name: 'f watch paced', prepare: (load) => fanOut(load, 1) },
  { name: 'f watch burst', prepare: (load) => fanOut(load, workers) },
  {
    name: 'g create pods',
    run: async (load) => ({
      latencies: await drive(sized(load, 5000), workers, (i) => load.client.ask('POST', pods(load), pod(i))),
    }),
  },
  { name: 'g list pods', run: listing(pods, 10, 1) },
  { name: 'g list pods rv=0', run: listing((load) => `${pods(load)}?resourceVersion=0`, 10, 1) },
  {
    name: 'g list pods by pages',
    run: async (load) => ({ latencies: await drive(Math.max(3, Math.round(10 * load.scale)), 1, () => walk(load)) }),
  },
  { name: 'g list pods by label', run: listing((load) => `${pods(load)}?labelSelector=shard%3D3`, 20, 1) },
  {
    name: 'h create leases',
    run: async (load) => ({
      latencies: await drive(sized(load, 1000), leaseWorkers, async (i) => {
        load.versions.leases[i] = versionIn((await load.many.ask('POST', leases(load), lease(i))).body);
      }),
    }),
  },
  { name: 'h renew leases', run: renewals },
  {
    name: 'i delete',
    run: async (load) => ({
      latencies: await drive(sized(load, 2000), workers, (i) =>
        load.client.ask('DELETE', `${configMaps(load)}/${nameOf('cm', i)}`),
      ),
    }),
  },
  {
    name: 'z delete all pods',
    run: async (load) => ({
      latencies: await drive(1, 1, () =>
        load.client.ask('DELETE', pods(load), { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0 }),
      ),
    }),
  },
];

/** Each worker renews leases of its own, as each node does. */
async function renewals(load: Load): Promise<Timed> {
  const count = sized(load, 1000);
  const { leases: versions } = load.versions;
  const done = new Array<number>(leaseWorkers).fill(0);
  const latencies = await drive(count * 5, leaseWorkers, async (_index, worker) => {
    const own = Math.floor((count - 1 - worker) / leaseWorkers) + 1;
    const turn = done[worker] ?? 0;
    const i = worker + leaseWorkers * (turn % Math.max(1, own));
    done[worker] = turn + 1;
    const { body } = await load.many.ask('PUT', `${leases(load)}/${nameOf('node', i)}`, lease(i, versions[i]));
    versions[i] = versionIn(body);
  });
  return { latencies };
}

async function walk(load: Load): Promise<void> {
  let token = '';
  do {
    const more = token === '' ? '' : `&continue=${encodeURIComponent(token)}`;
    const { body } = await load.client.ask('GET', `${pods(load)}?limit=500${more}`);
    token = (JSON.parse(body.toString()) as { metadata: { continue?: string } }).metadata.continue ?? '';
  } while (token !== '');
}

/** 200 updates, `at` a time; the latency of one ends when the last of 100 watchers has it. */
async function fanOut(load: Load, at: number): Promise<Prepared> {
  const tag = `${at}-${Math.round(performance.now())}`;
  const pattern = new RegExp(`"sequence"\\s*:\\s*"${tag}\\.(\\d+)"`);
  const seen = new Map<number, { count: number; readonly all: () => void }>();
  const watchers = openClient(load.identity, 1);
  let events = 0;
  const first = await load.client.ask('GET', `${configMaps(load)}?limit=1`);
  const path = `${configMaps(load)}?watch=1&resourceVersion=${versionIn(first.body)}`;
  const open = Array.from({ length: watcherCount }, () =>
    watchers.watch(path, (line) => {
      const match = pattern.exec(line);
      const one = match === null ? undefined : seen.get(Number(match[1]));
      if (one === undefined) return;
      events += 1;
      one.count += 1;
      if (one.count === watcherCount) one.all();
    }),
  );
  await Promise.all(open.map(({ started }) => started));

  async function update(i: number): Promise<void> {
    const delivered = new Promise<void>((all) => seen.set(i, { count: 0, all }));
    const patch = { data: { sequence: `${tag}.${i}` } };
    await load.client.ask('PATCH', `${configMaps(load)}/${nameOf('cm', i)}`, patch, mergePatch);
    await delivered;
  }

  return {
    run: async () => ({ latencies: await drive(sized(load, 200), at, update), counted: events }),
    async close() {
      for (const watch of open) watch.close();
      await watchers.close();
    },
  };
}
