// Upstream's default ClusterRoles and their bindings as data: who the components are and what they may do.
// Source: Kubernetes documentation, "Using RBAC Authorization", default roles and role bindings, release 1.35; what the
// documentation leaves out was compared with the policy that a kube-apiserver creates.

import type { PolicyRule } from '../../api/index.ts';
import { on, paths, read, write, writeEvents } from './rbac-rules.ts';

export interface DefaultRole {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly rules?: readonly PolicyRule[];
  /** Label key of the roles that this one aggregates. */
  readonly aggregates?: string;
}

export interface DefaultBinding {
  /** Default: the role's name. */
  readonly name?: string;
  readonly role: string;
  readonly users?: readonly string[];
  readonly groups?: readonly string[];
  /** `namespace/name` each. */
  readonly serviceAccounts?: readonly string[];
}

const aggregateTo = (role: string): string => `rbac.authorization.k8s.io/aggregate-to-${role}`;
const certificates = 'certificates.k8s.io';
const signing = 'certificatesigningrequests';

const viewCore =
  'bindings configmaps endpoints events limitranges namespaces/status persistentvolumeclaims persistentvolumeclaims/status pods pods/log pods/status replicationcontrollers replicationcontrollers/scale replicationcontrollers/status resourcequotas resourcequotas/status serviceaccounts services services/status namespaces';
const viewApps =
  'controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status';
const viewBatch = 'cronjobs cronjobs/status jobs jobs/status';

const userRoles: readonly DefaultRole[] = [
  { name: 'cluster-admin', rules: [on('*', '*', '*'), paths('*', '*')] },
  { name: 'admin', aggregates: aggregateTo('admin') },
  { name: 'edit', aggregates: aggregateTo('edit'), labels: { [aggregateTo('admin')]: 'true' } },
  { name: 'view', aggregates: aggregateTo('view'), labels: { [aggregateTo('edit')]: 'true' } },
  {
    name: 'system:aggregate-to-admin',
    labels: { [aggregateTo('admin')]: 'true' },
    rules: [
      on('create', 'authorization.k8s.io', 'localsubjectaccessreviews'),
      on(`${write} ${read}`, 'rbac.authorization.k8s.io', 'rolebindings roles'),
    ],
  },
  {
    name: 'system:aggregate-to-edit',
    labels: { [aggregateTo('edit')]: 'true' },
    rules: [
      on(read, 'core', 'pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy'),
      on('impersonate', 'core', 'serviceaccounts'),
      on(write, 'core', 'pods pods/attach pods/exec pods/portforward pods/proxy'),
      on('create', 'core', 'pods/eviction'),
      on(
        write,
        'core',
        'configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy',
      ),
      on('create', 'core', 'serviceaccounts/token'),
      on(
        write,
        'apps',
        'daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale',
      ),
      on(write, 'autoscaling', 'horizontalpodautoscalers'),
      on(write, 'batch', 'cronjobs jobs'),
      on(write, 'policy', 'poddisruptionbudgets'),
      on(write, 'networking.k8s.io', 'ingresses networkpolicies'),
      on(`${write} ${read}`, 'coordination.k8s.io', 'leases'),
    ],
  },
  {
    name: 'system:aggregate-to-view',
    labels: { [aggregateTo('view')]: 'true' },
    rules: [
      on(read, 'core', viewCore),
      on(read, 'discovery.k8s.io', 'endpointslices'),
      on(read, 'apps', viewApps),
      on(read, 'autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status'),
      on(read, 'batch', viewBatch),
      on(read, 'policy', 'poddisruptionbudgets poddisruptionbudgets/status'),
      on(read, 'networking.k8s.io', 'ingresses ingresses/status networkpolicies'),
    ],
  },
];

