// What objects use of a quota, and which quotas are about them.

import t from 'tap';
import {
  addUsage,
  formatQuantity,
  type KindSpec,
  type KubeObject,
  kinds,
  matchesScopes,
  type Quantities,
  type ResourceQuota,
  usageOf,
} from '../../src/api/index.ts';

function texts(quantities: Quantities): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(quantities).map(([name, one]) => [name, formatQuantity(one)]));
}

const container = (requests: object, limits: object = {}, more: object = {}): object => ({
  name: 'c',
  resources: { requests, limits },
  ...more,
});
const pod = (spec: object, more: object = {}): KubeObject => ({ kind: 'Pod', spec, ...more }) as KubeObject;

const usages: readonly {
  readonly name: string;
  readonly kind: KindSpec;
  readonly object: object;
  readonly want: object;
}[] = [
  { name: 'any kind counts', kind: kinds.deployment, object: {}, want: { 'count/deployments.apps': '1' } },
  {
    name: 'config maps have two names',
    kind: kinds.configMap,
    object: {},
    want: { configmaps: '1', 'count/configmaps': '1' },
  },
  {
    name: 'a pod: containers together, init containers one by one, sidecars beside both',
    kind: kinds.pod,
    object: pod({
      containers: [container({ cpu: '100m', memory: '1Gi' }, { cpu: '1' }), container({ cpu: '200m' })],
      initContainers: [
        container({ memory: '10Mi' }, {}, { restartPolicy: 'Always' }),
        container({ cpu: '1', memory: '1Gi' }),
      ],
      overhead: { cpu: '10m' },
    }),
    want: {
      'count/pods': '1',
      pods: '1',
      cpu: '1010m',
      'requests.cpu': '1010m',
      memory: '1034Mi',
      'requests.memory': '1034Mi',
      'limits.cpu': '1010m',
    },
  },
  {
    name: 'extended resources count by request only',
    kind: kinds.pod,
    object: pod({ containers: [container({ 'example.com/gpu': '2' }, { 'example.com/gpu': '2' })] }),
    want: { 'count/pods': '1', pods: '1', 'requests.example.com/gpu': '2' },
  },
  {
    name: 'what a node still holds during a resize counts',
    kind: kinds.pod,
    object: pod(
      { containers: [container({ cpu: '1' })] },
      { status: { containerStatuses: [{ name: 'c', resources: { requests: { cpu: '3' } } }] } },
    ),
    want: { 'count/pods': '1', pods: '1', cpu: '3', 'requests.cpu': '3' },
  },
  {
    name: 'a finished pod is free but for its count',
    kind: kinds.pod,
    object: pod({ containers: [container({ cpu: '1' })] }, { status: { phase: 'Succeeded' } }),
    want: { 'count/pods': '1' },
  },
  {
    name: 'a balanced service takes a node port for each port',
    kind: kinds.service,
    object: { spec: { type: 'LoadBalancer', ports: [{ port: 1 }, { port: 2 }] } },
    want: { 'count/services': '1', services: '1', 'services.loadbalancers': '1', 'services.nodeports': '2' },
  },
  {
    name: 'a balanced service without node ports takes those it names',
    kind: kinds.service,
    object: {
      spec: {
        type: 'LoadBalancer',
        allocateLoadBalancerNodePorts: false,
        ports: [{ port: 1, nodePort: 30000 }, { port: 2 }],
      },
    },
    want: { 'count/services': '1', services: '1', 'services.loadbalancers': '1', 'services.nodeports': '1' },
  },
  {
    name: 'a claim counts for its class too',
    kind: kinds.persistentVolumeClaim,
    object: { spec: { storageClassName: 'fast', resources: { requests: { storage: '5Gi' } } } },
    want: {
      'count/persistentvolumeclaims': '1',
      persistentvolumeclaims: '1',
      'requests.storage': '5Gi',
      'fast.storageclass.storage.k8s.io/persistentvolumeclaims': '1',
      'fast.storageclass.storage.k8s.io/requests.storage': '5Gi',
    },
  },
];

for (const { name, kind, object, want } of usages) {
  t.test(name, async (t) => {
    t.same(texts(usageOf(kind, object as KubeObject)), want);
  });
}

t.test('a pod past its grace period counts no more', async (t) => {
  const deleted = pod(
    { containers: [container({})] },
    { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 30 } },
  );
  const at = Date.parse('2026-01-01T00:00:00Z');
  t.same(texts(usageOf(kinds.pod, deleted, at + 29_000)), { 'count/pods': '1', pods: '1' });
  t.same(texts(usageOf(kinds.pod, deleted, at + 31_000)), { 'count/pods': '1' });
});

t.test('sums', async (t) => {
  const one = usageOf(kinds.pod, pod({ containers: [container({ memory: '512Mi' })] }));
  t.equal(texts(addUsage([one, one]))['memory'], '1Gi');
});

const scope = (scopeName: string, operator = 'Exists', values?: readonly string[]): object => ({
  scopeSelector: { matchExpressions: [{ scopeName, operator, ...(values === undefined ? {} : { values }) }] },
});
const plain = pod({ containers: [{ name: 'c' }] });
const scopes: readonly {
  readonly name: string;
  readonly spec: object;
  readonly object: KubeObject;
  readonly want: boolean;
}[] = [
  { name: 'no scope, any object', spec: {}, object: { kind: 'Secret' }, want: true },
  { name: 'a scope, no pod', spec: { scopes: ['BestEffort'] }, object: { kind: 'Secret' }, want: false },
  { name: 'best effort', spec: { scopes: ['BestEffort'] }, object: plain, want: true },
  {
    name: 'a request of nothing is none',
    spec: { scopes: ['BestEffort'] },
    object: pod({ containers: [container({ cpu: '0' })] }),
    want: true,
  },
  {
    name: 'not best effort',
    spec: { scopes: ['NotBestEffort'] },
    object: pod({ containers: [container({}, { cpu: '1' })] }),
    want: true,
  },
  {
    name: 'terminating',
    spec: { scopes: ['Terminating'] },
    object: pod({ activeDeadlineSeconds: 5, containers: [] }),
    want: true,
  },
  { name: 'not terminating', spec: { scopes: ['NotTerminating'] }, object: plain, want: true },
  { name: 'every scope must hold', spec: { scopes: ['NotTerminating', 'NotBestEffort'] }, object: plain, want: false },
  {
    name: 'priority class in',
    spec: scope('PriorityClass', 'In', ['high']),
    object: pod({ priorityClassName: 'high' }),
    want: true,
  },
  { name: 'priority class not in, none', spec: scope('PriorityClass', 'NotIn', ['high']), object: plain, want: true },
  { name: 'priority class exists, none', spec: scope('PriorityClass'), object: plain, want: false },
  {
    name: 'affinity across namespaces',
    spec: { scopes: ['CrossNamespacePodAffinity'] },
    object: pod({
      affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ namespaces: ['a'] }] } },
    }),
    want: true,
  },
  {
    name: 'attributes class of a claim',
    spec: scope('VolumeAttributesClass', 'In', ['gold']),
    object: { kind: 'PersistentVolumeClaim', spec: { volumeAttributesClassName: 'gold' } } as KubeObject,
    want: true,
  },
  { name: 'an unknown scope holds for nothing', spec: scope('Weekday'), object: plain, want: false },
];

for (const { name, spec, object, want } of scopes) {
  t.test(`scope: ${name}`, async (t) => {
    t.equal(matchesScopes({ spec } as ResourceQuota, object), want);
  });
}
