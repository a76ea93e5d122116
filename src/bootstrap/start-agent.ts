// What init on the master and join on a node do alike: tell the agent what to be, and start it. An agent without an identity
// asks for its certificate with the bootstrap token.

import {
  agentConfigOf,
  agentConfigPath,
  type ClusterConfig,
  cniBinDirs,
  formatAgentConfig,
  type NodeConfig,
  paths,
} from '../config/index.ts';
import { type Host, kernelNeeds, prepareKernel, type Services } from '../host/index.ts';
import { presentPluginDirs } from '../preflight/index.ts';
import { ensureService } from './ensure-service.ts';
import { agentServiceSpec } from './services.ts';

export interface AgentStart {
  readonly host: Host;
  readonly services: Services;
  readonly program: readonly string[];
  readonly cluster: ClusterConfig;
  readonly node: NodeConfig;
  readonly caPem: string;
  /** Kubeconfig with the bootstrap token in it. */
  readonly bootstrapKubeconfig: string;
}

/** Folders that the container runtime and the CNI plugins make when the first pod starts. */
const runtimeFolders = ['/run/netns', '/var/log/pods', '/var/lib/cni', '/var/lib/cni/networks', '/var/lib/cni/results'];

/** Loads modules and sets what pods' traffic needs of the kernel. */
export async function setUpHost(host: Host): Promise<void> {
  await prepareKernel(host, kernelNeeds);
  for (const path of runtimeFolders) {
    if ((await host.stat(path)) === undefined) await host.record({ kind: 'directory', path, shared: true });
  }
}

/** Idempotent; an agent that runs with another configuration is stopped first. */
export async function startAgent(start: AgentStart): Promise<void> {
  const { host, services, program, cluster, node } = start;
  const config = agentConfigOf(cluster, node, await presentPluginDirs(host, cniBinDirs));
  // Once it has a certificate of its own, the agent has no use for the token.
  const hasIdentity = (await host.stat(paths.kubeletConf)) !== undefined;
  await host.makeDir(paths.agentData, { mode: 0o700 });
  await ensureService({
    host,
    services,
    spec: agentServiceSpec(program),
    files: [
      { path: paths.caFile, content: start.caPem },
      { path: agentConfigPath, content: formatAgentConfig(config), mode: 0o600 },
      ...(hasIdentity ? [] : [{ path: paths.bootstrapKubeletConf, content: start.bootstrapKubeconfig, mode: 0o600 }]),
    ],
  });
}
