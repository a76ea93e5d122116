import t from 'tap';
import { nthAddress, overlap, whyNotAddress, whyNotCidr } from '../../src/config/addresses.ts';
import {
  addressTowards,
  agentConfigOf,
  type ClusterDocument,
  clusterConfigMaps,
  loadAgentConfig,
  loadServerConfig,
  readClusterConfig,
  readInitFile,
  resolveInitConfig,
} from '../../src/config/index.ts';
import { createFakeHost } from '../../src/host/index.ts';

const empty: ClusterDocument = { apiVersion: 'k8ts.dev/v1', kind: 'ClusterConfiguration' };
const routes = JSON.stringify([
  { dst: 'default', dev: 'eth1', metric: 200, prefsrc: '192.0.2.99' },
  { dst: 'default', dev: 'eth0', metric: 100, prefsrc: '192.0.2.10' },
]);
const hostWith = (stdout: string, addresses = ['192.0.2.10']) =>
  createFakeHost({
    onRun: () => ({ stdout }),
    facts: {
      hostName: 'Master-1',
      addresses: addresses.map((address, n) => ({ device: `eth${n}`, address, family: 4 as const })),
    },
  });

t.test('defaults are those of kubeadm', async (t) => {
  t.match(await resolveInitConfig(hostWith(routes), empty, 'flags'), {
    cluster: {
      controlPlaneEndpoint: '192.0.2.10:6443',
      podCidr: '10.244.0.0/16',
      serviceCidr: '10.96.0.0/12',
      clusterDns: '10.96.0.10',
      clusterDomain: 'cluster.local',
    },
    node: {
      name: 'master-1',
      ip: '192.0.2.10',
      taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }],
    },
    bindPort: 6443,
  });
});

t.test('what is given wins, and the endpoint gets the port', async (t) => {
  const { document: given } = readInitFile(
    'apiVersion: k8ts.dev/v1\nkind: ClusterConfiguration\ncontrolPlaneEndpoint: api.test\napiServer: {bindPort: 7443}\nnetworking: {serviceCidr: 10.32.0.0/16}',
    'file',
  );
  t.match(await resolveInitConfig(hostWith(routes), given, 'file'), {
    cluster: { controlPlaneEndpoint: 'api.test:7443', clusterDns: '10.32.0.10' },
  });
});

t.test('without a default route the only address is taken, and a choice is asked for', async (t) => {
  t.match(await resolveInitConfig(hostWith('[]'), empty, ''), { advertiseAddress: '192.0.2.10' });
  await t.rejects(resolveInitConfig(hostWith('[]', ['192.0.2.10', '198.51.100.1']), empty, ''), {
    code: 'ADDRESS_UNKNOWN',
    message: /192.0.2.10 \(eth0\), 198.51.100.1 \(eth1\)/,
    hint: /--apiserver-advertise-address/,
  });
  t.equal(await addressTowards(hostWith('[{"dst":"203.0.113.1","prefsrc":"192.0.2.7"}]'), '203.0.113.1'), '192.0.2.7');
});

