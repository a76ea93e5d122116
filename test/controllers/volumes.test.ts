// Claims and volumes on the real API server: binding, waiting, losing, protection.

import t from 'tap';
import {
  kinds,
  matchingVolume,
  type Node,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Stored,
  selectedNodeAnnotation,
} from '../../src/api/index.ts';
import type { HttpApiClient } from '../../src/client/index.ts';
import { eventually } from './cluster.ts';
import { namespace, playNodes, startStory } from './real-cluster.ts';

type VolumeSpec = NonNullable<PersistentVolume['spec']>;
type ClaimSpec = NonNullable<PersistentVolumeClaim['spec']>;

const volume = (name: string, storage: string, spec: Partial<VolumeSpec> = {}): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  // Admission would do that.
  metadata: { name, finalizers: ['kubernetes.io/pv-protection'] },
  spec: { capacity: { storage }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/data' }, ...spec },
});
const claim = (name: string, storage: string, spec: Partial<ClaimSpec> = {}): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, namespace, finalizers: ['kubernetes.io/pvc-protection'] },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } }, ...spec },
});
const onNode = (name: string): Partial<VolumeSpec> => ({
  nodeAffinity: {
    required: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] }] },
  },
});

t.test('which volume a claim gets', async (t) => {
  const stored = <T extends PersistentVolume | PersistentVolumeClaim>(object: T): Stored<T> =>
    ({
      ...object,
      metadata: { ...object.metadata, uid: object.metadata?.name ?? '', resourceVersion: '1' },
    }) as Stored<T>;
  const node = { metadata: { name: 'n1' } } as unknown as Node;
  const volumes: readonly PersistentVolume[] = [
    volume('big', '10Gi'),
    volume('small', '2Gi'),
    volume('tiny', '1Mi'),
    volume('shared', '3Gi', { accessModes: ['ReadWriteMany'] }),
    volume('fast', '1Gi', { storageClassName: 'fast' }),
    volume('block', '1Gi', { volumeMode: 'Block' }),
    volume('away', '1Gi', { storageClassName: 'local', ...onNode('n2') }),
    volume('here', '5Gi', { storageClassName: 'local', ...onNode('n1') }),
    { ...volume('red', '20Gi'), metadata: { name: 'red', labels: { color: 'red' } } },
    volume('taken', '1Gi', { claimRef: { namespace, name: 'other', uid: 'u' } }),
    volume('mine', '50Gi', { claimRef: { namespace, name: 'promised' } }),
    { ...volume('used', '1Gi'), status: { phase: 'Released' } },
  ];
  const cases: readonly (readonly [PersistentVolumeClaim, string | undefined])[] = [
    [claim('smallest', '1Gi'), 'small'],
    [claim('bigger', '3Gi'), 'big'],
    [claim('huge', '1Ti'), undefined],
    [claim('many', '1Gi', { accessModes: ['ReadWriteMany'] }), 'shared'],
    [claim('class', '1Gi', { storageClassName: 'fast' }), 'fast'],
    [claim('mode', '1Gi', { volumeMode: 'Block' }), 'block'],
    [claim('place', '1Gi', { storageClassName: 'local' }), 'here'],
    [claim('label', '1Gi', { selector: { matchLabels: { color: 'red' } } }), 'red'],
    [claim('promised', '1Gi'), 'mine'],
  ];
  for (const [wanted, want] of cases) {
    const found = matchingVolume(stored(wanted), volumes.map(stored), node);
    t.equal(found?.metadata.name, want, wanted.metadata?.name ?? '');
  }
});

const phaseOf = (client: HttpApiClient, name: string, phase: string): Promise<Stored<PersistentVolumeClaim>> =>
  eventually(async () => {
    const found = await client.get(kinds.persistentVolumeClaim, { namespace, name });
    return found.status?.phase === phase ? found : undefined;
  }, `${name} ${phase}`);
const volumePhase = (client: HttpApiClient, name: string, phase: string): Promise<Stored<PersistentVolume>> =>
  eventually(async () => {
    const found = await client.get(kinds.persistentVolume, { name });
    return found.status?.phase === phase ? found : undefined;
  }, `${name} ${phase}`);

