// One ClusterRole per controller, named and bound as upstream's: system:controller:<name> for the ServiceAccount
// kube-system/<name>. k8ts runs its controllers in one process with the identity system:kube-controller-manager, so each
// role is bound to that user as well; a controller that runs elsewhere under its ServiceAccount works unchanged.

import type { PolicyRule } from '../../api/index.ts';
import type { DefaultBinding, DefaultRole } from './cluster-roles.ts';
import { on, read, writeEvents } from './rbac-rules.ts';

const certificates = 'certificates.k8s.io';
const signerNames =
  'kubernetes.io/kube-apiserver-client kubernetes.io/kube-apiserver-client-kubelet kubernetes.io/kubelet-serving kubernetes.io/legacy-unknown';

const roles: Readonly<Record<string, readonly PolicyRule[]>> = {
  'certificate-controller': [
    on(`delete ${read}`, certificates, 'certificatesigningrequests'),
    on('update', certificates, 'certificatesigningrequests/approval certificatesigningrequests/status'),
    on('approve', certificates, 'signers', 'kubernetes.io/kube-apiserver-client-kubelet kubernetes.io/kubelet-serving'),
    on('sign', certificates, 'signers', signerNames),
    on('create', 'authorization.k8s.io', 'subjectaccessreviews'),
    writeEvents,
  ],
  'clusterrole-aggregation-controller': [
    on(`escalate patch update ${read}`, 'rbac.authorization.k8s.io', 'clusterroles'),
  ],
  'cronjob-controller': [
    on(`update ${read}`, 'batch', 'cronjobs'),
    on(`create delete patch update ${read}`, 'batch', 'jobs'),
    on('update', 'batch', 'cronjobs/finalizers cronjobs/status'),
    on('delete list watch', 'core', 'pods'),
    writeEvents,
  ],
  'daemon-set-controller': [
    on(read, 'apps', 'daemonsets'),
    on('update', 'apps', 'daemonsets/finalizers daemonsets/status'),
    on('list watch', 'core', 'nodes'),
    on('create delete list patch watch', 'core', 'pods'),
    on('create', 'core', 'pods/binding'),
    on(`create delete patch update ${read}`, 'apps', 'controllerrevisions'),
    writeEvents,
  ],
  'deployment-controller': [
    on(`update ${read}`, 'apps', 'deployments'),
    on('update', 'apps', 'deployments/finalizers deployments/status'),
    on(`create delete patch update ${read}`, 'apps', 'replicasets'),
    on(`update ${read}`, 'core', 'pods'),
    writeEvents,
  ],
  'disruption-controller': [
    on(read, 'apps', 'deployments replicasets statefulsets'),
    on(read, 'core', 'replicationcontrollers'),
    on(read, 'policy', 'poddisruptionbudgets'),
    on('update', 'policy', 'poddisruptionbudgets/status'),
    on('patch update', 'core', 'pods/status'),
    on('get', '*', '*/scale'),
    writeEvents,
  ],
  'endpoint-controller': [
    on(read, 'core', 'pods services'),
    on(`create delete update ${read}`, 'core', 'endpoints'),
    on('create', 'core', 'endpoints/restricted'),
    writeEvents,
  ],
  'endpointslice-controller': [
    on(read, 'core', 'nodes pods services'),
    on('update', 'core', 'services/finalizers'),
    on(`create delete update ${read}`, 'discovery.k8s.io', 'endpointslices'),
    on('create', 'discovery.k8s.io', 'endpointslices/restricted'),
    writeEvents,
  ],
  'endpointslicemirroring-controller': [
    on(read, 'core', 'endpoints services'),
    on('update', 'core', 'endpoints/finalizers services/finalizers'),
    on(`create delete update ${read}`, 'discovery.k8s.io', 'endpointslices'),
    on('create', 'discovery.k8s.io', 'endpointslices/restricted'),
    writeEvents,
  ],
  'generic-garbage-collector': [on(`delete patch update ${read}`, '*', '*'), writeEvents],
  'horizontal-pod-autoscaler': [
    on(read, 'autoscaling', 'horizontalpodautoscalers'),
    on('update', 'autoscaling', 'horizontalpodautoscalers/status'),
    on('get update', '*', '*/scale'),
    on('list watch', 'core', 'pods'),
    on('list', 'metrics.k8s.io', 'pods'),
    on('get list', 'custom.metrics.k8s.io external.metrics.k8s.io', '*'),
    writeEvents,
  ],
  'job-controller': [
    on(`patch update ${read}`, 'batch', 'jobs'),
    on('update', 'batch', 'jobs/finalizers jobs/status'),
    on('create delete list patch watch', 'core', 'pods'),
    writeEvents,
  ],
  'legacy-service-account-token-cleaner': [
    on('get', 'core', 'configmaps', 'kube-apiserver-legacy-service-account-token-tracking'),
    on('delete patch', 'core', 'secrets'),
  ],
  'namespace-controller': [
    on(`delete ${read}`, 'core', 'namespaces'),
    on('update', 'core', 'namespaces/finalize namespaces/status'),
    on('delete deletecollection get list', '*', '*'),
  ],
  'node-controller': [
    on(`delete patch update ${read}`, 'core', 'nodes'),
    on('patch update', 'core', 'nodes/status'),
    on('patch update', 'core', 'pods/status'),
    on('delete get list watch', 'core', 'pods'),
    on('get list watch', 'coordination.k8s.io', 'leases'),
    on('get list watch', 'networking.k8s.io', 'clustercidrs'),
    writeEvents,
  ],
  'persistent-volume-binder': [
    on(`create delete update ${read}`, 'core', 'persistentvolumes'),
    on('update', 'core', 'persistentvolumes/status'),
    on(`update ${read}`, 'core', 'persistentvolumeclaims'),
    on('update', 'core', 'persistentvolumeclaims/status'),
    on(read, 'storage.k8s.io', 'storageclasses'),
    on(read, 'core', 'pods nodes'),
    writeEvents,
  ],
  'pod-garbage-collector': [
    on('delete list watch', 'core', 'pods'),
    on('get list', 'core', 'nodes'),
    on('patch', 'core', 'pods/status'),
  ],
  'pv-protection-controller': [on(`update ${read}`, 'core', 'persistentvolumes'), writeEvents],
  'pvc-protection-controller': [
    on(`update ${read}`, 'core', 'persistentvolumeclaims'),
    on(read, 'core', 'pods'),
    writeEvents,
  ],
  'replicaset-controller': [
    on(`update ${read}`, 'apps', 'replicasets'),
    on('update', 'apps', 'replicasets/finalizers replicasets/status'),
    on('create delete list patch watch', 'core', 'pods'),
    writeEvents,
  ],
  'replication-controller': [
    on(`update ${read}`, 'core', 'replicationcontrollers'),
    on('update', 'core', 'replicationcontrollers/finalizers replicationcontrollers/status'),
    on('create delete list patch watch', 'core', 'pods'),
    writeEvents,
  ],
  'resourcequota-controller': [on('list watch', '*', '*'), on('update', 'core', 'resourcequotas/status'), writeEvents],
  'root-ca-cert-publisher': [on('create update', 'core', 'configmaps'), writeEvents],
  'route-controller': [on('list watch', 'core', 'nodes'), on('patch', 'core', 'nodes/status'), writeEvents],
  'service-account-controller': [on('create', 'core', 'serviceaccounts'), writeEvents],
  'service-controller': [
    on(read, 'core', 'services'),
    on('patch update', 'core', 'services/status'),
    on('list watch', 'core', 'nodes'),
    writeEvents,
  ],
  'statefulset-controller': [
    on('list watch', 'core', 'pods'),
    on(read, 'apps', 'statefulsets'),
    on('update', 'apps', 'statefulsets/finalizers statefulsets/status'),
    on('create delete get patch update', 'core', 'pods'),
    on(`create delete patch update ${read}`, 'apps', 'controllerrevisions'),
    on('create delete get list update watch', 'core', 'persistentvolumeclaims'),
    writeEvents,
  ],
  'ttl-after-finished-controller': [on(`delete ${read}`, 'batch', 'jobs'), writeEvents],
  'ttl-controller': [on('list patch update watch', 'core', 'nodes'), writeEvents],
};

