// What the kernel has: features, modules, cgroup controllers. Nothing is loaded or changed by looking. Where the kernel does
// not say (no configuration file, no modules folder, as in many containers) the answer is `unknown`, which is no finding.

import { gunzipSync } from 'node:zlib';
import { type Host, kernelNeeds } from '../../host/index.ts';
import { collect, namesIn, outputOf, readText } from './read.ts';

/** loadable: not there yet, but modprobe finds it. */
export type ModuleState = 'present' | 'loadable' | 'absent' | 'unknown';

export interface Cgroups {
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
}

/** Features without which pods, the overlay or the service proxy cannot work; as in Linux' Kconfig. */
const neededOptions = [
  ...['NAMESPACES', 'NET_NS', 'PID_NS', 'IPC_NS', 'UTS_NS', 'CGROUPS', 'MEMCG', 'CPUSETS', 'CGROUP_PIDS', 'INET'],
  ...['OVERLAY_FS', 'VETH', 'BRIDGE', 'BRIDGE_NETFILTER', 'VXLAN'],
  ...['NF_CONNTRACK', 'NF_TABLES', 'NFT_NAT', 'NFT_MASQ', 'NFT_CT', 'NFT_REJECT', 'NFT_NUMGEN', 'NFT_FIB_IPV4'],
];

/** Module to what shows that the kernel has it built in. */
const wantedModules: Readonly<Record<string, string>> = {
  overlay: 'OVERLAY_FS',
  br_netfilter: 'BRIDGE_NETFILTER',
  bridge: 'BRIDGE',
  veth: 'VETH',
  vxlan: 'VXLAN',
  nf_tables: 'NF_TABLES',
  nf_conntrack: 'NF_CONNTRACK',
};

/** Option to y or m; undefined where the kernel does not show its configuration. */
async function readKernelConfig(host: Host, release: string): Promise<ReadonlyMap<string, string> | undefined> {
  const packed = await host.readFileIfExists('/proc/config.gz').catch(() => undefined);
  const text = packed === undefined ? await readText(host, `/boot/config-${release}`) : gunzipSync(packed).toString();
  if (text === '') return undefined;
  return new Map([...text.matchAll(/^CONFIG_(\w+)=([ym])$/gm)].map(([, name = '', value = '']) => [name, value]));
}

export async function readUnsetOptions(host: Host, release: string): Promise<readonly string[] | undefined> {
  const config = await readKernelConfig(host, release);
  return config === undefined ? undefined : neededOptions.filter((name) => !config.has(name));
}

export async function readModules(host: Host, release: string): Promise<Readonly<Record<string, ModuleState>>> {
  const config = await readKernelConfig(host, release);
  const hasFolder = (await host.stat(`/lib/modules/${release}`)) !== undefined;
  return collect(Object.keys(wantedModules), async (name): Promise<ModuleState> => {
    const known = kernelNeeds.modules.find((module) => module.name === name);
    if (known !== undefined && (await known.isPresent(host))) return 'present';
    if ((await host.stat(`/sys/module/${name}`)) !== undefined) return 'present';
    const built = config?.get(wantedModules[name] ?? '');
    if (built === 'y') return 'present';
    if (config !== undefined && built === undefined) return 'absent';
    if (!hasFolder) return 'unknown';
    // -n: dry run; it prints the insmod line of what it would load, or `builtin`.
    return (await outputOf(host, 'modprobe', ['-n', '-v', '--ignore-install', name])) !== '' ? 'loadable' : 'absent';
  });
}

/** Version 2 has one tree with a list of controllers; version 1 one folder per controller. Source: cgroups(7). */
export async function readCgroups(host: Host): Promise<Cgroups> {
  const unified = (await readText(host, '/sys/fs/cgroup/cgroup.controllers')).trim();
  if (unified !== '') return { version: 2, controllers: unified.split(/\s+/) };
  const names = await namesIn(host, '/sys/fs/cgroup');
  return { version: 1, controllers: [...new Set(names.flatMap((name) => name.split(',')))] };
}
