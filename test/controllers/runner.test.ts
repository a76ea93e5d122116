import t from 'tap';
import {
  type Deployment,
  type KindOf,
  type KubeObject,
  kinds,
  type Pod,
  type ReplicaSet,
} from '../../src/api/index.ts';
import {
  ApiStatusError,
  createFakeClient,
  type FakeClient,
  type WatchEvent,
  type WatchOptions,
} from '../../src/client/index.ts';
import { eventually, listOf, startCluster } from './cluster.ts';

const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'web:1' }] } };

function replicaSet(replicas: number): ReplicaSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'web', namespace: 'default', generation: 1 },
    spec: { replicas, selector: { matchLabels: { app: 'web' } }, template },
  };
}

function deployment(): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default', generation: 1 },
    spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template, progressDeadlineSeconds: 600 },
  };
}

t.test('a ReplicaSet gets its pods, and its status follows them', async (t) => {
  const { client, events } = await startCluster(t, { names: ['replicaset-controller'], objects: [replicaSet(3)] });
  const set = await eventually(async () => {
    const found = await client.get(kinds.replicaSet, { namespace: 'default', name: 'web' });
    return found.status?.replicas === 3 ? found : undefined;
  }, 'status.replicas 3');
  t.match(set.status, { replicas: 3, fullyLabeledReplicas: 3, observedGeneration: 1 });
  const pods = await listOf(client, kinds.pod);
  t.equal(pods.length, 3);
  t.match(pods[0], {
    metadata: { labels: { app: 'web' }, ownerReferences: [{ kind: 'ReplicaSet', name: 'web', controller: true }] },
    spec: template.spec,
  });
  t.same(
    events.map(({ reason }) => reason),
    ['SuccessfulCreate', 'SuccessfulCreate', 'SuccessfulCreate'],
  );
});

t.test('a watch that shows no pods does not lead to duplicates', async (t) => {
  const fake = createFakeClient([replicaSet(2)]);
  const gate = Promise.withResolvers<void>();
  const client: FakeClient = {
    ...fake,
    async *watch<T extends KubeObject>(kind: KindOf<T>, options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
      for await (const event of fake.watch(kind, options)) {
        if (kind.plural === 'pods') await gate.promise;
        yield event;
      }
    },
  };
  await startCluster(t, { names: ['replicaset-controller'], client });
  const counted = async (round: number): Promise<true | undefined> => {
    const { status } = await client.get(kinds.replicaSet, { namespace: 'default', name: 'web' });
    return status?.replicas === 2 && status.observedGeneration === round ? true : undefined;
  };
  for (const round of [2, 3, 4]) {
    const body = { metadata: { generation: round } };
    await client.patch(kinds.replicaSet, { namespace: 'default', name: 'web' }, 'merge', body);
    await eventually(() => counted(round), `the status of round ${round}`);
  }
  t.equal((await listOf(client, kinds.pod)).length, 2);
  gate.resolve();
});

t.test('a refused creation ends the batch, becomes a condition and an event, and goes away', async (t) => {
  const { client, events } = await startCluster(t, { names: ['replicaset-controller'] });
  const quota = new ApiStatusError(403, 'Forbidden', 'exceeded quota');
  const isPodCreate = (request: { readonly verb: string; readonly resource: string }): boolean =>
    request.verb === 'create' && request.resource === 'pods';
  for (let refusals = 0; refusals < 3; refusals += 1) client.failNext(isPodCreate, quota);
  await client.create(kinds.replicaSet, replicaSet(8));
  const failed = await eventually(async () => {
    const set = await client.get(kinds.replicaSet, { namespace: 'default', name: 'web' });
    return set.status?.conditions?.[0] === undefined ? undefined : set;
  }, 'the condition');
  t.match(failed.status?.conditions, [
    { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota' },
  ]);
  t.match(events[0], { reason: 'FailedCreate', message: 'Error creating: exceeded quota' });
  await eventually(async () => {
    const set = await client.get(kinds.replicaSet, { namespace: 'default', name: 'web' });
    return set.status?.replicas === 8 && set.status.conditions === undefined ? true : undefined;
  }, 'eight pods without the condition');
  t.equal((await listOf(client, kinds.pod)).length, 8);
});

async function makeReady(client: Awaited<ReturnType<typeof startCluster>>['client'], pod: Pod): Promise<void> {
  const { name = '', namespace } = pod.metadata ?? {};
  const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }];
  await client.patch(
    kinds.pod,
    { namespace, name },
    'merge',
    { status: { phase: 'Running', conditions } },
    { subresource: 'status' },
  );
}

t.test('a Deployment rolls out, and again after a change of its template', async (t) => {
  const { client, events } = await startCluster(t, {
    names: ['deployment-controller', 'replicaset-controller'],
    objects: [deployment()],
  });
  const rolledOut = async (revision: string): Promise<true | undefined> => {
    for (const pod of await listOf(client, kinds.pod)) {
      if (pod.status?.phase !== 'Running') await makeReady(client, pod);
    }
    const found = await client.get(kinds.deployment, { namespace: 'default', name: 'web' });
    const progressing = found.status?.conditions?.find(({ type }) => type === 'Progressing');
    const isDone = progressing?.reason === 'NewReplicaSetAvailable' && found.status?.updatedReplicas === 3;
    const isCounted = found.status?.replicas === 3 && found.status.availableReplicas === 3;
    const isRevision = found.metadata.annotations?.['deployment.kubernetes.io/revision'] === revision;
    return isDone && isCounted && isRevision ? true : undefined;
  };
  await eventually(() => rolledOut('1'), 'the first rollout');
  const changed = { ...template, spec: { containers: [{ name: 'c', image: 'web:2' }] } };
  await client.patch(kinds.deployment, { namespace: 'default', name: 'web' }, 'merge', { spec: { template: changed } });
  await eventually(() => rolledOut('2'), 'the second rollout');
  const sets = await listOf(client, kinds.replicaSet);
  t.equal(sets.length, 2);
  t.same(sets.map((set) => set.spec?.replicas).sort(), [0, 3]);
  const pods = (await listOf(client, kinds.pod)).filter((pod) => pod.metadata.deletionTimestamp === undefined);
  t.ok(pods.every((pod) => pod.spec?.containers[0]?.image === 'web:2'));
  t.ok(events.some(({ message }) => /^Scaled up replica set web-\w+ from 0 to 3$/.test(message)));
});

t.test('an unknown controller is refused by name', async (t) => {
  await t.rejects(startCluster(t, { names: ['replica-controller'] }), {
    code: 'UNKNOWN_CONTROLLER',
    message: /"replica-controller"/,
  });
});
