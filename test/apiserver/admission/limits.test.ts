// LimitRanges and quotas, on a server with everything composed: what is stored is what counts.

import t from 'tap';
import type { SecurityOptions } from '../../../src/apiserver/index.ts';
import { createKeyPair } from '../../../src/certs/index.ts';
import { type Answer, at, configMap, type Json, startTestServer } from '../harness.ts';

const { privateKeyPem: signingKeyPem } = await createKeyPair();
const security: SecurityOptions = { mode: 'rbac', serviceAccounts: { signingKeyPem, issuer: 'https://issuer.test' } };
const server = await startTestServer({ security, clientGroups: ['system:masters'] });
t.teardown(() => server.stop());

const core = (namespace: string): string => `/api/v1/namespaces/${namespace}`;

async function makeNamespace(name: string): Promise<void> {
  await server.call('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
  await server.call('POST', `${core(name)}/serviceaccounts`, account);
}

function makePod(namespace: string, name: string, resources: Json = {}, spec: Json = {}): Promise<Answer> {
  const containers = [{ name: 'c', image: 'i', resources }];
  const metadata = name.endsWith('-') ? { generateName: name } : { name };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers, ...spec } };
  return server.call('POST', `${core(namespace)}/pods`, pod);
}

async function makeQuota(namespace: string, hard: Json, spec: Json = {}): Promise<void> {
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q' }, spec: { hard, ...spec } };
  await server.call('POST', `${core(namespace)}/resourcequotas`, quota);
  const used = Object.fromEntries(Object.keys(hard).map((name) => [name, '0']));
  await server.patch(`${core(namespace)}/resourcequotas/q/status`, { status: { hard, used } });
}

const usedIn = async (namespace: string) =>
  at((await server.call('GET', `${core(namespace)}/resourcequotas/q`)).body, 'status.used');

async function makeLimits(namespace: string, limits: readonly Json[]): Promise<void> {
  const range = { apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'l' }, spec: { limits } };
  t.equal((await server.call('POST', `${core(namespace)}/limitranges`, range)).status, 201);
}

t.test('a quota holds however many ask at once', async (t) => {
  await makeNamespace('crowd');
  await makeQuota('crowd', { pods: '5' });
  const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => makePod('crowd', `p${n}`)));
  t.equal(answers.filter(({ status }) => status === 201).length, 5);
  t.equal(answers.filter(({ status }) => status === 403).length, 25);
  const refused = answers.find(({ status }) => status === 403);
  t.match(refused?.body, {
    reason: 'Forbidden',
    message: /^pods "p\d+" is forbidden: exceeded quota: q, requested: pods=1, used: pods=5, limited: pods=5$/,
  });
  t.strictSame(await usedIn('crowd'), { pods: '5' });
});

t.test('what is not stored is not charged', async (t) => {
  await makeNamespace('refund');
  await makeQuota('refund', { pods: '3', 'count/configmaps': '10' });
  t.equal((await makePod('refund', 'one')).status, 201);
  t.equal((await makePod('refund', 'one')).status, 409);
  t.equal((await server.call('POST', `${core('refund')}/pods?dryRun=All`, dryPod)).status, 201);
  t.strictSame(await usedIn('refund'), { pods: '1', 'count/configmaps': '0' });
  const maps = await Promise.all(
    Array.from({ length: 6 }, () => server.call('POST', `${core('refund')}/configmaps`, configMap('same'))),
  );
  t.equal(maps.filter(({ status }) => status === 201).length, 1);
  t.strictSame(await usedIn('refund'), { pods: '1', 'count/configmaps': '1' });
});

const dryPod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'dry' },
  spec: { containers: [{ name: 'c', image: 'i' }] },
};

t.test('a dry run is told about the quota too', async (t) => {
  await makeNamespace('dry');
  await makeQuota('dry', { pods: '0' });
  const answer = await server.call('POST', `${core('dry')}/pods?dryRun=All`, dryPod);
  t.match(answer.body, { code: 403, message: /exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0/ });
});

t.test('computed resources', async (t) => {
  await makeNamespace('cpu');
  await makeQuota('cpu', { 'limits.cpu': '2', 'requests.memory': '1Gi' });
  t.match((await makePod('cpu', 'a')).body, {
    code: 403,
    message: 'pods "a" is forbidden: failed quota: q: must specify limits.cpu for: c; requests.memory for: c',
  });
  const resources = (cpu: string, memory: string): Json => ({ limits: { cpu }, requests: { memory, cpu: '1m' } });
  t.equal((await makePod('cpu', 'b', resources('1500m', '512Mi'))).status, 201);
  t.match((await makePod('cpu', 'c', resources('600m', '700Mi'))).body, {
    message:
      'pods "c" is forbidden: exceeded quota: q, requested: limits.cpu=600m,requests.memory=700Mi, used: limits.cpu=1500m,requests.memory=512Mi, limited: limits.cpu=2,requests.memory=1Gi',
  });
  t.strictSame(await usedIn('cpu'), { 'limits.cpu': '1500m', 'requests.memory': '512Mi' });
});

t.test('a quota with scopes is about some pods only', async (t) => {
  await makeNamespace('scoped');
  await makeQuota('scoped', { pods: '0' }, { scopes: ['BestEffort'] });
  t.equal((await makePod('scoped', 'best')).status, 403);
  t.equal((await makePod('scoped', 'burst', { requests: { cpu: '1m' } })).status, 201);
});

