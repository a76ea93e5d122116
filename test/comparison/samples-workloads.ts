// Valid objects of what makes pods, with as many fields as go together.

import type { Sample } from './sample.ts';

export const workloadsSamples: readonly Sample[] = [
  {
    path: '/api/v1/namespaces/default/replicationcontrollers',
    object: {
      apiVersion: 'v1',
      kind: 'ReplicationController',
      metadata: { name: 'rc' },
      spec: {
        replicas: 1,
        minReadySeconds: 1,
        selector: { app: 'a' },
        template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'img:1' }] } },
      },
    },
  },
  {
    path: '/apis/apps/v1/namespaces/default/deployments',
    object: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd1' },
      spec: {
        replicas: 2,
        minReadySeconds: 1,
        revisionHistoryLimit: 3,
        progressDeadlineSeconds: 60,
        paused: false,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 1 } },
        selector: { matchLabels: { app: 'a' }, matchExpressions: [{ key: 'app', operator: 'In', values: ['a'] }] },
        template: {
          metadata: { labels: { app: 'a' } },
          spec: { containers: [{ name: 'c', image: 'img:1' }], restartPolicy: 'Always' },
        },
      },
    },
  },
  {
    path: '/apis/apps/v1/namespaces/default/replicasets',
    object: {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: 'rs' },
      spec: {
        replicas: 1,
        minReadySeconds: 0,
        selector: { matchLabels: { app: 'a' } },
        template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'img:1' }] } },
      },
    },
  },
  {
    path: '/apis/apps/v1/namespaces/default/statefulsets',
    object: {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'sts' },
      spec: {
        replicas: 1,
        serviceName: 'svc',
        podManagementPolicy: 'OrderedReady',
        revisionHistoryLimit: 2,
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
        selector: { matchLabels: { app: 'a' } },
        template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'img:1' }] } },
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
      },
    },
  },
  {
    path: '/apis/apps/v1/namespaces/default/daemonsets',
    object: {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'ds' },
      spec: {
        minReadySeconds: 1,
        revisionHistoryLimit: 2,
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
        selector: { matchLabels: { app: 'a' } },
        template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'img:1' }] } },
      },
    },
  },
  {
    path: '/apis/apps/v1/namespaces/default/controllerrevisions',
    object: {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: { name: 'cr' },
      revision: 1,
      data: { a: 'b' },
    },
  },
  {
    path: '/apis/batch/v1/namespaces/default/jobs',
    object: {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'j' },
      spec: {
        parallelism: 2,
        completions: 3,
        backoffLimit: 2,
        activeDeadlineSeconds: 100,
        ttlSecondsAfterFinished: 10,
        template: {
          metadata: { labels: { app: 'a' } },
          spec: { containers: [{ name: 'c', image: 'img:1' }], restartPolicy: 'Never' },
        },
      },
    },
  },
  {
    path: '/apis/batch/v1/namespaces/default/jobs',
    object: {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'j2' },
      spec: {
        manualSelector: true,
        selector: { matchLabels: { app: 'a' } },
        template: {
          metadata: { labels: { app: 'a' } },
          spec: { containers: [{ name: 'c', image: 'img:1' }], restartPolicy: 'OnFailure' },
        },
      },
    },
  },
  {
    path: '/apis/batch/v1/namespaces/default/cronjobs',
    peer: { path: '/apis/batch/v1beta1/namespaces/default/cronjobs', apiVersion: 'batch/v1beta1' },
    object: {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'cj' },
      spec: {
        schedule: '*/5 * * * *',
        startingDeadlineSeconds: 10,
        concurrencyPolicy: 'Forbid',
        suspend: true,
        successfulJobsHistoryLimit: 1,
        failedJobsHistoryLimit: 1,
        jobTemplate: {
          spec: {
            template: {
              metadata: { labels: { app: 'a' } },
              spec: { containers: [{ name: 'c', image: 'img:1' }], restartPolicy: 'Never' },
            },
          },
        },
      },
    },
  },
  {
    path: '/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers',
    object: {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'hpa' },
      spec: {
        minReplicas: 1,
        maxReplicas: 3,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
        targetCPUUtilizationPercentage: 50,
      },
    },
  },
  {
    path: '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers',
    peer: {
      path: '/apis/autoscaling/v2beta2/namespaces/default/horizontalpodautoscalers',
      apiVersion: 'autoscaling/v2beta2',
    },
    object: {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'hpa2' },
      spec: {
        minReplicas: 1,
        maxReplicas: 3,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
          { type: 'Pods', pods: { metric: { name: 'x' }, target: { type: 'AverageValue', averageValue: '10' } } },
          {
            type: 'External',
            external: {
              metric: { name: 'x', selector: { matchLabels: { a: 'b' } } },
              target: { type: 'Value', value: '10' },
            },
          },
          {
            type: 'Object',
            object: {
              describedObject: { kind: 'Service', name: 's', apiVersion: 'v1' },
              metric: { name: 'x' },
              target: { type: 'Value', value: '1' },
            },
          },
        ],
        behavior: {
          scaleUp: {
            stabilizationWindowSeconds: 1,
            selectPolicy: 'Max',
            policies: [{ type: 'Pods', value: 1, periodSeconds: 10 }],
          },
          scaleDown: { policies: [{ type: 'Percent', value: 10, periodSeconds: 10 }] },
        },
      },
    },
  },
];
