// Validation: one mistake, one message in upstream's words; and the Status of a 422.

import t from 'tap';
import {
  fieldErrorText,
  invalidStatus,
  type KindSpec,
  type KubeObject,
  kinds,
  validateCreate,
} from '../../src/api/index.ts';
import { ensureSchemas } from './schemas.ts';
import { made, wrong, wrongChange } from './validated.ts';

ensureSchemas();

type Fields = Record<string, unknown>;

const pod = (container: Fields, spec: Fields = {}): object => ({
  spec: { containers: [{ name: 'a', image: 'i', ...container }], ...spec },
});
const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'a', image: 'i' }] } };
const deployment = (spec: Fields): object => ({ spec: { selector: { matchLabels: { app: 'x' } }, template, ...spec } });

const pods: readonly (readonly [content: object, want: readonly string[]])[] = [
  [pod({}), []],
  [{ spec: {} }, ['spec.containers: Required value']],
  [pod({ image: '' }), ['spec.containers[0].image: Required value']],
  [
    pod({ image: ' i' }),
    ['spec.containers[0].image: Invalid value: " i": must not have leading or trailing whitespace'],
  ],
  [
    pod(
      {},
      {
        containers: [
          { name: 'a', image: 'i' },
          { name: 'a', image: 'i' },
        ],
      },
    ),
    ['spec.containers[1].name: Duplicate value: "a"'],
  ],
  [pod({}, { initContainers: [{ name: 'a', image: 'i' }] }), ['spec.initContainers[0].name: Duplicate value: "a"']],
  [
    pod({ imagePullPolicy: 'Sometimes' }),
    [
      'spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"',
    ],
  ],
  [pod({ ports: [{}] }), ['spec.containers[0].ports[0].containerPort: Required value']],
  [
    pod({ ports: [{ containerPort: 70000, protocol: 'ICMP' }] }),
    [
      'spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
      'spec.containers[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
    ],
  ],
  [
    pod({ volumeMounts: [{ name: 'v', mountPath: '/x' }] }),
    ['spec.containers[0].volumeMounts[0].name: Not found: "v"'],
  ],
  [
    pod(
      {
        volumeMounts: [
          { name: 'v', mountPath: '/x' },
          { name: 'v', mountPath: '/x' },
        ],
      },
      { volumes: [{ name: 'v', emptyDir: {} }] },
    ),
    ['spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/x": must be unique'],
  ],
  [
    pod({}, { volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/' } }] }),
    ['spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type'],
  ],
  [pod({ env: [{ value: 'x' }] }), ['spec.containers[0].env[0].name: Required value']],
  [
    pod({ env: [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }),
    ['spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'],
  ],
  [
    pod({ resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }),
    ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
  ],
  [
    pod({ resources: { limits: { cpu: '-1' } } }),
    [
      'spec.containers[0].resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
      'spec.containers[0].resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0',
    ],
  ],
  [pod({ livenessProbe: {} }), ['spec.containers[0].livenessProbe: Required value: must specify a handler type']],
  [
    pod({ livenessProbe: { tcpSocket: { port: 80 }, successThreshold: 2 } }),
    ['spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1'],
  ],
  [
    pod({}, { restartPolicy: 'Maybe' }),
    ['spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "OnFailure", "Never"'],
  ],
  [pod({ resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] }), []],
  [pod({ resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }] }, { restartPolicy: 'Never' }), []],
  [
    pod({ resizePolicy: [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }] }, { restartPolicy: 'Never' }),
    [
      "spec.containers[0].resizePolicy: Invalid value: \"RestartContainer\": must be 'NotRequired' when `restartPolicy` is 'Never'",
    ],
  ],
  [
    pod(
      {},
      {
        restartPolicy: 'Never',
        initContainers: [
          {
            name: 's',
            image: 'i',
            restartPolicy: 'Always',
            resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }],
          },
        ],
      },
    ),
    [
      "spec.initContainers[0].resizePolicy: Invalid value: \"RestartContainer\": must be 'NotRequired' when `restartPolicy` is 'Never'",
    ],
  ],
  [
    pod({
      resizePolicy: [
        { resourceName: 'cpu', restartPolicy: 'NotRequired' },
        { resourceName: 'cpu', restartPolicy: 'RestartContainer' },
      ],
    }),
    ['spec.containers[0].resizePolicy[1]: Duplicate value: "cpu"'],
  ],
  [pod({ resizePolicy: [{ restartPolicy: 'NotRequired' }] }), ['spec.containers[0].resizePolicy: Required value']],
  [pod({}, { os: { name: '' } }), ['spec.os.name: Required value: cannot be empty']],
  [
    pod({}, { activeDeadlineSeconds: 0 }),
    ['spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive'],
  ],
  [
    pod({}, { tolerations: [{ key: 'a', operator: 'Exists', tolerationSeconds: 1 }] }),
    ['spec.tolerations[0].effect: Invalid value: "": effect must be \'NoExecute\' when `tolerationSeconds` is set'],
  ],
  [
    pod({}, { ephemeralContainers: [{ name: 'e', image: 'i' }] }),
    ['spec.ephemeralContainers: Forbidden: cannot be set on create'],
  ],
];

