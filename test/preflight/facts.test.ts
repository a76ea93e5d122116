// The facts as they are read from a machine: one with everything wrong, in memory.

import { gzipSync } from 'node:zlib';
import t from 'tap';
import { CodedError } from '../../src/base/index.ts';
import { createFakeCri } from '../../src/cri/index.ts';
import { createFakeHost } from '../../src/host/index.ts';
import { parseListeners } from '../../src/preflight/facts/network.ts';
import { gatherFacts, presentPluginDirs } from '../../src/preflight/index.ts';
import { sound } from './sound.ts';

const answers: Readonly<Record<string, string>> = {
  'ss -Hlxp src /run/containerd/containerd.sock':
    'u_str LISTEN 0 4096 /run/c.sock 1 * 0 users:(("containerd",pid=9,fd=8))',
  'ss -Hltnp': 'LISTEN 0 511 *:10250 *:* users:(("kubelet",pid=3,fd=4))\nLISTEN 0 5 127.0.0.1:22 *:*\n',
  'ss -Hlunp':
    'UNCONN 0 0 0.0.0.0:8472 0.0.0.0:* users:(("nc",pid=4,fd=3))\nUNCONN 0 0 0.0.0.0:8472 0.0.0.0:*\nUNCONN 0 0 *:53 *:*\n',
  'ip -json address show': JSON.stringify([
    { ifname: 'eth0', mtu: 1300, addr_info: [{ local: '192.0.2.10' }] },
    { ifname: 'flannel.1', mtu: 1250 },
    { ifname: 'cni0', mtu: 1250 },
  ]),
  'ip -4 route show default': '',
  'iptables -V': 'iptables v1.8.9 (nf_tables)',
  'iptables-save':
    '*nat\n:KUBE-SERVICES - [0:0]\n:PREROUTING ACCEPT [0:0]\n:cali-INPUT - [0:0]\n-A PREROUTING -j KUBE-SERVICES\n',
  'iptables-legacy-save': '*filter\n-A INPUT -j DROP\n-A FORWARD -j DROP\n',
  'nft list tables': 'table ip kube-proxy\ntable inet mine\ntable ip k8ts\n',
  'systemctl is-active firewalld': 'active\n',
  'systemctl is-enabled kubelet.service': 'enabled\n',
  'df -Pk /var/lib /var/lib/containerd':
    'Filesystem 1024-blocks Used Available Capacity Mounted on\noverlay 1000 900 100 90% /\n/dev/sdb1 2000 0 2000 0% /var/lib/my containers\n',
  env: 'HTTPS_PROXY=http://proxy:3128\nno_proxy=a.example, 10.0.0.0/8,\n',
  'modprobe -n -v --ignore-install br_netfilter': 'insmod /lib/modules/x/br_netfilter.ko\n',
};

const broken = {
  '/proc/swaps': 'Filename\tType\n/dev/sda2   partition 1 0 -2\n',
  '/proc/self/mounts': 'proc /proc proc rw 0 0\nproc /proc/sys proc ro,nosuid 0 0\n',
  '/proc/9/status': 'CapEff:\t000001fffeffffff\n',
  '/proc/9/cmdline': 'containerd\0--config\0/etc/c.toml\0',
  '/proc/filesystems': 'nodev\toverlay\n',
  '/proc/net/ip_tables_names': 'filter\n',
  '/etc/c.toml': '  restrict_oom_score_adj = true\n',
  '/usr/lib/cni/bridge': '',
  '/etc/kubernetes/kubelet.conf': 'x',
  '/etc/cni/net.d/05-other.conflist': '{}',
  '/etc/cni/net.d/87-podman.conflist': '{}',
  '/etc/cni/net.d/10-k8ts.conflist': '{}',
  '/var/lib/rancher/k3s/agent/x': '',
  '/run/systemd/system/x': '',
  '/run/systemd/resolve/resolv.conf': '# made by systemd\nnameserver 192.0.2.1\nnameserver nonsense\n',
  '/etc/resolv.conf': 'nameserver 127.0.0.53\n',
  '/boot/config-6.1.0': 'CONFIG_NAMESPACES=y\n# CONFIG_VXLAN is not set\nCONFIG_BRIDGE_NETFILTER=m\nCONFIG_VETH=m\n',
  '/lib/modules/6.1.0/modules.dep': '',
  '/sys/module/bridge/x': '',
  '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu memory pids\n',
};

