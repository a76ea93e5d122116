// What join finds out about the cluster before it changes the machine, and what this machine is in it. join asks the API
// server, because it has the token; here the answers become facts, and the overlay is tried.

import type { Node } from '../api/index.ts';
import { addressTowards, controlPlaneLabel, routedRanges } from '../config/index.ts';
import type { Host } from '../host/index.ts';
import { askThroughOverlay } from '../probe/index.ts';
import type { Role } from './facts.ts';

/** What join gives. */
export interface JoinedCluster {
  readonly nodeName: string;
  /** The address that this machine joins with. */
  readonly nodeIp: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly clusterDns: string;
  readonly clusterDomain: string;
  readonly dns: 'on' | 'off';
  readonly overlay: { readonly vni: number; readonly port: number };
  /** ms that the API server's clock is ahead of this machine's, from its Date header; undefined: it sent none. */
  readonly clockSkew: number | undefined;
  /** `gitVersion` of GET /version, such as v1.35.0; undefined: not known. */
  readonly serverVersion: string | undefined;
  /** The release whose kubelet this agent is: 1.35. */
  readonly release: string;
  /** GET /api/v1/nodes; undefined where the token may not list them, as in clusters of kubeadm. */
  readonly nodes: readonly Node[] | undefined;
}

export interface ClusterFacts extends JoinedCluster {
  readonly role: Role;
  readonly machineId: string;
  readonly routes: readonly { readonly range: string; readonly device: string }[];
  /** Whether a packet came back through the overlay of a control plane node; undefined: there was none to try. */
  readonly overlayAnswer: { readonly node: string; readonly address: string; readonly came: boolean } | undefined;
}

export async function gatherClusterFacts(
  host: Host,
  cluster: JoinedCluster,
  signal: AbortSignal,
): Promise<ClusterFacts> {
  const [{ machineId }, routes, overlayAnswer] = await Promise.all([
    host.facts(),
    routedRanges(host),
    tryOverlay(host, cluster, signal),
  ]);
  return { ...cluster, role: 'worker', machineId, routes, overlayAnswer };
}

/** Asks the DNS of a control plane node through its end of the overlay; undefined where there is none to ask. */
async function tryOverlay(
  host: Host,
  { nodeName, nodes = [], overlay, dns, clusterDns, clusterDomain }: JoinedCluster,
  signal: AbortSignal,
): Promise<ClusterFacts['overlayAnswer']> {
  const masters = nodes.filter(({ metadata }) => metadata?.labels?.[controlPlaneLabel] !== undefined);
  const peer = masters
    .filter(({ metadata }) => metadata?.name !== nodeName)
    .flatMap((node) => vtepOf(node, overlay.vni))[0];
  const from = peer === undefined ? undefined : await addressTowards(host, peer.address);
  if (peer === undefined || from === undefined || dns === 'off') return undefined;
  const question = { name: `kubernetes.default.svc.${clusterDomain}`, dns: clusterDns };
  const came = await askThroughOverlay({ ...peer, ...overlay }, question, from, signal);
  return { node: peer.node, address: peer.address, came };
}

/** A node's end of the overlay, as its annotations tell it (flannel's, backend vxlan). */
function vtepOf(
  { metadata }: Node,
  vni: number,
): readonly { readonly node: string; readonly address: string; readonly vtepMac: string }[] {
  const annotation = (name: string): string => metadata?.annotations?.[`flannel.alpha.coreos.com/${name}`] ?? '';
  const address = annotation('public-ip');
  const found = /"VNI":(\d+),"VtepMAC":"((?:[0-9a-f]{2}:){5}[0-9a-f]{2})"/.exec(annotation('backend-data'));
  if (address === '' || Number(found?.[1]) !== vni) return [];
  return [{ node: metadata?.name ?? '', address, vtepMac: found?.[2] ?? '' }];
}
