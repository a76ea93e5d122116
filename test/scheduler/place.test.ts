import { check } from './cases.ts';
import { node, pod } from './objects.ts';

const masterTaint = { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' };
const small = { requests: { cpu: '100m', memory: '64Mi' } };

check('a refusal counts the nodes by reason, in upstream’s words', [
  { name: 'no nodes', pod: pod('p'), nodes: [], want: 'no nodes available to schedule pods' },
  {
    name: 'mixed',
    pod: pod('p', { requests: { cpu: '5' } }),
    nodes: [node('m', { taints: [masterTaint] }), node('a'), node('b')],
    want: '0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 Insufficient cpu.',
  },
  {
    name: 'several shortages of one node',
    pod: pod('p', { requests: { cpu: '5', memory: '9Gi', 'example.com/gpu': '1' } }),
    nodes: [node('a')],
    want: '0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient example.com/gpu, 1 Insufficient memory.',
  },
]);

check('resources: what fits, counting what runs there, init containers, sidecars, overhead and pod level', [
  {
    name: 'exactly fits',
    pod: pod('p', { requests: { cpu: '1500m', memory: '4Gi' } }),
    nodes: [node('a')],
    running: [[pod('r', { requests: { cpu: '2500m', memory: '4Gi' } }), 'a']],
    want: 'a',
  },
  {
    name: 'one millicore too much',
    pod: pod('p', { requests: { cpu: '1501m' } }),
    nodes: [node('a')],
    running: [[pod('r', { requests: { cpu: '2500m' } }), 'a']],
    want: /1 Insufficient cpu\./,
  },
  {
    name: 'asks for nothing, on an overcommitted node',
    pod: pod('p'),
    nodes: [node('a')],
    running: [[pod('r', { requests: { cpu: '9' } }), 'a']],
    want: 'a',
  },
  {
    name: 'an init container larger than the rest',
    pod: pod('p', { ...small, spec: initContainers([{ cpu: '5' }]) }),
    nodes: [node('a')],
    want: /Insufficient cpu/,
  },
  {
    name: 'init containers run one after the other',
    pod: pod('p', { ...small, spec: initContainers([{ cpu: '3' }, { cpu: '3' }]) }),
    nodes: [node('a')],
    want: 'a',
  },
  {
    name: 'a sidecar stays beside what comes after it',
    pod: pod('p', { ...small, spec: initContainers([{ cpu: '2', always: true }, { cpu: '3' }]) }),
    nodes: [node('a')],
    want: /Insufficient cpu/,
  },
  {
    name: 'overhead counts',
    pod: pod('p', { requests: { cpu: '4' }, spec: { overhead: { cpu: '1m' } } }),
    nodes: [node('a')],
    want: /Insufficient cpu/,
  },
  {
    name: 'requests of the whole pod replace the sum',
    pod: pod('p', { requests: { cpu: '5' }, spec: { resources: { requests: { cpu: '1' } } } }),
    nodes: [node('a')],
    want: 'a',
  },
  {
    name: 'ephemeral storage',
    pod: pod('p', { requests: { 'ephemeral-storage': '101Gi' } }),
    nodes: [node('a')],
    want: /Insufficient ephemeral-storage/,
  },
  {
    name: 'the last device',
    pod: pod('p', { requests: { 'example.com/gpu': '1' } }),
    nodes: [node('a', { allocatable: { 'example.com/gpu': '1' } })],
    want: 'a',
  },
  {
    name: 'extended resources in use',
    pod: pod('p', { requests: { 'example.com/gpu': '1' } }),
    nodes: [node('a', { allocatable: { 'example.com/gpu': '1' } })],
    running: [[pod('r', { requests: { 'example.com/gpu': '1' } }), 'a']],
    want: /Insufficient example.com\/gpu/,
  },
  {
    name: 'places for pods',
    pod: pod('p'),
    nodes: [node('a', { allocatable: { pods: '1' } })],
    running: [[pod('r'), 'a']],
    want: '0/1 nodes are available: 1 Too many pods.',
  },
]);

check('taints and the unschedulable mark', [
  {
    name: 'cordoned',
    pod: pod('p'),
    nodes: [node('a', { unschedulable: true })],
    want: /1 node\(s\) were unschedulable/,
  },
  {
    name: 'cordoned, tolerated',
    pod: pod('p', { spec: { tolerations: [{ operator: 'Exists' }] } }),
    nodes: [node('a', { unschedulable: true })],
    want: 'a',
  },
  {
    name: 'tolerated by key and value',
    pod: pod('p', { spec: { tolerations: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] } }),
    nodes: [node('a', { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] })],
    want: 'a',
  },
  {
    name: 'another value',
    pod: pod('p', { spec: { tolerations: [{ key: 'k', value: 'w' }] } }),
    nodes: [node('a', { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] })],
    want: /untolerated taint \{k: v\}/,
  },
  {
    name: 'PreferNoSchedule only moves it away',
    pod: pod('p', small),
    nodes: [node('a', { taints: [{ key: 'k', effect: 'PreferNoSchedule' }] }), node('b')],
    running: [[pod('r', { requests: { cpu: '1', memory: '2Gi' } }), 'b']],
    want: 'b',
  },
]);

