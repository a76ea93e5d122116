// Defaults: the fields that upstream fills in, and those that it leaves alone.

import t from 'tap';
import { applyDefaults, type KindSpec, type KubeObject, kinds } from '../../src/api/index.ts';

function defaulted(kind: KindSpec, object: object): KubeObject {
  const copy = structuredClone(object) as KubeObject;
  applyDefaults(kind, copy);
  return copy;
}

const container = {
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  imagePullPolicy: 'Always',
  resources: {},
};
const podSpec = {
  dnsPolicy: 'ClusterFirst',
  restartPolicy: 'Always',
  schedulerName: 'default-scheduler',
  securityContext: {},
  terminationGracePeriodSeconds: 30,
};

t.test('a pod', async (t) => {
  t.strictSame(defaulted(kinds.pod, { spec: { containers: [{ name: 'a', image: 'nginx' }] } }), {
    spec: { ...podSpec, enableServiceLinks: true, containers: [{ name: 'a', image: 'nginx', ...container }] },
  });
});

t.test('what is resized without a word about restarts stays unsaid', async (t) => {
  const containers = [{ image: 'a:1', resources: { requests: { cpu: '1', memory: '1Gi' } } }];
  const pod = defaulted(kinds.pod, { spec: { containers } }) as { spec: { containers: object[] } };
  t.notOk('resizePolicy' in (pod.spec.containers[0] ?? {}));
});

t.test('defaulting twice changes nothing', async (t) => {
  const once = defaulted(kinds.deployment, { spec: { template: { spec: { containers: [{ image: 'a' }] } } } });
  t.strictSame(defaulted(kinds.deployment, once), once);
});

t.test('the pull policy follows the tag', async (t) => {
  const images = ['a', 'a:latest', 'a:1', 'r:5000/a', 'r:5000/a:1', 'a@sha256:00'];
  const pod = defaulted(kinds.pod, { spec: { containers: images.map((image) => ({ image })) } }) as {
    spec: { containers: { imagePullPolicy: string }[] };
  };
  t.strictSame(
    pod.spec.containers.map(({ imagePullPolicy }) => imagePullPolicy),
    ['Always', 'Always', 'IfNotPresent', 'Always', 'IfNotPresent', 'IfNotPresent'],
  );
});

t.test('requests follow limits in a pod, not in a template', async (t) => {
  const spec = { containers: [{ resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } } }] };
  t.match(defaulted(kinds.pod, { spec }), {
    spec: { containers: [{ resources: { requests: { cpu: '500m', memory: '1Gi' } } }] },
  });
  const deployment = defaulted(kinds.deployment, { spec: { template: { spec } } });
  t.strictSame(
    (deployment as { spec: { template: { spec: typeof spec } } }).spec.template.spec.containers[0]?.resources.requests,
    { cpu: '500m' },
  );
});

