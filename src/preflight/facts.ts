// Everything that the checks judge, gathered once, through Host and Cri. A check itself does no I/O, so each is tested by
// a literal.

import { CodedError } from '../base/index.ts';
import { hasDefaultRoute, paths, routedRanges } from '../config/index.ts';
import type { Cri, RuntimeCondition } from '../cri/index.ts';
import type { DiskFacts, Host } from '../host/index.ts';

export type Role = 'control-plane' | 'worker';

export interface PreflightOptions {
  readonly role: Role;
  readonly nodeName: string;
  /** unix:///run/containerd/containerd.sock */
  readonly criSocket: string;
  readonly podCidr: string | undefined;
  readonly serviceCidr: string | undefined;
  /** TCP ports that must be free. */
  readonly ports: readonly number[];
  readonly cniBinDirs: readonly string[];
  /** Processes of an earlier run of this command, which may hold the ports. */
  readonly ownPids: readonly number[];
}

export interface PortHolder {
  readonly port: number;
  readonly pid: number | undefined;
  readonly program: string | undefined;
}

export interface Problem {
  readonly message: string;
  readonly hint: string | undefined;
}

export interface PreflightFacts extends PreflightOptions {
  readonly uid: number;
  readonly processors: number;
  readonly memoryBytes: number;
  readonly disks: readonly DiskFacts[];
  /** Devices and files that are swapped to. */
  readonly swaps: readonly string[];
  /** Listening sockets on the wanted ports. */
  readonly holders: readonly PortHolder[];
  /** Program name to its path. */
  readonly programs: Readonly<Record<string, string | undefined>>;
  /** Plugin name to its path in one of `cniBinDirs`. */
  readonly cniPlugins: Readonly<Record<string, string | undefined>>;
  readonly runtime:
    | { readonly name: string; readonly version: string; readonly conditions: readonly RuntimeCondition[] }
    | { readonly problem: Problem };
  /** The runtime's own process; undefined where it cannot be found. */
  readonly runtimeProcess: { readonly mayRaisePriority: boolean; readonly restrictsOomScore: boolean } | undefined;
  /** Value of each wanted sysctl; undefined when the kernel has none. */
  readonly sysctls: Readonly<Record<string, string | undefined>>;
  /** False when /proc/sys is mounted read-only. */
  readonly canWriteSysctls: boolean;
  readonly hasModprobe: boolean;
  /** Files and folders of an earlier cluster. */
  readonly leftovers: readonly string[];
  /** Address that the node's name resolves to. */
  readonly nodeNameAddress: string | undefined;
  readonly hasDefaultRoute: boolean;
  readonly routes: readonly { readonly range: string; readonly device: string }[];
}

export const wantedPrograms = ['ip', 'nft', 'iptables', 'mount', 'umount', 'runc'] as const;
export const wantedPlugins = ['bridge', 'host-local', 'loopback', 'portmap'] as const;
export const wantedSysctls = ['net.ipv4.ip_forward', 'net.bridge.bridge-nf-call-iptables'] as const;

const leftoverPaths: Readonly<Record<Role, readonly string[]>> = {
  'control-plane': [
    '/etc/kubernetes/manifests/kube-apiserver.yaml',
    '/etc/kubernetes/manifests/kube-controller-manager.yaml',
    '/etc/kubernetes/manifests/kube-scheduler.yaml',
    '/etc/kubernetes/manifests/etcd.yaml',
    '/var/lib/etcd/member',
  ],
  worker: [paths.kubeletConf, paths.caFile, '/etc/kubernetes/manifests/kube-apiserver.yaml'],
};

