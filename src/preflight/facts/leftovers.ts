// What clusters of others leave on a machine: the most frequent cause of a node whose pods get no network. Only what is
// known by name is looked for; nothing is removed.

import type { Host } from '../../host/index.ts';
import { existing, namesIn, outputOf } from './read.ts';

export interface ForeignState {
  /** CNI configurations that the runtime would take instead of ours: it takes the first by name. */
  readonly cniConfigs: readonly string[];
  readonly links: readonly string[];
  /** Files and folders, each with whose it is. */
  readonly files: readonly { readonly path: string; readonly owner: string }[];
  /** nftables tables as `family name`, and iptables chains. */
  readonly rules: readonly string[];
}

const cniDir = '/etc/cni/net.d';
const ownCniConfig = '10-k8ts.conflist';

/** Links that network plugins and service proxies make. */
const foreignLinks =
  /^(flannel(\.|-v6\.)\d+|cali[0-9a-f]{11}|vxlan(-v6)?\.calico|cilium_\w+|weave|vethwe-\w+|kube-bridge|kube-ipvs0|kube-dummy-if|antrea-gw0|genev_sys_\d+|nodelocaldns)$/;
/** Ours, if a node of ours is here; otherwise an earlier cluster's. */
const sharedLinks = /^(cni0|k8ts\.\d+|k8ts-svc)$/;

const foreignTables = /^(ip|ip6|inet) (kube-proxy|flannel-ipv[46]|cilium|calico|kube-router)$/;
const sharedTables = /^(ip|inet) k8ts/;
const foreignChains = /^:((KUBE|FLANNEL|WEAVE|CILIUM|ANTREA)[-_]\S+|cali-\S+)/gm;

const places = [
  { owner: 'kubeadm', path: '/var/lib/kubelet/config.yaml' },
  { owner: 'kubeadm', path: '/var/lib/kubelet/kubeadm-flags.env' },
  { owner: 'k3s', path: '/var/lib/rancher/k3s' },
  { owner: 'k3s', path: '/etc/rancher/k3s' },
  { owner: 'RKE2', path: '/var/lib/rancher/rke2' },
  { owner: 'k0s', path: '/var/lib/k0s' },
  { owner: 'MicroK8s', path: '/var/snap/microk8s' },
  { owner: 'flannel', path: '/run/flannel/subnet.env' },
  { owner: 'Calico', path: '/var/lib/calico' },
  { owner: 'Cilium', path: '/run/cilium' },
  { owner: 'Weave', path: '/var/lib/weave' },
] as const;

/** @param isMember a node of ours is on the machine, so its links and tables are no leftovers */
export async function readForeignState(
  host: Host,
  options: { readonly isMember: boolean; readonly links: readonly string[]; readonly iptables: string },
): Promise<ForeignState> {
  const { isMember, links, iptables } = options;
  const [configs, files, tables] = await Promise.all([
    namesIn(host, cniDir),
    existing(
      host,
      places.map(({ path }) => path),
    ),
    outputOf(host, 'nft', ['list', 'tables']),
  ]);
  const isForeign = (name: string, foreign: RegExp, shared: RegExp): boolean =>
    foreign.test(name) || (!isMember && shared.test(name));
  return {
    cniConfigs: configs
      .filter((name) => /\.(conf|conflist|json)$/.test(name) && name < ownCniConfig)
      .map((name) => `${cniDir}/${name}`),
    links: links.filter((name) => isForeign(name, foreignLinks, sharedLinks)),
    files: places.filter(({ path }) => files.includes(path)),
    rules: [
      ...tables
        .split('\n')
        .map((line) => line.replace(/^table /, ''))
        .filter((name) => isForeign(name, foreignTables, sharedTables)),
      ...[...iptables.matchAll(foreignChains)].map(([, chain = '']) => chain),
    ],
  };
}
