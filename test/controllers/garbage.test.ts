import t from 'tap';
import { type KubeObject, kinds, type Namespace, type Pod, type ReplicaSet, type Stored } from '../../src/api/index.ts';
import type { Action } from '../../src/controllers/controller.ts';
import { collect, finishDeletion, type Item, type OwnerState } from '../../src/controllers/garbage-collector.ts';
import { reconcileNamespace } from '../../src/controllers/namespace.ts';
import { eventually, listOf, startCluster } from './cluster.ts';
import { ago, now, pod, replicaSet } from './objects.ts';

function item(object: Stored<KubeObject> = pod(), owners: readonly string[] = ['a', 'b']): Item {
  const ownerReferences = owners.map((uid) => ({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name: uid,
    uid,
    blockOwnerDeletion: true,
  }));
  return { kind: kinds.pod, object: { ...object, metadata: { ...object.metadata, ownerReferences } } };
}

function deleting(object: Stored<KubeObject>, finalizer: string): Item {
  const metadata = { ...object.metadata, deletionTimestamp: ago(1) as never, finalizers: [finalizer, 'other'] };
  return { kind: kinds.replicaSet, object: { ...object, metadata } as Stored<KubeObject> };
}

function states(...all: readonly OwnerState['state'][]): readonly OwnerState[] {
  return all.map((state, at) => ({ uid: ['a', 'b'][at] ?? '', state }));
}

function brief(actions: readonly Action[]): readonly string[] {
  return actions.map((action) => {
    if (action.do === 'delete') return `delete ${action.options?.propagationPolicy}`;
    if (action.do === 'event') return `event ${action.reason}`;
    if (action.do !== 'patch') return action.do;
    const { ownerReferences, finalizers } = (action.body as { metadata: KubeObject['metadata'] }).metadata ?? {};
    if (finalizers !== undefined) return `finalizers ${finalizers?.join() ?? 'none'}`;
    return `owners ${(ownerReferences ?? []).map(({ uid, blockOwnerDeletion }) => `${uid}${blockOwnerDeletion === false ? '!' : ''}`).join()}`;
  });
}

t.test('what happens to an object by the state of its owners', async (t) => {
  const waitingDependent = deleting(replicaSet({ name: 'd' }), 'foregroundDeletion');
  const cases: readonly {
    readonly name: string;
    readonly owners: readonly OwnerState[];
    readonly dependents?: readonly Item[];
    readonly want: readonly string[];
  }[] = [
    { name: 'no owners', owners: [], want: [] },
    { name: 'all there', owners: states('solid', 'solid'), want: [] },
    { name: 'one gone', owners: states('absent', 'solid'), want: ['owners b'] },
    { name: 'one waits, one is there', owners: states('waiting', 'solid'), want: ['owners b'] },
    { name: 'all gone', owners: states('absent', 'absent'), want: ['delete Background'] },
    { name: 'a kind that nobody knows', owners: states('absent', 'unknown kind'), want: ['owners b'] },
    { name: 'only a kind that nobody knows', owners: states('unknown kind'), want: [] },
    { name: 'waited for, alone', owners: states('waiting'), want: ['delete Background'] },
    {
      name: 'waited for, with dependents',
      owners: states('waiting'),
      dependents: [item()],
      want: ['delete Foreground'],
    },
    {
      name: 'a circle is opened',
      owners: states('waiting', 'absent'),
      dependents: [waitingDependent],
      want: ['owners a!,b!', 'delete Foreground'],
    },
    { name: 'an owner in a namespace', owners: states('invalid'), want: ['event OwnerRefInvalidNamespace'] },
  ];
  for (const { name, owners, dependents = [], want } of cases)
    t.same(brief(collect(item(), owners, dependents)), want, name);
});

