// The cluster DNS of one node: listens on the cluster DNS address, which this node has on a link of its own, and answers
// from the agent's informers. One in every agent instead of some pods: no network hop, nothing to pull first, and the
// node's pods lose their DNS only together with their node.

import { kinds } from '../../api/index.ts';
import type { NetworkConfig, NetworkDependencies } from '../config.ts';
import { parseCidr } from '../ipv4.ts';
import { createClusterView } from './cluster-view.ts';
import { createForwarder } from './forwarder.ts';
import { listen } from './listen.ts';
import { createNameservers } from './resolv-conf.ts';
import { createResolver } from './resolver.ts';

export interface ClusterDns {
  readonly waitingFor: string | undefined;
  readonly ended: Promise<void>;
  readonly port: number;
}

export interface DnsOptions {
  /** Default 53; 0: any free one. */
  readonly port?: number;
}

/** Throws CodedError DNS_ADDRESS_IN_USE. */
export async function startDns(
  deps: NetworkDependencies,
  config: NetworkConfig,
  signal: AbortSignal,
  options: DnsOptions = {},
): Promise<ClusterDns> {
  const { host, informers, clock } = deps;
  const { port = 53 } = options;
  const logger = deps.logger.with({ part: 'dns' });
  const view = createClusterView(informers.informer(kinds.service), informers.informer(kinds.endpointSlice));
  const forwarder = createForwarder({
    nameservers: createNameservers(host, clock, [config.clusterDns]),
    clock,
    logger,
    signal,
  });
  const zone = {
    zone: config.clusterDomain.toLowerCase().replace(/\.$/, ''),
    dnsAddress: config.clusterDns,
    ownRanges: [parseCidr(config.serviceCidr), parseCidr(config.podCidr)],
  };
  const listener = await listen({ address: config.clusterDns, port }, createResolver(view, zone, forwarder), logger);
  logger.info('answering', { address: config.clusterDns, port: listener.port });
  return {
    get waitingFor() {
      return view.synced ? undefined : 'cluster DNS does not know the Services yet';
    },
    ended: new Promise((resolve, reject) => {
      const close = (): void => {
        listener.close().then(resolve, reject);
      };
      if (signal.aborted) close();
      else signal.addEventListener('abort', close, { once: true });
    }),
    port: listener.port,
  };
}