t.test('a claim is bound, kept while a pod uses it, and leaves its volume released', async (t) => {
  const client = await startStory(t);
  await client.create(kinds.persistentVolumeClaim, claim('data', '1Gi'));
  await phaseOf(client, 'data', 'Pending');
  await client.create(kinds.persistentVolume, volume('v', '2Gi'));
  const bound = await phaseOf(client, 'data', 'Bound');
  t.match(bound, {
    spec: { volumeName: 'v' },
    status: { capacity: { storage: '2Gi' }, accessModes: ['ReadWriteOnce'] },
  });
  const { spec } = await volumePhase(client, 'v', 'Bound');
  t.equal(spec?.claimRef?.uid, bound.metadata.uid);

  await client.create(kinds.node, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } });
  const volumes = [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }];
  await client.create(kinds.pod, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'user', namespace },
    spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }], volumes },
  });
  await client.delete(kinds.persistentVolumeClaim, { namespace, name: 'data' });
  await client.delete(kinds.persistentVolume, { name: 'v' });
  const held = await client.get(kinds.persistentVolumeClaim, { namespace, name: 'data' });
  t.ok(held.metadata.deletionTimestamp);
  await client.delete(kinds.pod, { namespace, name: 'user' }, { gracePeriodSeconds: 0 });
  await playNodes(client);
  await eventually(async () => {
    const { items } = await client.list(kinds.persistentVolumeClaim, { namespace });
    return items.length === 0 ? true : undefined;
  }, 'the claim goes');
  await eventually(async () => {
    const { items } = await client.list(kinds.persistentVolume);
    return items.length === 0 ? true : undefined;
  }, 'and the volume after it');
});

t.test('a claim that waits for its consumer is bound on the node that was chosen', async (t) => {
  const client = await startStory(t);
  const node: Node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } };
  await client.create(kinds.node, node);
  await client.create(kinds.storageClass, {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'local' },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
  });
  const local = { storageClassName: 'local' };
  await client.create(kinds.persistentVolume, volume('away', '1Gi', { ...local, ...onNode('n2') }));
  await client.create(kinds.persistentVolume, volume('here', '1Gi', { ...local, ...onNode('n1') }));
  await client.create(kinds.persistentVolumeClaim, claim('late', '1Gi', local));
  await phaseOf(client, 'late', 'Pending');
  const annotations = { [selectedNodeAnnotation]: 'n1' };
  await client.patch(kinds.persistentVolumeClaim, { namespace, name: 'late' }, 'merge', { metadata: { annotations } });
  t.equal((await phaseOf(client, 'late', 'Bound')).spec?.volumeName, 'here');
  await volumePhase(client, 'away', 'Available');
});

t.test('what is released, lost, or for a provisioner to make', async (t) => {
  const client = await startStory(t);
  await client.create(kinds.persistentVolume, volume('kept', '1Gi', { persistentVolumeReclaimPolicy: 'Retain' }));
  await client.create(kinds.persistentVolumeClaim, claim('first', '1Gi'));
  await phaseOf(client, 'first', 'Bound');
  await client.delete(kinds.persistentVolumeClaim, { namespace, name: 'first' });
  await volumePhase(client, 'kept', 'Released');
  await client.create(kinds.persistentVolumeClaim, claim('second', '1Gi'));
  await phaseOf(client, 'second', 'Pending');

  await client.create(kinds.storageClass, {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'cloud' },
    provisioner: 'disks.example.com',
  });
  await client.create(kinds.persistentVolumeClaim, claim('made', '1Gi', { storageClassName: 'cloud' }));
  await eventually(async () => {
    const { metadata } = await client.get(kinds.persistentVolumeClaim, { namespace, name: 'made' });
    return metadata.annotations?.['volume.kubernetes.io/storage-provisioner'] === 'disks.example.com'
      ? true
      : undefined;
  }, 'the provisioner is called');
  // What it does then.
  const { uid } = (await client.get(kinds.persistentVolumeClaim, { namespace, name: 'made' })).metadata;
  const claimRef = { kind: 'PersistentVolumeClaim', namespace, name: 'made', uid };
  await client.create(kinds.persistentVolume, volume('pvc-1', '1Gi', { storageClassName: 'cloud', claimRef }));
  t.equal((await phaseOf(client, 'made', 'Bound')).spec?.volumeName, 'pvc-1');
});
