import t from 'tap';
import type { IpLink } from '../../src/network/overlay/ip-json.ts';
import { planLink, type VxlanLink, vtepMac, whyIncompatible } from '../../src/network/overlay/link.ts';
import { type Peer, peerAnnotations, readPeer } from '../../src/network/overlay/peers.ts';
import { type OverlayState, planOverlay } from '../../src/network/overlay/plan.ts';

const want: VxlanLink = {
  name: 'k8ts.1',
  vni: 1,
  port: 8472,
  local: '192.0.2.1',
  device: 'eth0',
  mac: '02:00:00:00:00:01',
  mtu: 1450,
  address: '10.244.1.0',
};
const info = { id: 1, port: 8472, local: '192.0.2.1', link: 'eth0', learning: false };
const inner = { family: 'inet', local: '10.244.1.0', prefixlen: 32 } as const;
const have: IpLink = {
  ifname: 'k8ts.1',
  mtu: 1450,
  flags: ['BROADCAST', 'UP'],
  address: '02:00:00:00:00:01',
  linkinfo: { info_kind: 'vxlan', info_data: info },
  addr_info: [inner],
};
const withInfo = (more: object): IpLink => ({
  ...have,
  linkinfo: { info_kind: 'vxlan', info_data: { ...info, ...more } },
});

t.test('a link that differs in what cannot be changed is refused with the reason', async (t) => {
  const cases: readonly { readonly name: string; readonly given: IpLink; readonly want: string | undefined }[] = [
    { name: 'the same', given: have, want: undefined },
    { name: 'other MTU can be set', given: { ...have, mtu: 1400 }, want: undefined },
    { name: 'other VNI', given: withInfo({ id: 2 }), want: 'VNI is 2, not 1' },
    { name: 'other port', given: withInfo({ port: 4789 }), want: 'UDP port is 4789, not 8472' },
    {
      name: 'other address',
      given: withInfo({ local: '192.0.2.9' }),
      want: 'outer address is 192.0.2.9, not 192.0.2.1',
    },
    { name: 'other device', given: withInfo({ link: 'eth1' }), want: 'it sends through eth1, not eth0' },
    { name: 'learning', given: withInfo({ learning: true }), want: 'it learns addresses from packets' },
    { name: 'a bridge', given: { ...have, linkinfo: { info_kind: 'bridge' } }, want: 'it is a bridge link, not vxlan' },
  ];
  for (const { name, given, want: reason } of cases) t.equal(whyIncompatible(want, given), reason, name);
});

t.test('the link is made, reused, corrected or made anew', async (t) => {
  const lines = (given: IpLink | undefined): string[] =>
    planLink(want, given, given?.addr_info ?? []).map((args) => args.join(' '));
  const add =
    'link add k8ts.1 address 02:00:00:00:00:01 mtu 1450 type vxlan id 1 local 192.0.2.1 dev eth0 dstport 8472 nolearning';
  const address = 'address add 10.244.1.0/32 dev k8ts.1';
  t.same(lines(undefined), [add, address, 'link set dev k8ts.1 up']);
  t.same(lines(have), []);
  t.same(lines({ ...have, mtu: 1400, flags: [] }), ['link set dev k8ts.1 mtu 1450', 'link set dev k8ts.1 up']);
  t.same(lines(withInfo({ id: 7 })), ['link delete dev k8ts.1', add, address, 'link set dev k8ts.1 up']);
  t.same(lines({ ...have, addr_info: [{ ...inner, local: '10.244.9.0' }] }), [
    'address delete 10.244.9.0/32 dev k8ts.1',
    address,
  ]);
});

t.test('the hardware address is stable, local and unicast', async (t) => {
  t.equal(vtepMac('n1'), vtepMac('n1'));
  t.not(vtepMac('n1'), vtepMac('n2'));
  for (const name of ['n1', 'n2', 'worker-17']) {
    t.equal(Number.parseInt(vtepMac(name).slice(0, 2), 16) & 0x03, 0x02, name);
  }
});

const node = (annotations: Record<string, string>, podCIDR?: string) => ({
  metadata: { name: 'n2', annotations },
  spec: podCIDR === undefined ? {} : { podCIDR },
});
const announced = peerAnnotations({ vni: 1, vtepMac: '02:00:00:00:00:02', publicIp: '192.0.2.2' });

