// The one place that says what an agent is told; init and join differ only in the cluster's and the node's part.

import type { ClusterConfig, NodeConfig } from './cluster.ts';
import type { AgentConfig } from './daemons.ts';
import { kubernetesDir, paths } from './paths.ts';

/** @param cniBinDirs folders that hold the CNI plugins on this machine, most wanted first */
export function agentConfigOf(cluster: ClusterConfig, node: NodeConfig, cniBinDirs: readonly string[]): AgentConfig {
  return {
    nodeName: node.name,
    nodeIp: node.ip,
    kubeconfig: `${kubernetesDir}/kubelet.conf`,
    bootstrapKubeconfig: `${kubernetesDir}/bootstrap-kubelet.conf`,
    certDir: `${paths.agentData}/pki`,
    caFile: paths.caFile,
    criSocket: node.criSocket,
    dataDir: paths.agentData,
    serviceCidr: cluster.serviceCidr,
    podCidr: cluster.podCidr,
    clusterDns: cluster.clusterDns,
    clusterDomain: cluster.clusterDomain,
    bindAddress: '0.0.0.0',
    port: 10250,
    taints: node.taints.map(({ key, value, effect }) => ({ key, effect, ...(value === undefined ? {} : { value }) })),
    labels: node.labels,
    maxPods: node.maxPods ?? cluster.maxPods,
    overlay: cluster.overlay,
    serviceProxy: cluster.serviceProxy,
    dns: cluster.dns,
    cni: { confDir: '/etc/cni/net.d', binDirs: cniBinDirs },
  };
}