t.test('pods', async (t) => {
  for (const [content, want] of pods)
    t.strictSame(wrong(kinds.pod, content), want, JSON.stringify(content).slice(0, 90));
});

t.test('metadata', async (t) => {
  const meta = (kind: KindSpec, metadata: Fields): string[] =>
    validateCreate(kind, { metadata } as KubeObject).map(fieldErrorText);
  t.strictSame(meta(kinds.serviceAccount, {}), [
    'metadata.name: Required value: name or generateName is required',
    'metadata.namespace: Required value',
  ]);
  t.match(meta(kinds.serviceAccount, { name: 'A_b', namespace: 'x' }), [
    /^metadata\.name: Invalid value: "A_b": a lowercase RFC 1123 subdomain must consist of .* \(e\.g\. 'example\.com', regex used/,
  ]);
  t.strictSame(meta(kinds.node, { name: 'a', namespace: 'x' }), [
    'metadata.namespace: Forbidden: not allowed on this type',
  ]);
  t.match(meta(kinds.namespace, { name: 'a.b' }), [/a lowercase RFC 1123 label must consist of/]);
  t.strictSame(meta(kinds.clusterRole, { name: 'system:node' }), [], 'RBAC names may hold colons');
  t.strictSame(meta(kinds.clusterRole, { name: 'a/b' }), [
    'metadata.name: Invalid value: "a/b": may not contain \'/\'',
  ]);
  t.match(meta(kinds.serviceAccount, { name: 'a', namespace: 'x', labels: { 'a b': 'c d' } }), [
    /^metadata\.labels: Invalid value: "a b": name part must consist/,
    /^metadata\.labels: Invalid value: "c d": a valid label must be an empty string or/,
  ]);
  t.strictSame(meta(kinds.serviceAccount, { name: 'a', namespace: 'x', annotations: { a: 'x'.repeat(300_000) } }), [
    'metadata.annotations: Too long: may not be more than 262144 bytes',
  ]);
  const owner = { apiVersion: 'v1', kind: 'A', name: 'a', uid: '1', controller: true };
  t.match(
    meta(kinds.serviceAccount, {
      name: 'a',
      namespace: 'x',
      ownerReferences: [owner, { ...owner, name: 'b', uid: '' }],
    }),
    [
      'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
      /Only one reference can have Controller set to true\. Found "true" in references for A\/a and A\/b/,
    ],
  );
});

t.test('workloads', async (t) => {
  t.strictSame(wrong(kinds.deployment, deployment({})), []);
  t.strictSame(wrong(kinds.deployment, deployment({ selector: { matchLabels: { app: 'y' } } })), [
    'spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`',
  ]);
  t.strictSame(wrong(kinds.replicaSet, deployment({ selector: {} })), [
    'spec.selector: Invalid value: {}: empty selector is invalid for deployment',
  ]);
  t.strictSame(wrong(kinds.deployment, { spec: { template } }), [
    'spec.selector: Required value',
    'spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`',
  ]);
  t.strictSame(wrong(kinds.deployment, deployment({ replicas: -1 })), [
    'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
  ]);
  t.strictSame(wrong(kinds.deployment, deployment({ strategy: { type: 'Recreate', rollingUpdate: {} } })), [
    "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
  ]);
  t.strictSame(
    wrong(kinds.deployment, deployment({ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } })),
    ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0'],
  );
  t.strictSame(
    wrong(
      kinds.deployment,
      deployment({ template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } }),
    ),
    ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
  );
  t.strictSame(wrong(kinds.deployment, deployment({ minReadySeconds: 600 })), [
    'spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds',
  ]);
  const other = { selector: { matchLabels: { b: 'c' } }, template: { ...template, metadata: { labels: { b: 'c' } } } };
  t.strictSame(wrongChange(kinds.deployment, deployment({}), deployment(other)), [
    'spec.selector: Invalid value: {"matchLabels":{"b":"c"}}: field is immutable',
  ]);
  t.match(wrongChange(kinds.statefulSet, deployment({ serviceName: 'a' }), deployment({ serviceName: 'b' })), [
    /^spec: Forbidden: updates to statefulset spec for fields other than 'replicas'/,
  ]);
});

