// Controllers and scheduler, on one set of informers. They reach the API server over HTTPS with the identities in
// controller-manager.conf and scheduler.conf, like any client, so either can be left out and run elsewhere.
// The control plane's certificates are renewed here as well: this thread has ASN.1 loaded and may write Events.
// Without the CA's key (an external CA) certificate requests are approved and left for somebody else to sign.

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Clock, codeOf, type Logger, systemClock } from '../base/index.ts';
import { type Credential, parseKubeconfig } from '../certs/index.ts';
import {
  clientFromKubeconfig,
  createEventRecorder,
  createInformerFactory,
  type HttpApiClient,
  type TlsIdentity,
} from '../client/index.ts';
import { startControllers } from '../controllers/index.ts';
import { createLocalHost } from '../host/index.ts';
import { startScheduler } from '../scheduler/index.ts';
import { keepServerCertificates } from './certificate-keeper.ts';

/** Plain data: it is handed to a worker thread. */
export interface ComponentsConfig {
  readonly controllers: 'all' | 'none' | readonly string[];
  readonly scheduler: boolean;
  /** Folder of controller-manager.conf and scheduler.conf. */
  readonly kubeconfigDir: string;
  /** Folder of the certificates; ca.crt and ca.key sign certificate requests. */
  readonly certDir: string;
  /** Folders in which certificates change. */
  readonly folders: readonly string[];
  /** Whom Events about certificates name. */
  readonly nodeName: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly clusterDomain: string;
}

export interface Components {
  /** Speaks under the identities that the kubeconfigs hold now. */
  readonly renew: () => Promise<void>;
}

/** Resolves when everything works; it ends with `signal`. */
export async function startComponents(
  config: ComponentsConfig,
  logger: Logger,
  signal: AbortSignal,
): Promise<Components> {
  const runsControllers = config.controllers !== 'none';
  const clients = new Map<HttpApiClient, string>();
  const renew = async (): Promise<void> => {
    for (const [client, path] of clients) client.useIdentity(await identityIn(path));
  };
  if (!runsControllers && !config.scheduler) return { renew };
  const clock = systemClock;
  // The user agent is the manager that managedFields name; upstream's, because tools look for them.
  const connect = async (file: string, userAgent: string): Promise<HttpApiClient> => {
    const path = join(config.kubeconfigDir, file);
    const client = await clientFromKubeconfig(await readFile(path, 'utf8'), {
      folder: dirname(path),
      logger,
      userAgent,
    });
    clients.set(client, path);
    return client;
  };
  signal.addEventListener('abort', () => void Promise.all([...clients.keys()].map((client) => client.close())), {
    once: true,
  });

  const first = runsControllers
    ? await connect('controller-manager.conf', 'kube-controller-manager')
    : await connect('scheduler.conf', 'kube-scheduler');
  // Before anything is waited for: a serving certificate that has expired is what one would wait for in vain.
  keepCertificates(config, { client: first, logger, clock }, signal);
  const informers = createInformerFactory(first, { logger, clock });
  if (config.controllers !== 'none') {
    const { podCidr, serviceCidr, clusterDomain, controllers: names } = config;
    const [certPem, keyPem] = await Promise.all([
      readFile(join(config.certDir, 'ca.crt'), 'utf8'),
      readFile(join(config.certDir, 'ca.key'), 'utf8').catch(absent),
    ]);
    const ca = keyPem === undefined ? undefined : { certPem, keyPem };
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
  return { renew };
}

function keepCertificates(
  { certDir, kubeconfigDir, folders, nodeName }: ComponentsConfig,
  { client, logger, clock }: { readonly client: HttpApiClient; readonly logger: Logger; readonly clock: Clock },
  signal: AbortSignal,
): void {
  const recorder = createEventRecorder(client, 'k8ts-server', { host: nodeName, logger, clock });
  const about = { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName, uid: nodeName } };
  keepServerCertificates(
    {
      places: { certDir, kubeconfigDir },
      folders,
      host: createLocalHost(),
      clock,
      logger,
      warn: (reason, message) => recorder.event(about, 'Warning', reason, message),
    },
    signal,
  );
}

async function identityIn(path: string): Promise<TlsIdentity> {
  const { ca, cert, key } = parseKubeconfig(await readFile(path, 'utf8'), { folder: dirname(path) });
  return { ca: await textOf(ca), cert: await textOf(cert), key: await textOf(key) };
}

async function textOf(credential: Credential | undefined): Promise<string> {
  if (credential === undefined) return '';
  return 'text' in credential ? credential.text : await readFile(credential.file, 'utf8');
}

function absent(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
}
