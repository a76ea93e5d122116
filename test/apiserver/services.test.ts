// Cluster addresses and node ports: given, asked for, taken, out of range, used up, given back.

import t from 'tap';
import { type Answer, at, startTestServer } from './harness.ts';

const api = await startTestServer({ serviceCidr: '10.99.0.0/28', nodePorts: [30_000, 30_003], defaultObjects: false });
t.teardown(() => api.stop());
const path = '/api/v1/namespaces/default/services';

const create = (name: string, spec: object = {}, query = ''): Promise<Answer> =>
  api.call('POST', `${path}${query}`, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { ports: [{ port: 80 }], selector: { app: 'x' }, ...spec },
  });

t.test('an address of the range, and what follows from it', async (t) => {
  const { body } = await create('plain');
  const address = String(at(body, 'spec.clusterIP'));
  t.match(address, /^10\.99\.0\.([1-9]|1[0-4])$/);
  t.match(body, {
    spec: { clusterIPs: [address], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' },
    status: { loadBalancer: {} },
  });
  const kept = await api.call('PUT', `${path}/plain`, { ...body, spec: { ports: [{ port: 81 }] } });
  t.equal(at(kept.body, 'spec.clusterIP'), address, 'an update that leaves it out keeps it');
  const moved = await api.patch(`${path}/plain`, { spec: { clusterIP: '10.99.0.9', clusterIPs: ['10.99.0.9'] } });
  t.equal(moved.status, address === '10.99.0.9' ? 200 : 422);
  await api.call('DELETE', `${path}/plain`);
});

t.test('an address that was asked for', async (t) => {
  t.equal(at((await create('chosen', { clusterIP: '10.99.0.5' })).body, 'spec.clusterIP'), '10.99.0.5');
  t.match((await create('second', { clusterIP: '10.99.0.5' })).body, {
    code: 422,
    message:
      'Service "second" is invalid: spec.clusterIPs: Invalid value: ["10.99.0.5"]: failed to allocate IP 10.99.0.5: provided IP is already allocated',
  });
  t.match((await create('far', { clusterIP: '10.98.0.5' })).body, { code: 422, message: /not in the valid range/ });
  t.match((await create('none', { clusterIP: 'None' })).body, { spec: { clusterIP: 'None', clusterIPs: ['None'] } });
  await api.call('DELETE', `${path}/chosen`);
  t.equal((await create('second', { clusterIP: '10.99.0.5' })).status, 201, 'given back by the deletion');
  await api.call('DELETE', path);
});

t.test('concurrent creations never share one; the range ends; a refused write gives back', async (t) => {
  const dry = await create('dry', {}, '?dryRun=All');
  t.equal(dry.status, 201);
  const answers = await Promise.all(Array.from({ length: 14 }, (_, n) => create(`s${n}`)));
  t.ok(answers.every(({ status }) => status === 201));
  t.equal(new Set(answers.map(({ body }) => at(body, 'spec.clusterIP'))).size, 14);
  t.match((await create('late')).body, { code: 422, message: /range is full/ });
  t.equal((await create('s0')).status, 422, 'even for a name that is taken, as the address comes first');
  await api.call('DELETE', path);
  t.equal((await create('late')).status, 201);
  await api.call('DELETE', path);
});

t.test('node ports', async (t) => {
  const ports = async (name: string, spec: object = {}) => create(name, { type: 'NodePort', ...spec });
  const first = await ports('np');
  const given = Number(at(first.body, 'spec.ports.0.nodePort'));
  t.ok(given >= 30_000 && given <= 30_003);
  t.match((await ports('dup', { ports: [{ port: 80, nodePort: given }] })).body, {
    code: 422,
    message: `Service "dup" is invalid: spec.ports[0].nodePort: Invalid value: ${given}: provided port is already allocated`,
  });
  t.match((await ports('low', { ports: [{ port: 80, nodePort: 80 }] })).body, { code: 422, message: /30000-30003/ });
  const changed = await api.call('PUT', `${path}/np`, {
    ...first.body,
    spec: { type: 'NodePort', ports: [{ port: 80 }] },
  });
  t.equal(at(changed.body, 'spec.ports.0.nodePort'), given, 'an update that leaves it out keeps it');
  const three = [81, 82, 83].map((port) => ({ name: `p${port}`, port }));
  t.equal((await ports('rest', { ports: three })).status, 201);
  t.match((await ports('over')).body, { code: 422, message: /range is full/ });
  const closed = await api.patch(`${path}/rest`, { spec: { type: 'ClusterIP' } });
  t.equal(at(closed.body, 'spec.ports.0.nodePort'), undefined);
  t.equal((await ports('over')).status, 201);
});

t.test('a port for health checks of nodes, as long as traffic stays local', async (t) => {
  await api.call('DELETE', path);
  const local = { type: 'LoadBalancer', externalTrafficPolicy: 'Local' };
  const { body } = await create('local', local);
  const port = Number(at(body, 'spec.healthCheckNodePort'));
  t.ok(port >= 30_000 && port <= 30_003);
  const moved = await api.patch(`${path}/local`, { spec: { healthCheckNodePort: port === 30_000 ? 30_001 : 30_000 } });
  t.match(moved.body, { code: 422, message: /spec\.healthCheckNodePort: .*field is immutable/ });
  const open = await api.patch(`${path}/local`, { spec: { externalTrafficPolicy: 'Cluster' } });
  t.equal(at(open.body, 'spec.healthCheckNodePort'), undefined);
  t.match((await create('vain', { healthCheckNodePort: 30_001 })).body, { code: 422, message: /may only be set when/ });
  await api.call('DELETE', path);
});

t.test('other families than IPv4 are refused by name', async (t) => {
  t.match((await create('six', { ipFamilies: ['IPv6'] })).body, {
    code: 422,
    message: 'Service "six" is invalid: spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
  });
  t.match((await create('both', { ipFamilyPolicy: 'RequireDualStack' })).body, {
    code: 422,
    message: /spec\.ipFamilyPolicy: .*not configured for dual-stack/,
  });
  t.match((await create('either', { ipFamilyPolicy: 'PreferDualStack' })).body, { spec: { ipFamilies: ['IPv4'] } });
});
