import t from 'tap';
import type { Node, Pod, Stored } from '../../src/api/index.ts';
import { node, placed, pod } from './objects.ts';

interface Case {
  readonly name: string;
  readonly pod: Stored<Pod>;
  readonly nodes: readonly Stored<Node>[];
  readonly running?: readonly (readonly [Stored<Pod>, string])[];
  readonly want: string | RegExp;
}

const zone = 'topology.kubernetes.io/zone';
const inZone = (name: string, value: string): Stored<Node> => node(name, { labels: { [zone]: value } });
const masterTaint = { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' };
const small = { requests: { cpu: '100m', memory: '64Mi' } };

function check(title: string, cases: readonly Case[]): void {
  t.test(title, async (t) => {
    for (const { name, pod: wanting, nodes, running, want } of cases) {
      const got = placed(wanting, nodes, running);
      if (typeof want === 'string') t.equal(got, want, name);
      else t.match(got, want, name);
    }
  });
}

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

const web = { labels: { app: 'web' } };
const spreadBy = (topologyKey: string, more: object = {}) => ({
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey,
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: 'web' } },
      ...more,
    },
  ],
});

check('topology spread', [
  {
    name: 'the emptier zone',
    pod: pod('p', { ...web, spec: spreadBy(zone) }),
    nodes: [inZone('a', 'z1'), inZone('b', 'z2')],
    running: [[pod('r', web), 'a']],
    want: 'b',
  },
  {
    name: 'the emptier zone is full',
    pod: pod('p', { ...web, requests: { cpu: '1' }, spec: spreadBy(zone) }),
    nodes: [inZone('a', 'z1'), node('b', { labels: { [zone]: 'z2' }, allocatable: { cpu: '0' } })],
    running: [[pod('r', web), 'a']],
    want: "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match pod topology spread constraints.",
  },
  {
    name: 'no such label',
    pod: pod('p', { ...web, spec: spreadBy('rack') }),
    nodes: [node('a')],
    want: /\(missing required label\)/,
  },
  {
    name: 'fewer domains than asked for',
    pod: pod('p', { ...web, spec: spreadBy(zone, { minDomains: 2 }) }),
    nodes: [inZone('a', 'z1')],
    running: [[pod('r', web), 'a']],
    want: /spread constraints\./,
  },
  {
    name: 'soft: preferred only',
    pod: pod('p', { ...web, ...small, spec: spreadBy(zone, { whenUnsatisfiable: 'ScheduleAnyway' }) }),
    nodes: [inZone('a', 'z1'), inZone('b', 'z2')],
    running: [
      [pod('r', web), 'a'],
      [pod('s', { requests: { cpu: '1', memory: '2Gi' } }), 'b'],
    ],
    want: 'b',
  },
  {
    name: 'pods of one controller without any constraint',
    pod: pod('p', { ...small, owner: 'rs' }),
    nodes: [node('a'), node('b')],
    running: [
      [pod('r', { ...small, owner: 'rs' }), 'a'],
      [pod('s', { requests: { cpu: '1', memory: '2Gi' } }), 'b'],
    ],
    want: 'b',
  },
]);

const term = { topologyKey: zone, labelSelector: { matchLabels: { app: 'web' } } };
const together = { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } };
const apart = { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } };
const zones = [inZone('a', 'z1'), inZone('b', 'z2')];

check('affinity between pods', [
  { name: 'together', pod: pod('p', { spec: together }), nodes: zones, running: [[pod('r', web), 'b']], want: 'b' },
  {
    name: 'nobody there',
    pod: pod('p', { spec: together }),
    nodes: zones,
    want: /2 node\(s\) didn't match pod affinity rules/,
  },
  {
    name: 'the second of a group goes where the first is',
    pod: pod('p', { ...web, ...small, spec: together }),
    nodes: zones,
    running: [[pod('r', { ...web, requests: { cpu: '2', memory: '4Gi' } }), 'b']],
    want: 'b',
  },
  { name: 'the first of a group', pod: pod('p', { ...web, spec: together }), nodes: [inZone('a', 'z1')], want: 'a' },
  {
    name: 'of another namespace',
    pod: pod('p', { spec: together }),
    nodes: zones,
    running: [[pod('r', { ...web, namespace: 'other' }), 'b']],
    want: /pod affinity rules/,
  },
  { name: 'apart', pod: pod('p', { spec: apart }), nodes: zones, running: [[pod('r', web), 'b']], want: 'a' },
  {
    name: 'apart, nowhere',
    pod: pod('p', { spec: apart }),
    nodes: [inZone('a', 'z1')],
    running: [[pod('r', web), 'a']],
    want: /didn't match pod anti-affinity rules/,
  },
  {
    name: 'a running pod wants to be apart',
    pod: pod('p', web),
    nodes: [inZone('a', 'z1')],
    running: [[pod('r', { spec: apart }), 'a']],
    want: /didn't satisfy existing pods anti-affinity rules/,
  },
  {
    name: 'preferred',
    pod: pod('p', {
      ...small,
      spec: {
        affinity: {
          podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term }] },
        },
      },
    }),
    nodes: zones,
    running: [[pod('r', { ...web, requests: { cpu: '1', memory: '2Gi' } }), 'b']],
    want: 'b',
  },
]);

check('what cannot be judged is named, not ignored', [
  {
    name: 'ephemeral claims',
    pod: pod('p', { spec: { volumes: [{ name: 'data', ephemeral: {} }] } }),
    nodes: [node('a')],
    want: /volume "data" is ephemeral: nobody makes its PersistentVolumeClaim/,
  },
  {
    name: 'a claim that is not there',
    pod: pod('p', { spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'c' } }] } }),
    nodes: [node('a')],
    want: '0/1 nodes are available: 1 persistentvolumeclaim "c" not found.',
  },
  {
    name: 'namespaceSelector',
    pod: pod('p', {
      spec: {
        affinity: {
          podAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { ...term, namespaceSelector: { matchLabels: { a: 'b' } } },
            ],
          },
        },
      },
    }),
    nodes: [node('a')],
    want: /namespaceSelector/,
  },
]);

check('the emptier and better balanced node is chosen', [
  {
    name: 'emptier',
    pod: pod('p', small),
    nodes: [node('a'), node('b')],
    running: [[pod('r', { requests: { cpu: '1', memory: '2Gi' } }), 'a']],
    want: 'b',
  },
  {
    name: 'pods that ask for nothing do not pile up',
    pod: pod('p'),
    nodes: [node('a'), node('b')],
    running: [[pod('r'), 'a']],
    want: 'b',
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
