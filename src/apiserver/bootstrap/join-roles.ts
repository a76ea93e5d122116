// What a joining machine and a joined node need beyond upstream's defaults, under the names that kubeadm gives these
// bindings, so that kubeadm's tools and documents apply; and what the k8ts agent needs because overlay, service proxy and
// DNS run inside it with the node's own identity instead of ServiceAccounts of their own.

import type { DefaultBinding, DefaultRole } from './cluster-roles.ts';
import type { NamespacedBinding, NamespacedRole } from './controller-roles.ts';
import { on, paths, read } from './rbac-rules.ts';

const joining = ['system:bootstrappers:kubeadm:default-node-token'];
const nodes = ['system:nodes'];
const requests = 'system:certificates.k8s.io:certificatesigningrequests';

export const joinRoles: readonly DefaultRole[] = [
  { name: 'kubeadm:get-nodes', rules: [on('get', 'core', 'nodes')] },
  // So that a machine can see whether its name, its machine id or its way to the others would make trouble.
  { name: 'k8ts:list-nodes', rules: [on('list', 'core', 'nodes')] },
  { name: 'k8ts:install', rules: [paths('get', '/k8ts/*')] },
  {
    name: 'k8ts:node-agent',
    rules: [
      on(read, 'core', 'nodes services endpoints namespaces'),
      on(read, 'discovery.k8s.io', 'endpointslices'),
      on(read, 'networking.k8s.io', 'networkpolicies'),
      on('list watch', 'core', 'configmaps', 'kube-root-ca.crt'),
    ],
  },
];

export const joinBindings: readonly DefaultBinding[] = [
  { name: 'kubeadm:get-nodes', role: 'kubeadm:get-nodes', groups: joining },
  { name: 'k8ts:list-nodes', role: 'k8ts:list-nodes', groups: joining },
  { name: 'k8ts:install', role: 'k8ts:install', groups: ['system:bootstrappers'] },
  { name: 'kubeadm:kubelet-bootstrap', role: 'system:node-bootstrapper', groups: joining },
  { name: 'kubeadm:node-autoapprove-bootstrap', role: `${requests}:nodeclient`, groups: joining },
  { name: 'kubeadm:node-autoapprove-certificate-rotation', role: `${requests}:selfnodeclient`, groups: nodes },
  { name: 'kubeadm:cluster-admins', role: 'cluster-admin', groups: ['kubeadm:cluster-admins'] },
  { name: 'k8ts:node-agent', role: 'k8ts:node-agent', groups: nodes },
  { name: 'k8ts:apiserver-kubelet-client', role: 'system:kubelet-api-admin', users: ['kube-apiserver-kubelet-client'] },
];

export const joinNamespacedRoles: readonly NamespacedRole[] = [
  {
    namespace: 'kube-public',
    name: 'kubeadm:bootstrap-signer-clusterinfo',
    rules: [on('get', 'core', 'configmaps', 'cluster-info')],
  },
];

export const joinNamespacedBindings: readonly NamespacedBinding[] = [
  {
    namespace: 'kube-public',
    role: 'kubeadm:bootstrap-signer-clusterinfo',
    users: ['system:anonymous'],
    groups: ['system:unauthenticated', 'system:authenticated'],
  },
];