t.test('a node is a peer once it has a range and an announcement; otherwise the reason is told', async (t) => {
  t.same(readPeer(node(announced, '10.244.2.0/24'), 1), {
    nodeName: 'n2',
    podCidr: '10.244.2.0/24',
    vtepIp: '10.244.2.0',
    vtepMac: '02:00:00:00:00:02',
    publicIp: '192.0.2.2',
  });
  const key = 'flannel.alpha.coreos.com';
  const cases = [
    { name: 'no range', given: node(announced), vni: 1, want: 'it has no pod CIDR yet' },
    {
      name: 'no announcement',
      given: node({}, '10.244.2.0/24'),
      vni: 1,
      want: 'its overlay has not been announced yet',
    },
    {
      name: 'other backend',
      given: node({ ...announced, [`${key}/backend-type`]: 'host-gw' }, '10.244.2.0/24'),
      vni: 1,
      want: 'its overlay backend is host-gw, not vxlan',
    },
    { name: 'other VNI', given: node(announced, '10.244.2.0/24'), vni: 5, want: 'its VNI is 1, ours is 5' },
    {
      name: 'a hardware address that would be another word for ip -batch',
      given: node({ ...announced, [`${key}/backend-data`]: '{"VNI":1,"VtepMAC":"02:00 dev eth0"}' }, '10.244.2.0/24'),
      vni: 1,
      want: 'its overlay annotations cannot be read',
    },
    {
      name: 'no address',
      given: node({ ...announced, [`${key}/public-ip`]: 'n2' }, '10.244.2.0/24'),
      vni: 1,
      want: 'its overlay annotations cannot be read',
    },
  ];
  for (const { name, given, vni, want: reason } of cases) t.same(readPeer(given, vni), { reason }, name);
});

const peer = (number: number, publicIp = `192.0.2.${number}`): Peer => ({
  nodeName: `n${number}`,
  podCidr: `10.244.${number}.0/24`,
  vtepIp: `10.244.${number}.0`,
  vtepMac: `02:00:00:00:00:0${number}`,
  publicIp,
});
const stateOf = (...peers: Peer[]): OverlayState => ({
  routes: peers.map(({ podCidr, vtepIp }) => ({ dst: podCidr, gateway: vtepIp, flags: ['onlink'] })),
  neighbours: peers.map(({ vtepIp, vtepMac: lladdr }) => ({ dst: vtepIp, lladdr, state: ['PERMANENT'] })),
  fdb: peers.map(({ vtepMac: mac, publicIp }) => ({ mac, dst: publicIp, state: 'permanent' })),
});

t.test('only the difference is applied', async (t) => {
  const nothing = { ipRemove: [], bridge: [], ipAdd: [] };
  t.same(planOverlay('k8ts.1', [peer(2)], stateOf(peer(2))), nothing);
  t.same(planOverlay('k8ts.1', [peer(2)], stateOf()), {
    ipRemove: [],
    bridge: ['fdb replace 02:00:00:00:00:02 dev k8ts.1 dst 192.0.2.2 self permanent'],
    ipAdd: [
      'neighbour replace 10.244.2.0 lladdr 02:00:00:00:00:02 dev k8ts.1 nud permanent',
      'route replace 10.244.2.0/24 via 10.244.2.0 dev k8ts.1 onlink',
    ],
  });
  t.same(planOverlay('k8ts.1', [peer(2)], stateOf(peer(2), peer(3))), {
    ipRemove: ['route delete 10.244.3.0/24 dev k8ts.1', 'neighbour delete 10.244.3.0 dev k8ts.1'],
    bridge: ['fdb delete 02:00:00:00:00:03 dev k8ts.1 dst 192.0.2.3'],
    ipAdd: [],
  });
  t.same(planOverlay('k8ts.1', [peer(2, '192.0.2.99')], stateOf(peer(2))), {
    ...nothing,
    bridge: ['fdb replace 02:00:00:00:00:02 dev k8ts.1 dst 192.0.2.99 self permanent'],
  });
});