check('node selector and affinity', [
  {
    name: 'selector',
    pod: pod('p', { spec: { nodeSelector: { disk: 'ssd' } } }),
    nodes: [node('a'), node('b', { labels: { disk: 'ssd' } })],
    want: 'b',
  },
  {
    name: 'nobody matches',
    pod: pod('p', { spec: { nodeSelector: { disk: 'ssd' } } }),
    nodes: [node('a')],
    want: "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
  },
  ...(
    [
      ['In', ['b']],
      ['NotIn', ['a']],
      ['Exists', undefined],
      ['Gt', ['5']],
    ] as const
  ).map(([operator, values]) => ({
    name: operator,
    pod: pod('p', {
      spec: affinity(operator, operator === 'Gt' ? 'size' : operator === 'Exists' ? 'only-b' : 'name', values),
    }),
    nodes: [
      node('a', { labels: { name: 'a', size: '5' } }),
      node('b', { labels: { name: 'b', size: '6', 'only-b': '' } }),
    ],
    want: 'b',
  })),
  {
    name: 'preferred',
    pod: pod('p', {
      ...small,
      spec: {
        affinity: {
          nodeAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 10, preference: { matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] } },
            ],
          },
        },
      },
    }),
    nodes: [node('a'), node('b', { labels: { disk: 'ssd' } }), node('c')],
    running: [[pod('r', { requests: { cpu: '1', memory: '2Gi' } }), 'b']],
    want: 'b',
  },
]);

check('host ports', [
  {
    name: 'taken',
    pod: pod('p', { spec: hostPort(80) }),
    nodes: [node('a')],
    running: [[pod('r', { spec: hostPort(80) }), 'a']],
    want: /free ports/,
  },
  {
    name: 'elsewhere',
    pod: pod('p', { spec: hostPort(80) }),
    nodes: [node('a'), node('b')],
    running: [[pod('r', { spec: hostPort(80) }), 'a']],
    want: 'b',
  },
  {
    name: 'another address',
    pod: pod('p', { spec: hostPort(80, '10.0.0.1') }),
    nodes: [node('a')],
    running: [[pod('r', { spec: hostPort(80, '10.0.0.2') }), 'a']],
    want: 'a',
  },
  {
    name: 'an address against all',
    pod: pod('p', { spec: hostPort(80, '10.0.0.1') }),
    nodes: [node('a')],
    running: [[pod('r', { spec: hostPort(80) }), 'a']],
    want: /free ports/,
  },
]);

function initContainers(list: readonly { readonly cpu: string; readonly always?: boolean }[]) {
  return {
    initContainers: list.map(({ cpu, always = false }, index) => ({
      name: `i${index}`,
      resources: { requests: { cpu } },
      ...(always ? { restartPolicy: 'Always' } : {}),
    })),
  };
}

function affinity(operator: string, key: string, values: readonly string[] | undefined) {
  const expression = { key, operator, ...(values === undefined ? {} : { values }) };
  const terms = { nodeSelectorTerms: [{ matchExpressions: [expression] }] };
  return { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } } };
}

function hostPort(port: number, hostIP = '') {
  return { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: port, hostPort: port, hostIP }] }] };
}
