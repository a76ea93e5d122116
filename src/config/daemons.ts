// What init and join write for the long-lived processes, and what those read at start: one JSON file each, so that a
// daemon has no flags to get wrong and reset knows where everything is.

import type { ApiServerSettings } from './api-server.ts';

/** /etc/k8ts/server.json */
export interface ServerConfig {
  readonly nodeName: string;
  /** The address that clients are told; in the serving certificate and the `kubernetes` Service's endpoints. */
  readonly advertiseAddress: string;
  readonly bindAddress: string;
  readonly bindPort: number;
  /** host:port that kubeconfigs and cluster-info name. */
  readonly controlPlaneEndpoint: string;
  /** Where the certificate table's files are: /etc/kubernetes/pki. */
  readonly certDir: string;
  /** Where kubeconfigs are: /etc/kubernetes. */
  readonly kubeconfigDir: string;
  readonly datastore: { readonly kind: 'sqlite'; readonly path: string } | { readonly kind: 'memory' };
  readonly serviceCidr: string;
  readonly podCidr: string;
  readonly clusterDomain: string;
  /** `all`, `none`, or names from the controllers table. */
  readonly controllers: 'all' | 'none' | readonly string[];
  readonly scheduler: boolean;
  /** Where the archives are that new machines install k8ts from; absent: none are served. */
  readonly archiveDir?: string | undefined;
  /** Absent: all defaults. */
  readonly apiServer?: ApiServerSettings | undefined;
}

/** /etc/k8ts/agent.json */
export interface AgentConfig {
  readonly nodeName: string;
  readonly nodeIp: string;
  /** Client identity of this node; written by the agent once its CSR is answered. */
  readonly kubeconfig: string;
  /** Used while `kubeconfig` does not exist; holds the bootstrap token. */
  readonly bootstrapKubeconfig: string;
  /** Where the agent keeps its client and serving certificates: /var/lib/k8ts/agent/pki. */
  readonly certDir: string;
  /** The cluster CA, which signs the API server and the API server's client certificate. */
  readonly caFile: string;
  /** unix:///run/containerd/containerd.sock */
  readonly criSocket: string;
  /** Pod folders, checkpoints: /var/lib/k8ts/agent. */
  readonly dataDir: string;
  readonly serviceCidr: string;
  readonly podCidr: string;
  readonly clusterDns: string;
  readonly clusterDomain: string;
  /** `all` addresses by default. */
  readonly bindAddress: string;
  /** 10250 */
  readonly port: number;
  /** Taints and labels that the node registers with. */
  readonly taints: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  readonly labels: Readonly<Record<string, string>>;
  readonly maxPods: number;
  readonly overlay: { readonly backend: 'vxlan'; readonly vni: number; readonly port: number };
  readonly serviceProxy: 'nftables' | 'off';
  readonly dns: 'on' | 'off';
  readonly cni: { readonly confDir: string; readonly binDirs: readonly string[] };
}
