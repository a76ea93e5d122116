// The cluster's configuration: the document (from a file, from flags, or both; a flag wins) completed with defaults that are
// kubeadm's where it has them.

import { CodedError } from '../base/index.ts';
import type { Host } from '../host/index.ts';
import { contains, nthAddress, overlap, sizeOf } from './addresses.ts';
import type { ApiServerSettings } from './api-server.ts';
import { type ClusterDocument, clusterDefaults, clusterDocument } from './cluster-document.ts';
import { type Datastore, parseDatastore } from './datastore.ts';
import { nodeNameSchema, socketUrl } from './fields.ts';
import { defaultAddress } from './node-address.ts';
import { parseDocument } from './schema-errors.ts';

/** The release whose API k8ts serves: what `kubernetesVersion` of others must agree with. */
export const servedRelease = '1.35';

/** What every node of the cluster has to know; kept in the cluster as ConfigMap kube-system/k8ts-config. */
export interface ClusterConfig {
  readonly clusterName: string;
  /** host:port */
  readonly controlPlaneEndpoint: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly clusterDomain: string;
  readonly clusterDns: string;
  readonly overlay: { readonly backend: 'vxlan'; readonly vni: number; readonly port: number };
  readonly serviceProxy: 'nftables' | 'off';
  readonly dns: 'on' | 'off';
  /** Pods on a node that has no number of its own. */
  readonly maxPods: number;
}

export interface NodeTaint {
  readonly key: string;
  readonly value?: string | undefined;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

/** What one machine is told about itself. */
export interface NodeConfig {
  readonly name: string;
  readonly ip: string;
  /** unix:///run/containerd/containerd.sock */
  readonly criSocket: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly NodeTaint[];
  /** Absent: the cluster's. */
  readonly maxPods?: number | undefined;
}

/** Everything that `init` needs of the machine and the cluster, nothing left to default. */
export interface InitConfig {
  readonly cluster: ClusterConfig;
  readonly node: NodeConfig;
  readonly advertiseAddress: string;
  readonly bindPort: number;
  readonly certSans: readonly string[];
  /** Durations in Go's form. */
  readonly certificates: {
    readonly algorithm: NonNullable<NonNullable<ClusterDocument['certificates']>['algorithm']>;
    readonly lifetime: string;
    readonly caLifetime: string;
  };
  readonly datastore: Datastore;
  /** What the API server is told besides; empty: all defaults. */
  readonly apiServer: ApiServerSettings;
}

export const defaultCriSocket = clusterDefaults.node.criSocket;
export const controlPlaneLabel = 'node-role.kubernetes.io/control-plane';
/** What keeps ordinary pods off a control plane node; kubeadm's. */
const controlPlaneTaint: NodeTaint = { key: controlPlaneLabel, effect: 'NoSchedule' };

/**
 * The document completed for the machine `host`.
 * @throws CodedError CONFIG_INVALID, CIDR_OVERLAP, ADDRESS_UNKNOWN
 */
export async function resolveInitConfig(host: Host, given: ClusterDocument, source: string): Promise<InitConfig> {
  const document = parseDocument(clusterDocument, given, source);
  const { networking = {}, node = {} } = document;
  const defaults = clusterDefaults.networking;
  const {
    advertiseAddress: wanted,
    bindPort = clusterDefaults.apiServer.bindPort,
    certSans = [],
    ...apiServer
  } = document.apiServer ?? {};
  const advertiseAddress = wanted ?? (await defaultAddress(host));
  const serviceCidr = networking.serviceCidr ?? defaults.serviceCidr;
  const cluster: ClusterConfig = {
    clusterName: document.clusterName ?? clusterDefaults.clusterName,
    controlPlaneEndpoint: withPort(document.controlPlaneEndpoint ?? advertiseAddress, bindPort),
    podCidr: networking.podCidr ?? defaults.podCidr,
    serviceCidr,
    clusterDomain: networking.dnsDomain ?? defaults.dnsDomain,
    clusterDns: networking.clusterDns ?? nthAddress(serviceCidr, 10),
    overlay: {
      backend: 'vxlan',
      vni: networking.overlay?.vni ?? defaults.overlay.vni,
      port: networking.overlay?.port ?? defaults.overlay.port,
    },
    serviceProxy: networking.serviceProxy ?? defaults.serviceProxy,
    dns: networking.dns ?? defaults.dns,
    maxPods: document.kubelet?.maxPods ?? clusterDefaults.kubelet.maxPods,
  };
  requireSoundRanges(cluster, advertiseAddress);
  return {
    cluster,
    node: {
      name: parseDocument(nodeNameSchema, node.name ?? (await hostNameOf(host)), 'the node name (--node-name)'),
      ip: node.ip ?? advertiseAddress,
      criSocket: socketUrl(node.criSocket ?? defaultCriSocket),
      labels: node.labels ?? {},
      taints: node.taints ?? [controlPlaneTaint],
      ...(node.maxPods === undefined ? {} : { maxPods: node.maxPods }),
    },
    advertiseAddress,
    bindPort,
    certSans,
    certificates: {
      algorithm: document.certificates?.algorithm ?? clusterDefaults.certificates.algorithm,
      lifetime: document.certificates?.lifetime ?? clusterDefaults.certificates.lifetime,
      caLifetime: document.certificates?.caLifetime ?? clusterDefaults.certificates.caLifetime,
    },
    datastore: parseDatastore(document.datastore ?? clusterDefaults.datastore),
    apiServer,
  };
}

export async function hostNameOf(host: Host): Promise<string> {
  return (await host.facts()).hostName.toLowerCase();
}

/** @param endpoint host or host:port */
export function withPort(endpoint: string, port: number): string {
  return endpoint.includes(':') ? endpoint : `${endpoint}:${port}`;
}

function requireSoundRanges({ podCidr, serviceCidr, clusterDns }: ClusterConfig, address: string): void {
  const problem = (what: string): CodedError =>
    new CodedError('CIDR_OVERLAP', what, {
      exit: 'invalidInput',
      hint: 'choose other ranges with --pod-network-cidr and --service-cidr; they cannot be changed later',
    });
  if (overlap(podCidr, serviceCidr)) throw problem(`pod range ${podCidr} and service range ${serviceCidr} overlap`);
  if (contains(podCidr, address)) throw problem(`pod range ${podCidr} contains this machine's address ${address}`);
  if (contains(serviceCidr, address))
    throw problem(`service range ${serviceCidr} contains this machine's address ${address}`);
  if (sizeOf(podCidr) < 256) throw problem(`pod range ${podCidr} is smaller than the /24 that each node gets`);
  if (sizeOf(serviceCidr) < 16) throw problem(`service range ${serviceCidr} has fewer than 16 addresses`);
  if (!contains(serviceCidr, clusterDns))
    throw problem(`the cluster DNS ${clusterDns} is not in the service range ${serviceCidr}`);
}
