// All controllers against the real API server over a memory store: the life of a Deployment from apply to nothing left,
// a namespace that goes with everything in it, and a node that falls silent. The test plays scheduler and kubelet.

import t from 'tap';
import { type Deployment, kinds, microTimestamp, type Pod, type Stored, timestamp } from '../../src/api/index.ts';
import type { HttpApiClient } from '../../src/client/index.ts';
import { eventually } from './cluster.ts';
import { startStory } from './real-cluster.ts';

const namespace = 'default';
const labels = { app: 'web' };

function web(image: string): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'c', image }] } },
    },
  };
}

async function livePods(client: HttpApiClient): Promise<readonly Stored<Pod>[]> {
  return (await client.list(kinds.pod, { namespace, labelSelector: 'app=web' })).items;
}

/** What scheduler and kubelets would do: bind, run, report ready, and end what is being deleted. */
async function playNodes(client: HttpApiClient): Promise<void> {
  for (const pod of await livePods(client)) {
    const at = { namespace, name: pod.metadata.name };
    if (pod.metadata.deletionTimestamp !== undefined) {
      await client.delete(kinds.pod, at, { gracePeriodSeconds: 0 });
      continue;
    }
    if (pod.status?.phase === 'Running') continue;
    await client.post(kinds.pod, at, 'binding', {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: at,
      target: { kind: 'Node', name: 'n1' },
    });
    const since = new Date().toISOString();
    const podIP = `10.244.0.${(Number.parseInt(pod.metadata.uid.slice(0, 2), 16) % 250) + 2}`;
    const status = { phase: 'Running', podIP, podIPs: [{ ip: podIP }] };
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: since }];
    await client.patch(kinds.pod, at, 'merge', { status: { ...status, conditions } }, { subresource: 'status' });
  }
}

async function settled(client: HttpApiClient, revision: string, replicas: number): Promise<true | undefined> {
  await playNodes(client);
  const { metadata, status, spec } = await client.get(kinds.deployment, { namespace, name: 'web' });
  const isDone =
    status?.observedGeneration === metadata.generation &&
    spec?.replicas === replicas &&
    status?.updatedReplicas === replicas &&
    status.replicas === replicas &&
    status.availableReplicas === replicas;
  return isDone && metadata.annotations?.['deployment.kubernetes.io/revision'] === revision ? true : undefined;
}

t.test('the life of a Deployment', async (t) => {
  const client = await startStory(t);
  const at = { namespace, name: 'web' };
  await client.create(kinds.node, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
  await client.create(kinds.service, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace },
    spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
  });
  await client.create(kinds.deployment, web('web:1'));
  await eventually(() => settled(client, '1', 3), 'the first rollout');

  await eventually(async () => {
    const { items } = await client.list(kinds.endpointSlice, {
      namespace,
      labelSelector: 'kubernetes.io/service-name=web',
    });
    const ready = items
      .flatMap((slice) => slice.endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready === true);
    return ready.length === 3 ? true : undefined;
  }, 'three ready endpoints');
  const endpoints = await client.get(kinds.endpoints, at);
  t.ok((endpoints.subsets?.[0]?.addresses?.length ?? 0) > 0);
  const node = await client.get(kinds.node, { name: 'n1' });
  t.equal(node.spec?.podCIDR, '10.244.0.0/24');

  await client.patch(kinds.deployment, at, 'merge', { spec: { replicas: 5 } });
  await eventually(() => settled(client, '1', 5), 'five pods');

  await client.patch(kinds.deployment, at, 'merge', { spec: { template: web('web:2').spec?.template } });
  await eventually(() => settled(client, '2', 5), 'the second rollout');
  t.ok((await livePods(client)).every((pod) => pod.spec?.containers[0]?.image === 'web:2'));

  await client.patch(kinds.deployment, at, 'merge', { spec: { template: web('web:1').spec?.template } });
  await eventually(() => settled(client, '3', 5), 'the rollback');
  const sets = (await client.list(kinds.replicaSet, { namespace })).items;
  t.equal(sets.length, 2, 'the rollback used the old ReplicaSet');

  await client.delete(kinds.deployment, at, { propagationPolicy: 'Foreground' });
  await eventually(async () => {
    await playNodes(client);
    const left = await Promise.all([
      client.list(kinds.deployment, { namespace }),
      client.list(kinds.replicaSet, { namespace }),
      client.list(kinds.pod, { namespace }),
    ]);
    return left.every(({ items }) => items.length === 0) ? true : undefined;
  }, 'nothing to be left');
});

