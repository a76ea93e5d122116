// Two hosts with the real overlay, service rules, DNS and CNI plugins in network namespaces, pods on them, and a machine
// outside. Sockets are real; the API server is the parent process.

import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { createLab, run } from './lab.ts';
import { service, slice } from './objects.ts';

if (process.getuid?.() !== 0) {
  t.plan(0, 'needs root');
  process.exit(0);
}

const traffic = join(import.meta.dirname, 'traffic.ts');
const lookup = join(import.meta.dirname, 'lookup.ts');
const lab = await createLab();
t.teardown(() => lab.close());
const { h1, h2, outside, a, b, c, before } = await setUp().catch(async (error: unknown) => {
  await lab.close();
  throw error;
});

async function setUp() {
  let before = '';
  const noteState = async (netns: string): Promise<void> => {
    before = await stateOf(inNetns(netns));
  };
  const h1 = await lab.addHost('h1', 1, { before: noteState });
  const h2 = await lab.addHost('h2', 2);
  const outside = await lab.addNamespace('outside', '192.168.77.99');
  await Promise.all([h1.ready, h2.ready]);
  const [a, b, c] = await Promise.all([h1.addPod('a'), h1.addPod('b'), h2.addPod('c')]);
  const serve = (netns: string, port: number, name: string): Promise<string> =>
    lab.start(netns, process.execPath, traffic, 'serve', String(port), name);
  await Promise.all([
    serve(a.netns, 8080, 'a'),
    serve(b.netns, 8080, 'b'),
    serve(c.netns, 8080, 'c'),
    serve(h1.netns, 6443, 'api'),
    serve(outside, 7000, 'outside'),
  ]);
  return { h1, h2, outside, a, b, c, before };
}

/** What a client in `netns` gets to hear: `NAME ITS-OWN-ADDRESS-AS-SEEN-THERE`, or the error's code. */
async function ask(netns: string, protocol: 'tcp' | 'udp', address: string, port: number, source = 0): Promise<string> {
  const line = await inNetns(netns)(process.execPath, traffic, 'ask', protocol, address, String(port), String(source));
  return line.trim();
}

async function dig(netns: string, name: string, type: string, ...more: string[]): Promise<string> {
  return (await inNetns(netns)(process.execPath, lookup, '10.96.0.10', name, type, ...more)).trim();
}

/** Asks until the answer is `want`: rules follow an object within milliseconds, but not at once. */
async function eventually(wanted: string | RegExp, get: () => Promise<string>): Promise<string> {
  let got = '';
  for (let attempt = 0; attempt < 20; attempt++) {
    got = await get();
    if (typeof wanted === 'string' ? got === wanted : wanted.test(got)) break;
    await delay(20);
  }
  return got;
}
function inNetns(netns: string): (program: string, ...args: string[]) => Promise<string> {
  return (program, ...args) => run('ip', ['netns', 'exec', netns, program, ...args]);
}
/** What a host consists of, for comparison; counters and times left out. */
async function stateOf(exec: (program: string, ...args: string[]) => Promise<string>): Promise<string> {
  const parts = await Promise.all([
    exec('ip', '-oneline', 'address'),
    exec('ip', 'route', 'show', 'table', 'all'),
    exec('nft', 'list', 'ruleset'),
    exec('iptables', '-t', 'nat', '-S'),
    exec('sysctl', 'net.ipv4.ip_forward', 'net.bridge'),
  ]);
  return parts.join('\n').replaceAll(/valid_lft \w+ preferred_lft \w+|if\d+|^\d+:/gm, '');
}

t.test(
  'pods reach each other by address, on one host and across hosts, and the world through their host',
  async (t) => {
    t.equal(await ask(a.netns, 'tcp', b.ip, 8080), `b ${a.ip}`, 'same host');
    t.equal(await ask(a.netns, 'tcp', c.ip, 8080), `c ${a.ip}`, 'other host, own address kept');
    t.equal(await ask(c.netns, 'udp', a.ip, 8080), `a ${c.ip}`);
    t.match(await ask(h1.netns, 'tcp', c.ip, 8080), /^c 10\.244\.1\./, 'a node reaches pods of others');
    t.equal(await ask(a.netns, 'tcp', '192.168.77.99', 7000), `outside ${h1.ip}`, 'masqueraded');
  },
);

