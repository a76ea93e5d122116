// The cluster's configuration: one document, from flags, from a file, or both (a flag wins), checked with zod, completed
// with defaults that are kubeadm's where it has them.
//
//   apiVersion: k8ts.dev/v1
//   kind: ClusterConfiguration
//   controlPlaneEndpoint: api.example.org:6443
//   networking: { podCidr: 10.244.0.0/16, serviceCidr: 10.96.0.0/12 }

import { load } from 'js-yaml';
import * as z from 'zod';
import { CodedError, messageOf } from '../base/index.ts';
import type { Host } from '../host/index.ts';
import { contains, nthAddress, overlap, sizeOf, whyNotAddress, whyNotCidr } from './addresses.ts';
import { type ApiServerSettings, apiServerFields } from './api-server.ts';
import { defaultAddress } from './node-address.ts';
import { parseDocument } from './schema-errors.ts';

/** What every node of the cluster has to know; kept in the cluster as ConfigMap kube-system/k8ts-config. */
export interface ClusterConfig {
  readonly clusterName: string;
  /** host:port */
  readonly controlPlaneEndpoint: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly clusterDomain: string;
  readonly clusterDns: string;
  readonly overlay: { readonly backend: 'vxlan'; readonly vni: number; readonly port: number };
  readonly serviceProxy: 'nftables' | 'off';
  readonly dns: 'on' | 'off';
}

export interface NodeTaint {
  readonly key: string;
  readonly value?: string | undefined;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

/** What one machine is told about itself. */
export interface NodeConfig {
  readonly name: string;
  readonly ip: string;
  /** unix:///run/containerd/containerd.sock */
  readonly criSocket: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly NodeTaint[];
}

/** Everything that `init` needs, nothing left to default. */
export interface InitConfig {
  readonly cluster: ClusterConfig;
  readonly node: NodeConfig;
  readonly advertiseAddress: string;
  readonly bindPort: number;
  readonly certSans: readonly string[];
  /** What the API server is told besides; empty: all defaults. */
  readonly apiServer: ApiServerSettings;
}

export const defaultCriSocket = 'unix:///run/containerd/containerd.sock';
export const controlPlaneLabel = 'node-role.kubernetes.io/control-plane';
/** What keeps ordinary pods off a control plane node; kubeadm's. */
export const controlPlaneTaint: NodeTaint = { key: controlPlaneLabel, effect: 'NoSchedule' };

const text = (why: (value: string) => string | undefined) =>
  z.string().superRefine((value, context) => {
    const problem = why(value);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem, input: value });
  });
const port = z.int().min(1).max(65535);

/** RFC 1123 subdomain, as Kubernetes wants of a Node's name. */
export const nodeNameSchema = text((value) =>
  value.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(value)
    ? undefined
    : 'must be a name of lower-case letters, digits, - and ., at most 253 long',
);
const endpoint = text((value) => {
  const [, , port] = value.match(/^([A-Za-z0-9]([-.A-Za-z0-9]*[A-Za-z0-9])?)(?::(\d+))?$/)?.slice(1) ?? [];
  if (!/^[A-Za-z0-9]([-.A-Za-z0-9]*[A-Za-z0-9])?(:\d+)?$/.test(value)) return 'must be host or host:port';
  return port === undefined || (Number(port) > 0 && Number(port) < 65536) ? undefined : 'port must be 1 to 65535';
});
export const criSocketSchema = text((value) =>
  /^(unix:\/\/)?\/\S+$/.test(value) ? undefined : 'must be unix:///path/of/the/socket',
);
const subjectName = text((value) =>
  whyNotAddress(value) === undefined || /^(\*\.)?[A-Za-z0-9]([-.A-Za-z0-9]*[A-Za-z0-9])?$/.test(value)
    ? undefined
    : 'must be an address or a DNS name',
);

const taint = z.strictObject({
  key: z.string().min(1),
  value: z.string().optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
});

