// Priority levels, shares and queues; and a server that is full.

import t from 'tap';
import { Agent } from 'undici';
import { flowSchemas, priorityLevels } from '../../src/apiserver/bootstrap/index.ts';
import type { RequestAttributes, UserInfo } from '../../src/apiserver/contracts.ts';
import { createFlowControl, type FlowRequest, type Leave } from '../../src/apiserver/http/flow-control.ts';
import { compileFlowSchemas } from '../../src/apiserver/http/flow-schemas.ts';
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

const ask = (from: UserInfo = ordinary, more: Partial<FlowRequest> = {}): FlowRequest => ({
  attributes: attributes(from),
  mutates: false,
  onGone: () => undefined,
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

t.test('a level borrows what is free, and gets its own share when others took everything', async (t) => {
  const flows = createFlowControl({ seats: 10, queueWaitMs: 10_000 });
  const taken = Array.from({ length: 10 }, () => flows.enter(ask()));
  t.ok(taken.every((one) => typeof one === 'function'));
  t.type(flows.enter(ask(user('system:node:a', 'system:nodes'))), 'function', 'nodes have their share');
  const queued = flows.enter(ask());
  t.ok(queued instanceof Promise, 'the borrower waits');
  t.equal(flows.reading, 11);
  // One is over the total, and the level has more than its share: two must leave first.
  (taken[0] as Leave)();
  (taken[1] as Leave)();
  t.type(await queued, 'function');
});

t.test('flows take turns', async (t) => {
  const flows = createFlowControl({ seats: 1, queueWaitMs: 10_000 });
  const first = flows.enter(ask()) as Leave;
  const order: string[] = [];
  const waiting = ['a', 'a', 'a', 'b'].map(async (name) => {
    const leave = await flows.enter(ask(user(name)));
    order.push(name);
    leave();
  });
  first();
  await Promise.all(waiting);
  t.strictSame(order, ['a', 'b', 'a', 'a']);
  t.equal(flows.reading, 0);
});

t.test('a queue is bounded in length and in time', async (t) => {
  const flows = createFlowControl({ seats: 1, queueLength: 1, queueWaitMs: 20 });
  const seat = flows.enter(ask()) as Leave;
  const waits = flows.enter(ask());
  t.throws(() => flows.enter(ask()), { code: 429, retryAfterSeconds: 1 });
  await t.rejects(Promise.resolve(waits), { code: 429 });
  t.match(
    flows.levels().find(({ name }) => name === 'global-default'),
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
  const metrics = await server.call('GET', '/metrics');
  t.match(metrics.text, /apiserver_flowcontrol_rejected_requests_total\{priority_level="global-default"\} 1/);
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
  const taken = Array.from({ length: 10 }, () => flows.enter(ask()) as Leave);
  t.match(
    flows.levels().find(({ name }) => name === 'batch'),
    { executing: 10 },
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
