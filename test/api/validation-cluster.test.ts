// Validation of what configures a cluster: classes, drivers, scaling, roles, certificates, aggregated APIs; and of what
// controllers report.

import t from 'tap';
import { type KindSpec, kinds } from '../../src/api/index.ts';
import { dns1035Label, dnsLabel, dnsSubdomain, qualifiedName } from './sentences.ts';
import { type Content, spec, wrong, wrongChange } from './validated.ts';

const anyOperator = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';

const storageClass = (...terms: Content[]): Content => ({ provisioner: 'p', allowedTopologies: terms });
const term = (...expressions: Content[]): Content => ({ matchLabelExpressions: expressions });
const scaler = (content: Content): Content =>
  spec({ maxReplicas: 2, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }, ...content });
const pem = Buffer.from('-----BEGIN CERTIFICATE REQUEST-----').toString('base64');
const request = (content: Content, status: Content = {}): Content => ({
  ...spec({ request: pem, signerName: 'example.com/s', usages: ['client auth'], ...content }),
  status,
});
const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'r' };
const account = { kind: 'ServiceAccount', name: 's' };
const cases: readonly (readonly [kind: KindSpec, given: Content, ...want: string[]])[] = [
  [kinds.storageClass, storageClass(term({ key: 'zone', values: ['a'] }), term({ key: 'zone', values: ['b'] }))],
  [
    kinds.storageClass,
    storageClass(term(), term({ key: 'zone', values: ['a', 'a'] }, { key: 'zone' }), term({ key: '-', values: ['a'] })),
    'allowedTopologies[0].matchLabelExpressions: Duplicate value: ""',
    'allowedTopologies[1].matchLabelExpressions[0].values[1]: Duplicate value: "a"',
    'allowedTopologies[1].matchLabelExpressions[1].values: Required value',
    'allowedTopologies[1].matchLabelExpressions[1].key: Duplicate value: "zone"',
    `allowedTopologies[2].matchLabelExpressions[0].key: Invalid value: "-": ${qualifiedName}`,
  ],
  [
    kinds.storageClass,
    { provisioner: 'p', volumeBindingMode: '' },
    'volumeBindingMode: Unsupported value: "": supported values: "Immediate", "WaitForFirstConsumer"',
  ],
  [
    kinds.storageClass,
    { provisioner: 'p', parameters: { a: 'x'.repeat(256 * 1024) } },
    'parameters: Too long: may not be more than 262144 bytes',
  ],
  [
    kinds.volumeAttributesClass,
    {},
    'driverName: Required value',
    'parameters: Required value: must contain at least one key/value pair',
  ],
  [kinds.csiDriver, { metadata: { name: 'd'.repeat(70) } }],
  [
    kinds.csiDriver,
    spec({
      volumeLifecycleModes: ['x'],
      nodeAllocatableUpdatePeriodSeconds: 1,
      tokenRequests: [{}, { audience: '' }, { audience: 'a', expirationSeconds: 1 }],
    }),
    'spec.tokenRequests[1].audience: Duplicate value: ""',
    'spec.tokenRequests[2].expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes',
    'spec.volumeLifecycleModes: Unsupported value: "x": supported values: "Persistent", "Ephemeral"',
    'spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 1: must be greater than or equal to 10 seconds',
  ],
  [
    kinds.csiNode,
    spec({
      drivers: [
        { name: 'd', nodeID: 'n'.repeat(193), topologyKeys: ['a', 'a'], allocatable: { count: -1 } },
        { name: 'd', nodeID: 'n', topologyKeys: ['-'] },
        {},
      ],
    }),
    `spec.drivers[0].nodeID: Invalid value: "${'n'.repeat(193)}": must be 192 characters or less`,
    'spec.drivers[0].allocatable.count: Invalid value: -1: must be greater than or equal to 0',
    'spec.drivers[0]: Duplicate value: "a"',
    'spec.drivers[1].name: Duplicate value: "d"',
    `spec.drivers[1]: Invalid value: "-": ${qualifiedName}`,
    'spec.drivers[2].name: Required value',
    `spec.drivers[2].name: Invalid value: "": ${dnsSubdomain}`,
    'spec.drivers[2].nodeID: Required value',
  ],
  [kinds.csiStorageCapacity, {}, `storageClassName: Invalid value: "": ${dnsSubdomain}`],
  [
    kinds.volumeAttachment,
    spec({ attacher: 'd', nodeName: 'n', source: { persistentVolumeName: '' } }),
    'spec.source.persistentVolumeName: Required value: must specify non empty persistentVolumeName',
    `spec.source.persistentVolumeName: Invalid value: "": ${dnsSubdomain}`,
  ],
  [
    kinds.volumeAttachment,
    {
      ...spec({ attacher: 'd', source: { inlineVolumeSpec: {} } }),
      status: { attachError: { message: 'x'.repeat(1025) } },
    },
    `spec.nodeName: Invalid value: "": ${dnsSubdomain}`,
    'status.attachError.message: Too long: may not be more than 1024 bytes',
  ],
  [kinds.priorityClass, { value: 1, preemptionPolicy: '' }, 'preemptionPolicy: Required value'],
  [kinds.runtimeClass, {}, `handler: Invalid value: "": ${dnsLabel}`],
  [
    kinds.runtimeClass,
    { handler: 'h', scheduling: { tolerations: [{}, { key: 'a' }, { key: 'a' }] } },
    `scheduling.tolerations[0].operator: Invalid value: "": ${anyOperator}`,
    'scheduling.tolerations[2]: Duplicate value: {"key":"a"}',
  ],
  [
    kinds.lease,
    spec({ strategy: 'x', leaseTransitions: -1 }),
    'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
    'spec.strategy.strategy: Unsupported value: "x": supported values: "OldestEmulationVersion"',
  ],
  [
    kinds.lease,
    spec({ preferredHolder: 'x' }),
    'spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined',
  ],
  [kinds.podDisruptionBudget, { metadata: { name: 'A b' }, ...spec({ selector: {} }) }],
  [
    kinds.horizontalPodAutoscaler,
    {},
    'spec.maxReplicas: Invalid value: 0: must be greater than 0',
    'spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`',
    'spec.scaleTargetRef.kind: Required value',
    'spec.scaleTargetRef.name: Required value',
    'spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group',
  ],
  [
    kinds.horizontalPodAutoscaler,
    scaler({ minReplicas: 0 }),
    'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1',
    'spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas',
  ],
  [
    kinds.horizontalPodAutoscaler,
    scaler({ metrics: [{}, { type: 'Resource', resource: {} }] }),
    'spec.metrics[0].type: Required value: must specify a metric source type',
    'spec.metrics[0].type: Unsupported value: "": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
    'spec.metrics[1].resource.name: Required value: must specify a resource name',
    'spec.metrics[1].resource.target.type: Required value: must specify a metric target type',
    'spec.metrics[1].resource.target.type: Invalid value: "": must be either Utilization, Value, or AverageValue',
    'spec.metrics[1].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization',
  ],
  [
    kinds.horizontalPodAutoscaler,
    scaler({
      metrics: [
        {
          type: 'Object',
          object: { describedObject: { kind: 'k', name: 'n' }, metric: { name: 'm' }, target: { type: 'Value' } },
        },
        {
          type: 'Pods',
          pods: {},
          external: { metric: { name: 'm' }, target: { type: 'Value', value: '1', averageValue: '1' } },
        },
      ],
    }),
    'spec.metrics[0].object.target.averageValue: Required value: must set either a target value or averageValue',
    'spec.metrics[1].external.target.value: Forbidden: may not set both a target value for metric and a per-pod target',
    'spec.metrics[1].external: Forbidden: must populate the given metric source only',
  ],
  [kinds.roleBinding, { kind: 'RoleBinding', roleRef: role, subjects: [account] }],
  [kinds.clusterRoleBinding, { roleRef: role, subjects: [account] }, 'subjects[0].namespace: Required value'],
  [
    kinds.clusterRoleBinding,
    { subjects: [{ name: 'a' }] },
    'roleRef.kind: Unsupported value: "": supported values: "ClusterRole"',
    'roleRef.name: Required value',
    'subjects[0].kind: Unsupported value: "": supported values: "ServiceAccount", "User", "Group"',
  ],
  [
    kinds.clusterRole,
    { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { '-': 'x' } }] } },
    `aggregationRule.clusterRoleSelectors[0].matchLabels: Invalid value: "-": ${qualifiedName}`,
    'aggregationRule.clusterRoleSelectors[0]: Invalid value: null: invalid label selector.',
  ],
  [
    kinds.certificateSigningRequest,
    {},
    'spec.request: Invalid value: null: PEM block type must be CERTIFICATE REQUEST',
    'spec.usages: Required value',
    'spec.signerName: Required value',
  ],
  [kinds.certificateSigningRequest, { metadata: { name: 'A b' }, ...request({}) }],
  [
    kinds.certificateSigningRequest,
    request({ signerName: 'A/-' }),
    `spec.signerName: Invalid value: "A": validating label "A": ${dnsLabel}`,
    'spec.signerName: Invalid value: "A": should be a domain with at least two segments separated by dots',
    `spec.signerName: Invalid value: "-": validating label "-": ${dnsSubdomain}`,
  ],
  [
    kinds.certificateSigningRequest,
    request({}, { conditions: [{ type: 'Approved', status: 'False' }, { type: 'Denied', status: 'True' }, {}] }),
    'status.conditions[0].status: Unsupported value: "False": supported values: "True"',
    'status.conditions: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive',
    'status.conditions[2].type: Required value',
    'status.conditions[2].status: Required value',
  ],
  [
    kinds.apiService,
    {},
    'metadata.name: Invalid value: "x": must be `spec.version+"."+spec.group`: "."',
    'spec.group: Required value: only v1 may have an empty group and it better be legacy kube',
    `spec.version: Invalid value: "": ${dns1035Label}`,
    'spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000',
    'spec.versionPriority: Invalid value: 0: must be positive and less than 1000',
  ],
];

