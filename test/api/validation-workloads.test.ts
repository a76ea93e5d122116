// Validation of workloads: selectors and their templates, strategies, and what Jobs are told of their policies.

import t from 'tap';
import { type KindSpec, kinds } from '../../src/api/index.ts';
import { dnsLabel, labelValue } from './sentences.ts';
import { type Content, spec, wrong, wrongChange } from './validated.ts';

const labels = { app: 'a' };
const podSpec = { containers: [{ name: 'c', image: 'i' }] };
const template = { metadata: { labels }, spec: podSpec };
const selector = { matchLabels: labels };
const workload = (content: Content): Content => spec({ selector, template, ...content });
const running = (content: Content): Content =>
  workload({ template: { ...template, spec: { ...podSpec, ...content } } });
const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
const uid = { 'controller-uid': 'u', 'job-name': 'x' };
const batchLabels = { ...uid, 'batch.kubernetes.io/controller-uid': 'u', 'batch.kubernetes.io/job-name': 'x' };
const onceSpec = { ...podSpec, restartPolicy: 'Never' };
const job = (content: Content): Content => ({
  metadata: { uid: 'u' },
  ...spec({
    selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u' } },
    template: { metadata: { labels: batchLabels }, spec: onceSpec },
    ...content,
  }),
});
const indexed = (content: Content): Content => job({ completionMode: 'Indexed', completions: 3, ...content });
const policy = (rule: Content, more: Content = {}): Content => job({ podFailurePolicy: { rules: [rule] }, ...more });
const succeeds = (...rules: Content[]): Content => indexed({ successPolicy: { rules } });

const noMatch = (value: unknown): string =>
  `spec.template.metadata.labels: Invalid value: ${JSON.stringify(value)}: \`selector\` does not match template \`labels\``;
const noContainers = 'spec.template.spec.containers: Required value';
const noRestart = 'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"';

