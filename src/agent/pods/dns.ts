// What a pod's /etc/resolv.conf and /etc/hosts say. Pure; the host's own files are given as text.
// Source: kubernetes.io/docs/concepts/services-networking/dns-pod-service, pkg/kubelet/network/dns.

import type { Pod } from '../../api/index.ts';
import { nameOf } from './identity.ts';

export interface DnsConfig {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

const maxServers = 3;
const maxSearches = 32;

export function parseResolvConf(text: string): DnsConfig {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  const all = (keyword: string): string[][] => lines.filter(([first]) => first === keyword).map(([, ...rest]) => rest);
  return {
    servers: all('nameserver').flatMap(([address]) => (address === undefined ? [] : [address])),
    searches: all('search').at(-1) ?? [],
    options: all('options').flat(),
  };
}

export function podDns(
  pod: Pod,
  cluster: { readonly dns: string; readonly domain: string },
  host: DnsConfig,
): DnsConfig {
  const { dnsPolicy = 'ClusterFirst', dnsConfig = {}, hostNetwork = false } = pod.spec ?? {};
  const ofCluster =
    cluster.dns !== '' && (dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && !hostNetwork));
  const base = ofCluster
    ? clusterDns(nameOf(pod).namespace, cluster, host)
    : dnsPolicy === 'None'
      ? { servers: [], searches: [], options: [] }
      : host;
  const options = new Map(base.options.map((option) => [option.split(':')[0], option]));
  for (const { name = '', value } of dnsConfig.options ?? []) {
    options.set(name, value === undefined || value === '' ? name : `${name}:${value}`);
  }
  return {
    servers: unique([...base.servers, ...(dnsConfig.nameservers ?? [])]).slice(0, maxServers),
    searches: unique([...base.searches, ...(dnsConfig.searches ?? [])]).slice(0, maxSearches),
    options: [...options.values()],
  };
}

function clusterDns(namespace: string, { dns, domain }: { dns: string; domain: string }, host: DnsConfig): DnsConfig {
  const own = [`${namespace}.svc.${domain}`, `svc.${domain}`, domain];
  return { servers: [dns], searches: unique([...own, ...host.searches]), options: ['ndots:5'] };
}

function unique(list: readonly string[]): string[] {
  return [...new Set(list)];
}

export interface PodHostname {
  readonly hostname: string;
  /** `host.subdomain.namespace.svc.domain`; undefined without spec.subdomain. */
  readonly fqdn: string | undefined;
}

/** A host name has at most 63 characters; a longer pod name is cut. `hostnameOverride` is what the pod alone sees. */
export function podHostname(pod: Pod, domain: string): PodHostname {
  const { namespace, name } = nameOf(pod);
  const { hostnameOverride } = pod.spec ?? {};
  if (hostnameOverride !== undefined) return { hostname: hostnameOverride, fqdn: undefined };
  const hostname = (pod.spec?.hostname ?? name).slice(0, 63).replace(/[-.]+$/, '');
  const { subdomain } = pod.spec ?? {};
  const fqdn = subdomain === undefined ? undefined : `${hostname}.${subdomain}.${namespace}.svc.${domain}`;
  return { hostname, fqdn };
}

const localNames = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
`;

/** @param hostFile the machine's own /etc/hosts, which a pod in the host's network gets instead. */
export function hostsFile(pod: Pod, name: PodHostname, ips: readonly string[], hostFile: string): string {
  const { hostNetwork = false, hostAliases = [] } = pod.spec ?? {};
  const names = name.fqdn === undefined ? name.hostname : `${name.fqdn}\t${name.hostname}`;
  const own = hostNetwork
    ? `# Kubernetes-managed hosts file (host network).\n${hostFile}`
    : `# Kubernetes-managed hosts file.\n${localNames}${ips.map((ip) => `${ip}\t${names}\n`).join('')}`;
  const aliases = hostAliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}\n`).join('');
  return aliases === '' ? own : `${own}\n# Entries added by HostAliases.\n${aliases}`;
}
