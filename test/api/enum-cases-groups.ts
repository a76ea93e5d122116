// Cases of the groups beside core, and the entries that have none.

import { type KindSpec, kinds } from '../../src/api/index.ts';
import { type Case, type Cases, type Content, inSpec, podSpec } from './enum-case.ts';

const template = { metadata: { labels: { a: 'b' } }, spec: podSpec({}) };
const selector = { matchLabels: { a: 'b' } };
const port = { name: 'p', port: 80 };
const jobPod = { spec: podSpec({ restartPolicy: 'Never' }) };
const policyRule = { subjects: [{ kind: 'User', user: { name: 'u' } }] };
const hook = {
  name: 'a.b.c',
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  clientConfig: { url: 'https://h/p' },
};
const rule = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] };

const statefulSet = (at: string, content: (value: string) => Content, invalid?: string): Case =>
  inSpec(kinds.statefulSet, at, (value) => ({ selector, template, serviceName: 's', ...content(value) }), invalid);
const job = (at: string, content: (value: string) => Content): Case =>
  inSpec(kinds.job, at, (value) => ({ template: jobPod, completions: 1, ...content(value) }));
const scaler = (at: string, content: (value: string) => Content, invalid?: string): Case =>
  inSpec(
    kinds.horizontalPodAutoscaler,
    at,
    (value) => ({ maxReplicas: 2, scaleTargetRef: { kind: 'Deployment', name: 'd' }, ...content(value) }),
    invalid,
  );
const flow = (at: string, content: (value: string) => Content): Case =>
  inSpec(kinds.flowSchema, at, (value) => ({
    matchingPrecedence: 5,
    priorityLevelConfiguration: { name: 'l' },
    ...content(value),
  }));
const webhook = (kind: KindSpec, field: string, content: (value: string) => Content): Case => ({
  kind,
  with: (value) => ({ webhooks: [{ ...hook, ...content(value) }] }),
  at: `webhooks[0].${field}`,
});
const policy = (at: string, content: (value: string) => Content): Case =>
  inSpec(kinds.validatingAdmissionPolicy, at, (value) => ({
    matchConstraints: { resourceRules: [rule] },
    validations: [{ expression: 'true' }],
    ...content(value),
  }));
const binding = (at: string, content: (value: string) => Content): Case =>
  inSpec(kinds.validatingAdmissionPolicyBinding, at, (value) => ({
    policyName: 'p',
    validationActions: ['Deny'],
    ...content(value),
  }));

