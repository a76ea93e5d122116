import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { kinds } from '../../src/api/index.ts';
import { silentLogger, systemClock } from '../../src/base/index.ts';
import { createFakeClient, createInformerFactory } from '../../src/client/index.ts';
import { createFakeHost, type FakeHost, type FakeHostOptions } from '../../src/host/index.ts';
import { type NetworkConfig, networkLeftovers, startNetwork } from '../../src/network/index.ts';
import { parseCidr } from '../../src/network/ipv4.ts';
import { startReconciler } from '../../src/network/reconciler.ts';
import { planServiceLink } from '../../src/network/service-link.ts';

const config: NetworkConfig = {
  nodeName: 'n1',
  nodeIp: '192.0.2.10',
  dataDir: '/var/lib/k8ts/agent',
  serviceCidr: '10.96.0.0/12',
  podCidr: '10.244.0.0/16',
  // An address that this machine has, so that the DNS can listen; the port is not reached in these tests.
  clusterDns: '10.96.0.10',
  clusterDomain: 'cluster.local',
  overlay: { backend: 'vxlan', vni: 1, port: 8472 },
  serviceProxy: 'nftables',
  dns: 'off',
  cni: { confDir: '/etc/cni/net.d', binDirs: ['/usr/lib/cni'] },
};

const uplink = {
  ifname: 'eth0',
  mtu: 1500,
  flags: ['UP'],
  addr_info: [{ family: 'inet', local: '192.0.2.10', prefixlen: 24 }],
};

function hostWith(options: FakeHostOptions & { readonly nftFails?: () => boolean } = {}): FakeHost {
  const plugins = ['bridge', 'host-local', 'portmap', 'loopback'].map((name) => [`/usr/lib/cni/${name}`, 'x']);
  return createFakeHost({
    programs: ['ip', 'bridge', 'nft', 'conntrack'],
    sysctls: { 'net.ipv4.ip_forward': '0', 'net.bridge.bridge-nf-call-iptables': '0' },
    files: Object.fromEntries(plugins),
    onRun: (program, args) => {
      if (program === 'ip' && args.includes('address') && args.includes('-json'))
        return { stdout: JSON.stringify([uplink]) };
      if (program === 'nft' && options.nftFails?.() === true) throw new Error('nft: busy');
      return undefined;
    },
    ...options,
  });
}

function start(host: FakeHost, more: Partial<NetworkConfig> = {}) {
  const client = createFakeClient();
  const informers = createInformerFactory(client);
  const stop = new AbortController();
  const events: string[] = [];
  const recorder = { event: (_about: object, _type: string, reason: string) => void events.push(reason) };
  const deps = { client, informers, host, logger: silentLogger, clock: systemClock, recorder };
  const network = startNetwork(deps, { ...config, ...more }, stop.signal);
  return { client, informers, network, stop, events };
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await what()) return;
    await delay(5);
  }
  throw new Error(`never: ${what}`);
}

t.test('what a person has to mend is named', async (t) => {
  const cases = [
    { name: 'pod range', host: hostWith(), more: { podCidr: 'fd00::/64' }, code: 'CIDR_INVALID' },
    { name: 'service range', host: hostWith(), more: { serviceCidr: '10.96.0.0' }, code: 'CIDR_INVALID' },
    {
      name: 'no bridge netfilter',
      host: hostWith({ sysctls: { 'net.ipv4.ip_forward': '0' } }),
      more: {},
      code: 'BR_NETFILTER_MISSING',
    },
    { name: 'no CNI plugins', host: hostWith({ files: {} }), more: {}, code: 'CNI_PLUGIN_MISSING' },
    { name: 'no nft', host: hostWith({ programs: ['ip', 'bridge'] }), more: {}, code: 'NFT_MISSING' },
    { name: 'address of another machine', host: hostWith(), more: { nodeIp: '192.0.2.77' }, code: 'NODE_IP_NOT_LOCAL' },
  ];
  for (const { name, host, more, code } of cases) {
    const { network } = start(host, more);
    await t.rejects(network, { code, hint: /\w/ }, name);
  }
});

