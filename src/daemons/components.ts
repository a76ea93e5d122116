// Controllers and scheduler, on one set of informers. They reach the API server over HTTPS with the identities in
// controller-manager.conf and scheduler.conf, like any client, so either can be left out and run elsewhere.

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Logger, systemClock } from '../base/index.ts';
import {
  clientFromKubeconfig,
  createEventRecorder,
  createInformerFactory,
  type HttpApiClient,
} from '../client/index.ts';
import { startControllers } from '../controllers/index.ts';
import { startScheduler } from '../scheduler/index.ts';

/** Plain data: it is handed to a worker thread. */
export interface ComponentsConfig {
  readonly controllers: 'all' | 'none' | readonly string[];
  readonly scheduler: boolean;
  /** Folder of controller-manager.conf and scheduler.conf. */
  readonly kubeconfigDir: string;
  /** Folder of ca.crt and ca.key, which sign certificate requests. */
  readonly certDir: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly clusterDomain: string;
}

/** Resolves when everything works; it ends with `signal`. */
export async function startComponents(config: ComponentsConfig, logger: Logger, signal: AbortSignal): Promise<void> {
  const runsControllers = config.controllers !== 'none';
  if (!runsControllers && !config.scheduler) return;
  const clock = systemClock;
  const clients: HttpApiClient[] = [];
  // The user agent is the manager that managedFields name; upstream's, because tools look for them.
  const connect = async (file: string, userAgent: string): Promise<HttpApiClient> => {
    const path = join(config.kubeconfigDir, file);
    const client = await clientFromKubeconfig(await readFile(path, 'utf8'), {
      folder: dirname(path),
      logger,
      userAgent,
    });
    clients.push(client);
    return client;
  };
  signal.addEventListener('abort', () => void Promise.all(clients.map((client) => client.close())), { once: true });

  const first = runsControllers
    ? await connect('controller-manager.conf', 'kube-controller-manager')
    : await connect('scheduler.conf', 'kube-scheduler');
  const informers = createInformerFactory(first, { logger, clock });
  if (config.controllers !== 'none') {
    const { podCidr, serviceCidr, clusterDomain, controllers: names } = config;
    const [certPem, keyPem] = await Promise.all(
      ['ca.crt', 'ca.key'].map((file) => readFile(join(config.certDir, file), 'utf8')),
    );
    const ca = certPem === undefined || keyPem === undefined ? undefined : { certPem, keyPem };
    const options = { names, podCidr, serviceCidr, clusterDomain, ca, rootCaPem: certPem };
    await startControllers({ client: first, informers, options, logger, clock }, signal);
  }
  if (config.scheduler) {
    const client = runsControllers ? await connect('scheduler.conf', 'kube-scheduler') : first;
    const recorder = createEventRecorder(client, 'default-scheduler', { logger, clock });
    startScheduler({ client, informers, recorder, logger }, signal).catch((error: unknown) => {
      // The thread dies of it and is started anew.
      setImmediate(() => {
        throw error;
      });
    });
    await informers.start(signal);
  }
}
