// Facts about merging that no npm package carries: which list merges on which key, which list is a set, which map or
// object is replaced as a whole. Lists that are not named here are atomic. The table states facts of the Kubernetes API
// (the patchStrategy, patchMergeKey, listType, listMapKey and mapType marks of k8s.io/api and apimachinery).

import type { MergeFacts } from './shape.ts';

/** A list of objects that strategic merge and server-side apply both merge on `keys`; patches use the first key. */
function keyed(...keys: readonly [string, ...string[]]): MergeFacts {
  return { patchStrategy: 'merge', patchMergeKey: keys[0], listType: 'map', listMapKeys: keys };
}

/** Merged on a key by server-side apply alone; a strategic merge patch replaces it. */
function applyKeyed(...keys: readonly string[]): MergeFacts {
  return { listType: 'map', listMapKeys: keys };
}

/** Strategic merge merges on the key, server-side apply replaces the list. */
function patchKeyed(key: string): MergeFacts {
  return { patchStrategy: 'merge', patchMergeKey: key, listType: 'atomic' };
}

/** Patched with retainKeys: of a union only what the patch names stays. */
function keyedUnion(key: string): MergeFacts {
  return { ...keyed(key), patchStrategy: 'merge,retainKeys' };
}

/** Lists that say something else when they are sent empty than when they are not sent, though nobody answers them empty. */
export const keptWhenEmpty: Readonly<Record<string, readonly string[]>> = {
  'io.k8s.api.autoscaling.v2.HPAScalingRules': ['policies'],
};

const scalarSet: MergeFacts = { listType: 'set' };
const mergedSet: MergeFacts = { patchStrategy: 'merge', listType: 'set' };
const atomicMap: MergeFacts = { mapType: 'atomic' };
const conditions = { conditions: keyed('type') };

const container = {
  ports: keyed('containerPort', 'protocol'),
  env: keyed('name'),
  volumeMounts: keyed('mountPath'),
  volumeDevices: keyed('devicePath'),
};

const core: Readonly<Record<string, Readonly<Record<string, MergeFacts>>>> = {
  PodSpec: {
    volumes: keyedUnion('name'),
    initContainers: keyed('name'),
    containers: keyed('name'),
    ephemeralContainers: keyed('name'),
    imagePullSecrets: keyed('name'),
    hostAliases: keyed('ip'),
    topologySpreadConstraints: keyed('topologyKey', 'whenUnsatisfiable'),
    schedulingGates: keyed('name'),
    resourceClaims: keyedUnion('name'),
    nodeSelector: atomicMap,
  },
  PodStatus: {
    ...conditions,
    podIPs: keyed('ip'),
    hostIPs: patchKeyed('ip'),
    resourceClaimStatuses: keyedUnion('name'),
  },
  Container: container,
  EphemeralContainer: container,
  ContainerStatus: { allocatedResourcesStatus: keyed('name'), volumeMounts: keyed('mountPath') },
  ContainerRestartRuleOnExitCodes: { values: scalarSet },
  ResourceRequirements: { claims: applyKeyed('name') },
  ResourceStatus: { resources: applyKeyed('resourceID') },
  NodeAllocatableResourceClaimStatus: { containers: scalarSet },
  ServiceSpec: { ports: keyed('port', 'protocol'), selector: atomicMap },
  ServiceStatus: conditions,
  ServiceAccount: { secrets: keyed('name') },
  NamespaceStatus: conditions,
  NodeSpec: { podCIDRs: mergedSet },
  NodeStatus: { ...conditions, addresses: keyed('type') },
  ReplicationControllerSpec: { selector: atomicMap },
  ReplicationControllerStatus: conditions,
  PersistentVolumeClaimStatus: conditions,
  ComponentStatus: conditions,
};

const statusWithConditions: Readonly<Record<string, readonly string[]>> = {
  'io.k8s.api.apps.v1': ['DeploymentStatus', 'ReplicaSetStatus', 'StatefulSetStatus', 'DaemonSetStatus'],
  'io.k8s.api.autoscaling.v2': ['HorizontalPodAutoscalerStatus'],
  'io.k8s.api.policy.v1': ['PodDisruptionBudgetStatus'],
  'io.k8s.api.networking.v1': ['ServiceCIDRStatus'],
  'io.k8s.api.flowcontrol.v1': ['FlowSchemaStatus', 'PriorityLevelConfigurationStatus'],
  'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1': ['APIServiceStatus'],
};

const admission = 'io.k8s.api.admissionregistration.v1';

