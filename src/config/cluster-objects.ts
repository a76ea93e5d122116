// What init leaves in the cluster for those who come later: kubeadm-config and kubelet-config, where kubeadm and tools that
// know it look, and k8ts-config for what only k8ts needs. Joining nodes read them with a bootstrap token.
// kubeadm-config is written as v1beta2, which kubeadm 1.15 to 1.26 read; no version is read by all of them, and those after
// are told in docs/interop.md what to change (one word). kubeadm before 1.24 looks for the kubelet's under the release.
// Source: kubeadm.k8s.io ClusterConfiguration, kubelet.config.k8s.io/v1beta1 KubeletConfiguration.

import { dump, load } from 'js-yaml';
import * as z from 'zod';
import type { ConfigMap } from '../api/index.ts';

import { nthAddress, whyNotCidr } from './addresses.ts';
import { type ClusterConfig, type InitConfig, servedRelease } from './cluster.ts';
import { clusterDefaults } from './cluster-document.ts';
import { paths } from './paths.ts';
import { parseDocument } from './schema-errors.ts';

const namespace = 'kube-system';

/** Where a joining node finds the cluster's configuration. */
export const configMapNames = {
  kubeadm: 'kubeadm-config',
  kubelet: 'kubelet-config',
  kubeletOfRelease: `kubelet-config-${servedRelease}`,
  k8ts: 'k8ts-config',
} as const;

export function clusterConfigMaps(config: InitConfig, kubernetesVersion: string): readonly ConfigMap[] {
  const { cluster } = config;
  const kubelet = {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: paths.caFile },
    },
    authorization: { mode: 'Webhook' },
    clusterDNS: [cluster.clusterDns],
    clusterDomain: cluster.clusterDomain,
    maxPods: cluster.maxPods,
    rotateCertificates: true,
    serverTLSBootstrap: true,
  };
  return [
    configMap(configMapNames.kubeadm, 'ClusterConfiguration', {
      apiServer: config.certSans.length === 0 ? {} : { certSANs: config.certSans },
      apiVersion: 'kubeadm.k8s.io/v1beta2',
      certificatesDir: paths.pki,
      clusterName: cluster.clusterName,
      controlPlaneEndpoint: cluster.controlPlaneEndpoint,
      kind: 'ClusterConfiguration',
      kubernetesVersion,
      networking: {
        dnsDomain: cluster.clusterDomain,
        podSubnet: cluster.podCidr,
        serviceSubnet: cluster.serviceCidr,
      },
    }),
    configMap(configMapNames.kubelet, 'kubelet', kubelet),
    configMap(configMapNames.kubeletOfRelease, 'kubelet', kubelet),
    configMap(configMapNames.k8ts, 'ClusterConfiguration', { apiVersion: 'k8ts.dev/v1', ...cluster }),
  ];
}

const port = z.int().min(1).max(65535);
const k8tsSchema = z.object({
  overlay: z.object({ backend: z.literal('vxlan'), vni: z.int(), port }),
  serviceProxy: z.enum(['nftables', 'off']),
  dns: z.enum(['on', 'off']),
  clusterDns: z.string(),
  maxPods: z.int().positive().default(clusterDefaults.kubelet.maxPods),
});
const cidr = z.string().refine((value) => whyNotCidr(value) === undefined, 'must be an IPv4 range');
const kubeadmSchema = z.object({
  clusterName: z.string().default('kubernetes'),
  controlPlaneEndpoint: z.string().optional(),
  networking: z.object({
    dnsDomain: z.string().default('cluster.local'),
    podSubnet: cidr.default('10.244.0.0/16'),
    serviceSubnet: cidr.default('10.96.0.0/12'),
  }),
});

/**
 * The cluster's configuration from its ConfigMaps. In a cluster that kubeadm made there is no k8ts-config: its values
 * default then.
 * @throws CodedError CONFIG_INVALID
 */
export function readClusterConfig(
  maps: { readonly kubeadm: ConfigMap; readonly k8ts: ConfigMap | undefined },
  endpoint: string,
): ClusterConfig {
  const kubeadm = parseDocument(kubeadmSchema, yamlOf(maps.kubeadm), `ConfigMap ${configMapNames.kubeadm}`);
  const { serviceSubnet, podSubnet, dnsDomain } = kubeadm.networking;
  const own =
    maps.k8ts === undefined
      ? undefined
      : parseDocument(k8tsSchema, yamlOf(maps.k8ts), `ConfigMap ${configMapNames.k8ts}`);
  return {
    clusterName: kubeadm.clusterName,
    controlPlaneEndpoint: kubeadm.controlPlaneEndpoint ?? endpoint,
    podCidr: podSubnet,
    serviceCidr: serviceSubnet,
    clusterDomain: dnsDomain,
    clusterDns: own?.clusterDns ?? nthAddress(serviceSubnet, 10),
    overlay: own?.overlay ?? { backend: 'vxlan', vni: 1, port: 8472 },
    serviceProxy: own?.serviceProxy ?? 'nftables',
    dns: own?.dns ?? 'on',
    maxPods: own?.maxPods ?? clusterDefaults.kubelet.maxPods,
  };
}

function yamlOf(map: ConfigMap): unknown {
  return load(map.data?.['ClusterConfiguration'] ?? '');
}

function configMap(name: string, key: string, content: object): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace },
    data: { [key]: dump(content, { lineWidth: -1 }) },
  };
}
