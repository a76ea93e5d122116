// What a control plane needs that no `init` has prepared: certificates, kubeconfigs and a configuration in one folder.

import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { type CertContext, ensureCertificates, ensureKubeconfigs } from '../certs/index.ts';
import type { ApiServerSettings, ServerConfig } from '../config/index.ts';
import { createLocalHost } from '../host/index.ts';

export interface StandaloneOptions {
  /** Certificates, kubeconfigs and state; made when absent. */
  readonly dataDir: string;
  readonly bindAddress: string;
  /** 0: any free port. */
  readonly port: number;
  /** State is kept in memory only. */
  readonly memory?: boolean;
  readonly controllers: 'all' | 'none' | readonly string[];
  readonly scheduler: boolean;
  /** Absent: all defaults. */
  readonly apiServer?: ApiServerSettings | undefined;
}

/** The configuration of a server that nobody but this machine's clients knows. */
export async function standaloneConfig(options: StandaloneOptions): Promise<ServerConfig> {
  const dataDir = resolve(options.dataDir);
  const port = options.port === 0 ? await freePort(options.bindAddress) : options.port;
  const advertiseAddress = options.bindAddress === '0.0.0.0' ? '127.0.0.1' : options.bindAddress;
  return {
    nodeName: hostname(),
    advertiseAddress,
    bindAddress: options.bindAddress,
    bindPort: port,
    controlPlaneEndpoint: `${advertiseAddress}:${port}`,
    certDir: join(dataDir, 'pki'),
    kubeconfigDir: dataDir,
    datastore: options.memory === true ? { kind: 'memory' } : { kind: 'sqlite', path: join(dataDir, 'state.db') },
    serviceCidr: '10.96.0.0/12',
    podCidr: '10.244.0.0/16',
    clusterDomain: 'cluster.local',
    controllers: options.controllers,
    scheduler: options.scheduler,
    apiServer: options.apiServer,
  };
}

/** Certificates and kubeconfigs where the configuration says; what is there and usable stays. */
export async function ensureCredentials(config: ServerConfig): Promise<void> {
  const host = createLocalHost();
  const context: CertContext = { ...config, extraSans: ['localhost', '127.0.0.1'] };
  const { certDir, kubeconfigDir, bindPort } = config;
  await ensureCertificates(host, { context, certDir });
  const names = ['admin.conf', 'controller-manager.conf', 'scheduler.conf'];
  await ensureKubeconfigs(host, { context, certDir, kubeconfigDir, bindPort, names });
}

function freePort(host: string): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once('error', fail);
    probe.listen(0, host, () => {
      const address = probe.address();
      probe.close(() => done(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