/** Type name → field → facts. */
export const mergeFacts: Readonly<Record<string, Readonly<Record<string, MergeFacts>>>> = {
  'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta': { ownerReferences: keyed('uid'), finalizers: mergedSet },
  ...Object.fromEntries(Object.entries(core).map(([type, fields]) => [`io.k8s.api.core.v1.${type}`, fields])),
  ...Object.fromEntries(
    Object.entries(statusWithConditions).flatMap(([group, types]) =>
      types.map((type) => [`${group}.${type}`, conditions]),
    ),
  ),
  'io.k8s.api.apps.v1.DeploymentSpec': { strategy: { patchStrategy: 'retainKeys' } },
  'io.k8s.api.batch.v1.JobStatus': { conditions: patchKeyed('type') },
  'io.k8s.api.batch.v1.PodFailurePolicyOnExitCodesRequirement': { values: scalarSet },
  'io.k8s.api.batch.v1.UncountedTerminatedPods': { succeeded: scalarSet, failed: scalarSet },
  'io.k8s.api.certificates.v1.CertificateSigningRequestStatus': { conditions: applyKeyed('type') },
  'io.k8s.api.discovery.v1.Endpoint': { addresses: scalarSet },
  'io.k8s.api.policy.v1.PodDisruptionBudgetSpec': { selector: { patchStrategy: 'replace' } },
  'io.k8s.api.flowcontrol.v1.ResourcePolicyRule': {
    verbs: scalarSet,
    apiGroups: scalarSet,
    resources: scalarSet,
    namespaces: scalarSet,
  },
  'io.k8s.api.flowcontrol.v1.NonResourcePolicyRule': { verbs: scalarSet, nonResourceURLs: scalarSet },
  'io.k8s.api.node.v1.Scheduling': { nodeSelector: atomicMap },
  'io.k8s.api.storage.v1.CSINodeSpec': { drivers: keyed('name') },
  'io.k8s.api.storage.v1.CSIDriverSpec': { volumeLifecycleModes: scalarSet },
  [`${admission}.MutatingWebhookConfiguration`]: { webhooks: keyed('name') },
  [`${admission}.ValidatingWebhookConfiguration`]: { webhooks: keyed('name') },
  [`${admission}.MutatingWebhook`]: { matchConditions: keyed('name') },
  [`${admission}.ValidatingWebhook`]: { matchConditions: keyed('name') },
  [`${admission}.ValidatingAdmissionPolicySpec`]: { matchConditions: keyed('name'), variables: keyed('name') },
  [`${admission}.ValidatingAdmissionPolicyStatus`]: { conditions: applyKeyed('type') },
  [`${admission}.ValidatingAdmissionPolicyBindingSpec`]: { validationActions: scalarSet },
  [`${admission}.MutatingAdmissionPolicySpec`]: { matchConditions: keyed('name') },
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionStatus': {
    conditions: applyKeyed('type'),
  },
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps': {
    'x-kubernetes-validations': keyed('rule'),
  },
};

/** Objects that one owner replaces as a whole. */
export const atomicTypes: ReadonlySet<string> = new Set([
  ...[
    'ConfigMapKeySelector',
    'EndpointAddress',
    'EndpointPort',
    'LocalObjectReference',
    'NodeSelector',
    'NodeSelectorTerm',
    'ObjectFieldSelector',
    'ObjectReference',
    'ResourceFieldSelector',
    'SecretKeySelector',
    'SecretReference',
    'ScopeSelector',
    'TopologySelectorTerm',
    'TypedLocalObjectReference',
    'FileKeySelector',
  ].map((type) => `io.k8s.api.core.v1.${type}`),
  'io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector',
  'io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference',
  'io.k8s.api.autoscaling.v1.CrossVersionObjectReference',
  'io.k8s.api.discovery.v1.EndpointPort',
  'io.k8s.api.rbac.v1.RoleRef',
  'io.k8s.api.rbac.v1.Subject',
  'io.k8s.api.networking.v1.ServiceBackendPort',
  `${admission}.ParamKind`,
  `${admission}.ParamRef`,
  `${admission}.MatchResources`,
  `${admission}.NamedRuleWithOperations`,
  `${admission}.Variable`,
]);

const core1 = 'io.k8s.api.core.v1';
const scaleIo = { fsType: 'xfs', storageMode: 'ThinProvisioned' };
const rbd = { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' };
const iscsi = { iscsiInterface: 'default' };

/**
 * Defaults that the type itself states, for documents and for the keys of lists. A key that the type requires and an
 * element lacks counts as '' or 0 and is not listed.
 */
export const fieldDefaults: Readonly<Record<string, Readonly<Record<string, string | number>>>> = {
  [`${core1}.ContainerPort`]: { protocol: 'TCP' },
  [`${core1}.ServicePort`]: { protocol: 'TCP' },
  [`${core1}.LocalObjectReference`]: { name: '' },
  [`${core1}.ReplicationControllerSpec`]: { replicas: 1 },
  [`${core1}.AzureDiskVolumeSource`]: { cachingMode: 'ReadWrite', fsType: 'ext4', kind: 'Shared' },
  [`${core1}.ISCSIVolumeSource`]: iscsi,
  [`${core1}.ISCSIPersistentVolumeSource`]: iscsi,
  [`${core1}.RBDVolumeSource`]: rbd,
  [`${core1}.RBDPersistentVolumeSource`]: rbd,
  [`${core1}.ScaleIOVolumeSource`]: scaleIo,
  [`${core1}.ScaleIOPersistentVolumeSource`]: scaleIo,
};