const accessRoles: readonly DefaultRole[] = [
  {
    name: 'system:discovery',
    rules: [paths('get', '/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/')],
  },
  {
    name: 'system:basic-user',
    rules: [
      on('create', 'authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews'),
      on('create', 'authentication.k8s.io', 'selfsubjectreviews'),
    ],
  },
  { name: 'system:public-info-viewer', rules: [paths('get', '/healthz /livez /readyz /version /version/')] },
  {
    name: 'system:monitoring',
    rules: [paths('get', '/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*')],
  },
  {
    name: 'system:service-account-issuer-discovery',
    rules: [
      paths(
        'get',
        '/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/',
      ),
    ],
  },
  {
    name: 'system:auth-delegator',
    rules: [
      on('create', 'authentication.k8s.io', 'tokenreviews'),
      on('create', 'authorization.k8s.io', 'subjectaccessreviews'),
    ],
  },
  {
    name: 'system:heapster',
    rules: [on(read, 'core', 'events namespaces nodes pods'), on(read, 'extensions', 'deployments')],
  },
  {
    name: 'system:kubelet-api-admin',
    rules: [
      on(read, 'core', 'nodes'),
      on('proxy', 'core', 'nodes'),
      on('*', 'core', 'nodes/log nodes/metrics nodes/proxy nodes/stats nodes/configz nodes/healthz nodes/pods'),
    ],
  },
];

const nodeRoles: readonly DefaultRole[] = [
  { name: 'system:node-bootstrapper', rules: [on(`create ${read}`, certificates, signing)] },
  {
    name: 'system:node-proxier',
    rules: [
      on('list watch', 'core', 'endpoints services'),
      on(read, 'core', 'nodes'),
      writeEvents,
      on('list watch', 'discovery.k8s.io', 'endpointslices'),
      on('list watch', 'networking.k8s.io', 'servicecidrs'),
    ],
  },
  {
    name: 'system:node-problem-detector',
    rules: [on('get', 'core', 'nodes'), on('patch', 'core', 'nodes/status'), writeEvents],
  },
  {
    name: 'system:node',
    rules: [
      on('create', 'authentication.k8s.io', 'tokenreviews'),
      on('create', 'authorization.k8s.io', 'localsubjectaccessreviews subjectaccessreviews'),
      on(read, 'core', 'services'),
      on(`create ${read}`, 'core', 'nodes'),
      on('patch update', 'core', 'nodes/status nodes'),
      on('create patch update', 'core', 'events'),
      on(`create delete ${read}`, 'core', 'pods'),
      on('patch update', 'core', 'pods/status'),
      on('create', 'core', 'pods/eviction'),
      on(read, 'core', 'configmaps secrets'),
      on('get', 'core', 'persistentvolumeclaims persistentvolumes'),
      on('get', 'core', 'endpoints'),
      on(`create ${read}`, certificates, signing),
      on('create delete get patch update', 'coordination.k8s.io', 'leases'),
      on('get', 'storage.k8s.io', 'volumeattachments'),
      on('create', 'core', 'serviceaccounts/token'),
      on('get patch update', 'core', 'persistentvolumeclaims/status'),
      on(read, 'storage.k8s.io', 'csidrivers'),
      on('create delete get patch update', 'storage.k8s.io', 'csinodes'),
      on(read, 'node.k8s.io', 'runtimeclasses'),
    ],
  },
];

