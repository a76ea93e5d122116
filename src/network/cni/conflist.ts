// The CNI configuration that containerd reads: bridge + host-local + portmap of the reference plugins. It is written only
// when the overlay works, because its presence is what makes the runtime report its network as ready. ipMasq stays off:
// the service table masquerades for pods, in one rule instead of one per pod.

import { CodedError } from '../../base/index.ts';
import type { Host } from '../../host/index.ts';
import type { NetworkConfig } from '../config.ts';
import type { NodeNetwork } from '../overlay/overlay.ts';

export const bridgeName = 'cni0';
export const conflistName = '10-k8ts.conflist';

/** `loopback` is called by the container runtime itself. */
const plugins = ['bridge', 'host-local', 'portmap', 'loopback'] as const;

const hostPortChains = ['CNI-HOSTPORT-DNAT', 'CNI-HOSTPORT-SETMARK', 'CNI-HOSTPORT-MASQ'] as const;

/** Where host-local keeps one file per address in use; it outlives pods that a crash left behind. */
export function leaseDir(dataDir: string): string {
  return `${dataDir}/cni`;
}

/** A network configuration list (CNI specification 1.0.0 §"Network configuration format"). */
export function cniConflist(network: NodeNetwork, dataDir: string): string {
  const bridge = {
    type: 'bridge',
    bridge: bridgeName,
    isGateway: true,
    isDefaultGateway: true,
    ipMasq: false,
    hairpinMode: true,
    mtu: network.mtu,
    ipam: { type: 'host-local', dataDir: leaseDir(dataDir), ranges: [[{ subnet: network.podCidr }]] },
  };
  const portmap = { type: 'portmap', capabilities: { portMappings: true }, snat: true };
  return `${JSON.stringify({ cniVersion: '1.0.0', name: 'k8ts', plugins: [bridge, portmap] }, null, 2)}\n`;
}

/** Throws CodedError CNI_PLUGIN_MISSING when a plugin is in none of the folders. */
export async function checkCniPlugins(host: Host, binDirs: readonly string[]): Promise<void> {
  for (const plugin of plugins) {
    const found = await Promise.all(binDirs.map((dir) => host.stat(`${dir}/${plugin}`)));
    if (found.some((stat) => stat !== undefined)) continue;
    throw new CodedError('CNI_PLUGIN_MISSING', `the CNI plugin ${plugin} is not in ${binDirs.join(' or ')}`, {
      exit: 'preflight',
      hint: 'apt-get install containernetworking-plugins, or set cni.binDirs to where the plugins are',
    });
  }
}

export async function ensureCniConfig(host: Host, config: NetworkConfig, network: NodeNetwork): Promise<void> {
  await host.record({ kind: 'link', name: bridgeName });
  // What the portmap plugin makes for pods with host ports; without iptables it cannot make them.
  if ((await host.which('iptables')) !== undefined) {
    await recordNatTables(host);
    for (const chain of hostPortChains) await host.record({ kind: 'iptables-chain', table: 'nat', chain });
  }
  await host.makeDir(leaseDir(config.dataDir), { mode: 0o700 });
  await host.writeFile(`${config.cni.confDir}/${conflistName}`, cniConflist(network, config.dataDir));
}

/** iptables (its nft variant) makes a whole table for the first rule, and leaves it when the last one goes. */
async function recordNatTables(host: Host): Promise<void> {
  if ((await host.which('nft')) === undefined) return;
  const { stdout } = await host.run('nft', ['list', 'tables'], { readsOnly: true });
  const there = stdout.split('\n');
  for (const family of ['ip', 'ip6']) {
    if (!there.includes(`table ${family} nat`))
      await host.record({ kind: 'nft-table', family, name: 'nat', shared: true });
  }
}
