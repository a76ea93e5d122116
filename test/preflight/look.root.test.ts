// Checks provoked for real: each case has a network and a mount namespace of its own, breaks things there and looks.
// The namespaces end with the process.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import type { Judged } from '../../src/preflight/index.ts';

const script = join(import.meta.dirname, 'look.ts');
const network = `
set -e
ip link set lo up
ip link add eth0 type veth peer name wire
ip address add 192.0.2.10/24 dev eth0
ip link set eth0 up
ip link set wire up
ip route add default via 192.0.2.1
mount -t tmpfs -o size=1m tmpfs /run
mkdir -p /run/systemd/resolve
echo 'nameserver 192.0.2.1' >/run/systemd/resolve/resolv.conf
`;

/** What is found after `breakage`, of the checks that look at what a namespace has of its own. */
async function look(breakage: string): Promise<readonly Judged[]> {
  const command = `${network}\n${breakage}\nexec '${process.execPath}' '${script}'`;
  const { stdout } = await promisify(execFile)('unshare', ['--net', '--mount', '/bin/sh', '-c', command]);
  const judged: readonly Judged[] = JSON.parse(stdout);
  return judged.filter(({ check }) => watched.has(check));
}

const watched = new Set([
  ...[
    'Port',
    'DefaultRoute',
    'CIDROverlap',
    'MTU',
    'ResolvLoop',
    'IptablesBackend',
    'IptablesForward',
    'LeftoverState',
    'DiskFree',
  ],
  ...['FileContent--proc-sys-net-ipv4-ip_forward', 'FileExisting', 'IsPrivilegedUser', 'SystemVerification'],
]);

const held = (kind: 'tcp' | 'udp', port: number): string => {
  const listen =
    kind === 'tcp'
      ? `require('net').createServer().listen(${port}, ready)`
      : `require('dgram').createSocket('udp4').bind(${port}, ready)`;
  const program = `const ready = () => require('fs').writeFileSync('/run/ready-${port}', ''); ${listen}; setTimeout(() => {}, 60000)`;
  return `'${process.execPath}' -e "${program}" >/dev/null 2>&1 & holder=$!
  until [ -e /run/ready-${port} ]; do sleep 0.02; done; (tail --pid=$$ -f /dev/null; kill $holder) >/dev/null 2>&1 &`;
};

const cases = [
  {
    name: 'ports held, a small MTU, a route into the pods’ range, the cluster’s own nameserver, rules of the old iptables',
    given: `${held('tcp', 6443)}
      ${held('udp', 8472)}
      ip link set dev eth0 mtu 1300
      ip route add 10.244.7.0/24 via 192.0.2.1
      echo nameserver 10.96.0.10 >/run/systemd/resolve/resolv.conf
      iptables-legacy -A INPUT -p tcp --dport 9 -j DROP`,
    want: [
      { id: 'Port-6443', severity: 'error', message: /pid \d+ \(/ },
      { id: 'Port-8472', severity: 'error', message: /pid \d+ \(/ },
      { id: 'CIDROverlap', severity: 'error', message: /10\.244\.7\.0\/24, which this machine reaches through eth0/ },
      { id: 'MTU', severity: 'warning', message: /eth0 has MTU 1300, which leaves 1250/ },
      { id: 'ResolvLoop', severity: 'error', message: /10\.96\.0\.10/ },
      { id: 'IptablesBackend', severity: 'warning', message: /1 rules are in the old iptables tables/ },
    ],
  },
  {
    name: 'no default route, links and rules of another cluster, a full disk',
    given: `ip route delete default
      ip link add flannel.1 type vxlan id 1 dev eth0 dstport 8472
      ip link add cni0 type bridge
      nft add table ip kube-proxy
      iptables -t nat -N KUBE-SERVICES
      iptables -P FORWARD DROP
      mkdir -p /run/flannel; echo x >/run/flannel/subnet.env
      mount -t tmpfs -o size=64m tmpfs /var/lib`,
    want: [
      { id: 'DiskFree', severity: 'error', message: /6\d MiB free on \/var\/lib; 1 GiB is needed/ },
      { id: 'DefaultRoute', severity: 'warning' },
      { id: 'IptablesForward', severity: 'warning', fix: /FORWARD -s 10\.244\.0\.0\/16 -j ACCEPT; .* -d / },
      { id: 'LeftoverState', severity: 'error', message: /network link flannel\.1/ },
      { id: 'LeftoverState', severity: 'error', message: /network link cni0/ },
      { id: 'LeftoverState', severity: 'warning', message: /\/run\/flannel\/subnet\.env is there: flannel/ },
      { id: 'LeftoverState', severity: 'warning', message: /packet rules.*ip kube-proxy, KUBE-SERVICES/ },
    ],
  },
  {
    name: 'little disk, kernel settings that may not be changed, a nameserver that pods cannot reach',
    given: `mount -t tmpfs -o size=2g tmpfs /var/lib
      echo nameserver 127.0.0.53 >/run/systemd/resolve/resolv.conf
      sysctl -qw net.ipv4.ip_forward=0; mount --bind /proc/sys /proc/sys; mount -o remount,ro,bind /proc/sys`,
    want: [
      { id: 'DiskFree', severity: 'warning', message: /5 GiB are recommended/ },
      { id: 'FileContent--proc-sys-net-ipv4-ip_forward', severity: 'error', message: /read-only here/ },
      { id: 'ResolvLoop', severity: 'warning', message: /127\.0\.0\.53/ },
    ],
  },
];

t.test('a machine with nothing wrong', async (t) => {
  const found = (await look('')).filter(({ id }) => id !== 'DiskFree'); // the disk of the machine that tests run on
  t.strictSame(found, []);
});

for (const { name, given, want } of cases) {
  t.test(name, async (t) => {
    const ids = new Set(want.map(({ id }) => id));
    const found = (await look(given)).filter(({ id }) => id !== 'DiskFree' || ids.has(id));
    t.match(found, want);
    t.equal(found.length, want.length, 'and nothing else');
  });
}
