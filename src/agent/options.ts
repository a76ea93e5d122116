// What the agent is given: the machine, the runtime, the cluster, and its settings (a part of /etc/k8ts/agent.json, which
// fits as it is).

import type { Clock, Logger } from '../base/index.ts';
import type { ApiClient, InformerFactory, TlsIdentity } from '../client/index.ts';
import type { Cri } from '../cri/index.ts';
import type { Host } from '../host/index.ts';

export interface AgentOptions {
  readonly nodeName: string;
  readonly nodeIp: string;
  /** The cluster CA: signs the API server's client certificate, and is what pods trust. */
  readonly caFile: string;
  /** This is a control plane node: caFile is the cluster's own, not a copy to be kept up to date. Default false. */
  readonly ownsCa?: boolean;
  /** Where the client and serving certificates are kept. */
  readonly certDir: string;
  /** Pod folders are below it. */
  readonly dataDir: string;
  readonly clusterDns: string;
  readonly clusterDomain: string;
  readonly dns: 'on' | 'off';
  readonly overlay: { readonly vni: number };
  readonly bindAddress: string;
  /** 10250; 0 takes a free one. */
  readonly port: number;
  readonly taints: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  readonly labels: Readonly<Record<string, string>>;
  readonly maxPods: number;
}

export interface AgentDeps {
  readonly client: ApiClient;
  /** Exchanges the client's certificate for a renewed one; left out, the agent does not renew it. */
  readonly useIdentity?: (identity: TlsIdentity) => void;
  readonly informers: InformerFactory;
  readonly cri: Cri;
  readonly host: Host;
  readonly logger: Logger;
  readonly clock: Clock;
}