const controllerUser = 'system:kube-controller-manager';

export const controllerRoles: readonly DefaultRole[] = Object.entries(roles).map(([name, rules]) => ({
  name: `system:controller:${name}`,
  rules,
}));

export const controllerBindings: readonly DefaultBinding[] = Object.keys(roles).flatMap((name) => [
  { role: `system:controller:${name}`, serviceAccounts: [`kube-system/${name}`] },
  { name: `k8ts:controller:${name}`, role: `system:controller:${name}`, users: [controllerUser] },
]);

export interface NamespacedRole extends DefaultRole {
  readonly namespace: string;
}

export interface NamespacedBinding extends DefaultBinding {
  readonly namespace: string;
}

const leaderElection = (component: string): readonly PolicyRule[] => [
  on('watch', 'core', 'configmaps'),
  on('get update', 'core', 'configmaps', component),
];

export const namespacedRoles: readonly NamespacedRole[] = [
  {
    namespace: 'kube-system',
    name: 'extension-apiserver-authentication-reader',
    rules: [on(read, 'core', 'configmaps', 'extension-apiserver-authentication')],
  },
  { namespace: 'kube-system', name: 'system:controller:bootstrap-signer', rules: [on(read, 'core', 'secrets')] },
  {
    namespace: 'kube-system',
    name: 'system:controller:token-cleaner',
    rules: [on(`delete ${read}`, 'core', 'secrets'), writeEvents],
  },
  {
    namespace: 'kube-system',
    name: 'system:controller:cloud-provider',
    rules: [on(`create ${read}`, 'core', 'configmaps')],
  },
  ...['kube-controller-manager', 'kube-scheduler'].map((component) => ({
    namespace: 'kube-system',
    name: `system::leader-locking-${component}`,
    rules: leaderElection(component),
  })),
  {
    namespace: 'kube-public',
    name: 'system:controller:bootstrap-signer',
    rules: [on(read, 'core', 'configmaps'), on('update', 'core', 'configmaps', 'cluster-info'), writeEvents],
  },
];

export const namespacedBindings: readonly NamespacedBinding[] = [
  {
    namespace: 'kube-system',
    name: 'system::extension-apiserver-authentication-reader',
    role: 'extension-apiserver-authentication-reader',
    users: ['system:kube-controller-manager', 'system:kube-scheduler'],
  },
  ...['kube-system', 'kube-public'].map((namespace) => ({
    namespace,
    role: 'system:controller:bootstrap-signer',
    users: [controllerUser],
    serviceAccounts: ['kube-system/bootstrap-signer'],
  })),
  {
    namespace: 'kube-system',
    role: 'system:controller:token-cleaner',
    users: [controllerUser],
    serviceAccounts: ['kube-system/token-cleaner'],
  },
  {
    namespace: 'kube-system',
    role: 'system:controller:cloud-provider',
    serviceAccounts: ['kube-system/cloud-provider'],
  },
  ...['kube-controller-manager', 'kube-scheduler'].map((component) => ({
    namespace: 'kube-system',
    role: `system::leader-locking-${component}`,
    users: [`system:${component}`],
    serviceAccounts: [`kube-system/${component}`],
  })),
];