const bad: readonly { readonly name: string; readonly given: object; readonly want: RegExp; readonly code?: string }[] =
  [
    { name: 'unknown field', given: { networking: { podCIDR: 'x' } }, want: /networking: unknown field podCIDR/ },
    {
      name: 'bad range',
      given: { networking: { podCidr: '10.244.0.0' } },
      want: /networking.podCidr: must be an IPv4 range.*is "10.244.0.0"/,
    },
    { name: 'IPv6', given: { networking: { podCidr: 'fd00::/48' } }, want: /IPv6 is not supported yet/ },
    { name: 'host bits', given: { networking: { podCidr: '10.244.1.0/16' } }, want: /write 10.244.0.0\/16/ },
    { name: 'port', given: { apiServer: { bindPort: 70000 } }, want: /apiServer.bindPort: .*65535/ },
    {
      name: 'backend',
      given: { networking: { overlay: { backend: 'ipip' } } },
      want: /must be one of vxlan \(is "ipip"\)/,
    },
    { name: 'name', given: { node: { name: 'Node_1' } }, want: /node.name: must be a name of lower-case letters/ },
    { name: 'endpoint', given: { controlPlaneEndpoint: 'https://x' }, want: /must be host or host:port/ },
    { name: 'same ranges', given: { networking: { podCidr: '10.96.0.0/16' } }, want: /overlap/, code: 'CIDR_OVERLAP' },
    {
      name: 'own address',
      given: { networking: { podCidr: '192.0.2.0/24' } },
      want: /contains this machine/,
      code: 'CIDR_OVERLAP',
    },
    {
      name: 'DNS elsewhere',
      given: { networking: { clusterDns: '10.1.1.1' } },
      want: /cluster DNS 10.1.1.1 is not in the service range/,
      code: 'CIDR_OVERLAP',
    },
    {
      name: 'etcd',
      given: { datastore: 'etcd://192.0.2.1:2379' },
      want: /datastore: etcd is not supported yet; .*SQLite/,
    },
    { name: 'other database', given: { datastore: 'mysql://u@h/db' }, want: /datastore: only SQLite/ },
    { name: 'no database', given: { datastore: 'here' }, want: /must be sqlite:\/\/\/absolute/ },
    {
      name: 'token',
      given: { bootstrapTokens: [{ token: 'abcdef.0123456789abcde' }] },
      want: /bootstrapTokens.0.token: must be 6 characters, a dot and 16 characters of a-z 0-9$/,
    },
    {
      name: 'small range',
      given: { networking: { podCidr: '10.244.0.0/25' } },
      want: /smaller than the \/24/,
      code: 'CIDR_OVERLAP',
    },
  ];
for (const { name, given, want, code = 'CONFIG_INVALID' } of bad) {
  t.test(`refused: ${name}`, async (t) => {
    const document = { ...empty, ...given } as ClusterDocument;
    await t.rejects(resolveInitConfig(hostWith(routes), document, 'cluster.yaml'), {
      code,
      message: want,
      exit: 'invalidInput',
    });
  });
}

t.test('a file that is not YAML says so', async (t) => {
  t.throws(() => readInitFile('a: [', 'x.yaml'), { code: 'CONFIG_UNREADABLE', message: /x.yaml is not YAML/ });
  t.throws(() => readInitFile('', 'x.yaml'), { code: 'CONFIG_UNREADABLE' });
});

t.test('what init writes into the cluster, join reads back', async (t) => {
  const init = await resolveInitConfig(hostWith(routes), { ...empty, networking: { overlay: { port: 4789 } } }, '');
  const maps = new Map(clusterConfigMaps(init, 'v1.35.0').map((map) => [map.metadata?.name, map]));
  const kubeadm = maps.get('kubeadm-config');
  const k8ts = maps.get('k8ts-config');
  if (kubeadm === undefined) throw new Error('no kubeadm-config');
  t.strictSame(readClusterConfig({ kubeadm, k8ts }, 'ignored:1'), init.cluster);
  t.match(readClusterConfig({ kubeadm, k8ts: undefined }, 'x:1').overlay, { port: 8472 });
  t.match(maps.get('kubelet-config')?.data?.['kubelet'], /serverTLSBootstrap: true/);
});

t.test('daemon files are checked when they are read', async (t) => {
  const init = await resolveInitConfig(hostWith(routes), empty, '');
  const agent = agentConfigOf(init.cluster, init.node, ['/usr/lib/cni']);
  const dir = t.testdir({
    'agent.json': JSON.stringify(agent),
    'bad.json': JSON.stringify({ ...agent, port: 'x' }),
    'cut.json': '{',
  });
  t.strictSame(await loadAgentConfig(`${dir}/agent.json`), agent);
  await t.rejects(loadAgentConfig(`${dir}/bad.json`), { code: 'CONFIG_INVALID', message: /bad.json.*\n {2}port: / });
  await t.rejects(loadAgentConfig(`${dir}/cut.json`), { code: 'CONFIG_UNREADABLE' });
  await t.rejects(loadServerConfig(`${dir}/none.json`), { code: 'CONFIG_UNREADABLE', hint: /k8ts init/ });
});

t.test('ranges', async (t) => {
  t.equal(nthAddress('10.96.0.0/12', 10), '10.96.0.10');
  t.equal(nthAddress('10.0.255.0/24', 256), '10.1.0.0');
  t.ok(overlap('10.0.0.0/8', '10.96.0.0/12'));
  t.notOk(overlap('10.244.0.0/16', '10.96.0.0/12'));
  t.equal(whyNotCidr('10.96.0.0/12'), undefined);
  t.match(whyNotAddress('1.2.3'), /IPv4/);
});
