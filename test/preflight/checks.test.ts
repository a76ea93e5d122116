// Each check once with what provokes it and once with what passes: the first table holds the former, `sound` the latter.

import t from 'tap';
import { CodedError } from '../../src/base/index.ts';
import { createFakeHost } from '../../src/host/index.ts';
import { parseListeners } from '../../src/preflight/facts/network.ts';
import {
  checks,
  gatherFacts,
  judge,
  type PreflightFacts,
  presentPluginDirs,
  requirePassed,
} from '../../src/preflight/index.ts';
import { gibibyte, joining, sound } from './sound.ts';

const provoked: readonly {
  readonly id: string;
  readonly given: Partial<PreflightFacts>;
  readonly says: RegExp;
  readonly fix: RegExp;
}[] = [
  { id: 'IsPrivilegedUser', given: { uid: 1000 }, says: /uid 1000/, fix: /sudo/ },
  { id: 'NumCPU', given: { processors: 1 }, says: /1 processor/, fix: /./ },
  { id: 'Mem', given: { memoryBytes: gibibyte / 4 }, says: /256 MiB/, fix: /memory/ },
  { id: 'Swap', given: { swaps: ['/dev/sda2'] }, says: /\/dev\/sda2/, fix: /swapoff -a.*fstab/ },
  {
    id: 'Port-6443',
    given: { holders: [{ port: 6443, pid: 5, program: 'nginx' }] },
    says: /pid 5 \(nginx\)/,
    fix: /--apiserver-bind-port/,
  },
  {
    id: 'Port-10250',
    given: { holders: [{ port: 10250, pid: undefined, program: undefined }] },
    says: /another process/,
    fix: /kubelet/,
  },
  {
    id: 'FileAvailable--etc-kubernetes-manifests-etcd.yaml',
    given: { leftovers: ['/etc/kubernetes/manifests/etcd.yaml'] },
    says: /earlier cluster/,
    fix: /k8ts reset/,
  },
  {
    id: 'CRI',
    given: { runtime: { problem: { code: 'CRI_SOCKET_ABSENT', message: 'no socket', hint: 'start it' } } },
    says: /no socket/,
    fix: /start it/,
  },
  {
    id: 'CRI',
    given: {
      runtime: {
        name: 'containerd',
        version: '1',
        conditions: [{ type: 'RuntimeReady', status: false, reason: 'X', message: 'y' }],
        cgroupDriver: 'systemd',
      },
    },
    says: /not ready: X y/,
    fix: /journalctl/,
  },
  {
    id: 'OOMScoreAdj',
    given: {
      runtimeProcess: {
        program: 'containerd',
        configFile: '/c.toml',
        mayRaisePriority: false,
        restrictsOomScore: false,
      },
    },
    says: /CAP_SYS_RESOURCE/,
    fix: /restrict_oom_score_adj = true/,
  },
  {
    id: 'FileExisting-nft',
    given: { programs: { ...sound.programs, nft: undefined } },
    says: /nft/,
    fix: /apt-get install nftables/,
  },
  {
    id: 'FileExisting-cni-bridge',
    given: { cniPlugins: { ...sound.cniPlugins, bridge: undefined } },
    says: /\/usr\/lib\/cni/,
    fix: /containernetworking-plugins/,
  },
  {
    id: 'FileContent--proc-sys-net-ipv4-ip_forward',
    given: { canWriteSysctls: false, sysctls: { ...sound.sysctls, 'net.bridge.bridge-nf-call-iptables': '1' } },
    says: /read-only/,
    fix: /sysctl -w/,
  },
  {
    id: 'FileContent--proc-sys-net-bridge-bridge-nf-call-iptables',
    given: { programs: { ...sound.programs, modprobe: undefined } },
    says: /not loaded/,
    fix: /modprobe br_netfilter/,
  },
  {
    id: 'FileContent--proc-sys-net-bridge-bridge-nf-call-iptables',
    given: {
      canWriteSysctls: false,
      sysctls: { 'net.ipv4.ip_forward': '1', 'net.bridge.bridge-nf-call-iptables': '0' },
    },
    says: /is 0/,
    fix: /sysctl -w/,
  },
  { id: 'Hostname', given: { nodeNameAddress: undefined }, says: /master does not resolve/, fix: /\/etc\/hosts/ },
  { id: 'DefaultRoute', given: { hasDefaultRoute: false }, says: /no default route/, fix: /ip route add/ },
  {
    id: 'CIDROverlap',
    given: { routes: [{ range: '10.96.1.0/24', device: 'eth1' }] },
    says: /service range.*10.96.1.0\/24.*eth1/,
    fix: /--service-cidr/,
  },
  {
    id: 'DiskFree',
    given: { disks: [{ mount: '/var', sizeBytes: 1, freeBytes: 1 }] },
    says: /0 MiB free on \/var/,
    fix: /df -h \/var/,
  },
];

t.test('a sound machine passes every check, on both roles', async (t) => {
  t.strictSame(judge(sound, [], checks), []);
  t.strictSame(judge({ ...sound, role: 'worker' }, [], checks), []);
});

t.test('every check has a case that provokes it', async (t) => {
  const missing = checks.filter(({ id }) => !provoked.some((one) => one.id === id || one.id.startsWith(`${id}-`)));
  t.strictSame(
    missing.map(({ id }) => id),
    [],
  );
  t.ok(checks.every(({ why }) => why.length > 10));
});

