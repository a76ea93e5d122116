// The machine's own DNS settings, which pods with dnsPolicy Default get. Where systemd-resolved runs, /etc/resolv.conf names
// its stub on 127.0.0.53, which a pod cannot reach; the servers behind it are in a file of their own.
// Source: systemd-resolved.service(8); kubeadm sets the kubelet's resolvConf in the same way.

import type { Host } from '../../host/index.ts';
import { type DnsConfig, parseResolvConf } from '../pods/dns.ts';

const files = ['/run/systemd/resolve/resolv.conf', '/etc/resolv.conf'];

/** Empty when the machine has no DNS. */
export async function readHostDns(host: Pick<Host, 'readFileIfExists'>): Promise<DnsConfig> {
  for (const file of files) {
    const found = parseResolvConf((await host.readFileIfExists(file))?.toString('utf8') ?? '');
    if (found.servers.length > 0) return found;
  }
  return parseResolvConf('');
}