const cases: readonly (readonly [kind: KindSpec, given: Content, ...want: string[]])[] = [
  [kinds.deployment, {}, 'spec.selector: Required value', noMatch(null), noContainers],
  [kinds.replicaSet, {}, 'spec.selector: Required value', noMatch(null), noContainers],
  [kinds.statefulSet, {}, 'spec.selector: Required value', noMatch(null), noContainers],
  [kinds.daemonSet, {}, noMatch(null), noContainers],
  [kinds.replicationController, {}, 'spec.selector: Required value', 'spec.template: Required value'],
  [kinds.podTemplate, {}, 'template.spec.containers: Required value'],
  [kinds.deployment, workload({ template: undefined }), noMatch(null), noContainers],
  [
    kinds.deployment,
    workload({ selector: { matchLabels: { app: '-' } } }),
    `spec.selector.matchLabels: Invalid value: "-": ${labelValue}`,
    'spec.selector: Invalid value: {"matchLabels":{"app":"-"}}: invalid label selector',
  ],
  [
    kinds.statefulSet,
    workload({ selector: { matchExpressions: [{ key: 'app', operator: 'In', values: [] }] } }),
    "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    'spec.selector: Invalid value: {"matchExpressions":[{"key":"app","operator":"In","values":[]}]}',
  ],
  [
    kinds.statefulSet,
    workload({
      volumeClaimTemplates: [
        { metadata: { name: 'a' }, spec: claim },
        { metadata: { name: 'b' } },
        { metadata: { name: 'c' }, spec: { ...claim, accessModes: ['Some'], volumeMode: 'Tape' } },
      ],
    }),
    'spec.volumeClaimTemplates[1].spec.accessModes: Required value: at least 1 access mode is required',
    'spec.volumeClaimTemplates[1].spec.resources[storage]: Required value',
    'spec.volumeClaimTemplates[2].spec.accessModes: Unsupported value: "Some": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
    'spec.volumeClaimTemplates[2].spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"',
  ],
  [
    kinds.daemonSet,
    workload({ selector: {} }),
    'spec.selector: Invalid value: {}: empty selector is invalid for daemonset',
  ],
  [
    kinds.deployment,
    running({ activeDeadlineSeconds: 5 }),
    'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported',
  ],
  [
    kinds.replicationController,
    spec({ selector: labels, template: { ...template, spec: { ...podSpec, activeDeadlineSeconds: 5 } } }),
    'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicationController is not Supported',
  ],
  [
    kinds.daemonSet,
    running({ ephemeralContainers: [{ name: 'e', image: 'i' }] }),
    'spec.template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template',
  ],
  [
    kinds.deployment,
    workload({ template: { ...template, metadata: { labels, annotations: { '': '' } } } }),
    'spec.template.annotations: Invalid value: "": name part must be non-empty',
    "spec.template.annotations: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
  ],
  [
    kinds.deployment,
    workload({ strategy: { type: 'x' } }),
    'spec.strategy: Unsupported value: {"type":"x"}: supported values: "Recreate", "RollingUpdate"',
  ],
  [
    kinds.daemonSet,
    workload({ updateStrategy: { type: 'x' } }),
    'spec.updateStrategy: Unsupported value: {"type":"x"}: supported values: "RollingUpdate", "OnDelete"',
  ],
  [
    kinds.daemonSet,
    workload({ updateStrategy: { rollingUpdate: { maxUnavailable: 0 } } }),
    'spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0',
  ],
  [
    kinds.daemonSet,
    workload({ updateStrategy: { rollingUpdate: { maxUnavailable: 1, maxSurge: '200%' } } }),
    'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: "200%": must not be greater than 100%',
    'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: "200%": may not be set when maxUnavailable is non-zero',
  ],
  [kinds.daemonSet, workload({ updateStrategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } })],
  [
    kinds.statefulSet,
    workload({ updateStrategy: { rollingUpdate: { maxUnavailable: 0 } } }),
    'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0',
  ],
  [
    kinds.statefulSet,
    { metadata: { name: 'a.b' }, ...workload({}) },
    `metadata.name: Invalid value: "a.b": ${dnsLabel}`,
  ],
  [kinds.statefulSet, workload({ serviceName: 'A' }), `spec.serviceName: Invalid value: "A": ${dnsLabel}`],
  [kinds.job, job({})],
  [kinds.job, { metadata: { uid: 'u' } }, noContainers, noRestart, 'spec.selector: Required value', noMatch(null)],
  [
    kinds.job,
    job({ selector }),
    'spec.selector: Invalid value: {"matchLabels":{"app":"a"}}: `selector` not auto-generated',
    noMatch(batchLabels),
  ],
  [
    kinds.job,
    job({ template: { metadata: { labels: { ...batchLabels, 'job-name': 'y' } }, spec: onceSpec } }),
    `spec.template.metadata.labels[job-name]: Invalid value: ${JSON.stringify({ ...batchLabels, 'job-name': 'y' })}: must be 'x'`,
  ],
  [
    kinds.job,
    {
      metadata: { name: 'n'.repeat(62), uid: 'u' },
      ...spec({ ...manual(), completionMode: 'Indexed', completions: 1 }),
    },
    `metadata.name: Invalid value: "${'n'.repeat(62)}": will not able to create pod with invalid DNS label: ${'n'.repeat(62)}-0`,
  ],
  [
    kinds.job,
    job({ managedBy: 'me' }),
    'spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")',
  ],
  [
    kinds.job,
    job({ completionMode: 'x' }),
    'spec.completionMode: Unsupported value: "x": supported values: "NonIndexed", "Indexed"',
  ],
  [
    kinds.job,
    indexed({ completions: 100_001, backoffLimitPerIndex: 1, parallelism: 10_001 }),
    'spec.maxFailedIndexes: Required value: must be specified when completions is above 100000',
    'spec.parallelism: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index',
  ],
  [
    kinds.job,
    policy({ action: 'FailIndex', onExitCodes: { operator: 'In', values: [3, 0, 3], containerName: 'z' } }),
    'spec.podFailurePolicy.rules[0].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set',
    'spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "z": must be one of the container or initContainer names in the pod template',
    'spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator',
    'spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 3',
    'spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [3,0,3]: must be ordered',
  ],
  [
    kinds.job,
    policy({}),
    'spec.podFailurePolicy.rules[0].action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]',
    'spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required',
  ],
  [
    kinds.job,
    policy(
      { action: 'Count', onPodConditions: [{ type: 'Disrupted' }] },
      { podReplacementPolicy: 'TerminatingOrFailed' },
    ),
    'spec.podFailurePolicy.rules[0].onPodConditions[0].status: Required value: valid values: ["False" "True" "Unknown"]',
    'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"',
  ],
  [
    kinds.job,
    policy({ action: 'Count', onPodConditions: [{ type: 'Disrupted', status: 'True' }] }, onFailure()),
    'spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified',
  ],
  [kinds.job, succeeds({ succeededIndexes: '0,1-2', succeededCount: 2 })],
  [
    kinds.job,
    succeeds(
      {},
      { succeededIndexes: '0-' },
      { succeededIndexes: '1,0' },
      { succeededIndexes: '3' },
      { succeededCount: 4 },
    ),
    'spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes must be specified',
    'spec.successPolicy.rules[1].succeededIndexes: Invalid value: "0-": error parsing succeededIndexes: cannot convert string to integer for index: ""',
    'spec.successPolicy.rules[2].succeededIndexes: Invalid value: "1,0": error parsing succeededIndexes: non-increasing order, previous: 1, current: 0',
    'spec.successPolicy.rules[3].succeededIndexes: Invalid value: "3": error parsing succeededIndexes: too large index: "3"',
    'spec.successPolicy.rules[4].succeededCount: Invalid value: 4: must be less than or equal to 3 (the number of specified completions)',
  ],
  [
    kinds.job,
    job({ successPolicy: { rules: [] } }),
    'spec.successPolicy: Invalid value: {"rules":[]}: requires indexed completion mode',
  ],
  [
    kinds.cronJob,
    {},
    'spec.schedule: Required value',
    'spec.jobTemplate.spec.template.spec.containers: Required value',
    'spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
  ],
];

