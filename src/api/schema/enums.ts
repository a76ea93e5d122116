// The values that validation takes where the npm packages do not say so. What upstream's types mark as an enum comes from
// kubernetes-models when the schemas are generated and is published in the OpenAPI documents as it is; validation reads the
// same lists, but for two kinds of fields: those whose validation takes other values or lists them in another order, and
// those that are checked without being marked, which are not published. Refused: writing all lists down here, which would
// be a second copy of facts that the packages keep up to date.
// Source: the validation packages of kubernetes (pkg/apis/*/validation), which name the values of a refusal.

type Enums = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

const core = 'io.k8s.api.core.v1';
const admission = 'io.k8s.api.admissionregistration.v1';
const autoscaling = 'io.k8s.api.autoscaling.v2';
const batch = 'io.k8s.api.batch.v1';
const flowcontrol = 'io.k8s.api.flowcontrol.v1';
const networking = 'io.k8s.api.networking.v1';

const preemption = { preemptionPolicy: ['PreemptLowerPriority', 'Never'] };
const effects = { effect: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] };
const container = { terminationMessagePolicy: ['File', 'FallbackToLogsOnError'] };
const sideEffects = { sideEffects: ['None', 'NoneOnDryRun'] };
const selectorOperators = ['In', 'NotIn', 'Exists', 'DoesNotExist'];
const verbs = ['*', 'create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];

/** Type → field → what validation takes of a marked enum, where that is not the sorted list of all its values. */
export const checkedEnums: Enums = {
  [`${core}.PodSpec`]: {
    ...preemption,
    restartPolicy: ['Always', 'OnFailure', 'Never'],
    dnsPolicy: ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'],
  },
  [`${core}.Container`]: container,
  [`${core}.EphemeralContainer`]: container,
  [`${core}.Taint`]: effects,
  // Lt and Gt are marked already, and refused as long as the feature is off.
  [`${core}.Toleration`]: { ...effects, operator: ['Equal', 'Exists'] },
  [`${core}.ServiceSpec`]: { ipFamilies: ['IPv4', 'IPv6'] },
  [`${core}.ScopedResourceSelectorRequirement`]: { operator: selectorOperators },
  'io.k8s.api.apps.v1.DaemonSetUpdateStrategy': { type: ['RollingUpdate', 'OnDelete'] },
  'io.k8s.api.apps.v1.StatefulSetUpdateStrategy': { type: ['RollingUpdate', 'OnDelete'] },
  [`${batch}.JobSpec`]: { completionMode: ['NonIndexed', 'Indexed'] },
  [`${networking}.NetworkPolicyPort`]: { protocol: ['TCP', 'UDP', 'SCTP'] },
  [`${networking}.NetworkPolicySpec`]: { policyTypes: ['Ingress', 'Egress'] },
  'io.k8s.api.scheduling.v1.PriorityClass': preemption,
  'io.k8s.api.storage.v1.StorageClass': { reclaimPolicy: ['Delete', 'Retain'] },
  [`${admission}.MutatingWebhook`]: sideEffects,
  [`${admission}.ValidatingWebhook`]: sideEffects,
};

/** Type → field → what validation takes although the type marks nothing: not in the OpenAPI documents. */
export const unmarkedEnums: Enums = {
  [`${core}.Container`]: { restartPolicy: ['Always', 'Never', 'OnFailure'] },
  [`${core}.ContainerResizePolicy`]: {
    resourceName: ['cpu', 'memory'],
    restartPolicy: ['NotRequired', 'RestartContainer'],
  },
  [`${core}.PodOS`]: { name: ['linux', 'windows'] },
  [`${core}.PodSecurityContext`]: { seLinuxChangePolicy: ['MountOption', 'Recursive'] },
  'io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement': { operator: selectorOperators },
  'io.k8s.api.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy': {
    whenDeleted: ['Retain', 'Delete'],
    whenScaled: ['Retain', 'Delete'],
  },
  [`${autoscaling}.MetricSpec`]: { type: ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'] },
  [`${autoscaling}.MetricTarget`]: { type: ['Utilization', 'Value', 'AverageValue'] },
  [`${autoscaling}.HPAScalingRules`]: { selectPolicy: ['Disabled', 'Max', 'Min'] },
  [`${autoscaling}.HPAScalingPolicy`]: { type: ['Percent', 'Pods'] },
  [`${batch}.PodFailurePolicyOnPodConditionsPattern`]: { status: ['False', 'True', 'Unknown'] },
  'io.k8s.api.events.v1.Event': { type: ['Normal', 'Warning'] },
  [`${flowcontrol}.FlowDistinguisherMethod`]: { type: ['ByNamespace', 'ByUser'] },
  [`${flowcontrol}.Subject`]: { kind: ['Group', 'ServiceAccount', 'User'] },
  [`${flowcontrol}.ResourcePolicyRule`]: { verbs },
  [`${flowcontrol}.NonResourcePolicyRule`]: { verbs },
  [`${flowcontrol}.PriorityLevelConfigurationSpec`]: { type: ['Exempt', 'Limited'] },
  [`${flowcontrol}.LimitResponse`]: { type: ['Queue', 'Reject'] },
  [`${networking}.IngressClassParametersReference`]: { scope: ['Cluster', 'Namespace'] },
  'io.k8s.api.rbac.v1.Subject': { kind: ['ServiceAccount', 'User', 'Group'] },
  'io.k8s.api.storage.v1.CSIDriverSpec': {
    fsGroupPolicy: ['File', 'None', 'ReadWriteOnceWithFSType'],
    volumeLifecycleModes: ['Persistent', 'Ephemeral'],
  },
  [`${admission}.ParamRef`]: { parameterNotFoundAction: ['Deny', 'Allow'] },
  [`${admission}.Validation`]: { reason: ['Forbidden', 'Invalid', 'RequestEntityTooLarge', 'Unauthorized'] },
};