t.test('a Service that grows node ports pays for them', async (t) => {
  await makeNamespace('ports');
  await makeQuota('ports', { 'services.nodeports': '1' });
  const service = (type: string, ports: readonly number[]): Json => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's' },
    spec: { type, selector: { a: 'b' }, ports: ports.map((port) => ({ name: `p${port}`, port })) },
  });
  t.equal((await server.call('POST', `${core('ports')}/services`, service('ClusterIP', [1, 2]))).status, 201);
  const answer = await server.call('PUT', `${core('ports')}/services/s`, service('NodePort', [1, 2]));
  t.match(answer.body, { code: 403, message: /requested: services.nodeports=2, used: services.nodeports=0/ });
  t.equal((await server.call('PUT', `${core('ports')}/services/s`, service('NodePort', [1]))).status, 200);
  t.strictSame(await usedIn('ports'), { 'services.nodeports': '1' });
});

t.test('a quota without a status does not count yet', async (t) => {
  await makeNamespace('young');
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q' }, spec: { hard: { pods: '0' } } };
  await server.call('POST', `${core('young')}/resourcequotas`, quota);
  t.equal((await makePod('young', 'p')).status, 201);
  await server.patch(`${core('young')}/resourcequotas/q/status`, { status: { hard: { pods: '9' } } });
  t.match((await makePod('young', 'p2')).body, { message: /status unknown for quota: q, resources: pods/ });
});

t.test('limits: what a container does not say', async (t) => {
  await makeNamespace('defaults');
  await makeLimits('defaults', [
    { type: 'Container', default: { cpu: '500m' }, defaultRequest: { cpu: '100m' }, max: { memory: '1Gi' } },
  ]);
  const { body, status } = await makePod('defaults', 'p', {}, { initContainers: [{ name: 'i', image: 'i' }] });
  t.equal(status, 201);
  t.strictSame(at(body, 'spec.containers.0.resources'), {
    limits: { cpu: '500m', memory: '1Gi' },
    requests: { cpu: '100m', memory: '1Gi' },
  });
  t.equal(
    (at(body, 'metadata.annotations') as Json)['kubernetes.io/limit-ranger'],
    'LimitRanger plugin set: cpu, memory request for container c; cpu, memory limit for container c; cpu, memory request for init container i; cpu, memory limit for init container i',
  );
});

t.test('limits: what is too little, too much and too uneven', async (t) => {
  for (const { name, limit, resources, want } of [
    {
      name: 'min',
      limit: { type: 'Container', min: { cpu: '100m' } },
      resources: { requests: { cpu: '50m' } },
      want: 'minimum cpu usage per Container is 100m, but request is 50m',
    },
    {
      name: 'max',
      limit: { type: 'Container', max: { cpu: '1' } },
      resources: { limits: { cpu: '2' } },
      want: 'maximum cpu usage per Container is 1, but limit is 2',
    },
    {
      name: 'ratio',
      limit: { type: 'Container', maxLimitRequestRatio: { cpu: '2' } },
      resources: { requests: { cpu: '100m' }, limits: { cpu: '300m' } },
      want: 'cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000',
    },
    {
      name: 'none',
      limit: { type: 'Pod', max: { memory: '1Gi' } },
      resources: {},
      want: 'maximum memory usage per Pod is 1Gi.  No limit is specified',
    },
    {
      name: 'pod',
      limit: { type: 'Pod', max: { memory: '1Gi' } },
      resources: { limits: { memory: '2Gi' }, requests: { memory: '1Mi' } },
      want: 'maximum memory usage per Pod is 1Gi, but limit is 2Gi',
    },
  ]) {
    await makeNamespace(`limit-${name}`);
    await makeLimits(`limit-${name}`, [limit]);
    const { body } = await makePod(`limit-${name}`, 'p', resources);
    t.match(body, { code: 403, message: `pods "p" is forbidden: ${want}` }, name);
  }
});

t.test('limits: claims', async (t) => {
  await makeNamespace('claims');
  await makeLimits('claims', [{ type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '2Gi' } }]);
  const claim = (storage: string): Json => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'c' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
  });
  const make = (storage: string) => server.call('POST', `${core('claims')}/persistentvolumeclaims`, claim(storage));
  t.match((await make('512Mi')).body, {
    message: /minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 512Mi/,
  });
  t.match((await make('3Gi')).body, {
    message: /maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi/,
  });
  t.equal((await make('1Gi')).status, 201);
});

t.test('a resize is limited and charged as a new pod is', async (t) => {
  await makeNamespace('resize');
  await makeQuota('resize', { 'requests.cpu': '500m' });
  await makeLimits('resize', [{ type: 'Container', max: { cpu: '400m' } }]);
  const path = `${core('resize')}/pods/p/resize`;
  const resize = (cpu: string) => {
    const resources = { requests: { cpu }, limits: { cpu: '400m' } };
    return server.patch(path, { spec: { containers: [{ name: 'c', resources }] } }, 'strategic-merge');
  };
  const other = { requests: { cpu: '200m' }, limits: { cpu: '400m' } };
  t.equal((await makePod('resize', 'other', other)).status, 201);
  t.equal((await makePod('resize', 'p', { requests: { cpu: '100m' }, limits: { cpu: '300m' } })).status, 201);
  t.equal((await resize('200m')).status, 200);
  t.strictSame(await usedIn('resize'), { 'requests.cpu': '400m' });
  t.match((await resize('350m')).body, { code: 403, message: /exceeded quota: q, requested: requests.cpu=150m/ });
  const beyond = { spec: { containers: [{ name: 'c', resources: { limits: { cpu: '500m' } } }] } };
  t.match((await server.patch(path, beyond, 'strategic-merge')).body, {
    code: 403,
    message: /maximum cpu usage per Container is 400m, but limit is 500m/,
  });
});
