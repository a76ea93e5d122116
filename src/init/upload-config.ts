// Leaves the cluster's configuration in the cluster, readable by nodes and by machines that join: kubeadm's objects and
// role names, and k8ts-config for what only k8ts needs.

import {
  type ClusterRole,
  type ClusterRoleBinding,
  type ConfigMap,
  kinds,
  type Role,
  type RoleBinding,
} from '../api/index.ts';
import { ensureObject } from '../bootstrap/index.ts';
import { clusterConfigMaps, configMapNames } from '../config/index.ts';
import { nodeBootstrappersGroup } from '../tokens/index.ts';
import type { Phase } from '../workflow/index.ts';
import type { InitContext } from './context.ts';

const namespace = 'kube-system';
const rbac = 'rbac.authorization.k8s.io';

/** Role name to the ConfigMaps that it opens. */
const readers = {
  'kubeadm:nodes-kubeadm-config': [configMapNames.kubeadm],
  'kubeadm:kubelet-config': [configMapNames.kubelet, configMapNames.kubeletOfRelease],
  'k8ts:nodes-config': [configMapNames.k8ts],
} as const;

export const uploadConfig: Phase<InitContext> = {
  name: 'upload-config',
  title: 'Storing the configuration in the cluster',
  aliases: ['upload-config/all'],
  run: async ({ config, client: connect }, { signal }) => {
    const client = await connect();
    const { body } = await client.raw('GET', '/version', undefined, { signal });
    const { gitVersion = 'v0.0.0' } = JSON.parse(body.toString('utf8') || '{}') as { readonly gitVersion?: string };
    const maps = clusterConfigMaps(config, gitVersion);
    await Promise.all([
      ...maps.map((map) => ensureObject<ConfigMap>(client, kinds.configMap, map, signal)),
      ...Object.entries(readers).map(async ([name, names]) => {
        await ensureObject<Role>(client, kinds.role, readerRole(name, names), signal);
        await ensureObject<RoleBinding>(client, kinds.roleBinding, readerBinding(name), signal);
      }),
      ensureObject<ClusterRole>(client, kinds.clusterRole, nodeLister, signal),
      ensureObject<ClusterRoleBinding>(client, kinds.clusterRoleBinding, nodeListerBinding, signal),
    ]);
  },
};

/** A machine that joins looks whether another has its machine id; kubeadm's rights end at nodes of a known name. */
const nodeLister: ClusterRole = {
  apiVersion: `${rbac}/v1`,
  kind: 'ClusterRole',
  metadata: { name: 'k8ts:list-nodes' },
  rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['list'] }],
};

const nodeListerBinding: ClusterRoleBinding = {
  apiVersion: `${rbac}/v1`,
  kind: 'ClusterRoleBinding',
  metadata: { name: 'k8ts:list-nodes' },
  roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'k8ts:list-nodes' },
  subjects: [{ apiGroup: rbac, kind: 'Group', name: nodeBootstrappersGroup }],
};

function readerRole(name: string, names: readonly string[]): Role {
  return {
    apiVersion: `${rbac}/v1`,
    kind: 'Role',
    metadata: { name, namespace },
    rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: [...names], verbs: ['get'] }],
  };
}

function readerBinding(name: string): RoleBinding {
  return {
    apiVersion: `${rbac}/v1`,
    kind: 'RoleBinding',
    metadata: { name, namespace },
    roleRef: { apiGroup: rbac, kind: 'Role', name },
    subjects: ['system:nodes', nodeBootstrappersGroup].map((group) => ({ apiGroup: rbac, kind: 'Group', name: group })),
  };
}
