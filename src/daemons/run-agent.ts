// `k8ts run agent`: everything a node does, in one process. First its identity, then its network, then its pods; the
// network is there before the node says that it is Ready.

import { dirname } from 'node:path';
import { ensureNodeIdentity, startAgent } from '../agent/index.ts';
import { createLogger, systemClock } from '../base/index.ts';
import { clientFromKubeconfig, createEventRecorder, createInformerFactory } from '../client/index.ts';
import { loadAgentConfig, serverConfigPath } from '../config/index.ts';
import { createCri } from '../cri/index.ts';
import { announceReady, createFileJournal, createLocalHost, journalPath } from '../host/index.ts';
import { startNetwork } from '../network/index.ts';
import { returnMemory } from './return-memory.ts';
import { provideSandboxImage } from './sandbox-image.ts';

/** Runs until `signal` aborts; rejects when a part of it failed and a new start is the remedy. */
export async function runAgent(configPath: string, signal: AbortSignal): Promise<void> {
  const clock = systemClock;
  const config = await loadAgentConfig(configPath);
  const logger = createLogger({ fields: { process: 'agent', node: config.nodeName } });
  const host = createLocalHost({ journal: createFileJournal(journalPath) });
  const cri = createCri(config.criSocket);
  const connect = (kubeconfig: string) =>
    clientFromKubeconfig(kubeconfig, { folder: dirname(config.kubeconfig), logger, userAgent: 'kubelet' });

  const kubeconfig = await ensureNodeIdentity(config, { host, clock, logger, connect }, signal);
  const client = await connect(kubeconfig);
  const informers = createInformerFactory(client, { logger, clock });
  const recorder = createEventRecorder(client, 'kube-proxy', { host: config.nodeName, logger, clock });
  try {
    const [network] = await Promise.all([
      startNetwork({ client, informers, host, logger, clock, recorder }, config, signal),
      provideSandboxImage({ cri, host, criSocket: config.criSocket, logger }, signal),
    ]);
    const agent = await startAgent(
      { client, useIdentity: client.useIdentity, informers, cri, host, logger, clock },
      { ...config, ownsCa: (await host.stat(serverConfigPath)) !== undefined },
      signal,
    );
    await announceReady();
    returnMemory(10_000, signal);
    logger.info('the agent is ready', { port: agent.port });
    await agent.done;
    await network.stop();
    await Promise.race([recorder.flush(), clock.sleep(1000)]);
  } finally {
    await client.close();
    await cri.close();
  }
}
