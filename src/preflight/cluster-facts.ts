// What join finds out about the cluster before it changes the machine, and what this machine is in it. join asks the API
// server, because it has the token; here the answers become facts, and the overlay is tried.

import type { Node } from '../api/index.ts';
import { routedRanges } from '../config/index.ts';
import type { Host } from '../host/index.ts';
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
  signal.throwIfAborted();
  const [{ machineId }, routes] = await Promise.all([host.facts(), routedRanges(host)]);
  return { ...cluster, role: 'worker', machineId, routes, overlayAnswer: undefined };
}
