// Jobs on the real API server, from creation to their end.

import t from 'tap';
import { type Job, kinds } from '../../src/api/index.ts';
import { eventually } from './cluster.ts';
import { ended, namespace, playNodes, running, startStory, stored } from './real-cluster.ts';

function job(name: string, spec: object): Job {
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name, namespace }, spec: { template, ...spec } } as Job;
}

t.test('a Job ends when enough pods succeeded, and its pods keep no finalizer', async (t) => {
  const client = await startStory(t);
  await client.create(kinds.job, job('three', { completions: 3, parallelism: 2 }));
  const done = await eventually(async () => {
    await playNodes(client, () => ended());
    const found = await client.get(kinds.job, { namespace, name: 'three' });
    return found.status?.completionTime === undefined ? undefined : found;
  }, 'the Job to complete');
  t.equal(done.status?.succeeded, 3);
  t.same(done.status?.uncountedTerminatedPods, {});
  t.same(
    done.status?.conditions?.map(({ type, reason }) => [type, reason]),
    [
      ['SuccessCriteriaMet', 'CompletionsReached'],
      ['Complete', 'CompletionsReached'],
    ],
  );
  const pods = await stored(client, kinds.pod);
  t.equal(pods.length, 3);
  t.ok(pods.every(({ metadata }) => metadata.finalizers === undefined));
});

t.test('an Indexed Job works through its indexes and tells each pod its own', async (t) => {
  const client = await startStory(t);
  await client.create(kinds.job, job('idx', { completions: 3, parallelism: 3, completionMode: 'Indexed' }));
  const done = await eventually(async () => {
    await playNodes(client, () => ended());
    const found = await client.get(kinds.job, { namespace, name: 'idx' });
    return found.status?.completionTime === undefined ? undefined : found;
  }, 'the Job to complete');
  t.equal(done.status?.completedIndexes, '0-2');
  const pods = await stored(client, kinds.pod);
  t.same(pods.map(({ spec }) => spec?.hostname).sort(), ['idx-0', 'idx-1', 'idx-2']);
});

t.test('a Job fails past its backoff limit; what still runs is stopped first', async (t) => {
  const client = await startStory(t);
  await client.create(kinds.job, job('bad', { completions: 2, parallelism: 2, backoffLimit: 0 }));
  let isFirst = true;
  const done = await eventually(async () => {
    await playNodes(client, () => {
      const status = isFirst ? ended(1) : running();
      isFirst = false;
      return status;
    });
    const found = await client.get(kinds.job, { namespace, name: 'bad' });
    return found.status?.conditions?.some(({ type }) => type === 'Failed') ? found : undefined;
  }, 'the Job to fail');
  t.same(
    done.status?.conditions?.map(({ type, reason }) => [type, reason]),
    [
      ['FailureTarget', 'BackoffLimitExceeded'],
      ['Failed', 'BackoffLimitExceeded'],
    ],
  );
  t.equal(done.status?.failed, 2);
});

t.test('a suspended Job has no pods; deleting a Job leaves none behind', async (t) => {
  const client = await startStory(t);
  const at = { namespace, name: 'nap' };
  await client.create(kinds.job, job('nap', { parallelism: 2, suspend: true }));
  await eventually(async () => {
    const { status } = await client.get(kinds.job, at);
    return status?.conditions?.some(({ type }) => type === 'Suspended') ? true : undefined;
  }, 'the Job to be suspended');
  t.equal((await stored(client, kinds.pod)).length, 0);
  await client.patch(kinds.job, at, 'merge', { spec: { suspend: false } });
  await eventually(async () => ((await stored(client, kinds.pod)).length === 2 ? true : undefined), 'two pods');
  await client.patch(kinds.job, at, 'merge', { spec: { suspend: true } });
  await eventually(async () => ((await playNodes(client)).length === 0 ? true : undefined), 'the pods to stop');
  t.equal((await client.get(kinds.job, at)).status?.failed, undefined, 'none of them failed');
  await client.patch(kinds.job, at, 'merge', { spec: { suspend: false } });
  await eventually(async () => ((await stored(client, kinds.pod)).length === 2 ? true : undefined), 'two pods again');
  await client.delete(kinds.job, at, { propagationPolicy: 'Background' });
  await eventually(async () => ((await playNodes(client)).length === 0 ? true : undefined), 'nothing to be left');
});

t.test('a finished Job goes after its time', async (t) => {
  const client = await startStory(t);
  await client.create(kinds.job, job('brief', { ttlSecondsAfterFinished: 0 }));
  await eventually(async () => {
    await playNodes(client, () => ended());
    const left = [...(await stored(client, kinds.job)), ...(await stored(client, kinds.pod))];
    return left.length === 0 ? true : undefined;
  }, 'the Job and its pod to go');
});
