// Evictions and the budgets that guard pods.

import t from 'tap';
import { Agent } from 'undici';
import { encodeProtobuf, protobufMediaType } from '../../../src/api/index.ts';
import { at, type Json, startTestServer } from '../harness.ts';
import { kubectlFor } from '../kubectl.ts';
import { noKubectl } from '../proxy/cluster.ts';

const pods = '/api/v1/namespaces/default/pods';
const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';

const server = await startTestServer();
t.teardown(() => server.stop());
const agent = new Agent({ connect: { ca: server.ca } });
t.teardown(() => agent.destroy());

async function makePod(name: string, app: string, status: Json = ready): Promise<void> {
  const spec = { containers: [{ name: 'c', image: 'i' }], terminationGracePeriodSeconds: 0, nodeName: 'n1' };
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'u', controller: true };
  const metadata = { name, labels: { app }, ownerReferences: [owner] };
  await server.call('POST', pods, { apiVersion: 'v1', kind: 'Pod', metadata, spec });
  await server.patch(`${pods}/${name}/status`, { status });
}

const ready: Json = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
const unready: Json = { phase: 'Running', conditions: [{ type: 'Ready', status: 'False' }] };

async function makeBudget(name: string, status: Json, spec: Json = {}): Promise<void> {
  await server.call('POST', budgets, {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name },
    spec: { minAvailable: 1, selector: { matchLabels: { app: name } }, ...spec },
  });
  const counts = {
    observedGeneration: 1,
    disruptionsAllowed: 0,
    expectedPods: 3,
    currentHealthy: 1,
    desiredHealthy: 1,
  };
  await server.patch(`${budgets}/${name}/status`, { status: { ...counts, ...status } });
}

const evict = (name: string, more: Json = {}) =>
  server.call('POST', `${pods}/${name}/eviction`, {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name },
    ...more,
  });

t.test('a pod without a budget goes', async (t) => {
  await makePod('free', 'free');
  const answer = await evict('free');
  t.match(answer.body, { kind: 'Status', status: 'Success' });
  t.equal(answer.status, 201);
  t.equal((await server.call('GET', `${pods}/free`)).status, 404);
  t.match((await evict('free')).body, { code: 404, message: 'pods "free" not found' });
});

t.test('a budget that has none left', async (t) => {
  await makePod('kept', 'kept');
  await makeBudget('kept', {});
  const answer = await evict('kept');
  t.equal(answer.status, 429);
  t.match(answer.body, {
    reason: 'TooManyRequests',
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    details: {
      causes: [
        { reason: 'DisruptionBudget', message: 'The disruption budget kept needs 1 healthy pods and has 1 currently' },
      ],
    },
  });
  t.equal((await server.call('GET', `${pods}/kept`)).status, 200);
});

t.test('a budget whose change was not looked at yet', async (t) => {
  await makePod('fresh', 'fresh');
  await makeBudget('fresh', { observedGeneration: 0, disruptionsAllowed: 1 });
  const answer = await evict('fresh');
  t.equal(answer.status, 429);
  t.equal(answer.headers['retry-after'], '10');
  const message = at(answer.body, 'details.causes.0.message');
  t.equal(message, 'The disruption budget fresh is still being processed by the server.');
});

t.test('a budget that failed its sync says why', async (t) => {
  await makePod('failed', 'failed');
  const condition = { type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message: 'no scale' };
  await makeBudget('failed', { conditions: [{ ...condition, lastTransitionTime: '2024-01-01T00:00:00Z' }] });
  const message = at((await evict('failed')).body, 'details.causes.0.message');
  t.match(message, /does not allow evicting pods currently because it failed sync: no scale/);
});

t.test('two budgets for one pod', async (t) => {
  await makePod('both', 'both');
  await makeBudget('both', { disruptionsAllowed: 1 });
  await makeBudget('both-2', { disruptionsAllowed: 1 }, { selector: { matchLabels: { app: 'both' } } });
  const answer = await evict('both');
  t.equal(answer.status, 500);
  t.match(answer.body, { message: /This pod has more than one PodDisruptionBudget/ });
});

