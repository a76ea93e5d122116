// Everything that the checks judge, gathered once, through Host and Cri, all at a time. The readers are in facts/, one file
// per subject.

import { codeOf } from '../base/index.ts';
import { hasDefaultRoute, routedRanges } from '../config/index.ts';
import type { Cri } from '../cri/index.ts';
import type { Host } from '../host/index.ts';
import { type Disk, readDisks } from './facts/disks.ts';
import { type Cgroups, type ModuleState, readCgroups, readModules, readUnsetOptions } from './facts/kernel.ts';
import { type ForeignState, readForeignState } from './facts/leftovers.ts';
import {
  type Firewall,
  type IptablesRules,
  type PortHolder,
  type Proxies,
  readFirewall,
  readHolders,
  readIptables,
  readLinks,
  readNameservers,
  readProxies,
  readUnderlay,
} from './facts/network.ts';
import { collect, existing, namesIn, outputOf, readText } from './facts/read.ts';
import { type Runtime, type RuntimeProcess, readRuntime, readRuntimeProcess } from './facts/runtime.ts';

export type Role = 'control-plane' | 'worker';

export interface PreflightOptions {
  readonly role: Role;
  readonly nodeName: string;
  /** The address that the node will have; undefined: not known yet, that of the default route. */
  readonly nodeIp: string | undefined;
  /** Host of the API server: an address or a name. */
  readonly apiHost: string | undefined;
  /** unix:///run/containerd/containerd.sock */
  readonly criSocket: string;
  readonly podCidr: string | undefined;
  readonly serviceCidr: string | undefined;
  /** TCP ports that must be free. */
  readonly ports: readonly number[];
  /** UDP port of the overlay. */
  readonly overlayPort: number;
  readonly cniBinDirs: readonly string[];
  /** Processes of an earlier run of this command, which may hold the ports. */
  readonly ownPids: readonly number[];
  /** True when a k8ts node is on this machine already: what it left is not of another cluster. */
  readonly isMember: boolean;
}

export interface PreflightFacts extends PreflightOptions {
  readonly uid: number;
  /** linux; the kernel's release, such as 6.1.0-18-amd64. */
  readonly kernel: string;
  readonly processors: number;
  readonly memoryBytes: number;
  /** Where images, pods and the datastore are, once per file system. */
  readonly disks: readonly Disk[];
  /** Devices and files that are swapped to. */
  readonly swaps: readonly string[];
  /** Listening sockets on the wanted ports. */
  readonly holders: readonly PortHolder[];
  /** Program name to its path. */
  readonly programs: Readonly<Record<string, string | undefined>>;
  /** Plugin name to its path in one of `cniBinDirs`. */
  readonly cniPlugins: Readonly<Record<string, string | undefined>>;
  readonly runtime: Runtime;
  /** The runtime's own process; undefined where it cannot be found. */
  readonly runtimeProcess: RuntimeProcess | undefined;
  /** True when systemd is process 1. */
  readonly hasSystemd: boolean;
  /** systemd's units that would be a second node agent, and are enabled or active. */
  readonly otherAgents: readonly string[];
  readonly cgroups: Cgroups;
  /** Needed options that the kernel's configuration file says are not set; undefined where there is no such file. */
  readonly unsetKernelOptions: readonly string[] | undefined;
  readonly modules: Readonly<Record<string, ModuleState>>;
  /** Value of each wanted sysctl; undefined when the kernel has none. */
  readonly sysctls: Readonly<Record<string, string | undefined>>;
  /** False when /proc/sys is mounted read-only. */
  readonly canWriteSysctls: boolean;
  /** Files of an earlier cluster that kubeadm refuses as well. */
  readonly leftovers: readonly string[];
  /** Folders of an earlier cluster that are not empty. */
  readonly usedDirs: readonly string[];
  readonly foreign: ForeignState;
  /** Address that the node's name resolves to. */
  readonly nodeNameAddress: string | undefined;
  readonly hasDefaultRoute: boolean;
  readonly routes: readonly { readonly range: string; readonly device: string }[];
  /** The link that other nodes are reached by. */
  readonly underlay: { readonly device: string; readonly mtu: number } | undefined;
  readonly nameservers: { readonly file: string; readonly addresses: readonly string[] };
  readonly iptables: IptablesRules;
  readonly firewall: Firewall | undefined;
  readonly proxies: Proxies;
}

export const wantedPrograms = ['ip', 'bridge', 'ss', 'nft', 'iptables', 'mount', 'umount', 'runc'] as const;
/** Used where they are. */
const optionalPrograms = ['conntrack', 'modprobe'] as const;
export const wantedPlugins = ['bridge', 'host-local', 'loopback', 'portmap'] as const;
const wantedSysctls = [
  'net.ipv4.ip_forward',
  'net.bridge.bridge-nf-call-iptables',
  'fs.inotify.max_user_instances',
  'fs.inotify.max_user_watches',
] as const;

