// The document that `k8ts init` is told a cluster by. Every field may be left out and says what it is for, because
// `k8ts config print --doc` prints those words.
//
//   apiVersion: k8ts.dev/v1
//   kind: ClusterConfiguration
//   controlPlaneEndpoint: api.example.org:6443
//   networking: { podCidr: 10.244.0.0/16, serviceCidr: 10.96.0.0/12 }

import * as z from 'zod';
import { whyNotAddress, whyNotCidr } from './addresses.ts';
import { apiServerFields } from './api-server.ts';
import { whyNotDatastore } from './datastore.ts';
import {
  addressSchema,
  durationSchema,
  endpointSchema,
  lifetimeSchema,
  nodeFields,
  nodeNameSchema,
  port,
  runFields,
  subjectName,
  text,
  tokenSchema,
} from './fields.ts';

export const documentVersion = 'k8ts.dev/v1';

const networking = z.strictObject({
  podCidr: text(whyNotCidr).optional().describe('Addresses of pods; each node gets a /24. Default 10.244.0.0/16.'),
  serviceCidr: text(whyNotCidr).optional().describe('Addresses of Services. Default 10.96.0.0/12.'),
  dnsDomain: nodeNameSchema.optional().describe('Domain of Services. Default cluster.local.'),
  clusterDns: text(whyNotAddress).optional().describe('Address of the cluster DNS. Default: the tenth of serviceCidr.'),
  overlay: z
    .strictObject({
      backend: z.enum(['vxlan']).optional().describe('How pods of different nodes reach each other. Default vxlan.'),
      vni: z.int().min(1).max(16_777_215).optional().describe('VXLAN network identifier. Default 1, as flannel.'),
      port: port.optional().describe('UDP port between nodes. Default 8472, as flannel.'),
    })
    .optional()
    .describe('The network between nodes.'),
  serviceProxy: z
    .enum(['nftables', 'off'])
    .optional()
    .describe('Who makes Services work; off: something else does. Default nftables.'),
  dns: z
    .enum(['on', 'off'])
    .optional()
    .describe("Whether each node's agent answers as cluster DNS; off: something else does. Default on."),
});

const bootstrapToken = z.strictObject({
  token: tokenSchema.optional().describe('Default: a random one.'),
  ttl: durationSchema.optional().describe('How long it is valid; 0: for ever. Default 24h0m0s.'),
  description: z.string().optional().describe('What it is for.'),
  usages: z
    .array(z.enum(['signing', 'authentication']))
    .min(1)
    .optional()
    .describe('Default both: machines find the cluster by it, and log in with it.'),
  groups: z
    .array(
      z.string().regex(/^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/, 'must begin with system:bootstrappers:'),
    )
    .optional()
    .describe('Groups of who joins with it. Default system:bootstrappers:kubeadm:default-node-token.'),
});

/** The document as a person writes it. Every field may be left out. */
export const clusterDocument = z.strictObject({
  apiVersion: z.literal(documentVersion).describe('Version of this format.'),
  kind: z.literal('ClusterConfiguration').describe('What k8ts init reads.'),
  clusterName: z.string().min(1).optional().describe('Name in kubeconfigs. Default kubernetes.'),
  controlPlaneEndpoint: endpointSchema
    .optional()
    .describe('Stable host:port that nodes and kubeconfigs use. Default: the advertise address.'),
  datastore: text(whyNotDatastore)
    .optional()
    .describe('sqlite:///path of the file. Default sqlite:///var/lib/k8ts/server/state.db.'),
  networking: networking.optional().describe('Addresses; they cannot be changed once the cluster runs.'),
  apiServer: z
    .strictObject({
      advertiseAddress: addressSchema
        .optional()
        .describe('Address that other machines reach this one by. Default: that of the default route.'),
      bindPort: port.optional().describe('TCP port. Default 6443.'),
      certSans: z.array(subjectName).optional().describe('More names and addresses for the serving certificate.'),
      ...apiServerFields,
    })
    .optional()
    .describe('The API server.'),
  certificates: z
    .strictObject({
      algorithm: z
        .enum(['ECDSA-P256', 'ECDSA-P384', 'RSA-2048', 'RSA-3072', 'RSA-4096'])
        .optional()
        .describe('Keys that are made. Default ECDSA-P256.'),
      lifetime: lifetimeSchema
        .optional()
        .describe('How long certificates are valid; they are renewed in time. Default 8760h0m0s.'),
      caLifetime: lifetimeSchema.optional().describe('How long a CA that is made is valid. Default 87600h0m0s.'),
    })
    .optional()
    .describe('Certificates; a CA that lies in /etc/kubernetes/pki already is used.'),
  kubelet: z
    .strictObject({
      maxPods: z.int().min(1).max(250).optional().describe('Pods on a node. Default 110.'),
    })
    .optional()
    .describe("What every node's agent is told."),
  node: z.strictObject(nodeFields).optional().describe('This machine.'),
  bootstrapTokens: z
    .array(bootstrapToken)
    .min(1)
    .optional()
    .describe('Tokens that machines join with. Default: a random one, valid for a day.'),
  ...runFields,
});

export type ClusterDocument = z.infer<typeof clusterDocument>;

export const emptyClusterDocument: ClusterDocument = { apiVersion: documentVersion, kind: 'ClusterConfiguration' };

/** What counts where the document says nothing; the rest depends on the machine. */
export const clusterDefaults = {
  clusterName: 'kubernetes',
  datastore: 'sqlite:///var/lib/k8ts/server/state.db',
  networking: {
    podCidr: '10.244.0.0/16',
    serviceCidr: '10.96.0.0/12',
    dnsDomain: 'cluster.local',
    overlay: { backend: 'vxlan', vni: 1, port: 8472 },
    serviceProxy: 'nftables',
    dns: 'on',
  },
  apiServer: { bindPort: 6443 },
  certificates: { algorithm: 'ECDSA-P256', lifetime: '8760h0m0s', caLifetime: '87600h0m0s' },
  kubelet: { maxPods: 110 },
  node: { criSocket: 'unix:///run/containerd/containerd.sock' },
} as const satisfies Omit<ClusterDocument, 'apiVersion' | 'kind'>;
