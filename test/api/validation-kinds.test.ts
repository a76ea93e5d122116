// Validation of the kinds beside pods and workloads: one mistake, upstream's sentence.

import t from 'tap';
import {
  applyDefaults,
  fieldErrorText,
  type KindSpec,
  type KubeObject,
  kinds,
  validateCreate,
  validateUpdate,
} from '../../src/api/index.ts';
import { labelValue } from './sentences.ts';

type Content = Readonly<Record<string, unknown>>;

function object(kind: KindSpec, content: Content): KubeObject {
  const own = content['metadata'] as object | undefined;
  const metadata = { name: 'x', ...(kind.namespaced ? { namespace: 'default' } : {}), ...own };
  const made = structuredClone({ ...content, metadata }) as KubeObject;
  applyDefaults(kind, made);
  return made;
}

const spec = (content: Content): Content => ({ spec: content });
const podSpec = { restartPolicy: 'Never', containers: [{ name: 'a', image: 'i' }] };
const labels = { app: 'a' };
const job = (content: Content): Content =>
  spec({
    manualSelector: true,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: podSpec },
    ...content,
  });
const cronJob = (content: Content): Content =>
  spec({ schedule: '* * * * *', jobTemplate: { spec: { template: { spec: podSpec } } }, ...content });
const scaler = (content: Content): Content =>
  spec({ maxReplicas: 2, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }, ...content });
const path = (content: Content): Content =>
  spec({
    rules: [
      {
        http: {
          paths: [
            { path: '/', pathType: 'Prefix', backend: { service: { name: 's', port: { number: 80 } } }, ...content },
          ],
        },
      },
    ],
  });
const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
const volume = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], nfs: { server: 's', path: '/p' } };
const webhook = {
  name: 'a.b.c',
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  clientConfig: { url: 'https://h/p' },
};
const pod = (container: Content, more: Content = {}): Content =>
  spec({ containers: [{ name: 'a', image: 'i', ...container }], ...more });

