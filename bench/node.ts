// What a node costs and how fast it is: beside the floor that the container runtime sets on the same machine at the same
// time, because machines differ and are noisy.
// usage, on a node of a cluster, as root:  node bench/node.ts KUBECONFIG [IDLE_SECONDS]
//   LAB=x scripts/lab exec node1 node bench/node.ts /tmp/admin.conf

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { kinds, type Pod } from '../src/api/index.ts';
import { clientFromKubeconfig } from '../src/client/index.ts';
import { type ContainerConfig, createCri, type PodSandboxConfig } from '../src/cri/index.ts';

const image = 'k8ts.dev/busybox:1';
const namespace = 'default';
const [kubeconfig = '/etc/kubernetes/admin.conf', idleSeconds = '30'] = process.argv.slice(2);
const client = await clientFromKubeconfig(readFileSync(kubeconfig, 'utf8'));
const cri = createCri('/run/containerd/containerd.sock');
const nodeName = hostname();

const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
const show = (what: string, list: readonly number[]): void =>
  console.log(`${what.padEnd(44)} p50 ${Math.round(median(list))} ms, max ${Math.round(Math.max(...list))} ms`);
async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

/** Follows the node's pods; `until` resolves when one of them is as wished. */
const seen = new Map<string, Pod | undefined>();
const waiting = new Set<() => void>();
const stop = new AbortController();
async function follow(): Promise<void> {
  const selector = { namespace, fieldSelector: `spec.nodeName=${nodeName}`, signal: stop.signal };
  const { metadata } = await client.list(kinds.pod, selector);
  for await (const event of client.watch(kinds.pod, { ...selector, resourceVersion: metadata.resourceVersion ?? '' })) {
    if (event.type === 'BOOKMARK') continue;
    seen.set(event.object.metadata.name, event.type === 'DELETED' ? undefined : event.object);
    for (const wake of waiting) wake();
  }
}
function until(name: string, isSo: (pod: Pod | undefined) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!seen.has(name) || !isSo(seen.get(name))) return;
      waiting.delete(look);
      resolve();
    };
    waiting.add(look);
    look();
  });
}
const isReady = (pod: Pod | undefined): boolean =>
  pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;

const podOf = (name: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace },
  spec: {
    nodeName,
    terminationGracePeriodSeconds: 5,
    containers: [{ name: 'c', image, command: ['sh', '-c', 'trap "exit 0" TERM; sleep 100000 & wait'] }],
  },
});
const start = async (name: string): Promise<void> => {
  await client.create(kinds.pod, podOf(name));
  await until(name, isReady);
};
const end = async (name: string): Promise<void> => {
  await client.delete(kinds.pod, { namespace, name });
  await until(name, (pod) => pod === undefined);
};

/** The same pod by direct calls: what no agent can be faster than. */
async function floor(n: number): Promise<() => Promise<void>> {
  const sandbox: PodSandboxConfig = {
    metadata: { name: `floor-${n}`, namespace, uid: `floor-${n}`, attempt: 0 },
    logDirectory: '/tmp',
    linux: { cgroupParent: '/k8ts-bench' },
  };
  const container: ContainerConfig = {
    metadata: { name: 'c', attempt: 0 },
    image: { image },
    command: ['sh', '-c', 'trap "exit 0" TERM; sleep 100000 & wait'],
    logPath: `floor-${n}.log`,
    linux: {},
  };
  const id = await cri.runPodSandbox(sandbox);
  const containerId = await cri.createContainer(id, container, sandbox);
  await cri.startContainer(containerId);
  return async () => {
    await cri.stopContainer(containerId, 5);
    await cri.stopPodSandbox(id);
    await cri.removePodSandbox(id);
  };
}

function agent(): { readonly rssKb: number; readonly anonKb: number; readonly cpuSeconds: number } {
  const pid = execFileSync('pgrep', ['-f', 'run agent --config']).toString().trim().split('\n')[0] ?? '';
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return { rssKb: field('VmRSS'), anonKb: field('RssAnon'), cpuSeconds: (Number(stat[11]) + Number(stat[12])) / 100 };
}
async function idle(pods: number): Promise<void> {
  await delay(5000);
  const before = agent().cpuSeconds;
  await delay(Number(idleSeconds) * 1000);
  const { rssKb, anonKb, cpuSeconds } = agent();
  const perMinute = ((cpuSeconds - before) * 60) / Number(idleSeconds);
  console.log(
    `idle agent, ${String(pods).padStart(2)} pods: RSS ${Math.round(rssKb / 1024)} MB (private ${Math.round(anonKb / 1024)}), CPU ${perMinute.toFixed(2)} s a minute`,
  );
}

const following = follow().catch((error: unknown) => {
  if (!stop.signal.aborted) throw error;
});
await delay(500);
await idle(0);
const ups: number[] = [];
const downs: number[] = [];
const floors: number[] = [];
const floorsDown: number[] = [];
for (let n = 0; n < 10; n += 1) {
  let remove = async (): Promise<void> => undefined;
  floors.push(
    await timed(async () => {
      remove = await floor(n);
    }),
  );
  ups.push(await timed(() => start(`bench-${n}`)));
  floorsDown.push(await timed(remove));
  downs.push(await timed(() => end(`bench-${n}`)));
}
show('floor: sandbox, container, start', floors);
show('POST to Ready', ups);
show('floor: stop and remove', floorsDown);
show('graceful DELETE to gone', downs);
const thirty = Array.from({ length: 30 }, (_, n) => n);
const removers: (() => Promise<void>)[] = [];
show('floor, 30 at once: all', [await timed(async () => removers.push(...(await Promise.all(thirty.map(floor)))))]);
await Promise.all(removers.map((remove) => remove()));
show('30 POSTs at once to all Ready', [await timed(() => Promise.all(thirty.map((n) => start(`many-${n}`))))]);
await idle(30);
const restarts: number[] = [];
for (const n of thirty.slice(0, 5)) {
  const name = `many-${n}`;
  const id = seen.get(name)?.status?.containerStatuses?.[0]?.containerID?.replace(/^.*:\/\//, '') ?? '';
  const again = until(name, (pod) => pod?.status?.containerStatuses?.[0]?.restartCount === 1 && isReady(pod));
  restarts.push(await timed(() => Promise.all([cri.stopContainer(id, 0), again])));
}
show('container killed to running again', restarts);
show('30 DELETEs at once to all gone', [await timed(() => Promise.all(thirty.map((n) => end(`many-${n}`))))]);
stop.abort();
await following;
await client.close();
await cri.close();
