// What a node can say about itself and its way to others, gathered by the node that it is about: its agent answers it to
// `k8ts doctor` on /k8ts/probe, and the doctor gathers it on its own machine. One form for both, so that every node is
// judged by the same rules. Reads only; what cannot be read is left out.

import { Resolver } from 'node:dns/promises';
import { readFile, statfs } from 'node:fs/promises';
import { isIP } from 'node:net';
import { codeOf, messageOf } from '../base/index.ts';
import type { Host } from '../host/index.ts';
import { type Reach, reach } from './reach.ts';

/** What the node is told to be; a part of /etc/k8ts/agent.json. */
export interface NodeSetup {
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly clusterDns: string;
  readonly clusterDomain: string;
  readonly dns: 'on' | 'off';
  readonly overlay: { readonly vni: number };
}

/** `answered`, or why not. */
export type DnsAnswer = 'answered' | string;

export interface NodeReport {
  readonly node: string;
  /** ms since the epoch, by the node's clock. */
  readonly time: number;
  readonly reached: readonly Reach[];
  /** The link with the node's address, and the overlay's. */
  readonly underlay?: { readonly device: string; readonly mtu: number };
  readonly overlay?: { readonly device: string; readonly mtu: number };
  readonly dns: {
    /** The API server's own Service, asked of the cluster DNS; absent: the cluster has no DNS of k8ts. */
    readonly cluster?: DnsAnswer;
    /** A name outside, asked of the cluster DNS. */
    readonly outside?: DnsAnswer;
    /** The same, asked of the machine's own nameservers. */
    readonly nameservers: Readonly<Record<string, DnsAnswer>>;
  };
  readonly conntrack?: { readonly used: number; readonly limit: number };
  /** Of the file systems that images and pods are on. */
  readonly disks: readonly { readonly path: string; readonly sizeBytes: number; readonly freeBytes: number }[];
}

export interface Examination {
  readonly setup: NodeSetup;
  /** Addresses of other nodes' agents. */
  readonly targets: readonly { readonly address: string; readonly port: number }[];
  readonly signal: AbortSignal;
}

/** At once; each takes a connection. */
const parallel = 16;
const dnsTimeout = 3000;
/** The root of all names: every nameserver that works has an answer to it. */
const outsideName = '.';
const resolvConfs = ['/run/systemd/resolve/resolv.conf', '/etc/resolv.conf'];
const diskPaths = ['/var/lib', '/var/lib/containerd', '/var/log'];

/** Takes at most some seconds: every part has a deadline of its own. */
export async function examineNode(host: Pick<Host, 'run'>, examination: Examination): Promise<NodeReport> {
  const { setup, targets, signal } = examination;
  const [reached, links, dns, conntrack, disks] = await Promise.all([
    reachAll(targets, signal),
    readLinks(host, setup, signal),
    askDns(setup),
    readConntrack(),
    readDisks(),
  ]);
  return {
    node: setup.nodeName,
    time: Date.now(),
    reached,
    ...links,
    dns,
    ...(conntrack === undefined ? {} : { conntrack }),
    disks,
  };
}

async function reachAll(targets: Examination['targets'], signal: AbortSignal): Promise<readonly Reach[]> {
  const found: Reach[] = [];
  for (let at = 0; at < targets.length; at += parallel) {
    const some = targets.slice(at, at + parallel).map((target) => reach({ ...target, signal }));
    found.push(...(await Promise.all(some)));
  }
  return found;
}

interface IpLink {
  readonly ifname: string;
  readonly mtu: number;
  readonly addr_info?: readonly { readonly local: string }[];
  readonly linkinfo?: { readonly info_kind?: string; readonly info_data?: { readonly id?: number } };
}

async function readLinks(
  host: Pick<Host, 'run'>,
  { nodeIp, overlay }: NodeSetup,
  signal: AbortSignal,
): Promise<Pick<NodeReport, 'underlay' | 'overlay'>> {
  const { stdout } = await host.run('ip', ['-json', '-details', 'address', 'show'], { readsOnly: true, signal });
  const links = JSON.parse(stdout) as IpLink[];
  const under = links.find(({ addr_info = [] }) => addr_info.some(({ local }) => local === nodeIp));
  const over = links.find(({ linkinfo }) => linkinfo?.info_kind === 'vxlan' && linkinfo.info_data?.id === overlay.vni);
  const shown = (link: IpLink) => ({ device: link.ifname, mtu: link.mtu });
  return {
    ...(under === undefined ? {} : { underlay: shown(under) }),
    ...(over === undefined ? {} : { overlay: shown(over) }),
  };
}

async function askDns({ clusterDns, clusterDomain, dns }: NodeSetup): Promise<NodeReport['dns']> {
  const own = dns === 'on';
  const servers = (await readNameservers()).filter((address) => address !== clusterDns);
  const [cluster, outside, ...others] = await Promise.all([
    own ? ask(clusterDns, `kubernetes.default.svc.${clusterDomain}`, 'A') : undefined,
    own ? ask(clusterDns, outsideName, 'NS') : undefined,
    ...servers.map((server) => ask(server, outsideName, 'NS')),
  ]);
  return {
    ...(cluster === undefined ? {} : { cluster }),
    ...(outside === undefined ? {} : { outside }),
    nameservers: Object.fromEntries(servers.map((server, at) => [server, others[at] ?? ''])),
  };
}

/** A name that does not exist is an answer as well: somebody knew. */
async function ask(server: string, name: string, type: 'A' | 'NS'): Promise<DnsAnswer> {
  const resolver = new Resolver({ timeout: dnsTimeout, tries: 1 });
  resolver.setServers([server]);
  try {
    await (type === 'A' ? resolver.resolve4(name) : resolver.resolveNs(name));
    return 'answered';
  } catch (error) {
    const code = codeOf(error) ?? messageOf(error);
    return type === 'NS' && (code === 'ENOTFOUND' || code === 'ENODATA') ? 'answered' : code;
  }
}

async function readNameservers(): Promise<readonly string[]> {
  for (const path of resolvConfs) {
    const text = await readFile(path, 'utf8').catch(() => '');
    const found = [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, address = '']) => address);
    if (found.some((address) => isIP(address) !== 0)) return found.filter((address) => isIP(address) !== 0);
  }
  return [];
}

async function readConntrack(): Promise<NodeReport['conntrack']> {
  const read = async (name: string): Promise<number> =>
    Number((await readFile(`/proc/sys/net/netfilter/${name}`, 'utf8').catch(() => '')).trim() || Number.NaN);
  const [used, limit] = await Promise.all([read('nf_conntrack_count'), read('nf_conntrack_max')]);
  return Number.isNaN(used) || Number.isNaN(limit) ? undefined : { used, limit };
}

/** One entry per file system: folders that are on the same one have the same size and space. */
async function readDisks(): Promise<NodeReport['disks']> {
  const all = await Promise.all(
    diskPaths.map(async (path) => {
      const stat = await statfs(path).catch(() => undefined);
      if (stat === undefined || stat.blocks === 0) return undefined;
      return { path, sizeBytes: stat.blocks * stat.bsize, freeBytes: stat.bavail * stat.bsize };
    }),
  );
  const seen = new Set<string>();
  return all.flatMap((disk) => {
    if (disk === undefined) return [];
    const key = `${disk.sizeBytes} ${disk.freeBytes}`;
    if (seen.has(key)) return [];
    seen.add(key);
    return [disk];
  });
}
