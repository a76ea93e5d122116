// `k8ts run server`: the API server on an open store, then the thread with controllers and scheduler; stopped the other way
// round. Certificates and kubeconfigs are there already (init or `run control-plane` made them); those that expired while
// the machine was off are renewed first, and those that are renewed later are taken over.

import { once } from 'node:events';
import { dirname, join } from 'node:path';
import {
  type ApiServer,
  type ComponentCheck,
  createNodeProxy,
  type Gauge,
  type NodeProxy,
  startApiServer,
} from '../apiserver/index.ts';
import { type Logger, messageOf, systemClock } from '../base/index.ts';
import type { ServerConfig } from '../config/index.ts';
import { createLocalHost } from '../host/index.ts';
import type { Store } from '../store/index.ts';
import { apiServerOptionsOf } from './api-server-settings.ts';
import { componentChecks } from './component-checks.ts';
import { type ComponentsThread, startComponentsThread } from './components-thread.ts';
import { createInstallationSource } from './installation.ts';
import { returnMemory } from './return-memory.ts';
import { followCertificates } from './server-certificates.ts';
import { serverGauges } from './server-gauges.ts';
import { needsMending, readExpiries, readPem, readServerMaterial, type ServerMaterial } from './server-material.ts';

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /** Resolves with the reason when it can't go on by itself. */
  readonly failed: Promise<Error>;
  stop(): Promise<void>;
}

export interface ServeOptions {
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Where controllers and scheduler work: a thread of their own by default, or this one. */
  readonly run?: typeof startComponentsThread;
}

/** See start-server.ts. @param options with the store, which is closed when the server stops or does not start. */
export async function serve(
  config: ServerConfig,
  { store, logger, signal, run = startComponentsThread }: ServeOptions & { readonly store: Store },
): Promise<RunningServer> {
  const { certDir, kubeconfigDir, nodeName } = config;
  const stopFollowing = new AbortController();
  let running: RunningApi | undefined;
  let components: ComponentsThread | undefined;
  const stop = async (): Promise<void> => {
    stopFollowing.abort();
    await components?.stop();
    await running?.api.stop();
    await store.close();
  };
  try {
    if (await needsMending(certDir, Date.now())) await mend(config, logger);
    const material = await readServerMaterial(certDir);
    let expiries = await readExpiries(certDir);
    const gauges = serverGauges({ expiries: () => expiries, components: () => components?.state() });
    const checks = componentChecks(config, () => components);
    running = await startApi(config, store, { material, gauges, checks, logger });
    await running.api.ready;
    const { controllers, scheduler, podCidr, serviceCidr, clusterDomain } = config;
    const folders = followed(config);
    const cluster = { podCidr, serviceCidr, clusterDomain };
    components = run({ controllers, scheduler, kubeconfigDir, certDir, nodeName, folders, ...cluster }, logger);
    const { use } = running;
    const useAll = (next: ServerMaterial): void => {
      use(next);
      readExpiries(certDir).then(
        (news) => {
          expiries = news;
        },
        (error: unknown) => logger.warn('expiry dates were not read', { error: messageOf(error) }),
      );
    };
    await followCertificates(config, { material, use: useAll, components, folders, logger }, stopFollowing.signal);
    await Promise.race([components.ready, once(signal, 'abort')]);
  } catch (error) {
    await stop();
    throw error;
  }
  const { url, port, failed } = running.api;
  returnMemory(10_000, signal);
  logger.info('the server is ready', { url });
  return { url, port, failed, stop };
}

/** The folder that certificates are read from, unless the datastore writes there too: each write would be told of. */
function followed({ certDir, kubeconfigDir, datastore }: ServerConfig): readonly string[] {
  const isBusy = datastore.kind === 'sqlite' && dirname(datastore.path) === kubeconfigDir;
  return isBusy ? [certDir] : [certDir, kubeconfigDir];
}

/** Imported when it is needed, which is hardly ever. */
async function mend({ certDir, kubeconfigDir }: ServerConfig, logger: Logger): Promise<void> {
  const { renewBeforeStart } = await import('./certificate-keeper.ts');
  await renewBeforeStart({
    places: { certDir, kubeconfigDir },
    host: createLocalHost(),
    clock: systemClock,
    logger,
  });
}

interface ApiParts {
  readonly material: ServerMaterial;
  readonly gauges: readonly Gauge[];
  readonly checks: readonly ComponentCheck[];
  readonly logger: Logger;
}

interface RunningApi {
  readonly api: ApiServer;
  /** New connections use it; open ones, watches among them, go on as they are. */
  readonly use: (material: ServerMaterial) => void;
}

async function startApi(config: ServerConfig, store: Store, parts: ApiParts): Promise<RunningApi> {
  const { gauges, checks, logger } = parts;
  let { material } = parts;
  const { archiveDir, controlPlaneEndpoint: endpoint } = config;
  const signingKeyPem = await readPem(join(config.certDir, 'sa.key'));
  const issuer = `https://kubernetes.default.svc.${config.clusterDomain}`;
  const { frontProxyCa } = material;
  const set = await apiServerOptionsOf(config.apiServer ?? {}, { frontProxyCa, signingKeyPem, issuer, logger });
  const tlsOf = ({ serving, ca }: ServerMaterial) => ({ ...serving, clientCa: ca, frontProxyCa: set.frontProxyCa });
  const nodeSideOf = ({ node, ca }: ServerMaterial) => ({
    ...{ clientCert: node.cert, clientKey: node.key, clusterCa: ca },
  });
  let nodeProxy: NodeProxy | undefined;
  const api = await startApiServer({
    store,
    host: config.bindAddress,
    port: config.bindPort,
    advertiseAddress: config.advertiseAddress,
    serviceCidr: config.serviceCidr,
    tls: tlsOf(material),
    ...set,
    frontProxy: material.frontProxy,
    ...(archiveDir && { installation: createInstallationSource({ archiveDir, endpoint, caPem: () => material.ca }) }),
    nodeProxy: ({ reader }) => {
      nodeProxy = createNodeProxy({ reader, ...nodeSideOf(material) });
      return nodeProxy;
    },
    gauges,
    components: checks,
    logger,
  });
  return {
    api,
    use(next) {
      material = next;
      api.replaceTls(tlsOf(next));
      api.replaceFrontProxy(next.frontProxy);
      nodeProxy?.replaceCertificate(nodeSideOf(next));
    },
  };
}