const componentRoles: readonly DefaultRole[] = [
  {
    name: 'system:kube-controller-manager',
    rules: [
      writeEvents,
      on('create', 'coordination.k8s.io', 'leases'),
      on('get update', 'coordination.k8s.io', 'leases', 'kube-controller-manager'),
      on('create', 'core', 'secrets serviceaccounts'),
      on('delete', 'core', 'secrets'),
      on('get', 'core', 'configmaps namespaces secrets serviceaccounts'),
      on('update', 'core', 'secrets serviceaccounts'),
      on('create', 'authentication.k8s.io', 'tokenreviews'),
      on('create', 'authorization.k8s.io', 'subjectaccessreviews'),
      on('list watch', '*', '*'),
      on('create', 'core', 'serviceaccounts/token'),
    ],
  },
  {
    name: 'system:kube-scheduler',
    rules: [
      writeEvents,
      on('create', 'coordination.k8s.io', 'leases'),
      on('get list update watch', 'coordination.k8s.io', 'leases', 'kube-scheduler'),
      on(read, 'core', 'nodes'),
      on(`delete ${read}`, 'core', 'pods'),
      on('create', 'core', 'bindings pods/binding'),
      on('patch update', 'core', 'pods/status'),
      on(read, 'core', 'replicationcontrollers services'),
      on(read, 'apps', 'replicasets statefulsets'),
      on(read, 'policy', 'poddisruptionbudgets'),
      on(read, 'core', 'persistentvolumeclaims persistentvolumes'),
      on('create', 'authentication.k8s.io', 'tokenreviews'),
      on('create', 'authorization.k8s.io', 'subjectaccessreviews'),
      on(read, 'storage.k8s.io', 'csinodes csidrivers csistoragecapacities volumeattachments'),
      on(read, 'core', 'namespaces'),
      on(read, 'scheduling.k8s.io', 'priorityclasses'),
    ],
  },
  {
    name: 'system:volume-scheduler',
    rules: [
      on(`patch update ${read}`, 'core', 'persistentvolumes'),
      on(read, 'storage.k8s.io', 'storageclasses'),
      on(`patch update ${read}`, 'core', 'persistentvolumeclaims'),
    ],
  },
  { name: 'system:kube-aggregator', rules: [on(read, 'core', 'endpoints services')] },
  {
    name: 'system:kube-dns',
    rules: [on('list watch', 'core', 'endpoints services')],
  },
  {
    name: 'system:persistent-volume-provisioner',
    rules: [
      on(`create delete ${read}`, 'core', 'persistentvolumes'),
      on(`update ${read}`, 'core', 'persistentvolumeclaims'),
      on(read, 'storage.k8s.io', 'storageclasses'),
      on('get list watch', 'core', 'events'),
      writeEvents,
    ],
  },
];

const signers: readonly (readonly [role: string, signer: string])[] = [
  ['legacy-unknown-approver', 'kubernetes.io/legacy-unknown'],
  ['kubelet-serving-approver', 'kubernetes.io/kubelet-serving'],
  ['kube-apiserver-client-approver', 'kubernetes.io/kube-apiserver-client'],
  ['kube-apiserver-client-kubelet-approver', 'kubernetes.io/kube-apiserver-client-kubelet'],
];

const certificateRoles: readonly DefaultRole[] = [
  ...['nodeclient', 'selfnodeclient'].map((sub) => ({
    name: `system:certificates.k8s.io:${signing}:${sub}`,
    rules: [on('create', certificates, `${signing}/${sub}`)],
  })),
  ...signers.map(([role, signer]) => ({
    name: `system:certificates.k8s.io:${role}`,
    rules: [on('approve', certificates, 'signers', signer)],
  })),
];

export const clusterRoles: readonly DefaultRole[] = [
  ...userRoles,
  ...accessRoles,
  ...nodeRoles,
  ...componentRoles,
  ...certificateRoles,
];

const everybody = ['system:authenticated', 'system:unauthenticated'];

export const clusterRoleBindings: readonly DefaultBinding[] = [
  { role: 'cluster-admin', groups: ['system:masters'] },
  { role: 'system:monitoring', groups: ['system:monitoring'] },
  { role: 'system:discovery', groups: ['system:authenticated'] },
  { role: 'system:basic-user', groups: ['system:authenticated'] },
  { role: 'system:public-info-viewer', groups: everybody },
  { role: 'system:service-account-issuer-discovery', groups: ['system:serviceaccounts'] },
  { role: 'system:node-proxier', users: ['system:kube-proxy'] },
  { role: 'system:kube-controller-manager', users: ['system:kube-controller-manager'] },
  { role: 'system:kube-dns', serviceAccounts: ['kube-system/kube-dns'] },
  { role: 'system:kube-scheduler', users: ['system:kube-scheduler'] },
  { role: 'system:volume-scheduler', users: ['system:kube-scheduler'] },
  // Nothing is in it: nodes are judged by the Node authorizer. The binding exists because clients look for it.
  { role: 'system:node' },
];
