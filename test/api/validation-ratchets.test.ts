// Updates of objects that were stored when fewer rules held: what was wrong before and stays is let through where upstream
// does so, what becomes wrong is not.

import t from 'tap';
import { type KindSpec, kinds } from '../../src/api/index.ts';
import { ensureSchemas } from './schemas.ts';
import { labelValue } from './sentences.ts';
import { type Content, spec, wrong, wrongChange } from './validated.ts';

ensureSchemas();

const labels = { app: 'a' };
const selector = { matchLabels: labels };
const container = { name: 'c', image: 'i' };
const workload = (podSpec: Content, content: Content = {}): Content =>
  spec({ selector, template: { metadata: { labels }, spec: { containers: [container], ...podSpec } }, ...content });
const odd = { matchExpressions: [{ key: 'a', operator: 'In', values: ['a b'] }] };
const oddAffinity = (topologyKey: string): Content => ({
  affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey, labelSelector: odd }] } },
});
const oddSpread = {
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { a: '-' } } },
  ],
};
const job = (content: Content): Content =>
  spec({ template: { spec: { containers: [container], restartPolicy: 'Never' } }, ...content });
/** From before its labels got a prefix. */
const oldLabels = { 'controller-uid': 'u', 'job-name': 'x' };
const oldJob = {
  metadata: { uid: 'u' },
  ...job({
    selector: { matchLabels: { 'controller-uid': 'u' } },
    template: { metadata: { labels: oldLabels }, spec: { containers: [container], restartPolicy: 'Never' } },
  }),
};
const cronJob = (content: Content): Content => spec({ schedule: '@daily', jobTemplate: job({}), ...content });
const service = (content: Content): Content =>
  spec({ clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ports: [{ port: 1 }], ...content });
const ingress = (...names: readonly string[]): Content =>
  spec({
    defaultBackend: { service: { name: 's', port: { number: 1 } } },
    tls: names.map((secretName) => ({ secretName })),
  });
const policy = (...cidrs: readonly string[]): Content =>
  spec({ podSelector: {}, ingress: [{ from: cidrs.map((cidr) => ({ ipBlock: { cidr } })) }] });
const scaler = (content: Content): Content =>
  spec({ maxReplicas: 2, scaleTargetRef: { apiVersion: 'v1', kind: 'Deployment', name: 'd' }, ...content });
const endpoints = (...ips: readonly string[]): Content => ({
  subsets: [{ addresses: ips.map((ip) => ({ ip })), ports: [{ port: 1 }] }],
});
const slice = (...addresses: readonly string[]): Content => ({ addressType: 'IPv4', endpoints: [{ addresses }] });
const webhook = (content: Content): Content => ({
  name: 'a.example.com',
  clientConfig: { url: 'https://a' },
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  ...content,
});
const hooks = (...webhooks: readonly Content[]): Content => ({ webhooks });
const claim = (content: Content): Content =>
  spec({ accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...content });
const oldSource = { dataSource: { apiGroup: 'A b', kind: 'K', name: 'n' } };
const set = (content: Content, podSpec: Content = {}): Content => workload(podSpec, content);
const more = (content: Content): Content => ({ ...content, metadata: { labels: { new: 'label' } } });