const tcp80 = [{ port: 80, protocol: 'TCP' }];
const to8080 = [{ port: 8080, protocol: 'TCP' }];

t.test(
  'ClusterIP: from pods with their own address, from the node, to itself, refused without endpoints',
  async (t) => {
    lab.put('service', service('web', { clusterIP: '10.96.0.5', ports: tcp80 }));
    const refused = await eventually('ECONNREFUSED', () => ask(a.netns, 'tcp', '10.96.0.5', 80));
    t.equal(refused, 'ECONNREFUSED');
    t.equal(await ask(h1.netns, 'tcp', '10.96.0.5', 80), 'ECONNREFUSED', 'from the node');
    lab.put('endpointSlice', slice('web', to8080, [{ ip: c.ip, node: 'h2' }]));
    t.equal(await eventually(/^c/, () => ask(a.netns, 'tcp', '10.96.0.5', 80)), `c ${a.ip}`);
    t.match(
      await ask(h1.netns, 'tcp', '10.96.0.5', 80),
      /^c 10\.244\.1\.0$/,
      'the node comes with its overlay address',
    );
    t.equal(await ask(c.netns, 'tcp', '10.96.0.5', 80), 'c 10.244.2.1', 'hairpin comes with the bridge address');
    t.equal(await ask(a.netns, 'tcp', '10.96.0.5', 81), 'ECONNREFUSED', 'a port that the Service does not have');

    lab.put(
      'endpointSlice',
      slice('web', to8080, [
        { ip: a.ip, node: 'h1' },
        { ip: b.ip, node: 'h1' },
        { ip: c.ip, node: 'h2' },
      ]),
    );
    await eventually(/^[ab]/, () => ask(a.netns, 'tcp', '10.96.0.5', 80));
    const asked = await inNetns(c.netns)(process.execPath, traffic, 'ask', 'tcp', '10.96.0.5', '80', '0', '40');
    const seen = new Set(
      asked
        .trim()
        .split('\n')
        .map((answer) => answer.split(' ')[0]),
    );
    t.same([...seen].sort(), ['a', 'b', 'c'], 'every endpoint is used');
    lab.put('endpointSlice', slice('web', to8080, [{ ip: b.ip, node: 'h1' }]));
    t.equal(
      await eventually(/^b/, () => ask(a.netns, 'tcp', '10.96.0.5', 80)),
      `b ${a.ip}`,
      'same host, over the bridge',
    );
  },
);

t.test('the API server is reached through its Service, by pods of every host', async (t) => {
  lab.put(
    'service',
    service('kubernetes', { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443, protocol: 'TCP' }] }),
  );
  lab.put('endpointSlice', slice('kubernetes', [{ name: 'https', port: 6443, protocol: 'TCP' }], [{ ip: h1.ip }]));
  t.match(await eventually(/^api/, () => ask(a.netns, 'tcp', '10.96.0.1', 443)), /^api/);
  t.equal(await eventually(/^api/, () => ask(c.netns, 'tcp', '10.96.0.1', 443)), `api ${h2.ip}`);
  t.match(await ask(h2.netns, 'tcp', '10.96.0.1', 443), /^api/);
  t.match(await ask(h1.netns, 'tcp', '10.96.0.1', 443), /^api/, 'on the node that it runs on');
});