const cases: readonly (readonly [kind: KindSpec, given: Content, ...want: string[]])[] = [
  [kinds.job, job({})],
  [kinds.job, job({ parallelism: -1 }), 'spec.parallelism: Invalid value: -1: must be greater than or equal to 0'],
  [
    kinds.job,
    job({ completionMode: 'Indexed', parallelism: 1 }),
    'spec.completions: Required value: when completion mode is Indexed',
  ],
  [
    kinds.job,
    job({ template: { metadata: { labels }, spec: { ...podSpec, restartPolicy: 'Always' } } }),
    'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
  ],
  [kinds.cronJob, cronJob({ schedule: '@hourly' })],
  [kinds.cronJob, cronJob({ schedule: '*/5 0-12 1,15 jan-mar mon' })],
  [
    kinds.cronJob,
    cronJob({ schedule: 'no' }),
    'spec.schedule: Invalid value: "no": expected exactly 5 fields, found 1: [no]',
  ],
  [
    kinds.cronJob,
    cronJob({ schedule: '60 * * * *' }),
    'spec.schedule: Invalid value: "60 * * * *": end of range (60) above maximum (59): 60',
  ],
  [
    kinds.cronJob,
    cronJob({ schedule: '*/0 * * * *' }),
    'spec.schedule: Invalid value: "*/0 * * * *": step of range should be a positive number: */0',
  ],
  [
    kinds.cronJob,
    cronJob({ timeZone: 'No/Where' }),
    'spec.timeZone: Invalid value: "No/Where": unknown time zone No/Where',
  ],
  [
    kinds.cronJob,
    cronJob({ concurrencyPolicy: 'x' }),
    'spec.concurrencyPolicy: Unsupported value: "x": supported values: "Allow", "Forbid", "Replace"',
  ],
  [kinds.horizontalPodAutoscaler, scaler({ behavior: { scaleUp: {} } })],
  [
    kinds.horizontalPodAutoscaler,
    scaler({ minReplicas: 3 }),
    'spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`',
  ],
  [
    kinds.horizontalPodAutoscaler,
    scaler({ metrics: [{ type: 'Pods' }] }),
    'spec.metrics[0].pods: Required value: must populate information for the given metric source',
  ],
  [
    kinds.horizontalPodAutoscaler,
    scaler({ behavior: { scaleUp: { policies: [] }, scaleDown: { tolerance: '-100m' } } }),
    'spec.behavior.scaleUp.policies: Required value: must specify at least one Policy',
    'spec.behavior.scaleDown.tolerance: Invalid value: "-100m": must be greater than or equal to 0',
  ],
  [
    kinds.horizontalPodAutoscaler,
    scaler({ scaleTargetRef: { apiVersion: 'a/b/c', kind: 'Deployment', name: 'd' } }),
    'spec.scaleTargetRef.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
  ],
  [
    kinds.horizontalPodAutoscaler,
    scaler({ scaleTargetRef: { apiVersion: 'v1', kind: 'Deployment', name: 'd' } }),
    'spec.scaleTargetRef.apiVersion: Invalid value: "v1": apiVersion must specify API group',
  ],
  [
    kinds.horizontalPodAutoscaler,
    scaler({ scaleTargetRef: { apiVersion: 'v1', kind: 'ReplicationController', name: 'r' } }),
  ],
  [
    kinds.runtimeClass,
    {
      handler: 'h',
      overhead: {
        podFixed: { cpu: '-1', pods: '1', 'hugepages-2Mi': '3Mi', 'example.com/gpu': '1500m', memory: '1Mi' },
      },
    },
    'overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
    'overhead.limits[pods]: Invalid value: "pods": must be a standard resource for containers',
    'overhead.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi',
    'overhead.limits[example.com/gpu]: Invalid value: "1500m": must be an integer',
  ],
  [kinds.runtimeClass, { handler: 'h', overhead: {}, scheduling: { nodeSelector: { a: 'b' } } }],
  [
    kinds.runtimeClass,
    { handler: 'h', scheduling: { nodeSelector: { a: '-' } } },
    `scheduling.nodeSelector: Invalid value: "-": ${labelValue}`,
  ],
  [
    kinds.podDisruptionBudget,
    spec({ minAvailable: '120%' }),
    'spec.minAvailable: Invalid value: "120%": must not be greater than 100%',
  ],
  [
    kinds.networkPolicy,
    spec({ podSelector: {}, ingress: [{ from: [{}] }] }),
    'spec.ingress[0].from[0]: Required value: must specify a peer',
  ],
  [
    kinds.networkPolicy,
    spec({ podSelector: {}, egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/33' } }] }] }),
    'spec.egress[0].to[0].ipBlock.cidr: Invalid value: "10.0.0.0/33": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
  ],
  [kinds.ingress, path({})],
  [
    kinds.ingress,
    path({ path: 'a' }),
    'spec.rules[0].http.paths[0].path: Invalid value: "a": must be an absolute path',
  ],
  [
    kinds.ingress,
    path({ pathType: undefined }),
    'spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified',
  ],
  [
    kinds.ingress,
    path({ backend: {} }),
    'spec.rules[0].http.paths[0].backend: Invalid value: "": resource or service backend is required',
  ],
  [kinds.ingressClass, spec({}), 'spec.controller: Required value'],
  [kinds.persistentVolume, spec(volume)],
  [
    kinds.persistentVolume,
    spec({ capacity: volume.capacity, accessModes: volume.accessModes }),
    'spec: Required value: must specify a volume type',
  ],
  [
    kinds.persistentVolume,
    spec({ ...volume, hostPath: { path: '/' } }),
    'spec.nfs: Forbidden: may not specify more than 1 volume type',
  ],
  [kinds.persistentVolumeClaim, spec(claim)],
  [
    kinds.persistentVolumeClaim,
    spec({ ...claim, accessModes: [] }),
    'spec.accessModes: Required value: at least 1 access mode is required',
  ],
  [
    kinds.storageClass,
    { provisioner: 'p', volumeBindingMode: 'x' },
    'volumeBindingMode: Unsupported value: "x": supported values: "Immediate", "WaitForFirstConsumer"',
  ],
  [kinds.resourceQuota, spec({ hard: { pods: '1', 'count/jobs.batch': '2', 'requests.cpu': '500m' } })],
  [kinds.resourceQuota, spec({ hard: { pods: '500m' } }), 'spec.hard[pods]: Invalid value: "500m": must be an integer'],
  [kinds.resourceQuota, spec({ scopes: ['x'] }), 'spec.scopes: Invalid value: ["x"]: unsupported scope'],
  [
    kinds.limitRange,
    spec({ limits: [{ type: 'Pod', min: { cpu: '2' }, max: { cpu: '1' } }] }),
    'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
  ],
  [
    kinds.limitRange,
    spec({ limits: [{ type: 'PersistentVolumeClaim' }] }),
    'spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided',
  ],
  [
    kinds.priorityClass,
    { value: 2e9 },
    'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
  ],
  [kinds.validatingWebhookConfiguration, { webhooks: [webhook] }],
  [
    kinds.validatingWebhookConfiguration,
    { webhooks: [webhook, webhook] },
    'webhooks[1].name: Duplicate value: "a.b.c"',
  ],
  [
    kinds.mutatingWebhookConfiguration,
    { webhooks: [{ ...webhook, timeoutSeconds: 31 }] },
    'webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds',
  ],
  [
    kinds.validatingAdmissionPolicyBinding,
    spec({ policyName: 'p' }),
    'spec.validationActions: Required value: at least one validation action is required',
  ],
  [
    kinds.csiDriver,
    spec({ fsGroupPolicy: 'x' }),
    'spec.fsGroupPolicy: Unsupported value: "x": supported values: "File", "None", "ReadWriteOnceWithFSType"',
  ],
  [kinds.controllerRevision, { revision: 1 }, 'data: Required value: data is mandatory'],
  [
    kinds.apiService,
    { metadata: { name: 'v1.' }, ...spec({ version: 'v1', groupPriorityMinimum: 18_000, versionPriority: 1 }) },
  ],
  [
    kinds.apiService,
    { metadata: { name: 'v1.b' }, ...spec({ group: 'b', version: 'v1', groupPriorityMinimum: 1, versionPriority: 0 }) },
    'spec.versionPriority: Invalid value: 0: must be positive and less than 1000',
  ],
  [
    kinds.priorityLevelConfiguration,
    spec({ type: 'Limited' }),
    'spec.limited: Required value: must not be empty when type is Limited',
  ],
  [
    kinds.replicationController,
    spec({ template: { spec: { containers: podSpec.containers } } }),
    'spec.selector: Required value',
  ],
  [
    kinds.pod,
    pod({}, { hostAliases: [{ ip: 'x' }] }),
    'spec.hostAliases[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
  ],
  [
    kinds.pod,
    pod({}, { volumes: [{ name: 'v', hostPath: { path: '/a', type: 'x' } }] }),
    'spec.volumes[0].hostPath.type: Unsupported value: "x": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
  ],
  [
    kinds.pod,
    pod({ lifecycle: { preStop: {} } }),
    'spec.containers[0].lifecycle.preStop: Required value: must specify a handler type',
  ],
  [kinds.pod, pod({ lifecycle: { preStop: { sleep: { seconds: 1 } }, postStart: { httpGet: { port: 80 } } } })],
  [
    kinds.pod,
    pod({ lifecycle: { preStop: { sleep: { seconds: 1 }, httpGet: { port: 0, scheme: 'FTP' } } } }),
    'spec.containers[0].lifecycle.preStop.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive',
    'spec.containers[0].lifecycle.preStop.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"',
    'spec.containers[0].lifecycle.preStop.sleep: Forbidden: may not specify more than 1 handler type',
  ],
  [
    kinds.pod,
    pod(
      { volumeMounts: [{ name: 'v', mountPath: '/v', mountPropagation: 'Bidirectional' }] },
      { volumes: [{ name: 'v', emptyDir: {} }] },
    ),
    'spec.containers[0].volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers',
  ],
  [
    kinds.pod,
    pod({
      ports: [
        { containerPort: 1, hostPort: 9 },
        { containerPort: 2, hostPort: 9 },
      ],
    }),
    'spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//9"',
  ],
];

for (const [kind, given, ...want] of cases) {
  t.test(`${kind.kind}: ${want[0] ?? 'fine'}`, async (t) => {
    t.strictSame(validateCreate(kind, object(kind, given)).map(fieldErrorText), want);
  });
}

const changes: readonly (readonly [kind: KindSpec, before: Content, after: Content, ...want: string[]])[] = [
  [kinds.job, job({ parallelism: 1 }), job({ parallelism: 2, completions: undefined })],
  [
    kinds.job,
    job({ completions: 1 }),
    job({ completions: 2 }),
    'spec.completions: Invalid value: 2: field is immutable',
  ],
  [
    kinds.job,
    job({ completions: 2, completionMode: 'Indexed' }),
    job({ completions: 3, parallelism: 3, completionMode: 'Indexed' }),
  ],
  [
    kinds.persistentVolume,
    spec(volume),
    spec({ ...volume, nfs: { server: 'o', path: '/p' } }),
    'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation',
  ],
  [kinds.persistentVolumeClaim, spec(claim), spec({ ...claim, volumeName: 'v', storageClassName: 'c' })],
  [
    kinds.persistentVolumeClaim,
    spec(claim),
    spec({ ...claim, accessModes: ['ReadOnlyMany'] }),
    'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
  ],
  [
    kinds.controllerRevision,
    { data: { a: 1 }, revision: 1 },
    { data: { a: 2 }, revision: 2 },
    'data: Invalid value: {"a":2}: field is immutable',
  ],
];

for (const [kind, before, after, ...want] of changes) {
  t.test(`a changed ${kind.kind}: ${want[0] ?? 'fine'}`, async (t) => {
    t.strictSame(validateUpdate(kind, object(kind, after), object(kind, before)).map(fieldErrorText), want);
  });
}
