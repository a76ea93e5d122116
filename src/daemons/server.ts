// `k8ts run server`: store, API server, and the thread with controllers and scheduler, in this order; stopped the other
// way round. Certificates and kubeconfigs are there already (init or `run control-plane` made them).

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ApiServer, createNodeProxy, startApiServer } from '../apiserver/index.ts';
import { CodedError, type Logger, messageOf } from '../base/index.ts';
import type { ServerConfig } from '../config/index.ts';
import { createMemoryStore, openSqliteStore, type Store } from '../store/index.ts';
import { apiServerOptionsOf } from './api-server-settings.ts';
import { type ComponentsThread, startComponentsThread } from './components-thread.ts';
import { createInstallationSource } from './installation.ts';

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /** Resolves with the reason when it can't go on by itself. */
  readonly failed: Promise<Error>;
  stop(): Promise<void>;
}

/**
 * Resolves when the API server is ready and its controllers and scheduler work, or `signal` aborts.
 * @param run where controllers and scheduler work: a thread of their own by default, or this one.
 */
export async function startServer(
  config: ServerConfig,
  logger: Logger,
  signal: AbortSignal,
  run: typeof startComponentsThread = startComponentsThread,
): Promise<RunningServer> {
  const store = await openStore(config);
  let api: ApiServer | undefined;
  let components: ComponentsThread | undefined;
  const stop = async (): Promise<void> => {
    await components?.stop();
    await api?.stop();
    await store.close();
  };
  try {
    api = await startApi(config, store, logger);
    await api.ready;
    const { controllers, scheduler, kubeconfigDir, certDir, podCidr, serviceCidr, clusterDomain } = config;
    components = run({ controllers, scheduler, kubeconfigDir, certDir, podCidr, serviceCidr, clusterDomain }, logger);
    await Promise.race([components.ready, once(signal, 'abort')]);
  } catch (error) {
    await stop();
    throw error;
  }
  logger.info('the server is ready', { url: api.url });
  const { url, port, failed } = api;
  return { url, port, failed, stop };
}

function openStore({ datastore }: ServerConfig): Promise<Store> {
  return datastore.kind === 'memory' ? createMemoryStore() : openSqliteStore({ path: datastore.path });
}

async function startApi(config: ServerConfig, store: Store, logger: Logger): Promise<ApiServer> {
  const read = pemReader(config.certDir);
  const [ca, cert, key] = await Promise.all([read('ca.crt'), read('apiserver.crt'), read('apiserver.key')]);
  const [clientCert, clientKey] = await Promise.all([
    read('apiserver-kubelet-client.crt'),
    read('apiserver-kubelet-client.key'),
  ]);
  const [signingKeyPem, frontProxyCa] = await Promise.all([read('sa.key'), read('front-proxy-ca.crt')]);
  const { archiveDir, controlPlaneEndpoint: endpoint } = config;
  const [frontCert, frontKey] = await Promise.all([read('front-proxy-client.crt'), read('front-proxy-client.key')]);
  const issuer = `https://kubernetes.default.svc.${config.clusterDomain}`;
  const set = await apiServerOptionsOf(config.apiServer ?? {}, { frontProxyCa, signingKeyPem, issuer, logger });
  return startApiServer({
    store,
    host: config.bindAddress,
    port: config.bindPort,
    advertiseAddress: config.advertiseAddress,
    serviceCidr: config.serviceCidr,
    tls: { cert, key, clientCa: ca, frontProxyCa: set.frontProxyCa },
    ...set,
    frontProxy: { cert: frontCert, key: frontKey },
    ...(archiveDir && { installation: createInstallationSource({ archiveDir, endpoint, caPem: ca }) }),
    nodeProxy: ({ reader }) => createNodeProxy({ reader, clientCert, clientKey, clusterCa: ca }),
    logger,
  });
}

function pemReader(certDir: string): (name: string) => Promise<string> {
  return async (name) => {
    try {
      return await readFile(join(certDir, name), 'utf8');
    } catch (error) {
      throw new CodedError('CERTIFICATE_UNREADABLE', `${join(certDir, name)} cannot be read: ${messageOf(error)}`, {
        hint: 'run k8ts init again: it makes what is missing',
        cause: error,
      });
    }
  };
}
