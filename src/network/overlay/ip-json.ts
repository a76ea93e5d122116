// What `ip -json` and `bridge -json` print, as far as it is read here (iproute2 6.1), and the calls that read it.

import { CodedError } from '../../base/index.ts';
import type { Host } from '../../host/index.ts';

export interface IpAddress {
  readonly family: 'inet' | 'inet6';
  readonly local: string;
  readonly prefixlen: number;
}

export interface IpLink {
  readonly ifname: string;
  readonly mtu: number;
  readonly flags: readonly string[];
  readonly address?: string;
  readonly linkinfo?: {
    readonly info_kind?: string;
    readonly info_data?: {
      readonly id?: number;
      readonly port?: number;
      readonly local?: string;
      readonly link?: string;
      readonly learning?: boolean;
    };
  };
  readonly addr_info?: readonly IpAddress[];
}

export interface IpRoute {
  readonly dst: string;
  readonly gateway?: string;
  readonly prefsrc?: string;
  readonly flags?: readonly string[];
}

export interface IpNeighbour {
  readonly dst: string;
  readonly lladdr?: string;
  readonly state?: readonly string[];
}

export interface FdbEntry {
  readonly mac: string;
  readonly dst?: string;
  readonly state?: string;
}

/** Every link with its addresses. */
export async function readLinks(host: Host, signal?: AbortSignal): Promise<readonly IpLink[]> {
  return readJson(host, 'ip', ['-json', '-details', 'address', 'show'], signal);
}

export async function readRoutes(host: Host, device: string, signal?: AbortSignal): Promise<readonly IpRoute[]> {
  return readJson(host, 'ip', ['-json', '-4', 'route', 'show', 'dev', device], signal);
}

export async function readNeighbours(
  host: Host,
  device: string,
  signal?: AbortSignal,
): Promise<readonly IpNeighbour[]> {
  return readJson(host, 'ip', ['-json', '-4', 'neighbour', 'show', 'dev', device, 'nud', 'permanent'], signal);
}

export async function readFdb(host: Host, device: string, signal?: AbortSignal): Promise<readonly FdbEntry[]> {
  return readJson(host, 'bridge', ['-json', 'fdb', 'show', 'dev', device], signal);
}

async function readJson<T>(
  host: Host,
  program: string,
  args: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly T[]> {
  const { stdout } = await host.run(program, args, { readsOnly: true, ...(signal === undefined ? {} : { signal }) });
  // Nothing to show is an empty text for some objects, [] or [{}] for others.
  const rows: unknown = stdout.trim() === '' ? [] : JSON.parse(stdout);
  if (!Array.isArray(rows)) throw new Error(`${program} ${args.join(' ')} printed no list`);
  return rows.filter((row: unknown) => typeof row === 'object' && row !== null && Object.keys(row).length > 0);
}

/** The link that has the node's address. Throws CodedError NODE_IP_NOT_LOCAL when none has. */
export function underlayOf(links: readonly IpLink[], nodeIp: string): IpLink {
  const found = links.find((link) => link.addr_info?.some((address) => address.local === nodeIp));
  if (found === undefined) {
    throw new CodedError('NODE_IP_NOT_LOCAL', `no network link of this machine has the node address ${nodeIp}`, {
      hint: 'see `ip address`; set the node IP to one of these addresses',
    });
  }
  return found;
}
