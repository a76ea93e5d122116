// Priority levels, shares and queues; and a server that is full.

import t from 'tap';
import { Agent } from 'undici';
import { flowSchemas, priorityLevels } from '../../src/apiserver/bootstrap/index.ts';
import type { RequestAttributes, UserInfo } from '../../src/apiserver/contracts.ts';
import { createFlowControl, type FlowRequest, type Leave } from '../../src/apiserver/http/flow-control.ts';
import { compileFlowSchemas } from '../../src/apiserver/http/flow-schemas.ts';
import { handOf } from '../../src/apiserver/http/shuffle-sharding.ts';
import { createKeyPair } from '../../src/certs/index.ts';
import { at, configMaps, type Json, startTestServer } from './harness.ts';

const user = (name: string, ...groups: string[]): UserInfo => ({ name, groups: [...groups, 'system:authenticated'] });
const ordinary = user('jane');

const attributes = (from: UserInfo, more: Partial<RequestAttributes> = {}): RequestAttributes => ({
  user: from,
  verb: 'get',
  isResourceRequest: true,
  apiGroup: '',
  apiVersion: 'v1',
  resource: 'pods',
  subresource: '',
  namespace: '',
  name: '',
  path: '',
  ...more,
});

/** Who still waits when the tests are over leaves, so that nothing waits for them. */
const leaving: (() => void)[] = [];
t.teardown(() => {
  for (const leave of leaving) leave();
});

const ask = (from: UserInfo = ordinary, more: Partial<FlowRequest> = {}): FlowRequest => ({
  attributes: attributes(from),
  mutates: false,
  onGone: (handler) => leaving.push(handler),
  ...more,
});

t.test('which level a request is of', async (t) => {
  const levelOf = compileFlowSchemas(flowSchemas, () => true);
  const lease = { apiGroup: 'coordination.k8s.io', resource: 'leases', namespace: 'x', verb: 'update' } as const;
  const node = user('system:node:a', 'system:nodes');
  const controller = user('system:kube-controller-manager');
  for (const [from, more, want] of [
    [user('admin', 'system:masters'), {}, 'exempt'],
    [node, {}, 'system'],
    [node, lease, 'node-high'],
    [node, { resource: 'nodes', subresource: 'status', verb: 'patch' }, 'node-high'],
    [controller, {}, 'workload-high'],
    [controller, lease, 'leader-election'],
    [user('system:serviceaccount:kube-system:dns', 'system:serviceaccounts'), {}, 'workload-high'],
    [controller, { resource: 'endpoints', namespace: 'x', verb: 'update' }, 'workload-high'],
    [user('system:serviceaccount:default:sa', 'system:serviceaccounts'), {}, 'workload-low'],
    [ordinary, {}, 'global-default'],
    [{ name: 'system:anonymous', groups: ['system:unauthenticated'] }, {}, 'global-default'],
    [{ name: 'nobody', groups: [] }, {}, 'catch-all'],
    [ordinary, { isResourceRequest: false, path: '/readyz' }, 'exempt'],
  ] as const) {
    t.equal(levelOf(attributes(from, more)).level, want, `${from.name} ${want}`);
  }
});

const apiVersion = 'flowcontrol.apiserver.k8s.io/v1';
const queuing = { queues: 16, handSize: 4, queueLengthLimit: 3 };
const queues = { type: 'Queue', queuing };

/** A level, and the schema by which everybody of the group of its name gets there; besides, there is always catch-all. */
function made(name: string, limited: Json) {
  const spec = { type: 'Limited', limited: { limitResponse: queues, ...limited } };
  const rules = [
    {
      subjects: [{ kind: 'Group', group: { name } }],
      resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }],
    },
  ];
  return {
    level: { apiVersion, kind: 'PriorityLevelConfiguration', metadata: { name }, spec },
    schema: {
      ...{ apiVersion, kind: 'FlowSchema', metadata: { name } },
      spec: { priorityLevelConfiguration: { name }, distinguisherMethod: { type: 'ByUser' }, rules },
    },
  };
}