t.test(
  'NodePort: every address of every node, from outside, pods and nodes; policy Local keeps the source',
  async (t) => {
    const nodePort = (more: object) =>
      service('port', {
        type: 'NodePort',
        clusterIP: '10.96.0.6',
        ports: [{ port: 80, nodePort: 30080, protocol: 'TCP' }],
        ...more,
      });
    lab.put('service', nodePort({}));
    lab.put('endpointSlice', slice('port', to8080, [{ ip: c.ip, node: 'h2' }]));
    t.match(await eventually(/^c/, () => ask(outside, 'tcp', h1.ip, 30080)), /^c 10\.244\.1\.0$/, 'other node');
    t.match(await ask(outside, 'tcp', h2.ip, 30080), /^c 10\.244\.2\.1$/, 'node of the pod');
    t.match(await ask(a.netns, 'tcp', h1.ip, 30080), /^c /, 'pod');
    t.match(await ask(h1.netns, 'tcp', h1.ip, 30080), /^c /, 'the node itself');
    t.match(await ask(h2.netns, 'tcp', '10.244.2.1', 30080), /^c /, 'another of its addresses');
    t.equal(await ask(outside, 'tcp', h1.ip, 30081), 'ECONNREFUSED', 'not a node port');

    lab.put('service', nodePort({ externalTrafficPolicy: 'Local' }));
    const kept = await eventually('c 192.168.77.99', () => ask(outside, 'tcp', h2.ip, 30080));
    t.equal(kept, 'c 192.168.77.99', 'source kept');
    t.equal(await eventually('ETIMEDOUT', () => ask(outside, 'tcp', h1.ip, 30080)), 'ETIMEDOUT', 'no endpoint there');
    t.equal(await ask(a.netns, 'tcp', h1.ip, 30080), `c ${a.ip}`, 'pods use all endpoints');
    t.match(await ask(h1.netns, 'tcp', h1.ip, 30080), /^c /, 'so does the node');

    lab.remove('endpointSlice', slice('port', to8080, []));
    t.equal(
      await eventually('ECONNREFUSED', () => ask(outside, 'tcp', h1.ip, 30080)),
      'ECONNREFUSED',
      'no endpoint at all',
    );
  },
);

t.test('external addresses, load balancer source ranges', async (t) => {
  const balanced = service(
    'lb',
    {
      type: 'LoadBalancer',
      clusterIP: '10.96.0.7',
      ports: tcp80,
      externalIPs: ['192.168.77.50'],
      loadBalancerSourceRanges: ['192.168.77.99/32'],
    },
    { loadBalancer: { ingress: [{ ip: '192.168.77.51' }] } },
  );
  lab.put('service', balanced);
  lab.put('endpointSlice', slice('lb', to8080, [{ ip: a.ip, node: 'h1' }]));
  for (const address of ['192.168.77.50', '192.168.77.51']) {
    await run('ip', ['-n', outside, 'route', 'add', address, 'via', h1.ip]);
  }
  t.match(await eventually(/^a/, () => ask(outside, 'tcp', '192.168.77.50', 80)), /^a /);
  t.match(await ask(outside, 'tcp', '192.168.77.51', 80), /^a /);
  t.equal(await ask(c.netns, 'tcp', '192.168.77.51', 80), 'ETIMEDOUT', 'not in the allowed ranges');
});

t.test('session affinity: a client stays with its endpoint, and moves when that is gone', async (t) => {
  const all = [
    { ip: a.ip, node: 'h1' },
    { ip: b.ip, node: 'h1' },
  ];
  lab.put('service', service('sticky', { clusterIP: '10.96.0.8', ports: tcp80, sessionAffinity: 'ClientIP' }));
  lab.put('endpointSlice', slice('sticky', to8080, all));
  const first = await eventually(/^[ab]/, () => ask(c.netns, 'tcp', '10.96.0.8', 80));
  const again = await inNetns(c.netns)(process.execPath, traffic, 'ask', 'tcp', '10.96.0.8', '80', '0', '20');
  t.same([...new Set(again.trim().split('\n'))], [first]);
  const other = first.startsWith('a') ? b : a;
  lab.put(
    'endpointSlice',
    slice(
      'sticky',
      to8080,
      all.filter(({ ip }) => ip === other.ip),
    ),
  );
  const name = other === a ? 'a' : 'b';
  t.equal(await eventually(`${name} ${c.ip}`, () => ask(c.netns, 'tcp', '10.96.0.8', 80)), `${name} ${c.ip}`);
});