t.test('orphaned pods are adopted by a successor', async (t) => {
  const client = await startStory(t);
  const at = { namespace, name: 'web' };
  await client.create(kinds.deployment, web('web:1'));
  await eventually(() => settled(client, '1', 3), 'the rollout');
  const before = (await livePods(client)).map(({ metadata }) => metadata.uid).sort();
  await client.delete(kinds.deployment, at, { propagationPolicy: 'Orphan' });
  await eventually(async () => {
    const { items } = await client.list(kinds.replicaSet, { namespace });
    return items.every(({ metadata }) => (metadata.ownerReferences ?? []).length === 0) ? true : undefined;
  }, 'the ReplicaSet to be orphaned');
  await eventually(async () => {
    const { items } = await client.list(kinds.deployment, { namespace });
    return items.length === 0 ? true : undefined;
  }, 'the Deployment to go');
  await client.create(kinds.deployment, web('web:1'));
  await eventually(() => settled(client, '1', 3), 'the adoption');
  t.same((await livePods(client)).map(({ metadata }) => metadata.uid).sort(), before);
});

t.test('a namespace has its account and CA, and goes with everything in it', async (t) => {
  const client = await startStory(t);
  const name = 'team-a';
  await client.create(kinds.namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  await eventually(async () => {
    const accounts = await client.list(kinds.serviceAccount, { namespace: name });
    const configMaps = await client.list(kinds.configMap, { namespace: name });
    return accounts.items.length === 1 && configMaps.items[0]?.data?.['ca.crt'] === 'CA' ? true : undefined;
  }, 'the ServiceAccount and the CA');
  const data = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c', namespace: name, finalizers: ['example.com/wait'] },
  };
  await client.create(kinds.configMap, data);
  await client.delete(kinds.namespace, { name });
  const ending = await eventually(async () => {
    const found = await client.get(kinds.namespace, { name });
    return found.status?.conditions?.some(
      ({ type, status }) => type === 'NamespaceFinalizersRemaining' && status === 'True',
    )
      ? found
      : undefined;
  }, 'the condition');
  t.equal(ending.status?.phase, 'Terminating');
  await client.patch(kinds.configMap, { namespace: name, name: 'c' }, 'merge', { metadata: { finalizers: null } });
  await eventually(async () => {
    const { items } = await client.list(kinds.namespace);
    return items.every(({ metadata }) => metadata.name !== name) ? true : undefined;
  }, 'the namespace to go');
});

/** A node's Lease, renewed every 100 ms until stopped. */
async function beat(client: HttpApiClient, name: string): Promise<() => Promise<void>> {
  const at = { namespace: 'kube-node-lease', name };
  await client.create(kinds.lease, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: at });
  const stop = new AbortController();
  const renewing = (async () => {
    while (!stop.signal.aborted) {
      await client.patch(kinds.lease, at, 'merge', { spec: { renewTime: microTimestamp(Date.now()) } });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return async () => {
    stop.abort();
    await renewing;
  };
}

t.test('the pods of a silent node leave', async (t) => {
  const client = await startStory(t, { nodeMonitorGracePeriod: 700 });
  const stops = new Map<string, () => Promise<void>>();
  for (const name of ['n1', 'n2']) {
    await client.create(kinds.node, { apiVersion: 'v1', kind: 'Node', metadata: { name } });
    stops.set(name, await beat(client, name));
    const conditions = [{ type: 'Ready', status: 'True', lastHeartbeatTime: timestamp(Date.now()) }];
    await client.patch(kinds.node, { name }, 'merge', { status: { conditions } }, { subresource: 'status' });
  }
  await client.create(kinds.deployment, web('web:1'));
  await eventually(() => settled(client, '1', 3), 'the rollout on n1');
  const before = new Set((await livePods(client)).map(({ metadata }) => metadata.uid));
  await stops.get('n1')?.();
  const silent = await eventually(async () => {
    const node = await client.get(kinds.node, { name: 'n1' });
    return node.spec?.taints?.some(({ effect }) => effect === 'NoExecute') === true ? node : undefined;
  }, 'the taint');
  t.match(silent.spec?.taints, [
    { key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' },
    { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' },
  ]);
  t.match(silent.status?.conditions, [{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' }]);
  await eventually(async () => {
    const all = await livePods(client);
    const leaving = all.filter(({ metadata }) => before.has(metadata.uid));
    const isReplaced = all.length - leaving.length === 3;
    return isReplaced && leaving.every(({ metadata }) => metadata.deletionTimestamp !== undefined) ? true : undefined;
  }, 'the pods to be replaced');
  const { status } = await client.get(kinds.node, { name: 'n2' });
  t.equal(status?.conditions?.[0]?.status, 'True', 'the other node is not touched');
  await stops.get('n2')?.();
});
