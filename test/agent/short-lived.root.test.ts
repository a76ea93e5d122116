// A container may end before the runtime has answered that it started, and be listed as running for a moment after.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { startAgent } from '../../src/agent/index.ts';
import { type KubeObject, kinds, type Pod } from '../../src/api/index.ts';
import { silentLogger, systemClock } from '../../src/base/index.ts';
import { createFakeClient, createInformerFactory } from '../../src/client/index.ts';
import { type Cri, createFakeCri } from '../../src/cri/index.ts';
import { createLocalHost, createMemoryJournal } from '../../src/host/index.ts';
import { insideNamespaces } from '../contract/containerd.ts';
import { agentOptions, nodeName } from './lab.ts';
import { createTestCa } from './tls.ts';

/** A runtime whose containers end while they are started; the first look after that still sees them running. */
function createHastyCri(): Cri {
  const cri = createFakeCri();
  cri.addImage('busybox:1');
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

if (insideNamespaces(import.meta.filename)) {
  // Logs are linked in /var/log.
  for (const folder of ['/run', '/var/log']) execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', folder]);

  t.test('the end of a container that ends while it is started is noticed', async (t) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'k8ts-agent-'));
    const ca = await createTestCa();
    writeFileSync(join(dataDir, 'ca.crt'), ca.certPem);
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'crash', namespace: 'default', uid: 'u1' },
      spec: { nodeName, containers: [{ name: 'main', image: 'busybox:1', imagePullPolicy: 'Never' }] },
    };
    const client = createFakeClient([pod as KubeObject]);
    const stop = new AbortController();
    const agent = await startAgent(
      {
        client,
        informers: createInformerFactory(client),
        cri: createHastyCri(),
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
    let shown: unknown;
    for (let tries = 0; tries < 500; tries += 1) {
      const pod = (await client.list(kinds.pod)).items[0];
      shown = pod?.status;
      if (pod?.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff') return t.pass('shown');
      await delay(10);
    }
    t.fail('CrashLoopBackOff is never shown', { shown });
  });
}
