// An agent on a real containerd with a cluster in memory, for root tests.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { startAgent } from '../../src/agent/index.ts';
import { type ContainerStatus, type KubeObject, kinds, type Pod } from '../../src/api/index.ts';
import { createLogger, systemClock } from '../../src/base/index.ts';
import { createFakeClient, createInformerFactory, type FakeClient } from '../../src/client/index.ts';
import { type Cri, createCri } from '../../src/cri/index.ts';
import { createLocalHost, createMemoryJournal } from '../../src/host/index.ts';
import {
  busyboxImage,
  type Containerd,
  insideNamespaces,
  startContainerd,
  whyNoContainerd,
} from '../contract/containerd.ts';
import { createTestCa } from './tls.ts';

export interface Lab {
  readonly client: FakeClient;
  readonly cri: Cri;
  readonly dataDir: string;
  /** Starts another agent in place of this one, after something was done while there was none. */
  restart(meanwhile?: () => Promise<void>): Promise<void>;
  /** What the API server does on DELETE with a grace period: the agent then ends the pod and deletes it. */
  remove(name: string, graceSeconds?: number): Promise<void>;
  /** Takes the object away at once. */
  forget(name: string): Promise<void>;
  /** Where the agent's HTTPS server is, and what an administrator needs to talk to it. Answers the agent's CSR. */
  server(): Promise<{
    readonly port: number;
    readonly identity: { readonly ca: string; readonly cert: string; readonly key: string };
  }>;
  untilContainers(count: number): Promise<void>;
  untilEmpty(): Promise<void>;
  create(pod: Pod): Promise<void>;
  get(name: string): Promise<Pod | undefined>;
  /** Polls until the pod is as wanted; fails with its status after 10 s. */
  until(name: string, what: string, is: (pod: Pod | undefined) => boolean): Promise<Pod | undefined>;
}

/** Looks 10 ms apart until a wait is given up: longer than any delay that the agent itself makes in a test. */
const patience = 3000;

export const nodeName = 'n1';

/** Options of an agent that keeps all it has in `dataDir`, ca.crt among it. */
export function agentOptions(dataDir: string): Parameters<typeof startAgent>[1] {
  return {
    nodeName,
    nodeIp: '127.0.0.1',
    caFile: join(dataDir, 'ca.crt'),
    certDir: join(dataDir, 'pki'),
    dataDir,
    clusterDns: '10.96.0.10',
    clusterDomain: 'cluster.local',
    dns: 'on',
    overlay: { vni: 1 },
    bindAddress: '127.0.0.1',
    port: 0,
    taints: [],
    labels: {},
    maxPods: 110,
  };
}

/**
 * A lab in namespaces of its own, for the test in `file`. Undefined where there is nothing to do: the machine lacks something,
 * which is told, or the file has run again inside.
 */
export async function enterLab(t: Test, file: string, objects?: readonly KubeObject[]): Promise<Lab | undefined> {
  const skip = whyNoContainerd();
  if (skip !== undefined) {
    t.plan(0, skip);
    return undefined;
  }
  if (!insideNamespaces(file)) return undefined;
  const containerd = await startContainerd('10.200.0.0/24');
  t.teardown(() => containerd.stop());
  return startLab(t, containerd, objects);
}

async function startLab(t: Test, containerd: Containerd, objects: readonly KubeObject[] = []): Promise<Lab> {
  const ca = await createTestCa();
  const fake = createFakeClient(objects);
  // The authorizer says yes to everybody whom the CA has signed.
  const client: FakeClient = {
    ...fake,
    raw: async () => ({ status: 201, body: Buffer.from(JSON.stringify({ status: { allowed: true } })) }),
  };
  const cri = createCri(containerd.socket);
  const dataDir = mkdtempSync(join(tmpdir(), 'k8ts-agent-'));
  writeFileSync(join(dataDir, 'ca.crt'), ca.certPem);
  const level = process.env['K8TS_TEST_LOG'] === undefined ? 'error' : 'debug';
  let stop = new AbortController();
  let done: Promise<void> = Promise.resolve();
  let port = 0;
  const start = async (): Promise<void> => {
    stop = new AbortController();
    const deps = {
      client,
      informers: createInformerFactory(client),
      cri,
      host: createLocalHost({ journal: createMemoryJournal() }),
      logger: createLogger({ level }),
      clock: systemClock,
    };
    const agent = await startAgent(deps, agentOptions(dataDir), stop.signal);
    done = agent.done;
    port = agent.port;
  };
  await start();
  t.teardown(async () => {
    stop.abort();
    await done;
    for (const { id } of await cri.listPodSandbox()) {
      await cri.stopPodSandbox(id);
      await cri.removePodSandbox(id);
    }
    await cri.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const get = async (name: string): Promise<Pod | undefined> =>
    (await client.list(kinds.pod)).items.find(({ metadata }) => metadata.name === name);
  return {
    client,
    cri,
    dataDir,
    async restart(meanwhile = async () => undefined) {
      stop.abort();
      await done;
      await meanwhile();
      await start();
    },
    async remove(name, graceSeconds = 5) {
      const metadata = { deletionTimestamp: new Date().toISOString(), deletionGracePeriodSeconds: graceSeconds };
      await client.patch(kinds.pod, { namespace: 'default', name }, 'merge', { metadata });
    },
    async forget(name) {
      await client.delete(kinds.pod, { namespace: 'default', name });
    },
    async server() {
      for (const { metadata, spec, status } of (await client.list(kinds.certificateSigningRequest)).items) {
        if (status !== undefined) continue;
        const certificate = Buffer.from(
          ca.sign(Buffer.from(spec.request, 'base64').toString(), 'server auth'),
        ).toString('base64');
        await client.patch(
          kinds.certificateSigningRequest,
          { name: metadata.name },
          'merge',
          { status: { certificate } },
          { subresource: 'status' },
        );
      }
      await poll(() => existsSync(join(dataDir, 'pki/kubelet-server-current.pem')), 'serving certificate');
      return { port, identity: { ca: ca.certPem, ...(await ca.client('admin', ['system:masters'])) } };
    },
    untilContainers: (count) => poll(async () => (await cri.listContainers()).length === count, `${count} containers`),
    untilEmpty: () => poll(async () => (await cri.listPodSandbox()).length === 0, 'no sandboxes'),
    async create(pod) {
      await client.create(kinds.pod, pod);
    },
    get,
    async until(name, what, is) {
      for (let tries = 0; tries < patience; tries += 1) {
        const pod = await get(name);
        if (is(pod)) return pod;
        await delay(10);
      }
      throw new Error(`${name} never was ${what}: ${JSON.stringify((await get(name))?.status, null, 1)}`);
    },
  };
}

export async function poll(is: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; tries < patience; tries += 1) {
    if (await is()) return;
    await delay(10);
  }
  throw new Error(`there never were ${what}`);
}

export function containersOf(pod: Pod | undefined): readonly ContainerStatus[] {
  return pod?.status?.containerStatuses ?? [];
}

export function stateOf(pod: Pod | undefined): ContainerStatus['state'] {
  return containersOf(pod)[0]?.state;
}

/** A pod of this node with one container that runs `script`, unless `spec` says otherwise. */
export function podOf(name: string, script: string, spec: Partial<NonNullable<Pod['spec']>> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      nodeName,
      terminationGracePeriodSeconds: 5,
      containers: [{ name: 'main', image: busyboxImage, command: ['sh', '-c', script] }],
      ...spec,
    },
  };
}

export const sleepScript = 'trap "exit 0" TERM; sleep 1000 & wait';

export function isReady(pod: Pod | undefined): boolean {
  return pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}