t.test('ready once the node has a range: link, announcement, CNI configuration, in this order', async (t) => {
  const host = hostWith();
  const { client, informers, network, stop, events } = start(host);
  t.teardown(() => stop.abort());
  const running = await network;
  await informers.start(stop.signal);
  await until(() => /has not registered/.test(running.ready() ?? ''));
  const node = await client.create(kinds.node, { metadata: { name: 'n1' } });
  await until(() => /pod CIDR/.test(running.ready() ?? ''));
  t.equal(await host.readFileIfExists('/etc/cni/net.d/10-k8ts.conflist'), undefined, 'the runtime has to wait');

  await client.update(kinds.node, { ...node, spec: { podCIDR: '10.244.1.0/24' } });
  await until(() => running.ready() === undefined);
  t.ok(host.commands.includes('ip link add k8ts-svc type bridge'));
  t.ok(host.commands.some((line) => line.startsWith('ip link add k8ts.1 address ')));
  t.same(events, ['OverlayReady']);
  const { metadata } = await client.get(kinds.node, { name: 'n1' });
  t.match(metadata.annotations, {
    'flannel.alpha.coreos.com/backend-type': 'vxlan',
    'flannel.alpha.coreos.com/public-ip': '192.0.2.10',
  });
  const list = JSON.parse(String(await host.readFile('/etc/cni/net.d/10-k8ts.conflist')));
  t.match(list, {
    cniVersion: '1.0.0',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        mtu: 1450,
        hairpinMode: true,
        ipMasq: false,
        ipam: { ranges: [[{ subnet: '10.244.1.0/24' }]] },
      },
      { type: 'portmap' },
    ],
  });
  t.equal(await host.readSysctl('net.ipv4.ip_forward'), '1');

  const changes = await host.journal.changes();
  for (const name of ['k8ts.1', 'k8ts-svc', 'cni0']) {
    t.ok(
      changes.some((change) => change.kind === 'link' && change.name === name),
      `${name} is in the journal`,
    );
  }
  t.ok(changes.some((change) => change.kind === 'nft-table' && change.name === 'k8ts'));
  await running.stop();
});

t.test('the overlay is tried again after a failure, and says why it is not ready', async (t) => {
  let broken = true;
  const host = hostWith({ nftFails: () => broken });
  const { informers, network, stop } = start(host);
  t.teardown(() => stop.abort());
  const running = await network;
  await informers.start(stop.signal);
  await until(() => /cannot be written: nft: busy/.test(running.ready() ?? ''));
  broken = false;
  await until(() => !/cannot be written/.test(running.ready() ?? ''));
  await running.stop();
});

t.test('the service link is made, corrected and left alone', async (t) => {
  const wanted = { ...config, dns: 'on' as const };
  const lines = (...given: Parameters<typeof planServiceLink>) =>
    planServiceLink(...given).map((args) => args.join(' '));
  t.same(lines(wanted, undefined, []), [
    'link add k8ts-svc type bridge',
    'address add 10.96.0.10/32 dev k8ts-svc scope host',
    'link set dev k8ts-svc up',
    'route replace 10.96.0.0/12 dev k8ts-svc src 192.0.2.10',
  ]);
  const have = {
    ifname: 'k8ts-svc',
    mtu: 1500,
    flags: ['UP'],
    addr_info: [{ family: 'inet', local: '10.96.0.10', prefixlen: 32 }] as const,
  };
  const route = { dst: '10.96.0.0/12', prefsrc: '192.0.2.10' };
  t.same(lines(wanted, have, [route]), []);
  t.same(lines({ ...wanted, dns: 'off', serviceProxy: 'off' }, have, [route]), [
    'address delete 10.96.0.10/32 dev k8ts-svc',
    'route delete 10.96.0.0/12 dev k8ts-svc',
  ]);
});

t.test('pokes during a run lead to one more run', async (t) => {
  const stop = new AbortController();
  let runs = 0;
  const gate = Promise.withResolvers<void>();
  const run = async (): Promise<void> => {
    runs += 1;
    if (runs === 1) await gate.promise;
  };
  const options = { name: 'test', run, gather: 1, clock: systemClock, logger: silentLogger, signal: stop.signal };
  const reconciler = startReconciler(options);
  reconciler.poke();
  await until(() => runs === 1);
  reconciler.poke();
  reconciler.poke();
  t.equal(runs, 1);
  gate.resolve();
  await until(() => reconciler.runs === 2);
  await delay(20);
  t.equal(runs, 2);
  stop.abort();
  await reconciler.ended;
});

t.test('ranges and what is left on a host', async (t) => {
  t.same(parseCidr('10.244.1.77/24'), { network: '10.244.1.0', prefix: 24 });
  for (const text of ['', '10.0.0.0', '10.0.0.0/33', '10.0.0.256/8', 'a/8'])
    t.throws(() => parseCidr(text), { code: 'CIDR_INVALID' });
  t.match(networkLeftovers(config), {
    links: ['k8ts.1', 'k8ts-svc', 'cni0'],
    tables: [{ family: 'ip', name: 'k8ts' }],
  });
});