for (const [kind, given, ...want] of cases) {
  t.test(`${kind.kind}: ${want[0] ?? 'fine'}`, async (t) => {
    t.strictSame(wrong(kind, given), want);
  });
}

type Change = readonly [kind: KindSpec, subresource: string, before: Content, after: Content, ...want: string[]];

const driver = (content: Content): Content => spec({ drivers: [{ name: 'd', nodeID: 'n', ...content }] });
const replicas = (status: Content): Content => ({
  ...spec({
    selector: { matchLabels: { a: 'b' } },
    template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  }),
  status,
});
const served = (status: Content): Content => ({
  metadata: { name: 'v1.g' },
  ...spec({ group: 'g', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1 }),
  status,
});
const decided = { conditions: [{ type: 'Approved', status: 'True' }] };

const changes: readonly Change[] = [
  [
    kinds.csiDriver,
    '',
    spec({ attachRequired: true }),
    spec({ attachRequired: false }),
    'spec.attachedRequired: Invalid value: false: field is immutable',
  ],
  [kinds.csiNode, '', driver({}), driver({ allocatable: { count: 3 } })],
  [
    kinds.csiNode,
    '',
    driver({}),
    driver({ nodeID: 'o' }),
    'spec.drivers: Invalid value: {"name":"d","nodeID":"o"}: field is immutable',
  ],
  [kinds.lease, '', spec({ leaseTransitions: 3 }), spec({ leaseTransitions: 1 })],
  [
    kinds.certificateSigningRequest,
    'status',
    request({}, { ...decided, certificate: 'YQ==' }),
    request({}, { certificate: 'Yg==' }),
    'status.conditions: Forbidden: updates may not remove a condition of type "Approved"',
    'status.certificate: Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block',
    'status.certificate: Forbidden: updates may not modify existing certificate content',
  ],
  [
    kinds.certificateSigningRequest,
    'status',
    request({}),
    request({}, decided),
    'status.conditions: Forbidden: updates may not add a condition of type "Approved"',
  ],
  [kinds.certificateSigningRequest, 'approval', request({}), request({}, decided)],
  [
    kinds.certificateSigningRequest,
    'status',
    request({}, decided),
    request({}, { conditions: [{ type: 'Approved', status: 'True', reason: 'x' }] }),
    'status.conditions: Forbidden: updates may not modify a condition of type "Approved"',
  ],
  [
    kinds.apiService,
    'status',
    served({}),
    served({ conditions: [{ type: 'Available', status: 'x' }] }),
    'status.conditions[0].status: Unsupported value: "x": supported values: "True", "False", "Unknown"',
  ],
  [
    kinds.deployment,
    'status',
    replicas({ collisionCount: 2 }),
    replicas({ replicas: 1, readyReplicas: 2, availableReplicas: 3, unavailableReplicas: -1 }),
    'status.unavailableReplicas: Invalid value: -1: must be greater than or equal to 0',
    'status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas',
    'status.availableReplicas: Invalid value: 3: cannot be greater than status.replicas',
    'status.availableReplicas: Invalid value: 3: cannot be greater than readyReplicas',
    'status.collisionCount: Invalid value: 0: cannot be decremented',
  ],
  [
    kinds.statefulSet,
    'status',
    replicas({}),
    replicas({ replicas: 1, readyReplicas: 0, availableReplicas: 1, currentReplicas: 2 }),
    'status.currentReplicas: Invalid value: 2: cannot be greater than status.replicas',
    'status.availableReplicas: Invalid value: 1: cannot be greater than status.readyReplicas',
  ],
  [
    kinds.replicaSet,
    'status',
    replicas({}),
    replicas({ replicas: 1, fullyLabeledReplicas: 2 }),
    'status.fullyLabeledReplicas: Invalid value: 2: cannot be greater than status.replicas',
  ],
  [
    kinds.daemonSet,
    'status',
    replicas({}),
    replicas({ numberReady: -1 }),
    'status.numberReady: Invalid value: -1: must be greater than or equal to 0',
  ],
  [
    kinds.podDisruptionBudget,
    'status',
    {},
    { status: { expectedPods: -1 } },
    'status.expectedPods: Invalid value: -1: must be greater than or equal to 0',
  ],
  [
    kinds.horizontalPodAutoscaler,
    'status',
    scaler({}),
    { ...scaler({}), status: { desiredReplicas: -1 } },
    'status.desiredReplicas: Invalid value: -1: must be greater than or equal to 0',
  ],
];

