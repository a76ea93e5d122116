// A link of our own for Service addresses: a bridge without ports, as some kernels have no `dummy` type.
//   its address   the cluster DNS address, where this node answers (scope host: never chosen as a source)
//   its route     the Service range, so that a node without a default route can start a connection to a ClusterIP; the
//                 service rules change the address before anything leaves, and the source is the node's own address
// It is taken down with everything on it by deleting the link.

import type { Host } from '../host/index.ts';
import type { NetworkConfig } from './config.ts';
import { type IpLink, type IpRoute, readLinks, readRoutes, underlayOf } from './overlay/ip-json.ts';

export const serviceLinkName = 'k8ts-svc';

/** Argument lists of `ip` from what is there to what is wanted. */
export function planServiceLink(
  config: Pick<NetworkConfig, 'clusterDns' | 'dns' | 'serviceCidr' | 'serviceProxy' | 'nodeIp'>,
  have: IpLink | undefined,
  routes: readonly IpRoute[],
): string[][] {
  const name = serviceLinkName;
  const commands: string[][] = [];
  if (have === undefined) commands.push(['link', 'add', name, 'type', 'bridge']);
  const addresses = (have?.addr_info ?? []).filter((address) => address.family === 'inet');
  const wanted = config.dns === 'on' ? config.clusterDns : undefined;
  for (const { local, prefixlen } of addresses) {
    if (local !== wanted) commands.push(['address', 'delete', `${local}/${prefixlen}`, 'dev', name]);
  }
  if (wanted !== undefined && !addresses.some((address) => address.local === wanted)) {
    commands.push(['address', 'add', `${wanted}/32`, 'dev', name, 'scope', 'host']);
  }
  if (have?.flags.includes('UP') !== true) commands.push(['link', 'set', 'dev', name, 'up']);
  const route = config.serviceProxy === 'nftables' ? config.serviceCidr : undefined;
  for (const { dst } of routes) {
    if (dst !== route) commands.push(['route', 'delete', dst, 'dev', name]);
  }
  if (route !== undefined && !routes.some(({ dst, prefsrc }) => dst === route && prefsrc === config.nodeIp)) {
    commands.push(['route', 'replace', route, 'dev', name, 'src', config.nodeIp]);
  }
  return commands;
}

/** Throws CodedError NODE_IP_NOT_LOCAL when no link has the node's address. */
export async function ensureServiceLink(host: Host, config: NetworkConfig, signal: AbortSignal): Promise<void> {
  const links = await readLinks(host, signal);
  underlayOf(links, config.nodeIp); // the route below names this address as its source
  const have = links.find((link) => link.ifname === serviceLinkName);
  const routes = have === undefined ? [] : await readRoutes(host, serviceLinkName, signal);
  await host.record({ kind: 'link', name: serviceLinkName });
  for (const args of planServiceLink(config, have, routes)) await host.run('ip', args, { signal });
}
