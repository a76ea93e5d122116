// Validation of pods: one mistake, upstream's sentence.

import t from 'tap';
import { kinds } from '../../src/api/index.ts';
import { dnsSubdomain } from './sentences.ts';
import { made, wrong } from './validated.ts';

type Fields = Readonly<Record<string, unknown>>;

const pod = (spec: Fields): object => ({ spec: { containers: [{ name: 'a', image: 'i' }], ...spec } });
const container = (fields: Fields, spec: Fields = {}): object =>
  pod({ containers: [{ name: 'a', image: 'i', ...fields }], ...spec });
const volume = (fields: Fields): object => pod({ volumes: [{ name: 'v', ...fields }] });

const list = (values: readonly string[]): string => values.map((value) => JSON.stringify(value)).join(', ');
const readable = list([
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
]);
const variable = (valueFrom: Fields): object => container({ env: [{ name: 'A', valueFrom }] });
const from = 'spec.containers[0].env[0].valueFrom';

const cases: Readonly<Record<string, readonly (readonly [given: object, ...want: string[]])[]>> = {
  'a pod that says nothing': [
    [{}, 'spec.containers: Required value'],
    [{ spec: {} }, 'spec.containers: Required value'],
    [{ spec: { hostNetwork: true } }, 'spec.containers: Required value'],
    [pod({ imagePullSecrets: [{}], terminationGracePeriodSeconds: -1 })],
    [pod({ containers: [{}] }), 'spec.containers[0].name: Required value', 'spec.containers[0].image: Required value'],
  ],
  variables: [
    [variable({ resourceFieldRef: {} }), `${from}.resourceFieldRef.resource: Required value`],
    [
      variable({ resourceFieldRef: { resource: 'x' } }),
      `${from}.resourceFieldRef.resource: Unsupported value: "x": supported values: ${readable}`,
    ],
    [variable({ resourceFieldRef: { resource: 'limits.hugepages-2Mi', divisor: '1Mi' } })],
    [
      variable({ resourceFieldRef: { resource: 'limits.cpu', divisor: '7' } }),
      `${from}.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor's values 1m and 1 are supported with the cpu resource`,
    ],
    [
      variable({ resourceFieldRef: { resource: 'requests.memory', divisor: '3' } }),
      `${from}.resourceFieldRef.divisor: Invalid value: "requests.memory": only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the memory resource`,
    ],
    [
      variable({ fieldRef: { fieldPath: 'x' } }),
      `${from}.fieldRef.fieldPath: Invalid value: "x": error converting fieldPath: field label not supported: x`,
    ],
    [variable({ fieldRef: { fieldPath: "metadata.labels['a/b']" } })],
    [
      variable({ fieldRef: { fieldPath: "spec.nodeName['a']" } }),
      `${from}.fieldRef.fieldPath: Invalid value: "spec.nodeName['a']": error converting fieldPath: field label does not support subscript: spec.nodeName['a']`,
    ],
    [
      variable({ fieldRef: { fieldPath: 'metadata.labels' } }),
      `${from}.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"`,
    ],
    [
      variable({ fieldRef: { fieldPath: 'metadata.name', apiVersion: 'v2' } }),
      `${from}.fieldRef.fieldPath: Invalid value: "metadata.name": error converting fieldPath: unsupported pod version: v2`,
    ],
    [
      variable({ configMapKeyRef: {} }),
      `${from}.configMapKeyRef.name: Invalid value: "": ${dnsSubdomain}`,
      `${from}.configMapKeyRef.key: Required value`,
    ],
    [
      variable({ fileKeyRef: {} }),
      `${from}.fileKeyRef.key: Required value`,
      `${from}.fileKeyRef.volumeName: Required value`,
      `${from}.fileKeyRef.path: Required value`,
    ],
    [
      container({ envFrom: [{ secretRef: {} }, { configMapRef: { name: 'a-' } }, {}] }),
      'spec.containers[0].envFrom[0].secretRef.name: Required value',
      'spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
    ],
  ],
  mounts: [
    [
      container({ volumeMounts: [{}] }),
      'spec.containers[0].volumeMounts[0].name: Required value',
      'spec.containers[0].volumeMounts[0].name: Not found: ""',
      'spec.containers[0].volumeMounts[0].mountPath: Required value',
    ],
    [
      container(
        {
          volumeMounts: [
            { name: 'v', mountPath: '/v', subPath: '/../x', recursiveReadOnly: 'Enabled', mountPropagation: '' },
          ],
        },
        { volumes: [{ name: 'v' }] },
      ),
      'spec.containers[0].volumeMounts.subPath: Invalid value: "/../x": must be a relative path',
      `spec.containers[0].volumeMounts.subPath: Invalid value: "/../x": must not contain '..'`,
      'spec.containers[0].volumeMounts.mountPropagation: Unsupported value: "": supported values: "Bidirectional", "HostToContainer", "None"',
      'spec.containers[0].volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true',
      'spec.containers[0].volumeMounts.recursiveReadOnly: Forbidden: may only be specified when mountPropagation is None or not specified',
    ],
    [
      container(
        {
          volumeMounts: [{ name: 'v', mountPath: '/d', subPath: 'x' }],
          volumeDevices: [{ name: 'v', devicePath: '/d' }, {}],
        },
        { volumes: [{ name: 'v', image: { reference: 'i' } }] },
      ),
      'spec.containers[0].volumeMounts[0].name: Invalid value: "v": must not already exist in volumeDevices',
      'spec.containers[0].volumeMounts[0].mountPath: Invalid value: "/d": must not already exist as a path in volumeDevices',
      'spec.containers[0].volumeMounts[0].subPath: Invalid value: "x": not allowed in image volume sources',
      'spec.containers[0].volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
      'spec.containers[0].volumeDevices[0].name: Invalid value: "v": must not already exist in volumeMounts',
      'spec.containers[0].volumeDevices[0].devicePath: Invalid value: "/d": must not already exist as a path in volumeMounts',
      'spec.containers[0].volumeDevices[1].name: Required value',
      'spec.containers[0].volumeDevices[1].name: Not found: ""',
      'spec.containers[0].volumeDevices[1].devicePath: Required value',
    ],
  ],
  volumes: [
    [pod({ volumes: [{}] }), 'spec.volumes[0].name: Required value'],
    [
      container({ volumeMounts: [{ name: 'v', mountPath: '/v' }] }, { volumes: [{ name: 'v', nfs: {} }] }),
      'spec.volumes[0].nfs.server: Required value',
      'spec.volumes[0].nfs.path: Required value',
      'spec.volumes[0].nfs.path: Invalid value: "": must be an absolute path',
      'spec.containers[0].volumeMounts[0].name: Not found: "v"',
    ],
    [
      volume({
        downwardAPI: { items: [{ resourceFieldRef: {} }, { path: '../x', fieldRef: { fieldPath: 'spec.nodeName' } }] },
      }),
      'spec.volumes[0].downwardAPI.path: Required value',
      'spec.volumes[0].downwardAPI.resourceFieldRef.containerName: Required value',
      `spec.volumes[0].downwardAPI.path: Invalid value: "../x": must not contain '..'`,
      'spec.volumes[0].downwardAPI.fieldRef.fieldPath: Unsupported value: "spec.nodeName": supported values: "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"',
    ],
    [
      volume({
        projected: {
          sources: [
            { secret: { name: 's', items: [{ key: 'k', path: 'p' }] } },
            { configMap: { items: [{ key: 'k', path: 'p' }] }, secret: { name: 's' } },
            { clusterTrustBundle: {} },
          ],
        },
      }),
      'spec.volumes[0].projected.sources[1].configMap.name: Required value',
      'spec.volumes[0].projected: Invalid value: "": conflicting duplicate paths',
      'spec.volumes[0].projected.sources[1]: Forbidden: may not specify more than 1 volume type per source',
      'spec.volumes[0].projected.sources[2].clusterTrustBundle: Required value: either name or signerName must be specified',
      'spec.volumes[0].projected.sources[2].clusterTrustBundle.path: Required value',
    ],
    [
      pod({
        serviceAccountName: 'default',
        volumes: [{ name: 'v', projected: { sources: [{ serviceAccountToken: { expirationSeconds: 1 } }] } }],
      }),
      'spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes',
      'spec.volumes[0].projected.path: Required value',
    ],
    [
      volume({ projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }),
      'spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set',
    ],
    [
      volume({ iscsi: { iqn: 'x', lun: 256, chapAuthSession: true } }),
      'spec.volumes[0].iscsi.targetPortal: Required value',
      'spec.volumes[0].iscsi.iqn: Invalid value: "x": must be valid format starting with iqn, eui, or naa',
      'spec.volumes[0].iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive',
      'spec.volumes[0].iscsi.secretRef: Required value',
    ],
    [
      volume({ csi: { driver: `${'a'.repeat(64)}!` } }),
      'spec.volumes[0].csi.driver: Too long: may not be more than 63 bytes',
      `spec.volumes[0].csi.driver: Invalid value: "${'a'.repeat(64)}!": ${dnsSubdomain}`,
    ],
    [volume({ image: {} }), 'spec.volumes[0].image.reference: Required value'],
    [
      volume({ emptyDir: {}, downwardAPI: {}, cephfs: {} }),
      'spec.volumes[0].cephFS: Forbidden: may not specify more than 1 volume type',
      'spec.volumes[0].downwarAPI: Forbidden: may not specify more than 1 volume type',
    ],
    [
      pod({
        volumes: [
          { name: 'e', ephemeral: {} },
          { name: 'v', persistentVolumeClaim: { claimName: 'x-e' } },
        ],
      }),
      'spec.volumes[0].ephemeral.volumeClaimTemplate: Required value',
      'spec.volumes[1].persistentVolumeClaim.claimName: Invalid value: "x-e": must not reference a PVC that gets created for an ephemeral volume',
    ],
    [
      volume({ fc: { targetWWNs: ['a'], wwids: ['b'] } }),
      'spec.volumes[0].fc.targetWWNs: Invalid value: ["a"]: targetWWNs and wwids can not be specified simultaneously',
      'spec.volumes[0].fc.lun: Required value: lun is required if targetWWNs is specified',
    ],
    [
      volume({ flexVolume: { driver: 'd', options: { 'x.k8s.io/a': 'b' } } }),
      'spec.volumes[0].flexVolume.options[x.k8s.io/a]: Invalid value: "x.k8s.io/a": kubernetes.io and k8s.io namespaces are reserved',
    ],
  ],
  resources: [
    [
      container({ resources: { requests: { foo: '1', 'example.com/x': '500m' } } }),
      'spec.containers[0].resources.requests[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
      'spec.containers[0].resources.requests[foo]: Invalid value: "foo": must be a standard resource for containers',
      'spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources',
      'spec.containers[0].resources.requests[example.com/x]: Invalid value: "500m": must be an integer',
    ],
    [
      container({ resources: { limits: { 'hugepages-2Mi': '3Mi' }, claims: [{ name: 'c' }, { name: 'c' }] } }),
      'spec.containers[0].resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi',
      'spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi',
      'spec.containers[0].resources: Forbidden: HugePages require cpu or memory',
      'spec.containers[0].resources.claims[0]: Not found: "c": must be one of the names in pod.spec.resourceClaims which is empty',
      'spec.containers[0].resources.claims[1]: Duplicate value: "c"',
      'spec.containers[0].resources.claims[1]: Not found: "c": must be one of the names in pod.spec.resourceClaims which is empty',
    ],
    [
      container({ resources: { limits: { 'e.com/x': '2' }, requests: { 'e.com/x': '1' } } }),
      'spec.containers[0].resources.requests: Invalid value: "1": must be equal to e.com/x limit of 2',
    ],
    [
      container(
        { resources: { limits: { cpu: '2' } } },
        { resources: { requests: { cpu: '1', storage: '1' }, limits: { cpu: '1' } } },
      ),
      'spec.resources.requests[storage]: Unsupported value: "storage": supported values: "cpu", "hugepages-", "memory"',
      'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2',
      'spec.resources.containers[0][cpu].limits: Invalid value: "2": must be less than or equal to pod limits of 1',
    ],
  ],
  'probes and hooks': [
    [
      container({ livenessProbe: { httpGet: { port: 80, httpHeaders: [{}] }, terminationGracePeriodSeconds: 0 } }),
      `spec.containers[0].livenessProbe.httpGet.httpHeaders: Invalid value: "": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')`,
      'spec.containers[0].livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0',
    ],
    [
      container({ readinessProbe: { tcpSocket: { port: 80 }, terminationGracePeriodSeconds: 1 } }),
      'spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 1: must not be set for readinessProbes',
    ],
    [
      container({ lifecycle: { preStop: { sleep: { seconds: 31 } } } }),
      'spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)',
    ],
  ],
  security: [
    [
      pod({
        securityContext: { fsGroupChangePolicy: '', seccompProfile: { type: 'Localhost', localhostProfile: '../x' } },
      }),
      'spec.securityContext.fsGroupChangePolicy: Unsupported value: "": supported values: "Always", "OnRootMismatch"',
      `spec.securityContext.seccompProfile.localhostProfile: Invalid value: "../x": must not contain '..'`,
    ],
    [
      container({
        securityContext: { procMount: 'Unmasked', appArmorProfile: { type: 'Localhost', localhostProfile: ' x' } },
      }),
      'spec.containers[0].securityContext.procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`',
      'spec.containers[0].securityContext.appArmorProfile.localhostProfile: Invalid value: " x": must not be padded with whitespace',
    ],
    [
      container({}, { hostUsers: false, hostNetwork: true, hostPID: true }),
      'spec.hostNetwork: Forbidden: when `pod.Spec.HostUsers` is false',
      'spec.HostPID: Forbidden: when `pod.Spec.HostUsers` is false',
    ],
    [
      container({ securityContext: { windowsOptions: { runAsUserName: '' } } }, { os: { name: 'linux' } }),
      `spec.containers[0].securityContext.windowsOptions.runAsUserName: Invalid value: "": runAsUserName cannot be an empty string`,
      'spec.containers[0].securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod',
    ],
    [
      pod({ os: { name: 'windows' }, securityContext: { runAsUser: 1, windowsOptions: { hostProcess: true } } }),
      'spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers',
      'spec.securityContext.runAsUser: Forbidden: cannot be set for a windows pod',
    ],
  ],
  'where it runs': [
    [
      pod({
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', matchLabelKeys: ['a'] },
          { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' },
        ],
      }),
      'spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, DoNotSchedule}"',
      'spec.topologySpreadConstraints[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set',
    ],
    [
      pod({ tolerations: [{ key: 'k', operator: 'Exists', value: 'v' }] }),
      `spec.tolerations[0].operator: Invalid value: "v": value must be empty when \`operator\` is 'Exists'`,
    ],
    [
      container({ ports: [{ containerPort: 80, hostPort: 81, hostIP: 'any' }] }, { hostNetwork: true }),
      'spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true',
    ],
    [pod({ dnsPolicy: 'None' }), 'spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
    [pod({ dnsConfig: { searches: ['_a.b_c.', '.'] } })],
  ],
  annotations: [
    [
      {
        ...pod({}),
        metadata: {
          name: 'x',
          namespace: 'd',
          annotations: { 'kubernetes.io/config.mirror': 'm', 'controller.kubernetes.io/pod-deletion-cost': '+1' },
        },
      },
      'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "m": must set spec.nodeName if mirror pod annotation is set',
      'metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "+1": must be a 32bit integer',
    ],
    [
      {
        ...container({ securityContext: { appArmorProfile: { type: 'Unconfined' } } }),
        metadata: {
          name: 'x',
          namespace: 'd',
          annotations: { 'container.apparmor.security.beta.kubernetes.io/a': 'runtime/default' },
        },
      },
      'spec.containers[0].securityContext.appArmorProfile.type: Forbidden: apparmor type in annotation and field must match',
    ],
  ],
};

for (const [name, table] of Object.entries(cases)) {
  t.test(`pods: ${name}`, async (t) => {
    for (const [given, ...want] of table) t.strictSame(wrong(kinds.pod, given), want, want[0] ?? 'fine');
  });
}

t.test('a pod that limits itself as a whole asks for what its containers ask', async (t) => {
  const podLevel = (resources: Fields): unknown => {
    const own = { requests: { cpu: '1' }, limits: { 'hugepages-2Mi': '2Mi' } };
    const given = made(kinds.pod, container({ resources: own }, { resources }));
    return (given as { spec?: { resources?: unknown } }).spec?.resources;
  };
  t.strictSame(podLevel({ limits: { cpu: '2', memory: '1Gi' } }), {
    limits: { cpu: '2', memory: '1Gi', 'hugepages-2Mi': '2Mi' },
    requests: { cpu: '1', memory: '1Gi', 'hugepages-2Mi': '2Mi' },
  });
  t.strictSame(podLevel({}), {}, 'nothing is made of nothing');
});