const leftoverPaths: Readonly<Record<Role, readonly string[]>> = {
  'control-plane': [
    '/etc/kubernetes/manifests/kube-apiserver.yaml',
    '/etc/kubernetes/manifests/kube-controller-manager.yaml',
    '/etc/kubernetes/manifests/kube-scheduler.yaml',
    '/etc/kubernetes/manifests/etcd.yaml',
  ],
  worker: [
    '/etc/kubernetes/kubelet.conf',
    '/etc/kubernetes/bootstrap-kubelet.conf',
    '/etc/kubernetes/pki/ca.crt',
    '/etc/kubernetes/manifests/kube-apiserver.yaml',
  ],
};

/** Units of other distributions that take the agent's port and its pods. */
const agentUnits = ['kubelet', 'k3s', 'k3s-agent', 'rke2-server', 'rke2-agent', 'k0scontroller', 'k0sworker'] as const;

export async function gatherFacts(
  host: Host,
  cri: Pick<Cri, 'version' | 'status' | 'cgroupDriver'>,
  options: PreflightOptions,
  signal?: AbortSignal,
): Promise<PreflightFacts> {
  const { role, criSocket, ports, overlayPort, isMember } = options;
  const hasSystemd = (await host.stat('/run/systemd/system'))?.kind === 'directory';
  const [machine, runtime, runtimeProcess, holders, links, iptables, routes] = await Promise.all([
    host.facts(),
    readRuntime(cri, signal),
    readRuntimeProcess(host, criSocket),
    readHolders(host, ports, overlayPort),
    readLinks(host),
    readIptables(host),
    routedRanges(host),
  ]);
  const [programs, cniPlugins, sysctls, modules, nodeNameAddress, foreign] = await Promise.all([
    collect([...wantedPrograms, ...optionalPrograms], (name) => host.which(name)),
    collect(wantedPlugins, (name) => findPlugin(host, options.cniBinDirs, name)),
    collect(wantedSysctls, (key) => host.readSysctl(key)),
    readModules(host, machine.kernel),
    resolveName(host, options.nodeName),
    readForeignState(host, { isMember, links: links.map(({ ifname }) => ifname), iptables: iptables.saved }),
  ]);
  const mounts = await readText(host, '/proc/self/mounts');
  return {
    ...options,
    uid: machine.uid,
    kernel: machine.kernel,
    processors: machine.processors,
    memoryBytes: machine.memoryBytes,
    disks: await readDisks(host),
    swaps: parseSwaps(await readText(host, '/proc/swaps')),
    holders,
    programs,
    cniPlugins,
    runtime,
    runtimeProcess,
    hasSystemd,
    otherAgents: hasSystemd ? await readOtherAgents(host) : [],
    cgroups: await readCgroups(host),
    unsetKernelOptions: await readUnsetOptions(host, machine.kernel),
    modules,
    sysctls,
    canWriteSysctls: !mounts.split('\n').some((line) => / \/proc\/sys \S+ (\S+,)?ro[ ,]/.test(line)),
    leftovers: isMember ? [] : await existing(host, leftoverPaths[role]),
    usedDirs: role === 'control-plane' && (await namesIn(host, '/var/lib/etcd')).length > 0 ? ['/var/lib/etcd'] : [],
    foreign,
    nodeNameAddress,
    hasDefaultRoute: await hasDefaultRoute(host),
    routes,
    underlay: await readUnderlay(host, links, options.nodeIp),
    nameservers: await readNameservers(host),
    iptables,
    firewall: await readFirewall(host, hasSystemd),
    proxies: await readProxies(host),
  };
}

/** Folders of `dirs` that hold CNI plugins on this machine; all of them when none does. */
export async function presentPluginDirs(host: Host, dirs: readonly string[]): Promise<readonly string[]> {
  const found = await existing(
    host,
    dirs.map((dir) => `${dir}/bridge`),
  );
  return found.length === 0 ? dirs : found.map((path) => path.slice(0, -'/bridge'.length));
}

/** First column of /proc/swaps below its heading. */
function parseSwaps(text: string): string[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => line.split(/\s/, 1).filter((word) => word !== ''));
}

/** undefined when there is no such name, and when no nameserver answers in time. */
async function resolveName(host: Host, name: string): Promise<string | undefined> {
  const asked = host.run('getent', ['ahostsv4', name], { readsOnly: true, accept: [2], timeout: 3000 });
  const { stdout } = await asked.catch((error: unknown) => {
    if (codeOf(error) === 'COMMAND_TIMEOUT') return { stdout: '' };
    throw error;
  });
  return stdout.split(/\s/, 1)[0] || undefined;
}

async function findPlugin(host: Host, dirs: readonly string[], name: string): Promise<string | undefined> {
  const candidates = dirs.map((dir) => `${dir}/${name}`);
  return (await existing(host, candidates))[0];
}

/** `systemctl is-enabled` prints one line per unit, and nothing on standard output for those that are not there. */
async function readOtherAgents(host: Host): Promise<readonly string[]> {
  const units = await collect(agentUnits, (unit) => outputOf(host, 'systemctl', ['is-enabled', `${unit}.service`]));
  return agentUnits.filter((unit) => units[unit]?.trim() === 'enabled');
}
