// Quotas, disruption budgets, CronJobs and mirrored Endpoints on the real API server.

import t from 'tap';
import {
  type CronJob,
  type CustomResourceDefinition,
  type EndpointSlice,
  type KubeObject,
  kinds,
  type Stored,
} from '../../src/api/index.ts';
import { eventually } from './cluster.ts';
import { ended, namespace, playNodes, startStory, stored } from './real-cluster.ts';

const labels = { app: 'web' };
const meta = (name: string): { name: string; namespace: string } => ({ name, namespace });
const pod = (name: string, spec: object = {}): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...meta(name), labels },
    spec: {
      containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '250m', memory: '64Mi' } } }],
      ...spec,
    },
  }) as KubeObject;

t.test('a quota reports what its namespace holds, and follows it', async (t) => {
  const client = await startStory(t);
  const hard = {
    pods: '5',
    'requests.cpu': '2',
    'requests.memory': '1Gi',
    persistentvolumeclaims: '10',
    'count/deployments.apps': '3',
  };
  await client.create(kinds.resourceQuota, {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: meta('all'),
    spec: { hard },
  });
  await client.create(kinds.resourceQuota, {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: meta('brief'),
    spec: { hard: { pods: '5' }, scopes: ['Terminating'] },
  });
  const used = (name: string, want: object): Promise<true> =>
    eventually(
      async () => {
        const { status } = await client.get(kinds.resourceQuota, meta(name));
        const found = JSON.stringify(Object.entries(status?.used ?? {}).sort());
        return found === JSON.stringify(Object.entries(want).sort()) ? true : undefined;
      },
      `${name} to use ${JSON.stringify(want)}`,
    );
  const none = {
    pods: '0',
    'requests.cpu': '0',
    'requests.memory': '0',
    persistentvolumeclaims: '0',
    'count/deployments.apps': '0',
  };
  await used('all', none);
  t.same((await client.get(kinds.resourceQuota, meta('all'))).status?.hard, hard);
  await client.create(kinds.pod, pod('a'));
  await client.create(kinds.pod, pod('b', { activeDeadlineSeconds: 60 }));
  await client.create(kinds.persistentVolumeClaim, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: meta('s'),
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  });
  await used('all', {
    ...none,
    pods: '2',
    'requests.cpu': '500m',
    'requests.memory': '128Mi',
    persistentvolumeclaims: '1',
  });
  await used('brief', { pods: '1' });
  await client.patch(kinds.pod, meta('a'), 'merge', { status: ended() }, { subresource: 'status' });
  await client.delete(kinds.persistentVolumeClaim, meta('s'));
  await used('all', { ...none, pods: '1', 'requests.cpu': '250m', 'requests.memory': '64Mi' });
  await client.patch(kinds.resourceQuota, meta('all'), 'merge', { spec: { hard: { pods: '7' } } });
  await eventually(async () => {
    const { status } = await client.get(kinds.resourceQuota, meta('all'));
    return status?.hard?.['pods'] === '7' ? true : undefined;
  }, 'the new limit to show');
});

t.test('a quota counts custom resources too', async (t) => {
  const client = await startStory(t);
  const names = { plural: 'widgets', singular: 'widget', kind: 'Widget' };
  await client.create(kinds.customResourceDefinition, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names,
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  } as unknown as CustomResourceDefinition);
  await client.create(kinds.resourceQuota, {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: meta('custom'),
    spec: { hard: { 'count/widgets.example.com': '2' } },
  });
  const used = (want: string): Promise<true> =>
    eventually(async () => {
      const { status } = await client.get(kinds.resourceQuota, meta('custom'));
      return status?.used?.['count/widgets.example.com'] === want ? true : undefined;
    }, `${want} widgets`);
  await used('0');
  const widget = { ...names, group: 'example.com', version: 'v1', namespaced: true };
  await eventually(
    () =>
      client
        .create<KubeObject>(widget, { apiVersion: 'example.com/v1', kind: 'Widget', metadata: meta('w') })
        .catch(() => undefined),
    'the kind to be served',
  );
  await used('1');
  await client.delete(widget, meta('w'));
  await used('0');
});

t.test('a budget allows as many disruptions as its pods can bear', async (t) => {
  const client = await startStory(t);
  await client.create(kinds.replicaSet, {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: meta('web'),
    spec: {
      replicas: 4,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } },
    },
  });
  await client.create(kinds.podDisruptionBudget, {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: meta('web'),
    spec: { minAvailable: '75%', selector: { matchLabels: labels } },
  });
  const allows = (want: object): Promise<true> =>
    eventually(async () => {
      await playNodes(client);
      const { status } = await client.get(kinds.podDisruptionBudget, meta('web'));
      const { disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods } = status ?? {};
      const found = { disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods };
      return JSON.stringify(found) === JSON.stringify(want) ? true : undefined;
    }, JSON.stringify(want));
  await allows({ disruptionsAllowed: 1, currentHealthy: 4, desiredHealthy: 3, expectedPods: 4 });
  await client.patch(kinds.replicaSet, meta('web'), 'merge', { spec: { replicas: 1 } });
  await allows({ disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 });
  const { status } = await client.get(kinds.podDisruptionBudget, meta('web'));
  t.same(
    status?.conditions?.map(({ type, status: is, reason }) => [type, is, reason]),
    [['DisruptionAllowed', 'False', 'InsufficientPods']],
  );
});

t.test('a CronJob makes Jobs at its times and keeps as many as it should', async (t) => {
  const client = await startStory(t);
  await client.create(kinds.cronJob, {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: meta('tick'),
    spec: {
      schedule: '@every 1s',
      successfulJobsHistoryLimit: 1,
      jobTemplate: {
        spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } },
      },
    },
  } as unknown as CronJob);
  const tick = await eventually(async () => {
    await playNodes(client, () => ended());
    const found = await client.get(kinds.cronJob, meta('tick'));
    return found.status?.lastSuccessfulTime === undefined ? undefined : found;
  }, 'a Job to complete');
  t.type(tick.status?.lastScheduleTime, 'string');
  const [job] = await stored(client, kinds.job);
  t.match(job?.metadata.name, /^tick-\d+$/);
  await client.delete(kinds.cronJob, meta('tick'));
  await eventually(async () => ((await stored(client, kinds.job)).length === 0 ? true : undefined), 'the Jobs to go');
});

t.test('Endpoints written by hand are mirrored, until the Service goes', async (t) => {
  const client = await startStory(t);
  await client.create(kinds.service, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: meta('db'),
    spec: { ports: [{ name: 'pg', port: 5432 }] },
  });
  await client.create(kinds.endpoints, {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: meta('db'),
    subsets: [
      {
        addresses: [{ ip: '192.0.2.1' }],
        notReadyAddresses: [{ ip: '192.0.2.2' }],
        ports: [{ name: 'pg', port: 5432 }],
      },
    ],
  });
  const mirrors = async (): Promise<readonly Stored<EndpointSlice>[]> =>
    (await stored(client, kinds.endpointSlice)).filter(
      ({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === 'db',
    );
  const slice = await eventually(async () => (await mirrors())[0], 'a mirror');
  t.same(
    slice.endpoints?.map(({ addresses, conditions }) => [addresses, conditions?.ready]),
    [
      [['192.0.2.1'], true],
      [['192.0.2.2'], false],
    ],
  );
  await client.delete(kinds.service, meta('db'));
  await eventually(async () => ((await mirrors()).length === 0 ? true : undefined), 'no mirror');
});