/** Refused when new; the same with another label is fine. */
const kept: readonly (readonly [kind: KindSpec, stored: Content])[] = [
  [kinds.deployment, workload(oddAffinity('zone'))],
  [kinds.deployment, workload(oddSpread)],
  [
    kinds.daemonSet,
    workload({ containers: [{ ...container, resources: { limits: { 'hugepages-2Mi': '3Mi', cpu: '1' } } }] }),
  ],
  [kinds.replicaSet, workload({ hostNetwork: true, securityContext: { sysctls: [{ name: 'net.a', value: '1' }] } })],
  [
    kinds.pod,
    {
      ...workload(oddAffinity('zone')),
      metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': 'x' } },
      ...spec({ containers: [container] }),
    },
  ],
  [kinds.statefulSet, set({ volumeClaimTemplates: [{ metadata: { name: 'a' }, spec: {} }] })],
  [kinds.statefulSet, set({}, { containers: [] })],
  [kinds.job, oldJob],
  [kinds.cronJob, cronJob({ schedule: 'TZ=UTC 0 0 * * *' })],
  [kinds.cronJob, cronJob({ timeZone: 'No/Where' })],
  [kinds.service, service({ externalIPs: ['010.0.0.1'] })],
  [kinds.service, service({ type: 'LoadBalancer', loadBalancerSourceRanges: ['010.0.0.0/8'] })],
  [kinds.ingress, ingress('a b')],
  [kinds.networkPolicy, policy('010.0.0.0/8')],
  [kinds.networkPolicy, spec({ podSelector: odd })],
  [kinds.podDisruptionBudget, spec({ selector: odd, minAvailable: 1 })],
  [kinds.horizontalPodAutoscaler, scaler({})],
  [kinds.endpoints, endpoints('127.0.0.1')],
  [kinds.endpointSlice, slice('127.0.0.1')],
  [kinds.persistentVolumeClaim, claim({ selector: odd })],
  [kinds.persistentVolumeClaim, claim(oldSource)],
  [kinds.validatingWebhookConfiguration, hooks(webhook({}), webhook({}))],
  [kinds.mutatingWebhookConfiguration, hooks(webhook({ sideEffects: undefined }))],
  [kinds.mutatingWebhookConfiguration, hooks(webhook({ matchConditions: [{ name: 'a b', expression: 'true' }] }))],
  [kinds.clusterRole, { aggregationRule: { clusterRoleSelectors: [odd] } }],
  [kinds.statefulSet, { ...set({}), metadata: { name: 'a.b' } }],
];

for (const [index, [kind, stored]] of kept.entries()) {
  t.test(`${kind.kind} (${index}): what was stored so can be stored so again`, async (t) => {
    t.not(wrong(kind, stored).length, 0, 'a new one is refused');
    const { metadata = {} } = stored as { metadata?: object };
    const changed = { ...stored, metadata: { ...metadata, labels: { new: 'label' } } };
    t.strictSame(wrongChange(kind, stored, changed), []);
  });
}

const refused: readonly (readonly [kind: KindSpec, before: Content, after: Content, ...want: string[]])[] = [
  [
    kinds.deployment,
    workload({}),
    workload(oddAffinity('zone')),
    `spec.template.spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchExpressions[0].values[0]: Invalid value: "a b": ${labelValue}`,
  ],
  [
    kinds.deployment,
    workload(oddAffinity('zone')),
    workload(oddAffinity('')),
    'spec.template.spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be empty',
    'spec.template.spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": name part must be non-empty',
    "spec.template.spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
  ],
  [kinds.statefulSet, set({}), set({}, { containers: [] }), 'spec.template.spec.containers: Required value'],
  [
    kinds.statefulSet,
    set({}, { containers: [] }),
    set({}, { containers: [], activeDeadlineSeconds: 5 }),
    'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in StatefulSet is not Supported',
  ],
  [
    kinds.cronJob,
    cronJob({ timeZone: 'No/Where' }),
    cronJob({ timeZone: 'Not/There' }),
    'spec.timeZone: Invalid value: "Not/There": unknown time zone Not/There',
  ],
  [
    kinds.networkPolicy,
    policy('010.0.0.0/8'),
    policy('10.0.0.0/8', '010.0.0.0/8', '11.0.0.0/33'),
    'spec.ingress[0].from[2].ipBlock.cidr: Invalid value: "11.0.0.0/33": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
  ],
  [
    kinds.horizontalPodAutoscaler,
    scaler({}),
    scaler({ maxReplicas: 0 }),
    'spec.maxReplicas: Invalid value: 0: must be greater than 0',
    'spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`',
  ],
  [
    kinds.persistentVolumeClaim,
    claim({}),
    claim(oldSource),
    "spec.dataSource.apiGroup: Invalid value: \"A b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
  ],
];

for (const [kind, before, after, ...want] of refused) {
  t.test(`${kind.kind}: ${want[0]}`, async (t) => t.strictSame(wrongChange(kind, before, more(after)), want));
}