t.test('evictions at once take no more than the budget has', async (t) => {
  const names = ['a', 'b', 'c', 'd', 'e'].map((one) => `many-${one}`);
  for (const name of names) await makePod(name, 'many');
  await makeBudget('many', { disruptionsAllowed: 2 });
  const answers = await Promise.all(names.map((name) => evict(name)));
  t.strictSame(answers.map(({ status }) => status).sort(), [201, 201, 429, 429, 429]);
  const { body } = await server.call('GET', `${budgets}/many`);
  t.equal(at(body, 'status.disruptionsAllowed'), 0);
  t.equal(Object.keys(at(body, 'status.disruptedPods') as object).length, 2);
  t.match(at(body, 'status.conditions'), [{ type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods' }]);
});

t.test('a dry run changes nothing', async (t) => {
  await makePod('dry', 'dry');
  await makeBudget('dry', { disruptionsAllowed: 1 });
  t.equal((await evict('dry', { deleteOptions: { dryRun: ['All'] } })).status, 201);
  t.equal((await server.call('POST', `${pods}/dry/eviction?dryRun=All`, { metadata: { name: 'dry' } })).status, 201);
  t.equal((await server.call('GET', `${pods}/dry`)).status, 200);
  t.equal(at((await server.call('GET', `${budgets}/dry`)).body, 'status.disruptionsAllowed'), 1);
});

t.test('pods that serve nobody', async (t) => {
  for (const { name, pod, budget, spec, want } of [
    { name: 'finished', pod: { phase: 'Succeeded' }, budget: {}, spec: {}, want: 201 },
    { name: 'pending', pod: { phase: 'Pending' }, budget: {}, spec: {}, want: 201 },
    { name: 'unready-healthy', pod: unready, budget: { currentHealthy: 2, desiredHealthy: 2 }, spec: {}, want: 201 },
    { name: 'unready-short', pod: unready, budget: { currentHealthy: 1, desiredHealthy: 2 }, spec: {}, want: 429 },
    {
      name: 'unready-always',
      pod: unready,
      budget: { currentHealthy: 1, desiredHealthy: 2 },
      spec: { unhealthyPodEvictionPolicy: 'AlwaysAllow' },
      want: 201,
    },
  ]) {
    await makePod(name, name, pod);
    await makeBudget(name, budget, spec);
    t.equal((await evict(name)).status, want, name);
  }
});

t.test('a pod that takes its time is marked with why it goes', async (t) => {
  await makePod('slow', 'slow');
  t.equal((await evict('slow', { deleteOptions: { gracePeriodSeconds: 30 } })).status, 201);
  const { body } = await server.call('GET', `${pods}/slow`);
  t.type(at(body, 'metadata.deletionTimestamp'), 'string');
  t.match(at(body, 'status.conditions'), [
    { type: 'Ready' },
    { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI' },
  ]);
});

t.test('what the client holds on to', async (t) => {
  await makePod('pinned', 'pinned');
  const uid = { deleteOptions: { preconditions: { uid: 'other' } } };
  t.equal((await evict('pinned', uid)).status, 409);
  const version = { deleteOptions: { preconditions: { resourceVersion: '1' } } };
  t.equal((await evict('pinned', version)).status, 409);
  t.match((await evict('pinned', { metadata: { name: 'x' } })).body, { code: 400, message: /name in URL does not/ });
  const now = at((await server.call('GET', `${pods}/pinned`)).body, 'metadata.resourceVersion');
  t.equal((await evict('pinned', { deleteOptions: { preconditions: { resourceVersion: now } } })).status, 201);
});

t.test('an Eviction in any version and encoding', async (t) => {
  const json = 'application/json';
  for (const [name, version, type] of [
    ['json-v1', 'v1', json],
    ['json-v1beta1', 'v1beta1', json],
    ['yaml-v1beta1', 'v1beta1', 'application/yaml'],
    ['protobuf-v1', 'v1', protobufMediaType],
    ['protobuf-v1beta1', 'v1beta1', protobufMediaType],
  ] as const) {
    await makePod(name, name);
    const given = { apiVersion: `policy/${version}`, kind: 'Eviction', metadata: { name, namespace: 'default' } };
    const eviction = { ...given, deleteOptions: { gracePeriodSeconds: 30 } };
    const yaml = `apiVersion: policy/${version}\nkind: Eviction\nmetadata: {name: ${name}}\ndeleteOptions: {gracePeriodSeconds: 30}\n`;
    const body = type === json ? eviction : type === protobufMediaType ? encodeProtobuf(eviction) : yaml;
    t.equal(await post(`${pods}/${name}/eviction`, body, type), 201, name);
    const gone = (await server.call('GET', `${pods}/${name}`)).body;
    t.equal(at(gone, 'metadata.deletionGracePeriodSeconds'), 30, `${name}: its deleteOptions count`);
  }
});

/** The status of a POST whose body may be bytes. */
async function post(path: string, body: Json | string | Buffer, type: string): Promise<number> {
  const answer = await agent.request({
    origin: server.server.url,
    path,
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': type },
    body: Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body),
  });
  await answer.body.dump();
  return answer.statusCode;
}

t.test('an Eviction that is wrong evicts nobody', async (t) => {
  await makePod('judged', 'judged');
  const eviction = `${pods}/judged/eviction`;
  const given = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'judged' } };
  for (const { body, query = '', want } of [
    { body: { ...given, deleteOption: {} }, query: '?fieldValidation=Strict', want: /unknown field "deleteOption"/ },
    { body: { ...given, kind: 'Pod' }, want: /cannot be handled as a Eviction/ },
    { body: { ...given, apiVersion: 'policy/v2' }, want: /API version in the data \(policy\/v2\) does not match/ },
    {
      body: { ...given, metadata: { name: 'judged', namespace: 'x' } },
      want: /namespace of the provided object does not/,
    },
    { body: {}, want: /name in URL does not match name in Eviction object/ },
    { body: { ...given, deleteOptions: { gracePeriodSeconds: 'x' } }, want: /cannot unmarshal string/ },
    { body: '[]', want: /must be of type Eviction/ },
    { body: '{', want: /must be of type Eviction/ },
  ]) {
    const answer = await server.call('POST', eviction + query, body);
    t.match(answer.body, { code: 400, reason: 'BadRequest', message: want });
  }
  const policy = { ...given, deleteOptions: { propagationPolicy: 'Never' } };
  t.match((await server.call('POST', eviction, policy)).body, { code: 422, reason: 'Invalid' });
  t.equal(await post(eviction, 'x', 'application/cbor'), 415);
  t.equal(at((await server.call('GET', `${pods}/judged`)).body, 'metadata.deletionTimestamp'), undefined);
  const warned = await server.call('POST', `${eviction}?dryRun=All`, { ...given, deleteOption: {} });
  t.match([warned.status, warned.headers['warning']], [201, /unknown field \\"deleteOption\\"/]);
});

t.test('kubectl drain waits for the budget', { skip: noKubectl }, async (t) => {
  const kubectl = await kubectlFor(server);
  t.teardown(() => kubectl.close());
  await server.call('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n2' } });
  const spec = { containers: [{ name: 'c', image: 'i' }], terminationGracePeriodSeconds: 0, nodeName: 'n2' };
  const metadata = { name: 'guarded', labels: { app: 'guarded' } };
  await server.call('POST', pods, { apiVersion: 'v1', kind: 'Pod', metadata, spec });
  await server.patch(`${pods}/guarded/status`, { status: ready });
  await makeBudget('guarded', {});
  const args = ['drain', 'n2', '--force', '--timeout=2s'];
  const refused = await kubectl.run(args);
  t.not(refused.code, 0);
  t.match(refused.err, /Cannot evict pod as it would violate the pod's disruption budget/);
  t.equal((await server.call('GET', `${pods}/guarded`)).status, 200);
  await server.patch(`${budgets}/guarded/status`, { status: { disruptionsAllowed: 1 } });
  const done = await kubectl.run(args);
  t.equal(done.code, 0, done.err);
  t.match(done.out, /node\/n2 drained/);
  t.equal((await server.call('GET', `${pods}/guarded`)).status, 404);
});