for (const { id, given, says, fix } of provoked) {
  t.test(`${id}: ${says}`, async (t) => {
    t.match(judge({ ...sound, ...given }, [], checks), [{ id, message: says, fix }]);
  });
}

t.test('workers are not asked for what only a master needs', async (t) => {
  t.strictSame(judge({ ...sound, role: 'worker', processors: 1, memoryBytes: gibibyte / 4 }, [], checks), []);
});

t.test('an ignored error is a warning, by any letter case, and by all', async (t) => {
  const swapping = { ...sound, swaps: ['/swap'] };
  for (const ignored of [['swap'], ['Port-1', 'SWAP'], ['all']]) {
    t.match(judge(swapping, ignored, checks), [{ id: 'Swap', severity: 'warning' }]);
  }
  t.match(judge(swapping, ['Port-6443'], checks), [{ id: 'Swap', severity: 'error' }]);
});

t.test('all errors are named at once, in kubeadm form, with exit code 2', async (t) => {
  const said: string[] = [];
  const judged = judge({ ...sound, swaps: ['/swap'], processors: 1, uid: 5 }, [], checks);
  const failed = await Promise.resolve()
    .then(() => requirePassed(judged, (line) => said.push(line)))
    .catch((error: unknown) => error);
  t.match(failed, CodedError);
  t.match(failed, {
    code: 'PREFLIGHT_FAILED',
    exit: 'preflight',
    message: /2 checks failed\n\[ERROR IsPrivilegedUser\]: .*\n {4}fix: .*\n\[ERROR Swap\]: swap is on/,
    hint: /--ignore-preflight-errors=IsPrivilegedUser,Swap/,
  });
  t.match(said, [/^\[WARNING NumCPU\]: /]);
});

t.test('facts are read from the machine', async (t) => {
  const host = createFakeHost({
    programs: ['ip', 'nft'],
    sysctls: { 'net.ipv4.ip_forward': '1' },
    facts: { uid: 0, processors: 4 },
    files: {
      '/proc/swaps': 'Filename\tType\n/dev/sda2   partition 1 0 -2\n',
      '/proc/self/mounts': 'proc /proc proc rw 0 0\nproc /proc/sys proc ro,nosuid 0 0\n',
      '/proc/9/status': 'CapEff:\t000001fffeffffff\n',
      '/proc/9/cmdline': 'containerd\0--config\0/etc/c.toml\0',
      '/etc/c.toml': '  restrict_oom_score_adj = true\n',
      '/usr/lib/cni/bridge': '',
      '/etc/kubernetes/kubelet.conf': 'x',
    },
    onRun: (program, args) => {
      if (program === 'ss' && args[0] === '-Hlxp')
        return { stdout: 'u_str LISTEN 0 4096 /run/c.sock 1 * 0 users:(("containerd",pid=9,fd=8))' };
      if (program === 'ss')
        return { stdout: 'LISTEN 0 511 *:10250 *:* users:(("kubelet",pid=3,fd=4))\nLISTEN 0 5 127.0.0.1:22 *:*\n' };
      if (program === 'getent') return { code: 2 };
      if (args.includes('default')) return { stdout: '[]' };
      return { stdout: '[{"dst":"10.0.0.0/8","dev":"eth0"},{"dst":"10.1.1.1","dev":"eth1"}]' };
    },
  });
  const version = async () => {
    throw new CodedError('CRI_SOCKET_ABSENT', 'absent', { hint: 'install' });
  };
  const facts = await gatherFacts(
    host,
    { version, status: version, cgroupDriver: version },
    { ...sound, role: 'worker' },
  );
  t.match(facts, {
    swaps: ['/dev/sda2'],
    holders: [{ port: 10250, pid: 3, program: 'kubelet' }],
    programs: { ip: '/usr/sbin/ip', runc: undefined },
    cniPlugins: { bridge: '/usr/lib/cni/bridge', loopback: undefined },
    runtime: { problem: { message: 'absent', hint: 'install' } },
    runtimeProcess: { mayRaisePriority: false, restrictsOomScore: true },
    canWriteSysctls: false,
    leftovers: ['/etc/kubernetes/kubelet.conf'],
    nodeNameAddress: undefined,
    hasDefaultRoute: false,
    routes: [
      { range: '10.0.0.0/8', device: 'eth0' },
      { range: '10.1.1.1/32', device: 'eth1' },
    ],
  });
  t.strictSame(host.files()['/etc/c.toml'], '  restrict_oom_score_adj = true\n', 'nothing was changed');
  t.strictSame(await presentPluginDirs(host, ['/opt/cni/bin', '/usr/lib/cni']), ['/usr/lib/cni']);
  t.strictSame(await presentPluginDirs(host, ['/opt/cni/bin']), ['/opt/cni/bin']);
});

t.test('listeners of ss, IPv6 and anonymous ones too', async (t) => {
  t.strictSame(
    parseListeners(
      'LISTEN 0 128 [::]:6443 [::]:* users:(("node",pid=4,fd=1))\nLISTEN 0 1 10.0.0.1%eth0:53 0.0.0.0:*\n\n',
    ),
    [
      { port: 6443, program: 'node', pid: 4 },
      { port: 53, program: undefined, pid: undefined },
    ],
  );
});
