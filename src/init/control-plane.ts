// The control plane is one service. Its configuration is a file, so that a change is a change of that file and a restart.

import { serverServiceSpec } from '../bootstrap/index.ts';
import { archiveDir } from '../bundle/index.ts';
import {
  type InitConfig,
  kubernetesDir,
  paths,
  type ServerConfig,
  serverConfigPath,
  writeServerConfig,
} from '../config/index.ts';
import type { Phase } from '../workflow/index.ts';
import type { InitContext } from './context.ts';

export const controlPlane: Phase<InitContext> = {
  name: 'control-plane',
  title: 'Starting the control plane',
  run: async ({ host, services, config, program }) => {
    const before = await host.readFileIfExists(serverConfigPath);
    await host.makeDir(paths.serverData, { mode: 0o700 });
    await writeServerConfig(host, serverConfigOf(config));
    const after = await host.readFileIfExists(serverConfigPath);
    const spec = serverServiceSpec(program);
    await services.install(spec);
    const { state } = await services.status(spec.name);
    const runs = state !== 'stopped' && state !== 'absent';
    if (runs && before?.toString() !== after?.toString()) await services.restart(spec.name);
    else await services.start(spec.name);
  },
};

function serverConfigOf(config: InitConfig): ServerConfig {
  return {
    nodeName: config.node.name,
    advertiseAddress: config.advertiseAddress,
    bindAddress: '0.0.0.0',
    bindPort: config.bindPort,
    controlPlaneEndpoint: config.cluster.controlPlaneEndpoint,
    certDir: paths.pki,
    kubeconfigDir: kubernetesDir,
    datastore: { kind: 'sqlite', path: `${paths.serverData}/state.db` },
    serviceCidr: config.cluster.serviceCidr,
    podCidr: config.cluster.podCidr,
    clusterDomain: config.cluster.clusterDomain,
    controllers: 'all',
    scheduler: true,
    archiveDir,
    apiServer: config.apiServer,
  };
}