function configured(seats: number, ...given: readonly ReturnType<typeof made>[]) {
  const flows = createFlowControl({ seats, queueWaitMs: 10_000 });
  flows.configure({ schemas: given.map(({ schema }) => schema), levels: given.map(({ level }) => level) });
  return flows;
}

/** How many of `count` requests find a seat at once; the others wait and are not waited for. */
function seated(flows: ReturnType<typeof createFlowControl>, from: UserInfo, count: number): Leave[] {
  const answers = Array.from({ length: count }, () => flows.enter(ask(from)));
  return answers.filter((one) => {
    if (one instanceof Promise) one.catch(() => undefined);
    return !(one instanceof Promise);
  }) as Leave[];
}

t.test(
  'a level borrows what others lend, up to its limit, and gets its own share when others took everything',
  async (t) => {
    // catch-all has 5 shares of which it lends none: it keeps 5 seats of 20.
    const lender = (lendablePercent: number) => made('lender', { nominalConcurrencyShares: 5, lendablePercent });
    const borrower = (more: Json) => made('borrower', { nominalConcurrencyShares: 10, ...more });
    for (const { name, given, want } of [
      { name: 'what is kept is not lent', given: [lender(40), borrower({})], want: 12 },
      { name: 'everything that is lent', given: [lender(100), borrower({})], want: 15 },
      { name: 'no further than its limit', given: [lender(100), borrower({ borrowingLimitPercent: 30 })], want: 13 },
      { name: 'nothing', given: [lender(100), borrower({ borrowingLimitPercent: 0 })], want: 10 },
    ]) {
      const flows = configured(20, ...given);
      const taken = seated(flows, user('b', 'borrower'), 20);
      t.equal(taken.length, want, name);
      t.equal(seated(flows, user('l', 'lender'), 5).length, 5, `${name}: the lender has its share all the same`);
      t.type(flows.enter(ask({ name: 'nobody', groups: [] })), 'function');
    }
  },
);

t.test('who waits is seated as soon as there is a seat, a new one too', async (t) => {
  const level = made('level', { nominalConcurrencyShares: 15 });
  const flows = configured(4, level);
  const taken = seated(flows, user('a', 'level'), 3);
  t.equal(taken.length, 3);
  const waits = flows.enter(ask(user('a', 'level')));
  t.ok(waits instanceof Promise);
  taken[0]?.();
  t.type(await waits, 'function');
  const more = flows.enter(ask(user('a', 'level')));
  const { level: bigger } = made('level', { nominalConcurrencyShares: 1000 });
  flows.configure({ schemas: [level.schema], levels: [bigger] });
  t.type(await more, 'function');
});

t.test('a busy flow fills the queues of its hand and no others, which take turns', async (t) => {
  const flows = configured(1, made('level', { nominalConcurrencyShares: 1 }));
  const first = flows.enter(ask(user('busy', 'level'))) as Leave;
  const order: string[] = [];
  const wait = async (name: string): Promise<void> => {
    const leave = await flows.enter(ask(user(name, 'level')));
    order.push(name);
    leave();
  };
  const { handSize, queueLengthLimit } = queuing;
  const busy = Array.from({ length: handSize * queueLengthLimit }, () => wait('busy'));
  t.throws(() => flows.enter(ask(user('busy', 'level'))), { code: 429 }, 'its hand is full');
  const quiet = wait('quiet');
  first();
  await Promise.all([...busy, quiet]);
  t.ok(order.indexOf('quiet') <= handSize, 'the quiet one has its turn after one of each queue');
  t.equal(flows.reading, 0);
});

t.test('queues do not grow with the number of flows', async (t) => {
  const flows = configured(1, made('level', { nominalConcurrencyShares: 1 }));
  const first = flows.enter(ask(user('first', 'level')));
  let refused = 0;
  for (let n = 0; n < 500; n += 1) {
    try {
      Promise.resolve(flows.enter(ask(user(`one-of-many-${n}`, 'level')))).catch(() => undefined);
    } catch {
      refused += 1;
    }
  }
  t.type(first, 'function');
  const { waiting } = flows.levels().find(({ name }) => name === 'level') ?? { waiting: -1 };
  t.equal(waiting, queuing.queues * queuing.queueLengthLimit);
  t.equal(refused, 500 - waiting);
});

