export { contains, nthAddress, overlap, whyNotAddress, whyNotCidr } from './addresses.ts';
export { agentConfigOf } from './agent-config.ts';
export { type ApiServerSettings, apiServerFlags, apiServerSettingsOf } from './api-server.ts';
export {
  type ClusterConfig,
  controlPlaneLabel,
  defaultCriSocket,
  hostNameOf,
  type InitConfig,
  type NodeConfig,
  type NodeTaint,
  resolveInitConfig,
  servedRelease,
  withPort,
} from './cluster.ts';
export { type ClusterDocument, clusterDefaults, clusterDocument, emptyClusterDocument } from './cluster-document.ts';
export { clusterConfigMaps, configMapNames, readClusterConfig } from './cluster-objects.ts';
export {
  agentConfigPath,
  formatAgentConfig,
  formatServerConfig,
  loadAgentConfig,
  loadServerConfig,
  serverConfigPath,
} from './daemon-files.ts';
export type { AgentConfig, ServerConfig } from './daemons.ts';
export { type Given, readInitFile, readJoinFile, readWholeFile } from './documents.ts';
export { nodeNameSchema, socketUrl } from './fields.ts';
export { emptyJoinDocument, type JoinDocument, joinDocument } from './join-document.ts';
export { whyNotServed } from './kubeadm/index.ts';
export { addressTowards, defaultAddress, hasDefaultRoute, routedRanges } from './node-address.ts';
export { agentService, cniBinDirs, kubernetesDir, paths, serverService } from './paths.ts';
export { printDocument } from './print.ts';
export { parseDocument } from './schema-errors.ts';