export async function gatherFacts(
  host: Host,
  cri: Pick<Cri, 'version' | 'status'>,
  options: PreflightOptions,
  signal?: AbortSignal,
): Promise<PreflightFacts> {
  const [machine, runtime, runtimeProcess, holders, swaps, routes] = await Promise.all([
    host.facts(),
    readRuntime(cri, signal),
    readRuntimeProcess(host, options.criSocket),
    readHolders(host, options.ports),
    readText(host, '/proc/swaps'),
    routedRanges(host),
  ]);
  const mounts = await readText(host, '/proc/self/mounts');
  return {
    ...options,
    uid: machine.uid,
    processors: machine.processors,
    memoryBytes: machine.memoryBytes,
    disks: machine.disks,
    swaps: parseSwaps(swaps),
    holders,
    programs: await collect(wantedPrograms, (name) => host.which(name)),
    cniPlugins: await collect(wantedPlugins, (name) => findPlugin(host, options.cniBinDirs, name)),
    runtime,
    runtimeProcess,
    sysctls: await collect(wantedSysctls, (key) => host.readSysctl(key)),
    canWriteSysctls: !mounts.split('\n').some((line) => / \/proc\/sys \S+ (\S+,)?ro[ ,]/.test(line)),
    hasModprobe: (await host.which('modprobe')) !== undefined,
    leftovers: await existing(host, leftoverPaths[options.role]),
    nodeNameAddress: await resolveName(host, options.nodeName),
    hasDefaultRoute: await hasDefaultRoute(host),
    routes,
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

async function readRuntime(
  cri: Pick<Cri, 'version' | 'status'>,
  signal: AbortSignal | undefined,
): Promise<PreflightFacts['runtime']> {
  try {
    const { runtimeName, runtimeVersion } = await cri.version(signal);
    const { conditions } = await cri.status(signal);
    return { name: runtimeName, version: runtimeVersion, conditions };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return { problem: { message: error.message, hint: error.hint } };
  }
}

/** Who listens on the runtime's socket, its capabilities (proc(5), CapEff) and its configuration file. */
async function readRuntimeProcess(host: Host, criSocket: string): Promise<PreflightFacts['runtimeProcess']> {
  const socket = criSocket.replace(/^unix:\/\//, '');
  const { stdout } = await host.run('ss', ['-Hlxp', 'src', socket], { readsOnly: true, accept: [1, 255] });
  const pid = /pid=(\d+)/.exec(stdout)?.[1];
  if (pid === undefined) return undefined;
  const capabilities = /^CapEff:\s*([0-9a-f]+)/m.exec(await readText(host, `/proc/${pid}/status`))?.[1] ?? '0';
  const words = (await readText(host, `/proc/${pid}/cmdline`)).split('\0');
  const flag = words.findIndex((word) => word === '--config' || word === '-c');
  const config = flag < 0 ? '/etc/containerd/config.toml' : (words[flag + 1] ?? '');
  return {
    mayRaisePriority: (BigInt(`0x${capabilities}`) & (1n << 24n)) !== 0n, // CAP_SYS_RESOURCE
    restrictsOomScore: /^\s*restrict_oom_score_adj\s*=\s*true/m.test(await readText(host, config)),
  };
}

async function readHolders(host: Host, ports: readonly number[]): Promise<readonly PortHolder[]> {
  const { stdout } = await host.run('ss', ['-Hltnp'], { readsOnly: true, accept: [1, 255] });
  return parseListeners(stdout).filter(({ port }) => ports.includes(port));
}

/** Lines of `ss -Hltnp`: state, queues, local address:port, peer, users:(("name",pid=1,fd=2)). */
export function parseListeners(text: string): PortHolder[] {
  return text.split('\n').flatMap((line) => {
    const port = /^\S+\s+\d+\s+\d+\s+\S+:(\d+)\s/.exec(line)?.[1];
    if (port === undefined) return [];
    const user = /users:\(\("([^"]*)",pid=(\d+)/.exec(line);
    return [{ port: Number(port), program: user?.[1], pid: user?.[2] === undefined ? undefined : Number(user[2]) }];
  });
}

/** First column of /proc/swaps below its heading. */
function parseSwaps(text: string): string[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => line.split(/\s/, 1).filter((word) => word !== ''));
}

async function resolveName(host: Host, name: string): Promise<string | undefined> {
  const { stdout } = await host.run('getent', ['ahostsv4', name], { readsOnly: true, accept: [2], timeout: 10_000 });
  return stdout.split(/\s/, 1)[0] || undefined;
}

async function findPlugin(host: Host, dirs: readonly string[], name: string): Promise<string | undefined> {
  return (
    await existing(
      host,
      dirs.map((dir) => `${dir}/${name}`),
    )
  )[0];
}

async function existing(host: Host, candidates: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of candidates) if ((await host.stat(path)) !== undefined) found.push(path);
  return found;
}

async function collect<Name extends string, Value>(
  names: readonly Name[],
  look: (name: Name) => Promise<Value>,
): Promise<Readonly<Record<string, Value>>> {
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await look(name)] as const)));
}

async function readText(host: Host, path: string): Promise<string> {
  return (await host.readFileIfExists(path).catch(() => undefined))?.toString('utf8') ?? '';
}