t.test('hands', async (t) => {
  for (const { queues, handSize } of [
    { queues: 1, handSize: 1 },
    { queues: 8, handSize: 8 },
    { queues: 128, handSize: 6 },
    { queues: 100_000, handSize: 10 },
  ]) {
    for (const flow of ['a/b', 'a/c', '']) {
      const hand = handOf(flow, { queues, handSize });
      t.equal(new Set(hand).size, handSize, 'all different');
      t.ok(hand.every((index) => index >= 0 && index < queues));
      t.same(handOf(flow, { queues, handSize }), hand, 'always the same');
    }
  }
  const dealt = new Set(Array.from({ length: 300 }, (_, n) => handOf(`flow-${n}`, { queues: 16, handSize: 4 })).flat());
  t.equal(dealt.size, 16, 'every queue is dealt to somebody');
});

t.test('a queue is bounded in length and in time', async (t) => {
  const flows = createFlowControl({ seats: 1, queueLength: 1, queueWaitMs: 20 });
  const one = { type: 'Queue', queuing: { queues: 1, handSize: 1, queueLengthLimit: 50 } };
  const { level, schema } = made('level', { nominalConcurrencyShares: 1, limitResponse: one });
  flows.configure({ schemas: [schema], levels: [level] });
  const asked = ask(user('a', 'level'));
  const seat = flows.enter(asked) as Leave;
  const waits = flows.enter(asked);
  t.throws(() => flows.enter(asked), { code: 429, retryAfterSeconds: 1 });
  await t.rejects(Promise.resolve(waits), { code: 429 });
  t.match(
    flows.levels().find(({ name }) => name === 'level'),
    { rejected: 2, waiting: 0 },
  );
  seat();
  seat();
  t.equal(flows.reading, 0, 'a seat is given back once');
});

t.test('a client that goes away leaves the queue', async (t) => {
  const flows = createFlowControl({ seats: 1 });
  const seat = flows.enter(ask()) as Leave;
  let gone: () => void = () => undefined;
  const waits = flows.enter(
    ask(ordinary, {
      onGone: (handler) => {
        gone = handler;
      },
    }),
  );
  gone();
  await t.rejects(Promise.resolve(waits));
  seat();
  t.type(flows.enter(ask()), 'function');
});

t.test('a server without seats answers 429, but not to administrators', async (t) => {
  const { privateKeyPem: signingKeyPem } = await createKeyPair();
  const server = await startTestServer({
    security: { mode: 'rbac', serviceAccounts: { signingKeyPem, issuer: 'https://issuer.test' } },
    clientGroups: ['system:masters'],
    limits: { seats: 0, queueLength: 0 },
  });
  t.teardown(() => server.stop());
  t.equal((await server.call('GET', configMaps)).status, 200);
  const agent = new Agent({ connect: { ca: server.ca, ...(await server.pki.client('jane', ['dev'])) } });
  t.teardown(() => agent.destroy());
  const answer = await agent.request({ origin: server.server.url, path: configMaps, method: 'GET' });
  t.equal(answer.statusCode, 429);
  t.equal(answer.headers['retry-after'], '1');
  t.match(await answer.body.json(), { reason: 'TooManyRequests', details: { retryAfterSeconds: 1 } });
  const accept = 'application/yaml';
  const yaml = await agent.request({ origin: server.server.url, path: configMaps, method: 'GET', headers: { accept } });
  t.match(await yaml.body.text(), /^kind: Status\n.*\nreason: TooManyRequests\n.*retryAfterSeconds: 1\ncode: 429\n$/s);
  const metrics = await server.call('GET', '/metrics');
  t.match(metrics.text, /apiserver_flowcontrol_rejected_requests_total\{priority_level="global-default"\} 2/);
});

