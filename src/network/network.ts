// The network of one node, inside of the agent's process: overlay, CNI configuration, Service rules, cluster DNS. Each
// part is driven by informers and stands alone; here they are started in the order in which they need each other, and
// asked whether pods may rely on them.
//
//   host settings ─► service link ─┬─► service rules
//                                  ├─► cluster DNS
//                                  └─► overlay ─up─► CNI configuration ─► the runtime reports its network ready

import { kinds } from '../api/index.ts';
import { checkCniPlugins, ensureCniConfig } from './cni/conflist.ts';
import type { NetworkConfig, NetworkDependencies } from './config.ts';
import { startDns } from './dns/server.ts';
import { ensureHostSettings } from './host-settings.ts';
import { parseCidr } from './ipv4.ts';
import { startOverlay } from './overlay/overlay.ts';
import { ensureServiceLink } from './service-link.ts';
import { startServiceProxy } from './services/proxy.ts';

export interface Network {
  /** Why pods cannot rely on the network yet; undefined when they can. */
  ready(): string | undefined;
  /** Stops following the cluster. What is on the host stays, so that pods keep their network while the agent restarts. */
  stop(): Promise<void>;
}

interface Part {
  readonly waitingFor: string | undefined;
  readonly ended: Promise<void>;
}

/**
 * Starts the node's network and returns once everything that needs no cluster is in place; the rest follows as the node
 * gets its pod CIDR. Throws CodedError for what a person has to mend: CIDR_INVALID, BR_NETFILTER_MISSING,
 * CNI_PLUGIN_MISSING, NFT_MISSING, DNS_ADDRESS_IN_USE.
 */
export async function startNetwork(
  deps: NetworkDependencies,
  config: NetworkConfig,
  signal: AbortSignal,
): Promise<Network> {
  const { host, informers } = deps;
  parseCidr(config.podCidr);
  parseCidr(config.serviceCidr);
  const stopped = new AbortController();
  const running = AbortSignal.any([signal, stopped.signal]);
  const parts: Part[] = [];
  try {
    await ensureHostSettings(host, deps.logger);
    await checkCniPlugins(host, config.cni.binDirs);
    await ensureServiceLink(host, config, running);
    if (config.serviceProxy === 'nftables') parts.push(await startServiceProxy(deps, config, running));
    if (config.dns === 'on') parts.push(await startDns(deps, config, running));
    const nodes = informers.informer(kinds.node);
    const onUp = (network: { readonly podCidr: string; readonly mtu: number }): Promise<void> =>
      ensureCniConfig(host, config, network);
    parts.push(startOverlay(deps, config, { nodes, onUp }, running));
  } catch (error) {
    stopped.abort();
    throw error;
  }
  return {
    ready: () => parts.find((part) => part.waitingFor !== undefined)?.waitingFor,
    async stop() {
      stopped.abort();
      await Promise.all(parts.map((part) => part.ended));
    },
  };
}