const hostWith = (files: Readonly<Record<string, string>>) =>
  createFakeHost({
    programs: ['ip', 'nft', 'ss', 'iptables', 'iptables-save', 'iptables-legacy-save', 'systemctl', 'env', 'modprobe'],
    sysctls: { 'net.ipv4.ip_forward': '1' },
    facts: { uid: 0, processors: 4 },
    files,
    onRun: (program, args) => {
      if (program === 'getent') return { code: 2 };
      const stdout = answers[[program, ...args].join(' ')];
      if (program === 'ip' && args.includes('route') && stdout === undefined) {
        return {
          stdout: args.includes('default')
            ? '[]'
            : '[{"dst":"10.0.0.0/8","dev":"eth0"},{"dst":"10.1.1.1","dev":"eth1"}]',
        };
      }
      return stdout === undefined ? { code: 1 } : { stdout };
    },
  });

const fails = async () => {
  throw new CodedError('CRI_SOCKET_ABSENT', 'absent', { hint: 'install' });
};
const absentCri = { version: fails, status: fails, cgroupDriver: fails };

t.test('everything that is wrong is seen', async (t) => {
  const host = hostWith(broken);
  const facts = await gatherFacts(host, absentCri, { ...sound, role: 'worker' });
  t.match(facts, {
    swaps: ['/dev/sda2'],
    programs: { ip: '/usr/sbin/ip', runc: undefined },
    cniPlugins: { bridge: '/usr/lib/cni/bridge', loopback: undefined },
    runtime: { problem: { code: 'CRI_SOCKET_ABSENT', message: 'absent', hint: 'install' } },
    runtimeProcess: {
      program: 'containerd',
      configFile: '/etc/c.toml',
      mayRaisePriority: false,
      restrictsOomScore: true,
    },
    hasSystemd: true,
    otherAgents: ['kubelet'],
    cgroups: { version: 2, controllers: ['cpuset', 'cpu', 'memory', 'pids'] },
    canWriteSysctls: false,
    leftovers: ['/etc/kubernetes/kubelet.conf'],
    nodeNameAddress: undefined,
    hasDefaultRoute: false,
    underlay: { device: 'eth0', mtu: 1300 },
    firewall: 'firewalld',
  });
  t.strictSame(facts.holders, [
    { port: 10250, users: [{ pid: 3, program: 'kubelet' }] },
    { port: 8472, users: [{ pid: 4, program: 'nc' }] },
  ]);
  t.strictSame(facts.routes, [
    { range: '10.0.0.0/8', device: 'eth0' },
    { range: '10.1.1.1/32', device: 'eth1' },
  ]);
  t.match(facts.modules, {
    overlay: 'present',
    br_netfilter: 'loadable',
    bridge: 'present',
    veth: 'absent',
    vxlan: 'absent',
  });
  t.ok(facts.unsetKernelOptions?.includes('VXLAN'));
  t.notOk(facts.unsetKernelOptions?.includes('VETH'));
  t.strictSame(facts.nameservers, { file: '/run/systemd/resolve/resolv.conf', addresses: ['192.0.2.1'] });
  t.match(facts.iptables, { backend: 'nf_tables', legacyRules: 2 });
  t.strictSame(facts.disks, [
    { mount: '/', freeBytes: 102_400 },
    { mount: '/var/lib/my containers', freeBytes: 2_048_000 },
  ]);
  t.strictSame(facts.proxies, { https: 'http://proxy:3128', except: ['a.example', '10.0.0.0/8'] });
  t.strictSame(facts.foreign, {
    cniConfigs: ['/etc/cni/net.d/05-other.conflist'],
    links: ['flannel.1', 'cni0'],
    files: [{ owner: 'k3s', path: '/var/lib/rancher/k3s' }],
    rules: ['ip kube-proxy', 'ip k8ts', 'KUBE-SERVICES', 'cali-INPUT'],
  });
  t.strictSame(await host.journal.changes(), [], 'nothing was changed');
});