t.test('services and endpoints', async (t) => {
  const service = (spec: Fields): readonly string[] => wrong(kinds.service, { spec });
  t.strictSame(service({ ports: [{ port: 80 }] }), []);
  t.strictSame(service({}), ['spec.ports: Required value']);
  t.strictSame(service({ clusterIP: 'None', clusterIPs: ['None'] }), []);
  t.strictSame(service({ ports: [{ port: 80 }, { port: 80 }] }), [
    'spec.ports[0].name: Required value',
    'spec.ports[1].name: Required value',
    'spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80}',
  ]);
  t.strictSame(service({ type: 'Fancy', ports: [{ port: 80 }] }), [
    'spec.type: Unsupported value: "Fancy": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
  ]);
  t.strictSame(service({ type: 'ExternalName' }), ['spec.externalName: Required value']);
  t.strictSame(service({ ports: [{ port: 80, nodePort: 30000 }] }), [
    "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
  ]);
  t.match(wrong(kinds.service, { metadata: { name: '1a', namespace: 'x' }, spec: { ports: [{ port: 80 }] } }), [
    /a DNS-1035 label must consist/,
  ]);
  const at = (clusterIP: string): object => ({ spec: { clusterIP, clusterIPs: [clusterIP], ports: [{ port: 80 }] } });
  t.strictSame(wrongChange(kinds.service, at('10.0.0.1'), at('10.0.0.2')), [
    'spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set',
  ]);
  t.strictSame(wrong(kinds.endpointSlice, { addressType: 'IPv4', endpoints: [{ addresses: ['x'] }] }), [
    'endpoints[0].addresses[0]: Invalid value: "x": must be a valid IPv4 address',
    'endpoints[0].addresses[0]: Invalid value: "x": must be a valid IP address',
  ]);
});

t.test('configuration', async (t) => {
  t.match(wrong(kinds.configMap, { data: { 'a/b': 'x' } }), [
    /^data\[a\/b\]: Invalid value: "a\/b": a valid config key must consist/,
  ]);
  t.strictSame(wrong(kinds.configMap, { data: { a: 'x'.repeat(1_100_000) } }), [
    ': Too long: may not be more than 1048576 bytes',
  ]);
  t.strictSame(
    wrongChange(kinds.configMap, { immutable: true, data: { a: '1' } }, { immutable: true, data: { a: '2' } }),
    ['data: Forbidden: field is immutable when `immutable` is set'],
  );
  t.strictSame(wrong(kinds.secret, { type: 'kubernetes.io/tls', data: {} }), [
    'data[tls.crt]: Required value',
    'data[tls.key]: Required value',
  ]);
  t.strictSame(wrongChange(kinds.secret, { type: 'a' }, { type: 'b' }), [
    'type: Invalid value: "b": field is immutable',
  ]);
});

