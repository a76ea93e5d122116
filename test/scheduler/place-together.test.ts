import { check, inZone, zone } from './cases.ts';
import { node, pod } from './objects.ts';

const small = { requests: { cpu: '100m', memory: '64Mi' } };

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
    name: 'variables from files',
    pod: pod('p', {
      spec: {
        containers: [
          {
            name: 'main',
            env: [{ name: 'A', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'env', key: 'A' } } }],
          },
        ],
      },
    }),
    nodes: [node('a')],
    want: /container "main" has a variable from a file \(fileKeyRef\), which no agent here reads/,
  },
  {
    name: 'stop signals',
    pod: pod('p', { spec: { containers: [{ name: 'main', lifecycle: { stopSignal: 'SIGUSR1' } }] } }),
    nodes: [node('a')],
    want: /container "main" wants a stop signal of its own/,
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
