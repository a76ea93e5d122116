// What the server fills in, keeps and takes away of Services, volumes and claims, seen through the API.

import t from 'tap';
import { at, startTestServer } from './harness.ts';

const api = await startTestServer({ defaultObjects: false });
t.teardown(() => api.stop());
const services = '/api/v1/namespaces/default/services';
const claims = '/api/v1/namespaces/default/persistentvolumeclaims';

const service = (name: string, spec: object): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: 'x' }, ports: [{ port: 80 }], ...spec },
});

t.test('a node port stays with the name of its port; ports of one number share one', async (t) => {
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53 },
    { name: 'http', port: 80 },
  ];
  const { body } = await api.call('POST', services, service('ports', { type: 'NodePort', ports }));
  const [udp, tcp, http] = [0, 1, 2].map((index) => at(body, `spec.ports.${index}.nodePort`));
  t.equal(udp, tcp);
  t.not(udp, http);
  const moved = service('ports', { type: 'NodePort', ports: [{ name: 'http', port: 8080 }] });
  const changed = await api.call('PUT', `${services}/ports`, moved);
  t.equal(at(changed.body, 'spec.ports.0.nodePort'), http);
});

t.test('another type gives up what it has no use for, unless it is changed at the same time', async (t) => {
  const { body } = await api.call(
    'POST',
    services,
    service('typed', { type: 'LoadBalancer', loadBalancerClass: 'a/b' }),
  );
  const spec = body['spec'] as object;
  const plain = await api.call('PUT', `${services}/typed`, { ...body, spec: { ...spec, type: 'ClusterIP' } });
  t.equal(plain.status, 200);
  for (const field of [
    'allocateLoadBalancerNodePorts',
    'loadBalancerClass',
    'externalTrafficPolicy',
    'ports.0.nodePort',
  ]) {
    t.equal(at(plain.body, `spec.${field}`), undefined, field);
  }
  const named = await api.patch(`${services}/typed`, { spec: { type: 'ExternalName', externalName: 'a.b' } });
  t.equal(named.status, 200);
  t.equal(at(named.body, 'spec.clusterIP'), undefined);
  t.equal(at(named.body, 'spec.ipFamilies'), undefined);
  const wrong = service('typed', { type: 'ClusterIP', ports: [{ port: 80, nodePort: 30_500 }] });
  t.match((await api.call('PUT', `${services}/typed`, wrong)).body, { code: 422, message: /may not be used when/ });
});

t.test('without selector the endpoints of a headless Service may have any family', async (t) => {
  const { body } = await api.call('POST', services, service('free', { clusterIP: 'None', selector: {} }));
  t.match(body, { spec: { ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack' } });
});

t.test('what a load balancer must not have got is told before anything is allocated', async (t) => {
  const wrong = await api.call('POST', services, service('odd', { ipFamilies: ['IPv5'], clusterIP: 'x' }));
  t.match(wrong.body, {
    code: 422,
    message: /ipFamilies\[0\]: Unsupported value: "IPv5".*clusterIPs\[0\]: Invalid value/,
  });
});

t.test('a claim says in two fields what it is filled from', async (t) => {
  const claim = (name: string, spec: object): object => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
  });
  const source = { kind: 'PersistentVolumeClaim', name: 'x' };
  const old = await api.call('POST', claims, claim('old', { dataSource: source }));
  t.match(old.body, { spec: { dataSourceRef: source }, status: { phase: 'Pending' } });
  const ref = { apiGroup: 'a.b', kind: 'K', name: 'x' };
  t.match((await api.call('POST', claims, claim('new', { dataSourceRef: ref }))).body, { spec: { dataSource: ref } });
  const odd = await api.call('POST', claims, claim('odd', { dataSource: ref }));
  t.equal(odd.status, 201);
  t.equal(at(odd.body, 'spec.dataSource'), undefined, 'what the field never could name is ignored');
});

t.test('when the phase of a volume changed is written down', async (t) => {
  const volume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'v' },
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], nfs: { server: 's', path: '/p' } },
  };
  const { body } = await api.call('POST', '/api/v1/persistentvolumes', volume);
  t.equal(at(body, 'status.phase'), 'Pending');
  t.type(at(body, 'status.lastPhaseTransitionTime'), 'string');
  const path = '/api/v1/persistentvolumes/v/status';
  const said = '2020-01-01T00:00:00Z';
  const changed = await api.patch(path, { status: { phase: 'Available', lastPhaseTransitionTime: said } });
  t.equal(at(changed.body, 'status.lastPhaseTransitionTime'), said);
  const moved = await api.patch(path, { status: { phase: 'Bound' } });
  t.not(at(moved.body, 'status.lastPhaseTransitionTime'), said);
});
