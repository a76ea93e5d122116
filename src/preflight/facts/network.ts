// The machine's network as far as a cluster depends on it: who listens, how others are reached, who filters.

import { isIP } from 'node:net';
import type { Host } from '../../host/index.ts';
import { outputOf, readText } from './read.ts';

export interface PortHolder {
  readonly port: number;
  /** Empty when the kernel does not say. A process that is starting a program shows up twice for a moment. */
  readonly users: readonly { readonly program: string; readonly pid: number }[];
}

export interface Link {
  readonly ifname: string;
  readonly mtu: number;
  readonly addr_info?: readonly { readonly local: string }[];
}

export interface IptablesRules {
  /** What the program `iptables` writes to; undefined: not installed. */
  readonly backend: 'nf_tables' | 'legacy' | undefined;
  /** Rules in the old tables of this network namespace. */
  readonly legacyRules: number;
  /** `iptables-save` of both backends. */
  readonly saved: string;
}

export type Firewall = 'firewalld' | 'ufw';

export interface Proxies {
  /** Value of https_proxy. */
  readonly https: string | undefined;
  /** Parts of no_proxy. */
  readonly except: readonly string[];
}

/** Sockets that listen on one of `tcp`, or that a process has bound to the UDP port `udp`. */
export async function readHolders(host: Host, tcp: readonly number[], udp: number): Promise<readonly PortHolder[]> {
  const read = { readsOnly: true, accept: [1, 255] };
  const [streams, datagrams] = await Promise.all([host.run('ss', ['-Hltnp'], read), host.run('ss', ['-Hlunp'], read)]);
  return [
    ...parseListeners(streams.stdout).filter(({ port }) => tcp.includes(port)),
    // The kernel's own VXLAN socket has no process; it is judged as a link.
    ...parseListeners(datagrams.stdout).filter(({ port, users }) => port === udp && users.length > 0),
  ];
}

/** Lines of `ss -Hlnp`: state, queues, local address:port, peer, users:(("name",pid=1,fd=2),…). */
export function parseListeners(text: string): PortHolder[] {
  return text.split('\n').flatMap((line) => {
    const port = /^\S+\s+\d+\s+\d+\s+\S+:(\d+)\s/.exec(line)?.[1];
    if (port === undefined) return [];
    const users = [...line.matchAll(/\("([^"]*)",pid=(\d+)/g)];
    return [{ port: Number(port), users: users.map(([, program = '', pid]) => ({ program, pid: Number(pid) })) }];
  });
}

export async function readLinks(host: Host): Promise<readonly Link[]> {
  const text = await outputOf(host, 'ip', ['-json', 'address', 'show']);
  return text.trim() === '' ? [] : (JSON.parse(text) as Link[]);
}

/** The link with the node's address, or that of the default route. */
export async function readUnderlay(
  host: Host,
  links: readonly Link[],
  nodeIp: string | undefined,
): Promise<{ readonly device: string; readonly mtu: number } | undefined> {
  const byAddress = links.find(({ addr_info = [] }) => addr_info.some(({ local }) => local === nodeIp));
  const route = /\bdev (\S+)/.exec(await outputOf(host, 'ip', ['-4', 'route', 'show', 'default']))?.[1];
  const link = byAddress ?? links.find(({ ifname }) => ifname === route);
  return link === undefined ? undefined : { device: link.ifname, mtu: link.mtu };
}

/** systemd-resolved keeps the real servers in the first file; the second names only its own stub then. */
const resolvConfs = ['/run/systemd/resolve/resolv.conf', '/etc/resolv.conf'] as const;

/** The nameservers that questions for names outside of the cluster are sent to. */
export async function readNameservers(
  host: Host,
): Promise<{ readonly file: string; readonly addresses: readonly string[] }> {
  for (const file of resolvConfs) {
    const addresses = [...(await readText(host, file)).matchAll(/^\s*nameserver\s+(\S+)/gm)]
      .map(([, address = '']) => address)
      .filter((address) => isIP(address) !== 0);
    if (addresses.length > 0) return { file, addresses };
  }
  return { file: '/etc/resolv.conf', addresses: [] };
}

/** The old backend is asked only when it has tables here already: asking makes them. */
export async function readIptables(host: Host): Promise<IptablesRules> {
  const [version, tables] = await Promise.all([
    outputOf(host, 'iptables', ['-V']),
    readText(host, '/proc/net/ip_tables_names'),
  ]);
  const backend = version === '' ? undefined : version.includes('nf_tables') ? 'nf_tables' : 'legacy';
  const legacySave = backend === 'legacy' ? 'iptables-save' : 'iptables-legacy-save';
  const legacy = tables.trim() === '' ? '' : await outputOf(host, legacySave, []);
  const modern = backend === 'nf_tables' ? await outputOf(host, 'iptables-save', []) : '';
  return { backend, legacyRules: legacy.match(/^-A /gm)?.length ?? 0, saved: `${modern}\n${legacy}` };
}

export async function readFirewall(host: Host, hasSystemd: boolean): Promise<Firewall | undefined> {
  if (hasSystemd && (await outputOf(host, 'systemctl', ['is-active', 'firewalld'])).trim() === 'active') {
    return 'firewalld';
  }
  return /^\s*ENABLED=yes/m.test(await readText(host, '/etc/ufw/ufw.conf')) ? 'ufw' : undefined;
}

export async function readProxies(host: Host): Promise<Proxies> {
  const lines = (await outputOf(host, 'env', [])).split('\n');
  const value = (name: string): string | undefined =>
    lines.find((line) => line.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1) || undefined;
  const except = (value('no_proxy') ?? '').split(',').map((part) => part.trim());
  return { https: value('https_proxy'), except: except.filter((part) => part !== '') };
}
