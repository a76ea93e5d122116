import t from 'tap';
import { type ClusterRole, type Endpoints, kinds, type Service } from '../../../src/api/index.ts';
import { ensureDefaultObjects, firstServiceIp } from '../../../src/apiserver/bootstrap/index.ts';
import { createFakeObjects } from '../fake-objects.ts';

const options = { serviceCidr: '10.96.0.0/12', advertiseAddress: '10.0.0.1', securePort: 6443, clientCa: 'PEM' };

t.test('the first address of the service CIDR', async (t) => {
  for (const { cidr, want } of [
    { cidr: '10.96.0.0/12', want: '10.96.0.1' },
    { cidr: '10.43.7.9/16', want: '10.43.0.1' },
    { cidr: 'fd00:10:96::/112', want: 'fd00:10:96:0:0:0:0:1' },
  ]) {
    t.equal(firstServiceIp(cidr), want, cidr);
  }
  for (const cidr of ['', '10.96.0.0', '10.96.0.0/31', '10.96.0.0/x', 'nonsense/12', 'fd00::/127']) {
    t.throws(() => firstServiceIp(cidr), { code: 'SERVICE_CIDR_INVALID' }, cidr);
  }
});

t.test('a second start writes nothing', async (t) => {
  const objects = createFakeObjects();
  await ensureDefaultObjects(objects.writer, options);
  const first = objects.writes;
  t.ok(first > 100);
  await ensureDefaultObjects(objects.writer, options);
  t.equal(objects.writes, first);
});

t.test('every binding refers to a role that exists', async (t) => {
  const { reader, writer } = createFakeObjects();
  await ensureDefaultObjects(writer, options);
  type Binding = { readonly roleRef: { readonly kind: string; readonly name: string } };
  for (const binding of [...reader.list(kinds.clusterRoleBinding), ...reader.list(kinds.roleBinding)]) {
    const { kind, name } = (binding as unknown as Binding).roleRef;
    const role = reader.get(kind === 'Role' ? kinds.role : kinds.clusterRole, binding.metadata?.namespace, name);
    t.ok(role, `${binding.metadata?.name} → ${kind} ${name}`);
  }
});

t.test('what is missing comes back, what an operator added stays, autoupdate=false is left alone', async (t) => {
  const { reader, writer, put } = createFakeObjects();
  await ensureDefaultObjects(writer, options);
  const role = (): ClusterRole | undefined => reader.get<ClusterRole>(kinds.clusterRole, undefined, 'system:discovery');
  const whole = role();
  const added = { apiGroups: ['x'], resources: ['y'], verbs: ['get'] };
  const changed = (autoupdate: string): object => ({
    ...whole,
    metadata: { ...whole?.metadata, annotations: { 'rbac.authorization.kubernetes.io/autoupdate': autoupdate } },
    rules: [added],
  });
  put(kinds.clusterRole, changed('true'));
  await ensureDefaultObjects(writer, options);
  t.strictSame(role()?.rules, [added, ...(whole?.rules ?? [])]);
  put(kinds.clusterRole, changed('false'));
  await ensureDefaultObjects(writer, options);
  t.strictSame(role()?.rules, [added]);
});

t.test("a loopback address is nobody else's: the kubernetes Service goes without endpoints", async (t) => {
  const { reader, writer } = createFakeObjects();
  await ensureDefaultObjects(writer, { ...options, advertiseAddress: '127.0.0.1' });
  t.ok(reader.get<Service>(kinds.service, 'default', 'kubernetes'));
  t.notOk(reader.get(kinds.endpoints, 'default', 'kubernetes'));
  t.notOk(reader.get(kinds.endpointSlice, 'default', 'kubernetes'));
});

t.test('the kubernetes Service points to this API server, also after it moved', async (t) => {
  const { reader, writer } = createFakeObjects();
  await ensureDefaultObjects(writer, options);
  const service = reader.get<Service>(kinds.service, 'default', 'kubernetes');
  t.equal(service?.spec?.clusterIP, '10.96.0.1');
  await ensureDefaultObjects(writer, { ...options, advertiseAddress: '10.0.0.9', securePort: 7443 });
  const endpoints = reader.get<Endpoints>(kinds.endpoints, 'default', 'kubernetes');
  t.match(endpoints?.subsets, [{ addresses: [{ ip: '10.0.0.9' }], ports: [{ name: 'https', port: 7443 }] }]);
  t.equal(reader.get<Service>(kinds.service, 'default', 'kubernetes')?.spec?.ports?.[0]?.targetPort, 7443);
  const slice = reader.get(kinds.endpointSlice, 'default', 'kubernetes');
  t.match(slice, { endpoints: [{ addresses: ['10.0.0.9'] }], ports: [{ port: 7443 }] });
});
