export { contains, nthAddress, overlap, whyNotAddress, whyNotCidr } from './addresses.ts';
export { agentConfigOf } from './agent-config.ts';
export { type ApiServerSettings, apiServerFlags, apiServerSettingsOf } from './api-server.ts';
export {
  type ClusterConfig,
  type ClusterDocument,
  clusterDocument,
  controlPlaneLabel,
  controlPlaneTaint,
  criSocketSchema,
  defaultCriSocket,
  hostNameOf,
  type InitConfig,
  type NodeConfig,
  type NodeTaint,
  nodeNameSchema,
  parseClusterDocument,
  resolveInitConfig,
  socketUrl,
} from './cluster.ts';
export { clusterConfigMaps, configMapNames, readClusterConfig } from './cluster-objects.ts';
export {
  agentConfigPath,
  loadAgentConfig,
  loadServerConfig,
  serverConfigPath,
  writeAgentConfig,
  writeServerConfig,
} from './daemon-files.ts';
export type { AgentConfig, ServerConfig } from './daemons.ts';
export { addressTowards, defaultAddress, hasDefaultRoute, routedRanges } from './node-address.ts';
export { agentService, cniBinDirs, kubernetesDir, paths, serverService } from './paths.ts';
export { parseDocument } from './schema-errors.ts';
