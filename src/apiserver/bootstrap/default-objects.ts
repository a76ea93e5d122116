// The objects that exist in every cluster: namespaces, default RBAC, the `kubernetes` Service with its endpoints, system
// priority classes, and the certificates that extension API servers need. Made at each start, in an order in which a
// half-finished start does no harm: namespaces first, then who may do what, then the rest.

import {
  type ConfigMap,
  type EndpointSlice,
  type Endpoints,
  type KindOf,
  type KubeObject,
  kinds,
  type Namespace,
  type ObjectMeta,
  type Service,
} from '../../api/index.ts';
import type { ObjectWriter } from '../contracts.ts';
import { clusterRoleBindings, clusterRoles } from './cluster-roles.ts';
import { controllerBindings, controllerRoles, namespacedBindings, namespacedRoles } from './controller-roles.ts';
import { joinBindings, joinNamespacedBindings, joinNamespacedRoles, joinRoles } from './join-roles.ts';
import { clusterRole, clusterRoleBinding, reconcileBinding, reconcileRole, role, roleBinding } from './rbac-objects.ts';
import { firstServiceIp } from './service-ip.ts';

export interface DefaultObjectsOptions {
  /** 10.96.0.0/12; its first address is the `kubernetes` Service's. */
  readonly serviceCidr: string;
  /** Where clients reach this API server: the endpoint behind the `kubernetes` Service. */
  readonly advertiseAddress: string;
  readonly securePort: number;
  /** PEM of the CA that client certificates are verified with, for extension API servers. */
  readonly clientCa?: string;
  /** PEM of the front-proxy CA; absent when requests are not forwarded to extension API servers. */
  readonly requestHeaderCa?: string;
}

type Named<T extends KubeObject> = T & { readonly metadata: ObjectMeta };

/** Creates what is missing and brings RBAC defaults up to date; leaves what an operator changed. */
export async function ensureDefaultObjects(writer: ObjectWriter, options: DefaultObjectsOptions): Promise<void> {
  await all(['default', 'kube-system', 'kube-public', 'kube-node-lease'], (name) =>
    writer.ensure<Namespace>(kinds.namespace, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
    }),
  );
  await ensureRbac(writer);
  await ensureKubernetesService(writer, options);
  await ensurePriorityClasses(writer);
  const map = extensionAuthentication(options);
  await ensureReconciled<ConfigMap>(writer, kinds.configMap, map, (have) =>
    JSON.stringify(have.data) === JSON.stringify(map.data)
      ? undefined
      : { ...have, ...(map.data && { data: map.data }) },
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

async function ensureKubernetesService(writer: ObjectWriter, options: DefaultObjectsOptions): Promise<void> {
  const { advertiseAddress: ip, securePort } = options;
  const labels = { component: 'apiserver', provider: 'kubernetes' };
  const clusterIP = firstServiceIp(options.serviceCidr);
  const ipv6 = clusterIP.includes(':');
  const meta = { name: 'kubernetes', namespace: 'default' };
  const service: Named<Service> = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...meta, labels },
    spec: {
      clusterIP,
      clusterIPs: [clusterIP],
      internalTrafficPolicy: 'Cluster',
      ipFamilies: [ipv6 ? 'IPv6' : 'IPv4'],
      ipFamilyPolicy: 'SingleStack',
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: securePort }],
      sessionAffinity: 'None',
      type: 'ClusterIP',
    },
  };
  const endpoints: Named<Endpoints> = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    // The mirroring controller leaves it alone: the slice below is made here.
    metadata: { ...meta, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: [{ addresses: [{ ip }], ports: [{ name: 'https', port: securePort, protocol: 'TCP' }] }],
  };
  const slice: Named<EndpointSlice> = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...meta, labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: ip.includes(':') ? 'IPv6' : 'IPv4',
    endpoints: [{ addresses: [ip], conditions: { ready: true } }],
    ports: [{ name: 'https', port: securePort, protocol: 'TCP' }],
  };
  const differs = (have: unknown, want: unknown): boolean => JSON.stringify(have) !== JSON.stringify(want);
  await ensureReconciled(writer, kinds.service, service, (have) => {
    const [port, spec] = [have.spec?.ports?.[0], have.spec];
    if (spec === undefined || port?.targetPort === securePort) return undefined;
    return { ...have, spec: { ...spec, ...(service.spec?.ports && { ports: service.spec.ports }) } };
  });
  await ensureReconciled(writer, kinds.endpoints, endpoints, (have) =>
    differs(have.subsets, endpoints.subsets)
      ? { ...have, ...(endpoints.subsets && { subsets: endpoints.subsets }) }
      : undefined,
  );
  await ensureReconciled(writer, kinds.endpointSlice, slice, (have) => {
    const same = have.endpoints?.[0]?.addresses[0] === ip && have.ports?.[0]?.port === securePort;
    return same
      ? undefined
      : { ...have, ...(slice.endpoints && { endpoints: slice.endpoints }), ...(slice.ports && { ports: slice.ports }) };
  });
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

/** Creates `want`, or changes what is there by `reconcile` (undefined: as it should be). */
async function ensureReconciled<T extends KubeObject>(
  writer: ObjectWriter,
  kind: KindOf<T>,
  want: Named<T>,
  reconcile: (have: T) => T | undefined,
): Promise<void> {
  const have = await writer.ensure<T>(kind, want);
  if (reconcile(have) === undefined) return;
  await writer.update<T>(kind, want.metadata.namespace, want.metadata.name ?? '', reconcile);
}

/** All at once: the store groups the writes into few commits. */
async function all<T>(items: readonly T[], run: (item: T) => Promise<unknown>): Promise<void> {
  await Promise.all(items.map(run));
}
