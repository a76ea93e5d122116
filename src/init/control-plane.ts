// The control plane is one service. Its configuration is a file, so that a change is a change of that file and a restart.

import { dirname } from 'node:path';
import { ensureService, serverServiceSpec } from '../bootstrap/index.ts';
import { archiveDir } from '../bundle/index.ts';
import {
  formatServerConfig,
  type InitConfig,
  kubernetesDir,
  paths,
  type ServerConfig,
  serverConfigPath,
} from '../config/index.ts';
import type { Host } from '../host/index.ts';
import type { Phase } from '../workflow/index.ts';
import type { InitContext } from './context.ts';

export const controlPlane: Phase<InitContext> = {
  name: 'control-plane',
  title: 'Starting the control plane',
  aliases: ['control-plane/all'],
  run: async ({ host, services, config, program }) => {
    const folders = await makeFolders(host, config);
    await ensureService({
      host,
      services,
      spec: serverServiceSpec(program, folders),
      files: [{ path: serverConfigPath, content: formatServerConfig(serverConfigOf(config)), mode: 0o600 }],
    });
  },
};

/** Files that the server makes by itself are noted beforehand, so that reset finds them wherever they are. */
async function makeFolders(host: Host, { datastore, apiServer }: InitConfig): Promise<readonly string[]> {
  await host.makeDir(paths.serverData, { mode: 0o700 });
  const folder = dirname(datastore.path);
  await host.makeDir(folder, { mode: 0o700 });
  for (const suffix of ['', '-wal', '-shm']) await noteNew(host, `${datastore.path}${suffix}`);
  const { logPath } = apiServer.audit ?? {};
  if (logPath === undefined) return [folder];
  await host.makeDir(dirname(logPath), { mode: 0o750 });
  await noteNew(host, logPath);
  return [folder, dirname(logPath)];
}

async function noteNew(host: Host, path: string): Promise<void> {
  if ((await host.stat(path)) === undefined) await host.record({ kind: 'file', path, before: null });
}

function serverConfigOf(config: InitConfig): ServerConfig {
  return {
    nodeName: config.node.name,
    advertiseAddress: config.advertiseAddress,
    bindAddress: '0.0.0.0',
    bindPort: config.bindPort,
    controlPlaneEndpoint: config.cluster.controlPlaneEndpoint,
    certDir: paths.pki,
    kubeconfigDir: kubernetesDir,
    datastore: config.datastore,
    serviceCidr: config.cluster.serviceCidr,
    podCidr: config.cluster.podCidr,
    clusterDomain: config.cluster.clusterDomain,
    controllers: 'all',
    scheduler: true,
    archiveDir,
    apiServer: config.apiServer,
  };
}
