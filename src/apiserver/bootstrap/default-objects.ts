// The objects that exist in every cluster: namespaces, default RBAC, the `kubernetes` Service with its endpoints, system
// priority classes, and the certificates that extension API servers need. Made at each start, in an order in which a
// half-finished start does no harm: namespaces first, then who may do what, then the rest.

import { type ConfigMap, type KindOf, type KubeObject, kinds, type Namespace } from '../../api/index.ts';
import type { ObjectWriter } from '../contracts.ts';
import { clusterRoleBindings, clusterRoles } from './cluster-roles.ts';
import { controllerBindings, controllerRoles, namespacedBindings, namespacedRoles } from './controller-roles.ts';
import { ensureReconciled, type Named } from './ensure.ts';
import { ensureFlowObjects } from './flow-objects.ts';
import { joinBindings, joinNamespacedBindings, joinNamespacedRoles, joinRoles } from './join-roles.ts';
import { ensureKubernetesService, type KubernetesServiceOptions } from './kubernetes-service.ts';
import { clusterRole, clusterRoleBinding, reconcileBinding, reconcileRole, role, roleBinding } from './rbac-objects.ts';

export interface DefaultObjectsOptions extends KubernetesServiceOptions {
  /** PEM of the CA that client certificates are verified with, for extension API servers. */
  readonly clientCa?: string;
  /** PEM of the front-proxy CA; absent when requests are not forwarded to extension API servers. */
  readonly requestHeaderCa?: string;
}

/** Creates what is missing and brings RBAC defaults up to date; leaves what an operator changed. */
export async function ensureDefaultObjects(writer: ObjectWriter, options: DefaultObjectsOptions): Promise<void> {
  await ensureNamespaces(writer);
  await ensureRbac(writer);
  await ensureKubernetesService(writer, options);
  await ensurePriorityClasses(writer);
  await ensureFlowObjects(writer);
  await ensureExtensionAuthentication(writer, options);
}

export const systemNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

export async function ensureNamespaces(writer: ObjectWriter): Promise<void> {
  await all(systemNamespaces, (name) =>
    writer.ensure<Namespace>(kinds.namespace, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
    }),
  );
}

async function ensureRbac(writer: ObjectWriter): Promise<void> {
  await all([...clusterRoles, ...controllerRoles, ...joinRoles].map(clusterRole), (want) =>
    ensureReconciled(writer, kinds.clusterRole, want, (have) => reconcileRole(have, want)),
  );
  await all([...clusterRoleBindings, ...controllerBindings, ...joinBindings].map(clusterRoleBinding), (want) =>
    ensureReconciled(writer, kinds.clusterRoleBinding, want, (have) => reconcileBinding(have, want)),
  );
  await all([...namespacedRoles, ...joinNamespacedRoles].map(role), (want) =>
    ensureReconciled(writer, kinds.role, want, (have) => reconcileRole(have, want)),
  );
  await all([...namespacedBindings, ...joinNamespacedBindings].map(roleBinding), (want) =>
    ensureReconciled(writer, kinds.roleBinding, want, (have) => reconcileBinding(have, want)),
  );
}

interface PriorityClass extends KubeObject {
  readonly value: number;
  readonly globalDefault: boolean;
  readonly description: string;
  readonly preemptionPolicy: string;
}

/** Only where the kinds table has them. */
async function ensurePriorityClasses(writer: ObjectWriter): Promise<void> {
  const table: readonly KindOf<KubeObject>[] = Object.values(kinds);
  const kind = table.find((candidate) => candidate.kind === 'PriorityClass');
  if (kind === undefined) return;
  const classes = [
    ['system-cluster-critical', 2_000_000_000, 'For pods that the cluster needs, on any node.'],
    ['system-node-critical', 2_000_001_000, 'For pods that a node needs, and that may not move to another one.'],
  ] as const;
  await all(classes, ([name, value, description]) =>
    writer.ensure<PriorityClass>(kind, {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name },
      value,
      globalDefault: false,
      description,
      preemptionPolicy: 'PreemptLowerPriority',
    }),
  );
}

/** How extension API servers verify whoever comes to them. */
export async function ensureExtensionAuthentication(
  writer: ObjectWriter,
  options: DefaultObjectsOptions,
): Promise<void> {
  const map = extensionAuthentication(options);
  await ensureReconciled<ConfigMap>(writer, kinds.configMap, map, (have) =>
    JSON.stringify(have.data) === JSON.stringify(map.data)
      ? undefined
      : { ...have, ...(map.data && { data: map.data }) },
  );
}

function extensionAuthentication({ clientCa, requestHeaderCa }: DefaultObjectsOptions): Named<ConfigMap> {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'extension-apiserver-authentication', namespace: 'kube-system' },
    data: {
      ...(clientCa === undefined ? {} : { 'client-ca-file': clientCa }),
      ...(requestHeaderCa === undefined
        ? {}
        : {
            'requestheader-allowed-names': '["front-proxy-client"]',
            'requestheader-client-ca-file': requestHeaderCa,
            'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
            'requestheader-group-headers': '["X-Remote-Group"]',
            'requestheader-uid-headers': '["X-Remote-Uid"]',
            'requestheader-username-headers': '["X-Remote-User"]',
          }),
    },
  };
}

/** All at once: the store groups the writes into few commits. */
async function all<T>(items: readonly T[], run: (item: T) => Promise<unknown>): Promise<void> {
  await Promise.all(items.map(run));
}
