// What the runtime says of an end may come before its lists show it: a container may end before the runtime has answered
// that it started, and what has ended may be listed as running for a moment after.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { startAgent } from '../../src/agent/index.ts';
import { type KubeObject, kinds, type Pod } from '../../src/api/index.ts';
import { silentLogger, systemClock } from '../../src/base/index.ts';
import { createFakeClient, createInformerFactory } from '../../src/client/index.ts';
import { type Cri, createFakeCri } from '../../src/cri/index.ts';
import { createLocalHost, createMemoryJournal } from '../../src/host/index.ts';
import { insideNamespaces } from '../contract/containerd.ts';
import { agentOptions, nodeName } from './lab.ts';
import { createTestCa } from './tls.ts';

const image = 'busybox:1';

/** A runtime whose containers end while they are started; the first look after that still sees them running. */
function createHastyCri(): Cri {
  const cri = createFakeCri();
  cri.addImage(image);
  const late = new Set<string>();
  return {
    ...cri,
    async startContainer(id, signal) {
      await cri.startContainer(id, signal);
      late.add(id);
      cri.exit(id, 3);
      await delay(5);
    },
    async containerStatus(id, signal) {
      const status = await cri.containerStatus(id, signal);
      return status?.state === 'exited' && late.delete(id) ? { ...status, state: 'running' } : status;
    },
  };
}

/** A runtime that lists a sandbox that died as ready until somebody stops it. */
function createForgetfulCri(): Cri & { die(sandboxId: string): Promise<void> } {
  const cri = createFakeCri();
  cri.addImage(image);
  const dead = new Set<string>();
  return {
    ...cri,
    async die(id) {
      dead.add(id);
      await cri.stopPodSandbox(id);
    },
    async stopPodSandbox(id, signal) {
      dead.delete(id);
      await cri.stopPodSandbox(id, signal);
    },
    async listPodSandbox(filter, signal) {
      const sandboxes = await cri.listPodSandbox(filter, signal);
      return sandboxes.map((one) => (dead.has(one.id) ? { ...one, state: 'ready' } : one));
    },
  };
}

/** Runs one pod on the runtime; the answer waits until its status is as wanted. */
async function runPod(t: Test, cri: Cri): Promise<(what: string, is: (pod: Pod) => boolean) => Promise<void>> {
  const dataDir = mkdtempSync(join(tmpdir(), 'k8ts-agent-'));
  const ca = await createTestCa();
  writeFileSync(join(dataDir, 'ca.crt'), ca.certPem);
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'one', namespace: 'default', uid: 'u1' },
    spec: { nodeName, containers: [{ name: 'main', image, imagePullPolicy: 'Never' }] },
  };
  const client = createFakeClient([pod as KubeObject]);
  const stop = new AbortController();
  const agent = await startAgent(
    {
      client,
      informers: createInformerFactory(client),
      cri,
      host: createLocalHost({ journal: createMemoryJournal() }),
      logger: silentLogger,
      clock: systemClock,
    },
    agentOptions(dataDir),
    stop.signal,
  );
  t.teardown(async () => {
    stop.abort();
    await agent.done;
    rmSync(dataDir, { recursive: true, force: true });
  });
  return async (what, is) => {
    let shown: Pod | undefined;
    for (let tries = 0; tries < 1000; tries += 1) {
      shown = (await client.list(kinds.pod)).items[0];
      if (shown !== undefined && is(shown)) {
        t.pass(what);
        return;
      }
      await delay(10);
    }
    t.fail(`never: ${what}`, { shown: shown?.status });
  };
}

if (insideNamespaces(import.meta.filename)) {
  // Logs are linked in /var/log.
  for (const folder of ['/run', '/var/log']) execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', folder]);

  t.test('the end of a container that ends while it is started is noticed', async (t) => {
    const until = await runPod(t, createHastyCri());
    await until(
      'CrashLoopBackOff is shown',
      ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff',
    );
  });

  t.test('nothing is started in a sandbox that has died, though it is listed as ready', async (t) => {
    const cri = createForgetfulCri();
    const until = await runPod(t, cri);
    const isRunning = ({ status }: Pod): boolean => status?.containerStatuses?.[0]?.state?.running !== undefined;
    await until('the container runs', isRunning);
    const [sandbox] = await cri.listPodSandbox();
    await cri.die(sandbox?.id ?? '');
    await until(
      'it runs again',
      (pod) => isRunning(pod) && (pod.status?.containerStatuses?.[0]?.restartCount ?? 0) > 0,
    );
    t.match(await cri.listPodSandbox(), [{ state: 'notReady' }, { state: 'ready', metadata: { attempt: 1 } }]);
  });
}
