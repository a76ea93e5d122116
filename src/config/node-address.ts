// Which of its addresses a machine is known by: the one the kernel would send from. On machines with several networks that
// is the only choice that is right without asking (the first interface is often a NAT that no other host can reach).

import { CodedError } from '../base/index.ts';
import type { Host } from '../host/index.ts';

interface Route {
  readonly dev?: string;
  readonly prefsrc?: string;
  readonly dst?: string;
  readonly metric?: number;
}

/**
 * The source address of the default route; without one, the only address that is not loopback.
 * @throws CodedError ADDRESS_UNKNOWN
 */
export async function defaultAddress(host: Host): Promise<string> {
  const routes = await readRoutes(host, ['show', 'default']);
  const best = [...routes].sort((a, b) => (a.metric ?? 0) - (b.metric ?? 0))[0];
  if (best?.prefsrc !== undefined) return best.prefsrc;
  const all = (await host.facts()).addresses.filter(({ family, device }) => family === 4 && device !== 'lo');
  const usable = best === undefined ? all : all.filter(({ device }) => device === best.dev);
  const [first, ...more] = usable;
  if (first !== undefined && (best !== undefined || more.length === 0)) return first.address;
  const found = all.map(({ device, address }) => `${address} (${device})`).join(', ') || 'none';
  throw new CodedError(
    'ADDRESS_UNKNOWN',
    `there is no default route to choose this machine's address by; it has ${found}`,
    {
      exit: 'invalidInput',
      hint: 'pass --apiserver-advertise-address with the address that the other machines reach it by',
    },
  );
}

/** The address that this machine sends from to `address`: for a joining node, the one that its API server sees. */
export async function addressTowards(host: Host, address: string): Promise<string | undefined> {
  const [route] = await readRoutes(host, ['get', address]);
  return route?.prefsrc;
}

/** True when the machine has a default route. */
export async function hasDefaultRoute(host: Host): Promise<boolean> {
  return (await readRoutes(host, ['show', 'default'])).length > 0;
}

/** Ranges that this machine has routes to, the default route left out. */
export async function routedRanges(
  host: Host,
): Promise<readonly { readonly range: string; readonly device: string }[]> {
  return (await readRoutes(host, ['show', 'table', 'main'])).flatMap(({ dst, dev = '' }) =>
    dst === undefined || dst === 'default' ? [] : [{ range: dst.includes('/') ? dst : `${dst}/32`, device: dev }],
  );
}

async function readRoutes(host: Host, args: readonly string[]): Promise<readonly Route[]> {
  const { code, stdout } = await host.run('ip', ['-4', '-json', 'route', ...args], { readsOnly: true, accept: [1, 2] });
  return code === 0 && stdout.trim() !== '' ? (JSON.parse(stdout) as Route[]) : [];
}
