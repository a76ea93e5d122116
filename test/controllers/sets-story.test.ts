// DaemonSets and StatefulSets on the real API server: rolled out, updated, scaled, deleted.

import t from 'tap';
import { type DaemonSet, kinds, type Node, type StatefulSet } from '../../src/api/index.ts';
import type { HttpApiClient } from '../../src/client/index.ts';
import { eventually } from './cluster.ts';
import { namespace, playNodes, startStory, stored } from './real-cluster.ts';

const labels = { app: 'x' };

function template(image: string, spec: object = {}): object {
  return { metadata: { labels }, spec: { containers: [{ name: 'c', image }], ...spec } };
}

async function makeNodes(client: HttpApiClient, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await client.create<Node>(kinds.node, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { disk: name === 'n3' ? 'slow' : 'fast' } },
    });
    // Without an agent the node would be marked as not ready and tainted.
    const conditions = [{ type: 'Ready', status: 'True', lastHeartbeatTime: new Date().toISOString() }];
    await client.patch(kinds.node, { name }, 'merge', { status: { conditions } }, { subresource: 'status' });
    await client.patch(kinds.node, { name }, 'merge', { spec: { taints: null } });
  }
}

t.test('a DaemonSet runs on the nodes that it fits, is updated and rolled over one by one', async (t) => {
  const client = await startStory(t);
  const at = { namespace, name: 'ds' };
  await makeNodes(client, ['n1', 'n2', 'n3']);
  await client.create(kinds.daemonSet, {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: at,
    spec: { selector: { matchLabels: labels }, template: template('a:1', { nodeSelector: { disk: 'fast' } }) },
  } as unknown as DaemonSet);
  const settled = async (image: string, nodes: number): Promise<true | undefined> => {
    await playNodes(client);
    const { metadata, status } = await client.get(kinds.daemonSet, at);
    const images = (await stored(client, kinds.pod)).map(({ spec }) => spec?.containers[0]?.image);
    return status?.observedGeneration === metadata.generation &&
      status?.numberAvailable === nodes &&
      status.updatedNumberScheduled === nodes &&
      images.length === nodes &&
      images.every((one) => one === image)
      ? true
      : undefined;
  };
  await eventually(() => settled('a:1', 2), 'a pod on n1 and n2');
  await makeNodes(client, ['n4']);
  await eventually(() => settled('a:1', 3), 'a pod on the new node');
  await client.patch(kinds.daemonSet, at, 'merge', {
    spec: { template: { spec: { containers: [{ name: 'c', image: 'a:2' }] } } },
  });
  await eventually(() => settled('a:2', 3), 'the update');
  t.same((await stored(client, kinds.controllerRevision)).map(({ revision }) => revision).sort(), [1, 2]);
  await client.delete(kinds.daemonSet, at, { propagationPolicy: 'Foreground' });
  await eventually(async () => {
    const left = [...(await playNodes(client)), ...(await stored(client, kinds.controllerRevision))];
    return left.length === 0 ? true : undefined;
  }, 'nothing to be left');
});

t.test('a StatefulSet starts in order, keeps names and claims, and is updated from the top', async (t) => {
  const client = await startStory(t);
  const at = { namespace, name: 'db' };
  await client.create(kinds.statefulSet, {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: at,
    spec: {
      serviceName: 'db',
      replicas: 3,
      selector: { matchLabels: labels },
      template: template('a:1'),
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      ],
      persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete', whenDeleted: 'Retain' },
    },
  } as unknown as StatefulSet);
  const seen: string[] = [];
  const settled = async (image: string, replicas: number): Promise<true | undefined> => {
    for (const { metadata } of await playNodes(client)) if (!seen.includes(metadata.name)) seen.push(metadata.name);
    const { metadata, status } = await client.get(kinds.statefulSet, at);
    const pods = await stored(client, kinds.pod);
    return status?.observedGeneration === metadata.generation &&
      status?.availableReplicas === replicas &&
      status.updatedReplicas === replicas &&
      status.currentRevision === status.updateRevision &&
      pods.length === replicas &&
      pods.every(({ spec }) => spec?.containers[0]?.image === image)
      ? true
      : undefined;
  };
  await eventually(() => settled('a:1', 3), 'three pods');
  t.same(seen, ['db-0', 'db-1', 'db-2']);
  const [first] = await stored(client, kinds.pod);
  t.match(first?.spec, { hostname: 'db-0', subdomain: 'db' });
  t.equal(first?.spec?.volumes?.[0]?.persistentVolumeClaim?.claimName, 'data-db-0');
  await client.patch(kinds.statefulSet, at, 'merge', {
    spec: { template: { spec: { containers: [{ name: 'c', image: 'a:2' }] } } },
  });
  await eventually(() => settled('a:2', 3), 'the update');
  await client.patch(kinds.statefulSet, at, 'merge', { spec: { replicas: 1 } });
  await eventually(() => settled('a:2', 1), 'one pod');
  await eventually(async () => {
    const names = (await stored(client, kinds.persistentVolumeClaim)).map(({ metadata }) => metadata.name);
    return names.join() === 'data-db-0' ? true : undefined;
  }, 'the claims of the removed pods to go');
  await client.delete(kinds.statefulSet, at);
  await eventually(async () => ((await playNodes(client)).length === 0 ? true : undefined), 'the pods to go');
  t.equal((await stored(client, kinds.persistentVolumeClaim)).length, 1, 'the claim stays');
});