export const groupCases: Cases = {
  'apps.v1.DeploymentStrategy.type': {
    ...inSpec(kinds.deployment, 'strategy', (type) => ({ selector, template, strategy: { type } })),
    shows: (type) => ({ type }),
  },
  'apps.v1.DaemonSetUpdateStrategy.type': {
    ...inSpec(kinds.daemonSet, 'updateStrategy', (type) => ({ selector, template, updateStrategy: { type } })),
    shows: (type) => ({ type }),
  },
  'apps.v1.StatefulSetUpdateStrategy.type': statefulSet(
    'updateStrategy',
    (type) => ({ updateStrategy: { type } }),
    "must be 'RollingUpdate' or 'OnDelete'",
  ),
  'apps.v1.StatefulSetSpec.podManagementPolicy': statefulSet(
    'podManagementPolicy',
    (podManagementPolicy) => ({ podManagementPolicy }),
    "must be 'OrderedReady' or 'Parallel'",
  ),
  'apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy.whenDeleted': statefulSet(
    'persistentVolumeClaimRetentionPolicy.whenDeleted',
    (whenDeleted) => ({ persistentVolumeClaimRetentionPolicy: { whenDeleted } }),
  ),
  'apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy.whenScaled': statefulSet(
    'persistentVolumeClaimRetentionPolicy.whenScaled',
    (whenScaled) => ({ persistentVolumeClaimRetentionPolicy: { whenScaled } }),
  ),
  'batch.v1.JobSpec.completionMode': job('completionMode', (completionMode) => ({ completionMode })),
  'batch.v1.JobSpec.podReplacementPolicy': job('podReplacementPolicy', (value) => ({ podReplacementPolicy: value })),
  'batch.v1.PodFailurePolicyRule.action': job('podFailurePolicy.rules[0].action', (action) => ({
    backoffLimitPerIndex: 1,
    podFailurePolicy: { rules: [{ action, onExitCodes: { operator: 'In', values: [1] } }] },
  })),
  'batch.v1.PodFailurePolicyOnExitCodesRequirement.operator': job(
    'podFailurePolicy.rules[0].onExitCodes.operator',
    (operator) => ({ podFailurePolicy: { rules: [{ action: 'Count', onExitCodes: { operator, values: [1] } }] } }),
  ),
  'batch.v1.PodFailurePolicyOnPodConditionsPattern.status': job(
    'podFailurePolicy.rules[0].onPodConditions[0].status',
    (status) => ({ podFailurePolicy: { rules: [{ action: 'Count', onPodConditions: [{ type: 'C', status }] }] } }),
  ),
  'batch.v1.CronJobSpec.concurrencyPolicy': inSpec(kinds.cronJob, 'concurrencyPolicy', (concurrencyPolicy) => ({
    schedule: '* * * * *',
    jobTemplate: { spec: { template: jobPod } },
    concurrencyPolicy,
  })),
  'autoscaling.v2.MetricSpec.type': scaler('metrics[0].type', (type) => ({ metrics: [{ type }] })),
  'autoscaling.v2.MetricTarget.type': scaler(
    'metrics[0].resource.target.type',
    (type) => ({
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type, averageUtilization: 50 } } }],
    }),
    'must be either Utilization, Value, or AverageValue',
  ),
  'autoscaling.v2.HPAScalingRules.selectPolicy': scaler('behavior.scaleUp.selectPolicy', (selectPolicy) => ({
    behavior: { scaleUp: { selectPolicy } },
  })),
  'autoscaling.v2.HPAScalingPolicy.type': scaler('behavior.scaleDown.policies[0].type', (type) => ({
    behavior: { scaleDown: { policies: [{ type, value: 1, periodSeconds: 1 }] } },
  })),
  'certificates.v1.CertificateSigningRequestSpec.usages': inSpec(
    kinds.certificateSigningRequest,
    'usages[0]',
    (usage) => ({ request: '', signerName: 'a.b/c', usages: [usage] }),
  ),
  'discovery.v1.EndpointSlice.addressType': {
    kind: kinds.endpointSlice,
    with: (addressType) => ({ addressType, endpoints: [] }),
    at: 'addressType',
  },
  'discovery.v1.EndpointPort.protocol': {
    kind: kinds.endpointSlice,
    with: (protocol) => ({ addressType: 'IPv4', endpoints: [], ports: [{ ...port, protocol }] }),
    at: 'ports[0].protocol',
  },
  'events.v1.Event.type': {
    kind: kinds.eventV1,
    with: (type) => ({ type }),
    at: 'type',
    invalid: 'has invalid value: no-such-value',
  },
  'flowcontrol.v1.FlowDistinguisherMethod.type': flow('distinguisherMethod.type', (type) => ({
    distinguisherMethod: { type },
  })),
  'flowcontrol.v1.Subject.kind': flow('rules[0].subjects[0].kind', (kind) => ({ rules: [{ subjects: [{ kind }] }] })),
  'flowcontrol.v1.ResourcePolicyRule.verbs': {
    ...flow('rules[0].resourceRules[0].verbs', (verb) => ({
      rules: [
        { ...policyRule, resourceRules: [{ verbs: [verb], apiGroups: ['*'], resources: ['*'], clusterScope: true }] },
      ],
    })),
    showsList: true,
  },
  'flowcontrol.v1.NonResourcePolicyRule.verbs': {
    ...flow('rules[0].nonResourceRules[0].verbs', (verb) => ({
      rules: [{ ...policyRule, nonResourceRules: [{ verbs: [verb], nonResourceURLs: ['*'] }] }],
    })),
    showsList: true,
  },
  'flowcontrol.v1.PriorityLevelConfigurationSpec.type': {
    kind: kinds.priorityLevelConfiguration,
    with: (type) => ({ metadata: { name: type === 'Exempt' ? 'exempt' : 'x' }, spec: { type } }),
    at: 'spec.type',
  },
  'flowcontrol.v1.LimitResponse.type': inSpec(
    kinds.priorityLevelConfiguration,
    'limited.limitResponse.type',
    (type) => ({
      type: 'Limited',
      limited: { limitResponse: { type } },
    }),
  ),
  'networking.v1.HTTPIngressPath.pathType': inSpec(kinds.ingress, 'rules[0].http.paths[0].pathType', (pathType) => ({
    rules: [{ http: { paths: [{ path: '/', pathType, backend: { service: { name: 's', port: { number: 80 } } } }] } }],
  })),
  'networking.v1.IngressClassParametersReference.scope': inSpec(kinds.ingressClass, 'parameters.scope', (scope) => ({
    controller: 'a.b/c',
    parameters: { kind: 'K', name: 'n', scope },
  })),
  'networking.v1.NetworkPolicyPort.protocol': inSpec(
    kinds.networkPolicy,
    'ingress[0].ports[0].protocol',
    (protocol) => ({
      podSelector: {},
      ingress: [{ ports: [{ protocol }] }],
    }),
  ),
  'networking.v1.NetworkPolicySpec.policyTypes': inSpec(kinds.networkPolicy, 'policyTypes[0]', (type) => ({
    podSelector: {},
    policyTypes: [type],
  })),
  'policy.v1.PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy': inSpec(
    kinds.podDisruptionBudget,
    'unhealthyPodEvictionPolicy',
    (value) => ({ unhealthyPodEvictionPolicy: value }),
  ),
  'rbac.v1.Subject.kind': {
    kind: kinds.clusterRoleBinding,
    with: (kind) => ({
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'r' },
      subjects: [{ kind, name: 'n' }],
    }),
    at: 'subjects[0].kind',
  },
  'scheduling.v1.PriorityClass.preemptionPolicy': {
    kind: kinds.priorityClass,
    with: (preemptionPolicy) => ({ value: 1, preemptionPolicy }),
    at: 'preemptionPolicy',
  },
  'storage.v1.StorageClass.reclaimPolicy': {
    kind: kinds.storageClass,
    with: (reclaimPolicy) => ({ provisioner: 'p', reclaimPolicy }),
    at: 'reclaimPolicy',
  },
  'storage.v1.StorageClass.volumeBindingMode': {
    kind: kinds.storageClass,
    with: (volumeBindingMode) => ({ provisioner: 'p', volumeBindingMode }),
    at: 'volumeBindingMode',
  },
  'storage.v1.CSIDriverSpec.fsGroupPolicy': inSpec(kinds.csiDriver, 'fsGroupPolicy', (value) => ({
    fsGroupPolicy: value,
  })),
  'storage.v1.CSIDriverSpec.volumeLifecycleModes': inSpec(kinds.csiDriver, 'volumeLifecycleModes', (mode) => ({
    volumeLifecycleModes: [mode],
  })),
  'admissionregistration.v1.MatchResources.matchPolicy': policy('matchConstraints.matchPolicy', (matchPolicy) => ({
    matchConstraints: { resourceRules: [rule], matchPolicy },
  })),
  'admissionregistration.v1.NamedRuleWithOperations.operations': policy(
    'matchConstraints.resourceRules[0].operations[0]',
    (operation) => ({ matchConstraints: { resourceRules: [{ ...rule, operations: [operation] }] } }),
  ),
  'admissionregistration.v1.NamedRuleWithOperations.scope': policy(
    'matchConstraints.resourceRules[0].scope',
    (scope) => ({ matchConstraints: { resourceRules: [{ ...rule, scope }] } }),
  ),
  'admissionregistration.v1.ValidatingAdmissionPolicySpec.failurePolicy': policy('failurePolicy', (failurePolicy) => ({
    failurePolicy,
  })),
  'admissionregistration.v1.Validation.reason': policy('validations[0].reason', (reason) => ({
    validations: [{ expression: 'true', reason }],
  })),
  'admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec.validationActions': binding(
    'validationActions[0]',
    (action) => ({ validationActions: [action] }),
  ),
  'admissionregistration.v1.ParamRef.parameterNotFoundAction': binding(
    'paramRef.parameterNotFoundAction',
    (action) => ({
      paramRef: { name: 'n', parameterNotFoundAction: action },
    }),
  ),
  ...Object.fromEntries(
    (
      [
        ['MutatingWebhook', kinds.mutatingWebhookConfiguration],
        ['ValidatingWebhook', kinds.validatingWebhookConfiguration],
      ] as const
    ).flatMap(([type, kind]) =>
      ['failurePolicy', 'matchPolicy', 'sideEffects'].map((field) => [
        `admissionregistration.v1.${type}.${field}`,
        webhook(kind, field, (value) => ({ [field]: value })),
      ]),
    ),
  ),
  'admissionregistration.v1.MutatingWebhook.reinvocationPolicy': webhook(
    kinds.mutatingWebhookConfiguration,
    'reinvocationPolicy',
    (reinvocationPolicy) => ({ reinvocationPolicy }),
  ),
  'admissionregistration.v1.RuleWithOperations.operations': webhook(
    kinds.mutatingWebhookConfiguration,
    'rules[0].operations[0]',
    (operation) => ({ rules: [{ ...rule, operations: [operation] }] }),
  ),
  'admissionregistration.v1.RuleWithOperations.scope': webhook(
    kinds.mutatingWebhookConfiguration,
    'rules[0].scope',
    (scope) => ({ rules: [{ ...rule, scope }] }),
  ),
};

