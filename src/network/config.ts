// What this folder needs to know of the node's configuration. It is a part of the agent's configuration file: the agent
// passes that object as it is.

import type { Clock, Logger } from '../base/index.ts';
import type { ApiClient, EventRecorder, InformerFactory } from '../client/index.ts';
import type { Host } from '../host/index.ts';

export interface NetworkConfig {
  readonly nodeName: string;
  /** The address of this node that others reach it by; the overlay's outer source address. */
  readonly nodeIp: string;
  /** Folder for what must outlive the process: address leases of pods are kept below it. */
  readonly dataDir: string;
  readonly serviceCidr: string;
  /** The whole cluster's range; each node has a piece of it in spec.podCIDR. */
  readonly podCidr: string;
  readonly clusterDns: string;
  readonly clusterDomain: string;
  readonly overlay: { readonly backend: 'vxlan'; readonly vni: number; readonly port: number };
  readonly serviceProxy: 'nftables' | 'off';
  readonly dns: 'on' | 'off';
  readonly cni: { readonly confDir: string; readonly binDirs: readonly string[] };
}

export interface NetworkDependencies {
  readonly client: ApiClient;
  readonly informers: InformerFactory;
  readonly host: Host;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly recorder: Pick<EventRecorder, 'event'>;
}