for (const [kind, subresource, before, after, ...want] of changes) {
  t.test(`a changed ${kind.kind}${subresource && '/'}${subresource}: ${want[0] ?? 'fine'}`, async (t) => {
    t.strictSame(wrongChange(kind, before, after, subresource), want);
  });
}

t.test('classes keep what others rely on', async (t) => {
  const changes: readonly (readonly [kind: KindSpec, before: object, after: object, want: readonly string[]])[] = [
    [kinds.priorityClass, { value: 1 }, { value: 1, description: 'd' }, []],
    [kinds.priorityClass, { value: 1 }, { value: 2 }, ['value: Forbidden: may not be changed in an update.']],
    [
      kinds.priorityClass,
      { value: 1 },
      { value: 1, preemptionPolicy: 'Never' },
      ['preemptionPolicy: Invalid value: "Never": field is immutable'],
    ],
    [
      kinds.storageClass,
      { provisioner: 'a' },
      { provisioner: 'b', parameters: { a: 'b' } },
      [
        'parameters: Forbidden: updates to parameters are forbidden.',
        'provisioner: Forbidden: updates to provisioner are forbidden.',
      ],
    ],
    [
      kinds.ingressClass,
      { spec: { controller: 'a/b' } },
      { spec: { controller: 'a/c' } },
      ['spec.controller: Invalid value: "a/c": field is immutable'],
    ],
    [
      kinds.runtimeClass,
      { handler: 'runc' },
      { handler: 'kata' },
      ['handler: Invalid value: "kata": field is immutable'],
    ],
  ];
  for (const [kind, before, after, want] of changes) t.same(wrongChange(kind, before, after), want, kind.kind);
  t.match(wrong(kinds.priorityClass, { value: 2_000_000_000 }), [/maximum allowed value of a user defined priority/]);
  t.match(wrong(kinds.runtimeClass, { handler: 'A b' }), [
    /^handler: Invalid value: "A b": a lowercase RFC 1123 label/,
  ]);
  t.same(wrong(kinds.storageClass, { provisioner: '' }), ['provisioner: Required value']);
});