t.test('cluster kinds', async (t) => {
  t.strictSame(wrong(kinds.role, { kind: 'Role', rules: [{ nonResourceURLs: ['/x'] }] }), [
    'rules[0].verbs: Required value: verbs must contain at least one value',
    'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
  ]);
  const binding = (name: string): object => ({
    roleRef: { kind: 'ClusterRole', name },
    subjects: [{ kind: 'User', name: 'u' }],
  });
  t.match(wrongChange(kinds.clusterRoleBinding, binding('a'), binding('b')), [
    /^roleRef: Invalid value: .*: cannot change roleRef$/,
  ]);
  t.strictSame(wrong(kinds.lease, { spec: { leaseDurationSeconds: 0 } }), [
    'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
  ]);
  t.match(wrong(kinds.certificateSigningRequest, { spec: { request: 'eA==', signerName: 'x', usages: ['fun'] } }), [
    'spec.request: Invalid value: "eA==": PEM block type must be CERTIFICATE REQUEST',
    /^spec\.usages\[0\]: Unsupported value: "fun"/,
    /must be a fully qualified domain and path of the form 'example\.com\/signer-name'$/,
  ]);
  t.strictSame(wrong(kinds.node, { spec: { taints: [{ key: 'a', effect: 'Never' }] } }), [
    'metadata.taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
  ]);
  t.strictSame(wrong(kinds.event, { involvedObject: { namespace: 'other' } }), [
    'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
  ]);
});

t.test('a pod that exists keeps its spec', async (t) => {
  t.strictSame(wrongChange(kinds.pod, pod({}), pod({ image: 'j' })), [], 'images may change');
  t.strictSame(
    wrongChange(kinds.pod, pod({}), pod({}, { tolerations: [{ operator: 'Exists' }] })),
    [],
    'tolerations may be added',
  );
  t.match(wrongChange(kinds.pod, pod({}), pod({ args: ['x'] })), [
    /^spec: Forbidden: pod updates may not change fields other than/,
  ]);
  t.strictSame(wrongChange(kinds.pod, pod({}), pod({}, { containers: [] })).slice(-1), [
    'spec.containers: Forbidden: pod updates may not add or remove containers',
  ]);
  t.strictSame(
    wrongChange(
      kinds.pod,
      { ...pod({}), metadata: { name: 'x', namespace: 'default', uid: '1' } },
      { ...pod({}), metadata: { name: 'x', namespace: 'default', uid: '2' } },
    ),
    ['metadata.uid: Invalid value: "2": field is immutable'],
  );
});

t.test('the Status of an invalid object', async (t) => {
  const errors = validateCreate(
    kinds.deployment,
    made(kinds.deployment, deployment({ replicas: -1, minReadySeconds: -1 })),
  );
  const { message, details } = invalidStatus(kinds.deployment, 'x', errors);
  t.equal(
    message,
    'Deployment.apps "x" is invalid: [spec.replicas: Invalid value: -1: must be greater than or equal to 0, spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0]',
  );
  t.strictSame(details, {
    name: 'x',
    group: 'apps',
    kind: 'Deployment',
    causes: [
      {
        reason: 'FieldValueInvalid',
        message: 'Invalid value: -1: must be greater than or equal to 0',
        field: 'spec.replicas',
      },
      {
        reason: 'FieldValueInvalid',
        message: 'Invalid value: -1: must be greater than or equal to 0',
        field: 'spec.minReadySeconds',
      },
    ],
  });
  t.equal(
    invalidStatus(kinds.pod, 'p', errors.slice(0, 1)).message,
    'Pod "p" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
  );
});
