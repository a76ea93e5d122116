// Where pods with claims go.

import t from 'tap';
import {
  kinds,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type StorageClass,
  type Stored,
  selectedNodeAnnotation,
} from '../../src/api/index.ts';
import { createFakeClock } from '../../src/base/index.ts';
import { createEventRecorder, createFakeClient, createInformerFactory } from '../../src/client/index.ts';
import { createClusterState } from '../../src/scheduler/cluster-state.ts';
import { startScheduler } from '../../src/scheduler/index.ts';
import { place } from '../../src/scheduler/place.ts';
import { podNeeds } from '../../src/scheduler/pod-needs.ts';
import { node, pod } from './objects.ts';

const volume = (name: string, on: string, spec: object = {}): Stored<PersistentVolume> =>
  ({
    metadata: { name, uid: name, resourceVersion: '1' },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'local',
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [on] }] }],
        },
      },
      ...spec,
    },
  }) as unknown as Stored<PersistentVolume>;
const claim = (name: string, storageClassName = 'local', volumeName?: string): Stored<PersistentVolumeClaim> => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: {
    ...{ name, namespace: 'default', uid: name, resourceVersion: '1' },
    annotations: volumeName === undefined ? {} : { 'pv.kubernetes.io/bind-completed': 'yes' },
  },
  spec: {
    storageClassName,
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
    ...(volumeName === undefined ? {} : { volumeName }),
  },
});
const storageClass = (name: string, provisioner: string, volumeBindingMode: string): Stored<StorageClass> => ({
  metadata: { name, uid: name, resourceVersion: '1' },
  provisioner,
  volumeBindingMode,
});
const classes = [
  storageClass('local', 'kubernetes.io/no-provisioner', 'WaitForFirstConsumer'),
  storageClass('cloud', 'disks.example.com', 'WaitForFirstConsumer'),
  storageClass('now', 'disks.example.com', 'Immediate'),
];
const using = (...names: readonly string[]) =>
  pod('p', { spec: { volumes: names.map((name) => ({ name, persistentVolumeClaim: { claimName: name } })) } });

t.test('the node is where the volumes are, or can be', async (t) => {
  const cases = [
    { name: 'bound', claims: [claim('c', 'local', 'v')], volumes: [volume('v', 'b')], want: 'b' },
    {
      name: 'bound to two places',
      claims: [claim('c', 'local', 'v'), claim('d', 'local', 'w')],
      volumes: [volume('v', 'a'), volume('w', 'b')],
      want: '0/2 nodes are available: 2 node(s) had volume node affinity conflict.',
    },
    { name: 'a free volume', claims: [claim('c')], volumes: [volume('v', 'b')], want: 'b' },
    {
      name: 'one for each',
      claims: [claim('c'), claim('d')],
      volumes: [volume('v', 'a'), volume('w', 'b'), volume('x', 'b')],
      want: 'b',
    },
    {
      name: 'none is free',
      claims: [claim('c')],
      volumes: [volume('v', 'b', { claimRef: { namespace: 'default', name: 'other', uid: 'o' } })],
      want: "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind.",
    },
    { name: 'one can be made', claims: [claim('c', 'cloud')], volumes: [], want: 'a' },
    {
      name: 'one must be there first',
      claims: [claim('c', 'now')],
      volumes: [],
      want: '0/2 nodes are available: 2 pod has unbound immediate PersistentVolumeClaims.',
    },
    {
      name: 'its volume is gone',
      claims: [claim('c', 'local', 'gone')],
      volumes: [],
      want: '0/2 nodes are available: 2 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s).',
    },
  ];
  for (const { name, claims, volumes, want } of cases) {
    const cluster = createClusterState({
      claim: (_namespace, wanted) => claims.find((one) => one.metadata.name === wanted),
      volume: (wanted) => volumes.find((one) => one.metadata.name === wanted),
      volumes: () => volumes,
      storageClass: (wanted) => classes.find((one) => one.metadata.name === wanted),
    });
    for (const one of ['a', 'b']) cluster.putNode(node(one));
    const placement = place(podNeeds(using(...claims.map(({ metadata }) => metadata.name))), cluster, {
      random: () => 0.99,
    });
    t.equal(placement.node?.name ?? ('message' in placement ? placement.message : ''), want, name);
  }
});

t.test('a claim is told the node, and the pod follows when it is bound', async (t) => {
  const stop = new AbortController();
  const client = createFakeClient([
    node('a'),
    node('b'),
    ...[{ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', ...classes[0] }],
    { apiVersion: 'v1', kind: 'PersistentVolume', ...volume('v', 'b') },
    claim('c'),
    using('c'),
  ]);
  const clock = createFakeClock(Date.parse('2026-01-01T00:00:00Z'));
  const informers = createInformerFactory(client);
  const recorder = createEventRecorder(client, 'default-scheduler', { clock });
  const done = startScheduler({ client, informers, recorder, clock }, stop.signal);
  await informers.start(stop.signal);
  t.teardown(async () => {
    stop.abort();
    await done;
  });
  const at = { namespace: 'default', name: 'c' };
  await until(async () => {
    const { metadata } = await client.get(kinds.persistentVolumeClaim, at);
    return metadata.annotations?.[selectedNodeAnnotation] === 'b';
  });
  t.equal((await client.get(kinds.pod, { namespace: 'default', name: 'p' })).spec?.nodeName, undefined);
  const annotations = { 'pv.kubernetes.io/bind-completed': 'yes' };
  await client.patch(kinds.persistentVolumeClaim, at, 'merge', {
    metadata: { annotations },
    spec: { volumeName: 'v' },
  });
  await until(async () => {
    await clock.advance(1000);
    return (await client.get(kinds.pod, { namespace: 'default', name: 'p' })).spec?.nodeName === 'b';
  });
});

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    if (await what()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('what the test waits for did not happen');
}