t.test('probes, ports, volumes and field references', async (t) => {
  t.match(
    defaulted(kinds.pod, {
      spec: {
        hostNetwork: true,
        serviceAccount: 'old',
        containers: [
          {
            ports: [{ containerPort: 80 }],
            readinessProbe: { httpGet: { port: 80 } },
            env: [{ name: 'N', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
          },
        ],
        volumes: [
          { name: 'a' },
          { name: 'b', secret: {} },
          { name: 'c', projected: { sources: [{ serviceAccountToken: {} }] } },
        ],
      },
    }),
    {
      spec: {
        serviceAccountName: 'old',
        containers: [
          {
            ports: [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }],
            readinessProbe: {
              httpGet: { path: '/', scheme: 'HTTP' },
              timeoutSeconds: 1,
              periodSeconds: 10,
              successThreshold: 1,
              failureThreshold: 3,
            },
            env: [{ valueFrom: { fieldRef: { apiVersion: 'v1' } } }],
          },
        ],
        volumes: [
          { emptyDir: {} },
          { secret: { defaultMode: 420 } },
          { projected: { defaultMode: 420, sources: [{ serviceAccountToken: { expirationSeconds: 3600 } }] } },
        ],
      },
    },
  );
});

t.test('other kinds', async (t) => {
  t.match(defaulted(kinds.deployment, { spec: { template: {} } }), {
    spec: {
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    },
  });
  t.strictSame(defaulted(kinds.deployment, { spec: { replicas: 0, strategy: { type: 'Recreate' } } }), {
    spec: { replicas: 0, revisionHistoryLimit: 10, progressDeadlineSeconds: 600, strategy: { type: 'Recreate' } },
  });
  t.strictSame(defaulted(kinds.service, { spec: { ports: [{ port: 80 }, { port: 81, targetPort: 'x' }] } }), {
    spec: {
      ports: [
        { port: 80, protocol: 'TCP', targetPort: 80 },
        { port: 81, protocol: 'TCP', targetPort: 'x' },
      ],
      sessionAffinity: 'None',
      type: 'ClusterIP',
      internalTrafficPolicy: 'Cluster',
    },
    status: { loadBalancer: {} },
  });
  t.match(defaulted(kinds.service, { spec: { type: 'NodePort' } }), { spec: { externalTrafficPolicy: 'Cluster' } });
  t.strictSame(defaulted(kinds.secret, { stringData: { a: 'x' }, data: { a: 'eg==', b: 'eQ==' } }), {
    data: { a: 'eA==', b: 'eQ==' },
    type: 'Opaque',
  });
  t.match(defaulted(kinds.namespace, { metadata: { name: 'x', labels: { a: 'b' } } }), {
    metadata: { labels: { a: 'b', 'kubernetes.io/metadata.name': 'x' } },
  });
  t.match(defaulted(kinds.node, { status: { capacity: { cpu: '2' } } }), { status: { allocatable: { cpu: '2' } } });
  t.match(
    defaulted(kinds.clusterRoleBinding, { roleRef: { kind: 'ClusterRole', name: 'x' }, subjects: [{ kind: 'User' }] }),
    {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io' }],
    },
  );
  t.strictSame(defaulted(kinds.configMap, { data: {} }), { data: {} }, 'a kind without defaults is left alone');
});

t.test('kinds that configure the cluster', async (t) => {
  t.strictSame(defaulted(kinds.csiDriver, { spec: {} }), {
    spec: {
      attachRequired: true,
      podInfoOnMount: false,
      storageCapacity: false,
      fsGroupPolicy: 'ReadWriteOnceWithFSType',
      volumeLifecycleModes: ['Persistent'],
      requiresRepublish: false,
      seLinuxMount: false,
    },
  });
  const queue = { limitResponse: { type: 'Queue', queuing: {} } };
  t.strictSame(defaulted(kinds.priorityLevelConfiguration, { spec: { type: 'Limited', limited: queue } }), {
    spec: {
      type: 'Limited',
      limited: {
        limitResponse: { type: 'Queue', queuing: { handSize: 8, queues: 64, queueLengthLimit: 50 } },
        nominalConcurrencyShares: 30,
        lendablePercent: 0,
      },
    },
  });
  t.strictSame(defaulted(kinds.flowSchema, { spec: {} }), { spec: { matchingPrecedence: 1000 } });
  t.strictSame(defaulted(kinds.apiService, { spec: { service: {} } }), { spec: { service: { port: 443 } } });
});

t.test('an autoscaler that names a behaviour gets the rest of it', async (t) => {
  const metrics = [{ type: 'Resource' }];
  const down = { policies: [{ type: 'Pods', value: 1, periodSeconds: 5 }] };
  t.strictSame(defaulted(kinds.horizontalPodAutoscaler, { spec: { metrics, behavior: { scaleDown: down } } }), {
    spec: {
      metrics,
      minReplicas: 1,
      behavior: {
        scaleDown: { selectPolicy: 'Max', ...down },
        scaleUp: {
          stabilizationWindowSeconds: 0,
          selectPolicy: 'Max',
          policies: [
            { type: 'Pods', value: 4, periodSeconds: 15 },
            { type: 'Percent', value: 100, periodSeconds: 15 },
          ],
        },
      },
    },
  });
});