t.test('what a node of ours left is no leftover', async (t) => {
  const facts = await gatherFacts(hostWith(broken), absentCri, { ...sound, role: 'worker', isMember: true });
  t.strictSame(facts.leftovers, []);
  t.strictSame(facts.foreign.links, ['flannel.1']);
  t.strictSame(facts.foreign.rules, ['ip kube-proxy', 'KUBE-SERVICES', 'cali-INPUT']);
});

t.test('a nameserver that does not answer leaves the node name without an address', async (t) => {
  const host = createFakeHost({
    onRun: (program) => {
      if (program === 'getent') throw new CodedError('COMMAND_TIMEOUT', 'getent: not finished after 3000 ms');
      return {};
    },
  });
  const facts = await gatherFacts(host, createFakeCri(), { ...sound, role: 'worker' });
  t.equal(facts.nodeNameAddress, undefined);
});

t.test('a machine that does not say is not blamed', async (t) => {
  const host = createFakeHost({
    onRun: (program) => (program === 'getent' ? { stdout: '192.0.2.7 STREAM n1\n' } : {}),
  });
  const facts = await gatherFacts(host, createFakeCri(), { ...sound, role: 'control-plane' });
  t.match(facts, {
    runtimeProcess: undefined,
    hasSystemd: false,
    otherAgents: [],
    unsetKernelOptions: undefined,
    modules: { vxlan: 'unknown', overlay: 'unknown' },
    underlay: undefined,
    nameservers: { addresses: [] },
    iptables: { backend: undefined, legacyRules: 0 },
    firewall: undefined,
    nodeNameAddress: '192.0.2.7',
    runtime: { name: 'fake' },
  });
});

t.test('the kernel’s configuration is read from /proc as well, and cgroup v1 by its folders', async (t) => {
  const host = createFakeHost({
    files: { '/sys/fs/cgroup/cpu,cpuacct/x': '', '/sys/fs/cgroup/memory/x': '', '/var/lib/etcd/member': '' },
  });
  const packed = gzipSync('CONFIG_VXLAN=y\n');
  const withConfig = {
    ...host,
    readFileIfExists: async (path: string) => (path === '/proc/config.gz' ? packed : host.readFileIfExists(path)),
  };
  const facts = await gatherFacts(withConfig, createFakeCri(), sound);
  t.match(facts.modules, { vxlan: 'present', veth: 'absent' });
  t.strictSame(facts.cgroups, { version: 1, controllers: ['cpu', 'cpuacct', 'memory'] });
  t.strictSame(facts.usedDirs, ['/var/lib/etcd']);
});

t.test('folders with plugins', async (t) => {
  const host = createFakeHost({ files: { '/usr/lib/cni/bridge': '' } });
  t.strictSame(await presentPluginDirs(host, ['/opt/cni/bin', '/usr/lib/cni']), ['/usr/lib/cni']);
  t.strictSame(await presentPluginDirs(host, ['/opt/cni/bin']), ['/opt/cni/bin']);
});

t.test('listeners of ss, IPv6 and anonymous ones too', async (t) => {
  t.strictSame(
    parseListeners(
      'LISTEN 0 128 [::]:6443 [::]:* users:(("node",pid=9,fd=1),("node",pid=4,fd=1))\nLISTEN 0 1 10.0.0.1%eth0:53 0.0.0.0:*\n\n',
    ),
    [
      {
        port: 6443,
        users: [
          { program: 'node', pid: 9 },
          { program: 'node', pid: 4 },
        ],
      },
      { port: 53, users: [] },
    ],
  );
});