t.test('a UDP client with a fixed port moves to another endpoint when its own is gone', async (t) => {
  const udp = [{ port: 8080, protocol: 'UDP' }];
  lab.put('service', service('udp', { clusterIP: '10.96.0.9', ports: [{ port: 80, protocol: 'UDP' }] }));
  lab.put('endpointSlice', slice('udp', udp, [{ ip: a.ip, node: 'h1' }]));
  t.match(await eventually(/^a/, () => ask(c.netns, 'udp', '10.96.0.9', 80, 5555)), /^a /);
  lab.put('endpointSlice', slice('udp', udp, [{ ip: b.ip, node: 'h1' }]));
  t.match(await eventually(/^b/, () => ask(c.netns, 'udp', '10.96.0.9', 80, 5555)), /^b /);
});

t.test('cluster DNS answers on its Service address, to pods and nodes, over UDP and TCP', async (t) => {
  lab.put(
    'service',
    service('kube-dns', { clusterIP: '10.96.0.10', ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] }),
  );
  const name = 'web.default.svc.cluster.local';
  t.equal(await eventually(/10\.96\.0\.5/, () => dig(a.netns, name, 'A')), 'NOERROR 10.96.0.5');
  t.equal(await dig(c.netns, name, 'A'), 'NOERROR 10.96.0.5', 'the other node answers for its own pods');
  t.equal(await dig(a.netns, name, 'A', 'tcp'), 'NOERROR 10.96.0.5');
  t.equal(await dig(h1.netns, name, 'A'), 'NOERROR 10.96.0.5', 'from the node');
  t.equal(await dig(a.netns, 'nobody.default.svc.cluster.local', 'A'), 'NXDOMAIN');
});

t.test('a host that joins is reached; one that leaves is forgotten', async (t) => {
  const h3 = await lab.addHost('h3', 3);
  await h3.ready;
  const d = await h3.addPod('d');
  await lab.start(d.netns, process.execPath, traffic, 'serve', '8080', 'd');
  t.equal(await eventually(/^d/, () => ask(a.netns, 'tcp', d.ip, 8080)), `d ${a.ip}`);
  lab.remove('node', { metadata: { name: 'h3' } });
  const routes = await eventually(/^(?![\s\S]*10\.244\.3\.0)/, () => h1.exec('ip', 'route'));
  t.notMatch(routes, /10\.244\.3\.0/);
  t.match(routes, /10\.244\.2\.0\/24 via 10\.244\.2\.0 dev k8ts\.1 onlink/);
  const forgotten = new RegExp(`^(?![\\s\\S]*${h3.ip})`);
  t.match(await eventually(forgotten, () => h1.exec('bridge', 'fdb', 'show', 'dev', 'k8ts.1')), forgotten);
});

t.test('rules come back after somebody flushed them, with the next change', async (t) => {
  await h1.exec('nft', 'flush', 'ruleset');
  lab.put('service', service('web2', { clusterIP: '10.96.0.55', ports: tcp80 }));
  lab.put('endpointSlice', slice('web2', to8080, [{ ip: b.ip, node: 'h1' }]));
  t.match(await eventually(/^b/, () => ask(a.netns, 'tcp', '10.96.0.55', 80)), /^b /);
  t.match(await ask(a.netns, 'tcp', '10.96.0.5', 80), /^b /, 'older Services too');
});

t.test('stopping leaves pods their network; reset leaves nothing', async (t) => {
  h1.send({ do: 'stop' });
  await h1.next('stopped');
  t.match(await ask(a.netns, 'tcp', '10.96.0.5', 80), /^b /);
  await Promise.all([a.remove(), b.remove()]);
  h1.send({ do: 'reset' });
  t.same(await h1.next('reset'), { is: 'reset', failed: [] });
  t.equal(await stateOf(inNetns(h1.netns)), before);
});
