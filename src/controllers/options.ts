// What a person or a composition root may set about controllers. Times are options so that tests and demonstrations can
// shorten them; the defaults are upstream's.

export interface ControllerOptions {
  /** Addresses of pods: one CIDR, or one of each family separated by a comma. */
  readonly podCidr: string;
  readonly serviceCidr: string;
  /** Prefix length of a node's share of the pod CIDR. */
  readonly nodeCidrMask: number;
  readonly nodeCidrMaskIpv6: number;
  readonly clusterDomain: string;
  /** What signs certificates; without it the signing controller does not run. */
  readonly ca: { readonly certPem: string; readonly keyPem: string } | undefined;
  /** Published to every namespace as kube-root-ca.crt; without it the publisher does not run. */
  readonly rootCaPem: string | undefined;
  /** A node is Unknown after this long without a heartbeat, ms. */
  readonly nodeMonitorGracePeriod: number;
  /** As above, for a node that never sent one, ms. */
  readonly nodeStartupGracePeriod: number;
  /** ms between two nodes of a zone whose pods are told to leave. */
  readonly evictionInterval: number;
  /** As above, in a zone of more than 50 nodes of which most are not ready. */
  readonly secondaryEvictionInterval: number;
  /** How long a node must be absent before its pods are collected, ms. */
  readonly orphanQuarantine: number;
  /** More finished pods than this are collected, oldest first. */
  readonly terminatedPodThreshold: number;
  /** Longest life of a signed certificate, ms. */
  readonly certificateDuration: number;
}

export const defaultControllerOptions: ControllerOptions = {
  podCidr: '10.244.0.0/16',
  serviceCidr: '10.96.0.0/12',
  nodeCidrMask: 24,
  nodeCidrMaskIpv6: 64,
  clusterDomain: 'cluster.local',
  ca: undefined,
  rootCaPem: undefined,
  nodeMonitorGracePeriod: 40_000,
  nodeStartupGracePeriod: 60_000,
  evictionInterval: 10_000,
  secondaryEvictionInterval: 100_000,
  orphanQuarantine: 40_000,
  terminatedPodThreshold: 12_500,
  certificateDuration: 365 * 24 * 3_600_000,
};