t.test('levels and schemas as they are configured', async (t) => {
  const flows = createFlowControl({ seats: 10, queueWaitMs: 10_000 });
  const level = {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'PriorityLevelConfiguration',
    metadata: { name: 'batch' },
    spec: { type: 'Limited', limited: { nominalConcurrencyShares: 1, limitResponse: { type: 'Reject' } } },
  };
  const schema = {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'FlowSchema',
    metadata: { name: 'batch' },
    spec: {
      matchingPrecedence: 50,
      priorityLevelConfiguration: { name: 'batch' },
      distinguisherMethod: { type: 'ByNamespace' },
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: 'jane' } }],
          resourceRules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'], clusterScope: true }],
        },
      ],
    },
  };
  flows.configure({ schemas: [...flowSchemas, schema], levels: [...priorityLevels, level] });
  // Each of five other levels keeps one.
  const taken = Array.from({ length: 5 }, () => flows.enter(ask()) as Leave);
  t.match(
    flows.levels().find(({ name }) => name === 'batch'),
    { executing: 5 },
    'it borrows what is free',
  );
  t.throws(() => flows.enter(ask()), { code: 429 }, 'and does not queue');
  flows.configure({ schemas: [], levels: [] });
  t.strictSame(
    flows.levels().map(({ name }) => name),
    ['exempt', 'catch-all'],
    'what nobody may take away',
  );
  for (const leave of taken) leave();
  t.equal(flows.reading, 0);
  t.type(flows.enter(ask()), 'function');
});

t.test('the objects are stored, changes are heard of, and mistakes with the last resort do no harm', async (t) => {
  const server = await startTestServer();
  t.teardown(() => server.stop());
  const levels = '/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations';
  const schemas = '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas';
  const names = async (path: string): Promise<readonly string[]> =>
    ((await server.call('GET', path)).body['items'] as { metadata: { name: string } }[]).map(
      (one) => one.metadata.name,
    );
  t.strictSame((await names(levels)).length, 8);
  t.ok((await names(schemas)).includes('system-leader-election'));
  const batch = {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'PriorityLevelConfiguration',
    metadata: { name: 'batch' },
    spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } },
  };
  t.equal((await server.call('POST', levels, batch)).status, 201);
  await server.call('DELETE', `${schemas}/catch-all`);
  const metrics = (await server.call('GET', '/metrics')).text;
  for (const level of ['batch', 'catch-all']) {
    t.ok(metrics.includes(`apiserver_flowcontrol_current_executing_requests{priority_level="${level}"}`), level);
  }
});

t.test('a schema says whether its level exists', async (t) => {
  const api = await startTestServer();
  t.teardown(() => api.stop());
  const schemas = '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas';
  const levels = '/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations';
  const apiVersion = 'flowcontrol.apiserver.k8s.io/v1';
  const dangling = (schema: Json): Json | undefined =>
    (at(schema, 'status.conditions') as readonly Json[] | undefined)?.find(({ type }) => type === 'Dangling');
  const watch = await api.watch(
    `${schemas}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
  );
  const until = async (name: string, status: string): Promise<Json | undefined> => {
    for (;;) {
      const { object } = await watch.next();
      const told = dangling(object);
      if (at(object, 'metadata.name') === name && told?.['status'] === status) return told;
    }
  };
  const made = await api.call('POST', schemas, {
    apiVersion,
    kind: 'FlowSchema',
    metadata: { name: 'mine' },
    spec: { matchingPrecedence: 500, priorityLevelConfiguration: { name: 'own' } },
  });
  t.equal(made.status, 201, made.text);
  t.match(await until('mine', 'True'), {
    reason: 'NotFound',
    message: 'This FlowSchema references the PriorityLevelConfiguration object named "own" but there is no such object',
    lastTransitionTime: /Z$/,
  });
  const level = await api.call('POST', levels, {
    apiVersion,
    kind: 'PriorityLevelConfiguration',
    metadata: { name: 'own' },
    spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } },
  });
  t.equal(level.status, 201, level.text);
  t.match(await until('mine', 'False'), {
    reason: 'Found',
    message: 'This FlowSchema references the PriorityLevelConfiguration object named "own" and it exists',
  });
  await api.call('DELETE', `${levels}/own`);
  t.ok(await until('mine', 'True'));
  watch.close();
  const { items } = (await api.call('GET', schemas)).body;
  const silent = (items as readonly Json[]).filter((one) => dangling(one) === undefined);
  t.same(silent, [], 'each of the default ones has been told, too');
});