t.test('what an owner that is being deleted waits for', async (t) => {
  const owner = replicaSet({ name: 'a' });
  const blocking = item(pod(), ['uid-a']);
  const cases = [
    { name: 'no finalizer', given: deleting(owner, 'mine'), dependents: [blocking], want: [] },
    {
      name: 'foreground, dependents left',
      given: deleting(owner, 'foregroundDeletion'),
      dependents: [blocking],
      want: ['enqueue'],
    },
    {
      name: 'foreground, none left',
      given: deleting(owner, 'foregroundDeletion'),
      dependents: [],
      want: ['finalizers other'],
    },
    {
      name: 'foreground, the rest is leaving',
      given: deleting(owner, 'foregroundDeletion'),
      dependents: [item(pod({ deleting: true }), ['uid-a'])],
      want: [],
    },
    {
      name: 'orphan: references first',
      given: deleting(owner, 'orphan'),
      dependents: [item(pod(), ['uid-a', 'b'])],
      want: ['owners b', 'finalizers other'],
    },
  ];
  for (const { name, given, dependents, want } of cases) t.same(brief(finishDeletion(given, dependents)), want, name);
});

const set: ReplicaSet = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'web', namespace: 'default', uid: 'set-uid' },
  spec: { replicas: 0, selector: { matchLabels: { app: 'web' } } },
};

function ownedPod(name: string, uid: string): Pod {
  const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid, controller: true }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', ownerReferences },
    spec: { containers: [{ name: 'c' }] },
  };
}

t.test('dependents follow their owner, also one that was gone before the start; others stay', async (t) => {
  const { client } = await startCluster(t, {
    names: ['garbage-collector-controller'],
    objects: [set, ownedPod('mine', 'set-uid'), ownedPod('of-a-predecessor', 'older-uid')],
  });
  const names = async (): Promise<string> =>
    (await listOf(client, kinds.pod)).map(({ metadata }) => metadata.name).join();
  await eventually(async () => ((await names()) === 'mine' ? true : undefined), 'the predecessor’s pod to go');
  await client.delete(kinds.replicaSet, { namespace: 'default', name: 'web' });
  await eventually(async () => ((await names()) === '' ? true : undefined), 'the pod to go');
  t.equal(await names(), '');
});

function ending(): Stored<Namespace> {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'n', uid: 'n', resourceVersion: '1', deletionTimestamp: ago(1) as never },
    spec: { finalizers: ['kubernetes', 'mine'] },
    status: { phase: 'Terminating' },
  } as unknown as Stored<Namespace>;
}

t.test('a namespace that ends: pods first, then the rest, then its finalizer', async (t) => {
  const kindsOf = (actions: readonly Action[]): readonly string[] =>
    actions.flatMap((action) => (action.do === 'deleteAll' ? [action.kind.plural] : []));
  const configMap = { kind: kinds.configMap, objects: [pod({ name: 'c' })] };
  const pods = { kind: kinds.pod, objects: [pod()] };
  t.same(kindsOf(reconcileNamespace(ending(), [configMap, pods], undefined, now)), ['pods']);
  t.same(kindsOf(reconcileNamespace(ending(), [configMap], undefined, now)), ['configmaps']);
  const leaving = { kind: kinds.pod, objects: [pod({ deleting: true })] };
  t.same(kindsOf(reconcileNamespace(ending(), [leaving, configMap], undefined, now)), [], 'pods are still leaving');
  t.match(reconcileNamespace(ending(), [], undefined, now), [
    { subresource: 'finalize', object: { spec: { finalizers: ['mine'] } } },
  ]);
});

t.test('a namespace tells what is left', async (t) => {
  const stuck = pod({ deleting: true });
  const held = { ...stuck, metadata: { ...stuck.metadata, finalizers: ['example.com/wait'] } };
  const failure = { action: 'deleteAll', reason: 'Forbidden', message: 'no' } as const;
  const actions = reconcileNamespace(ending(), [{ kind: kinds.pod, objects: [held] }], failure, now);
  const write = actions.find((action) => action.do === 'update');
  t.match(write, {
    subresource: 'status',
    object: {
      status: {
        phase: 'Terminating',
        conditions: [
          { type: 'NamespaceDeletionDiscoveryFailure', status: 'False' },
          { type: 'NamespaceDeletionGroupVersionParsingFailure', status: 'False' },
          { type: 'NamespaceDeletionContentFailure', status: 'True', message: 'no' },
          { type: 'NamespaceContentRemaining', status: 'True', message: /pods\. has 1 resource instances/ },
          { type: 'NamespaceFinalizersRemaining', status: 'True', message: /example\.com\/wait in 1/ },
        ],
      },
    },
  });
});