/** The document as a person writes it. Every field may be left out. */
export const clusterDocument = z.strictObject({
  apiVersion: z.literal('k8ts.dev/v1'),
  kind: z.literal('ClusterConfiguration'),
  clusterName: z.string().min(1).optional().describe('Name in kubeconfigs. Default kubernetes.'),
  controlPlaneEndpoint: endpoint
    .optional()
    .describe('host:port that nodes and kubeconfigs use. Default: advertise address.'),
  networking: z
    .strictObject({
      podCidr: text(whyNotCidr).optional().describe('Addresses of pods; each node gets a /24. Default 10.244.0.0/16.'),
      serviceCidr: text(whyNotCidr).optional().describe('Addresses of Services. Default 10.96.0.0/12.'),
      dnsDomain: nodeNameSchema.optional().describe('Default cluster.local.'),
      overlay: z
        .strictObject({
          backend: z.enum(['vxlan']).optional(),
          vni: z.int().min(1).max(16_777_215).optional().describe('Default 1, as flannel.'),
          port: port.optional().describe('UDP. Default 8472, as flannel.'),
        })
        .optional(),
      serviceProxy: z.enum(['nftables', 'off']).optional(),
      dns: z.enum(['on', 'off']).optional(),
    })
    .optional(),
  apiServer: z
    .strictObject({
      advertiseAddress: text(whyNotAddress).optional().describe('Default: the source address of the default route.'),
      bindPort: port.optional().describe('Default 6443.'),
      certSans: z.array(subjectName).optional().describe('More names and addresses for the serving certificate.'),
      ...apiServerFields,
    })
    .optional(),
  node: z
    .strictObject({
      name: nodeNameSchema.optional().describe('Default: the host name in lower case.'),
      criSocket: criSocketSchema.optional(),
      labels: z.record(z.string(), z.string()).optional(),
      taints: z.array(taint).optional().describe('Default on the control plane: NoSchedule.'),
    })
    .optional(),
});

export type ClusterDocument = z.infer<typeof clusterDocument>;

/** @throws CodedError CONFIG_UNREADABLE, CONFIG_INVALID */
export function parseClusterDocument(yaml: string, source: string): ClusterDocument {
  let value: unknown;
  try {
    value = load(yaml);
  } catch (error) {
    throw new CodedError('CONFIG_UNREADABLE', `${source} is not YAML: ${messageOf(error).split('\n', 1)[0]}`, {
      exit: 'invalidInput',
      cause: error,
    });
  }
  return parseDocument(clusterDocument, value, source);
}

/**
 * The document completed for the machine `host`.
 * @throws CodedError CONFIG_INVALID, CIDR_OVERLAP, ADDRESS_UNKNOWN
 */
export async function resolveInitConfig(host: Host, given: ClusterDocument, source: string): Promise<InitConfig> {
  const document = parseDocument(clusterDocument, given, source);
  const { networking = {}, node = {} } = document;
  const { advertiseAddress: wanted, bindPort = 6443, certSans = [], ...apiServer } = document.apiServer ?? {};
  const advertiseAddress = wanted ?? (await defaultAddress(host));
  const serviceCidr = networking.serviceCidr ?? '10.96.0.0/12';
  const cluster: ClusterConfig = {
    clusterName: document.clusterName ?? 'kubernetes',
    controlPlaneEndpoint: withPort(document.controlPlaneEndpoint ?? advertiseAddress, bindPort),
    podCidr: networking.podCidr ?? '10.244.0.0/16',
    serviceCidr,
    clusterDomain: networking.dnsDomain ?? 'cluster.local',
    clusterDns: nthAddress(serviceCidr, 10),
    overlay: { backend: 'vxlan', vni: networking.overlay?.vni ?? 1, port: networking.overlay?.port ?? 8472 },
    serviceProxy: networking.serviceProxy ?? 'nftables',
    dns: networking.dns ?? 'on',
  };
  requireSoundRanges(cluster, advertiseAddress);
  return {
    cluster,
    node: {
      name: parseDocument(nodeNameSchema, node.name ?? (await hostNameOf(host)), 'the node name (--node-name)'),
      ip: advertiseAddress,
      criSocket: socketUrl(node.criSocket ?? defaultCriSocket),
      labels: node.labels ?? {},
      taints: node.taints ?? [controlPlaneTaint],
    },
    advertiseAddress,
    bindPort,
    certSans,
    apiServer,
  };
}

export async function hostNameOf(host: Host): Promise<string> {
  return (await host.facts()).hostName.toLowerCase();
}

/** A path is a unix socket, as with kubeadm. */
export function socketUrl(socket: string): string {
  return socket.startsWith('/') ? `unix://${socket}` : socket;
}

function withPort(endpoint: string, port: number): string {
  return endpoint.includes(':') ? endpoint : `${endpoint}:${port}`;
}

function requireSoundRanges({ podCidr, serviceCidr }: ClusterConfig, address: string): void {
  const problem = (what: string): CodedError =>
    new CodedError('CIDR_OVERLAP', what, {
      exit: 'invalidInput',
      hint: 'choose other ranges with --pod-network-cidr and --service-cidr; they cannot be changed later',
    });
  if (overlap(podCidr, serviceCidr)) throw problem(`pod range ${podCidr} and service range ${serviceCidr} overlap`);
  if (contains(podCidr, address)) throw problem(`pod range ${podCidr} contains this machine's address ${address}`);
  if (contains(serviceCidr, address))
    throw problem(`service range ${serviceCidr} contains this machine's address ${address}`);
  if (sizeOf(podCidr) < 256) throw problem(`pod range ${podCidr} is smaller than the /24 that each node gets`);
  if (sizeOf(serviceCidr) < 16) throw problem(`service range ${serviceCidr} has fewer than 16 addresses`);
}