/** Marked, published, and not looked at when an object of the kind is written. */
export const unchecked: Readonly<Record<string, string>> = {
  'core.v1.ContainerStatus.stopSignal': 'status',
  'core.v1.Lifecycle.stopSignal': 'upstream drops the field as long as its feature is off',
  'core.v1.ModifyVolumeStatus.status': 'status',
  'core.v1.NamespaceStatus.phase': 'status',
  'core.v1.NodeStatus.phase': 'status',
  'core.v1.PersistentVolumeClaimStatus.accessModes': 'status',
  'core.v1.PersistentVolumeClaimStatus.allocatedResourceStatuses': 'status',
  'core.v1.PersistentVolumeClaimStatus.phase': 'status',
  'core.v1.PersistentVolumeStatus.phase': 'status',
  'core.v1.PodStatus.phase': 'status',
  'core.v1.PodStatus.qosClass': 'status',
  'core.v1.PortStatus.protocol': 'status',
  'networking.v1.IngressPortStatus.protocol': 'status',
  'apiextensions.v1.ValidationRule.reason': 'checked with the rules of schemas',
  'admissionregistration.v1.MutatingAdmissionPolicySpec.failurePolicy': 'not served',
  'admissionregistration.v1.MutatingAdmissionPolicySpec.reinvocationPolicy': 'not served',
  'admissionregistration.v1.Mutation.patchType': 'not served',
};