for (const [kind, given, ...want] of cases) {
  t.test(`${kind.kind}: ${want[0] ?? 'fine'}`, async (t) => {
    t.strictSame(wrong(kind, given), want);
  });
}

const suspended = (content: Content, podContent: Content = {}): Content =>
  spec({
    ...manual(),
    suspend: true,
    template: { metadata: { labels, ...content }, spec: { ...onceSpec, ...podContent } },
  });
const requires = (key: string): Content => ({ podAffinity: { [key]: [] } });

const changes: readonly (readonly [kind: KindSpec, before: Content, after: Content, ...want: string[]])[] = [
  [
    kinds.job,
    suspended({}),
    suspended(
      { annotations: { a: 'b' } },
      { affinity: { nodeAffinity: {} }, nodeSelector: labels, tolerations: [{ operator: 'Exists' }] },
    ),
  ],
  [
    kinds.job,
    suspended({}, { affinity: {} }),
    suspended({}, { affinity: requires('requiredDuringSchedulingIgnoredDuringExecution') }),
    /^spec\.template: Invalid value: \{.*\}: field is immutable$/.source,
  ],
  [
    kinds.deployment,
    workload({}),
    workload({ selector: { matchLabels: labels, matchExpressions: [{ key: 'app', operator: 'Exists' }] } }),
    /^spec\.selector: Invalid value: \{.*\}: field is immutable$/.source,
  ],
  [kinds.statefulSet, workload({}), workload({ revisionHistoryLimit: 3, minReadySeconds: 2 })],
];

for (const [kind, before, after, ...want] of changes) {
  t.test(`a changed ${kind.kind}: ${want[0] ?? 'fine'}`, async (t) => {
    const have = wrongChange(kind, before, after);
    t.equal(have.length, want.length, have.join());
    for (const [index, pattern] of want.entries()) t.match(have[index], new RegExp(pattern));
  });
}

function manual(): Content {
  return { manualSelector: true, selector, template: { metadata: { labels }, spec: onceSpec } };
}

function onFailure(): Content {
  return { template: { metadata: { labels: batchLabels }, spec: { ...podSpec, restartPolicy: 'OnFailure' } } };
}
