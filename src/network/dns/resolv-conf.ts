// The servers that the host itself asks. Read again when a question needs them and the last look is some seconds old, so
// that a changed DHCP lease is noticed without watching or polling.

import { isIP } from 'node:net';
import type { Clock } from '../../base/index.ts';
import type { Host } from '../../host/index.ts';

/** systemd-resolved keeps the real servers here; /etc/resolv.conf then names only its own stub. */
const candidates = ['/run/systemd/resolve/resolv.conf', '/etc/resolv.conf'] as const;
const freshFor = 10_000;

/** The nameserver addresses of a resolv.conf(5), in order. */
export function parseNameservers(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [word, address = ''] = line.trim().split(/\s+/);
    return word === 'nameserver' && isIP(address) !== 0 ? [address] : [];
  });
}

/** @param own addresses that are this server itself: asking them would be a loop. */
export function createNameservers(host: Host, clock: Clock, own: readonly string[]): () => Promise<readonly string[]> {
  let servers: readonly string[] = [];
  let readAt = Number.NEGATIVE_INFINITY;
  return async () => {
    if (clock.now() - readAt < freshFor) return servers;
    readAt = clock.now();
    for (const path of candidates) {
      const text = (await host.readFileIfExists(path))?.toString('utf8');
      const found = parseNameservers(text ?? '').filter((address) => !own.includes(address));
      if (found.length === 0) continue;
      servers = found;
      return servers;
    }
    servers = [];
    return servers;
  };
}
