// What init on the master and join on a node do alike: tell the agent what to be, and start it. The agent asks for its own
// certificates with the bootstrap token; a master is no exception, so there is one path to keep right.

import {
  agentConfigOf,
  type ClusterConfig,
  cniBinDirs,
  type NodeConfig,
  paths,
  writeAgentConfig,
} from '../config/index.ts';
import { type Host, kernelNeeds, prepareKernel, type Services } from '../host/index.ts';
import { presentPluginDirs } from '../preflight/index.ts';
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

/** Idempotent; an agent that runs with another configuration is restarted. */
export async function startAgent(start: AgentStart): Promise<void> {
  const { host, services, program, cluster, node } = start;
  const config = agentConfigOf(cluster, node, await presentPluginDirs(host, cniBinDirs));
  const before = await digest(host);
  await host.writeFile(paths.caFile, start.caPem);
  await host.makeDir(paths.agentData, { mode: 0o700 });
  await writeAgentConfig(host, config);
  if ((await host.stat(paths.kubeletConf)) === undefined) {
    await host.writeFile(paths.bootstrapKubeletConf, start.bootstrapKubeconfig, { mode: 0o600 });
  }
  const spec = agentServiceSpec(program);
  await services.install(spec);
  const { state } = await services.status(spec.name);
  const changed = before !== (await digest(host));
  if (changed && state !== 'stopped' && state !== 'absent') await services.restart(spec.name);
  else await services.start(spec.name);
}

async function digest(host: Host): Promise<string> {
  const files = ['/etc/k8ts/agent.json', paths.bootstrapKubeletConf, paths.caFile];
  return (await Promise.all(files.map((path) => host.readFileIfExists(path)))).map(String).join('\n');
}
