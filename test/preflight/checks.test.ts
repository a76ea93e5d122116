// Each check once with what provokes it and once with what passes: the first table holds the former, `sound` the latter.

import t from 'tap';
import { CodedError } from '../../src/base/index.ts';
import { checks, judge, type PreflightFacts, requirePassed } from '../../src/preflight/index.ts';
import { gibibyte, sound } from './sound.ts';

const soundRuntime = { name: 'containerd', version: '1.7.0', conditions: [] } as const;

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
    given: { holders: [{ port: 6443, users: [{ pid: 5, program: 'nginx' }] }] },
    says: /pid 5 \(nginx\)/,
    fix: /--apiserver-bind-port/,
  },
  {
    id: 'Port-10250',
    given: { holders: [{ port: 10250, users: [] }] },
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
  {
    id: 'SystemVerification',
    given: { kernel: '4.19.0-26-amd64' },
    says: /Linux 4\.19\.0-26-amd64; 5\.13 is needed/,
    fix: /linux-image-amd64/,
  },
  {
    id: 'SystemVerification',
    given: { cgroups: { version: 2, controllers: ['cpu', 'cpuset', 'pids'] } },
    says: /controller memory \(version 2\) is not on/,
    fix: /cgroup_enable=memory/,
  },
  {
    id: 'SystemVerification',
    given: { cgroups: { version: 1, controllers: ['cpu', 'cpuacct', 'cpuset', 'devices', 'freezer', 'memory'] } },
    says: /controller pids \(version 1\)/,
    fix: /sys\/fs\/cgroup\/pids/,
  },
  {
    id: 'SystemVerification',
    given: { unsetKernelOptions: ['VXLAN'] },
    says: /without CONFIG_VXLAN/,
    fix: /distribution/,
  },
  {
    id: 'KernelModules',
    given: { modules: { br_netfilter: 'absent' } },
    says: /6\.1\.0-18-amd64 has no module br_netfilter/,
    fix: /linux-modules-extra-6\.1\.0-18-amd64/,
  },
  {
    id: 'Inotify',
    given: { sysctls: { 'fs.inotify.max_user_instances': '64', 'fs.inotify.max_user_watches': '65536' } },
    says: /max_user_instances is 64/,
    fix: /sysctl -w fs\.inotify\.max_user_instances=512/,
  },
  {
    id: 'CgroupDriver',
    given: { runtime: { ...soundRuntime, cgroupDriver: 'cgroupfs' } },
    says: /containerd manages cgroups beside systemd/,
    fix: /SystemdCgroup = true/,
  },
  {
    id: 'CgroupDriver',
    given: { hasSystemd: false },
    says: /systemd does not run here/,
    fix: /SystemdCgroup = false/,
  },
  {
    id: 'FileExisting-conntrack',
    given: { programs: { ...sound.programs, conntrack: undefined } },
    says: /without it UDP clients/,
    fix: /apt-get install conntrack/,
  },
  {
    id: 'MTU',
    given: { underlay: { device: 'eth0', mtu: 1300 } },
    says: /eth0 has MTU 1300, which leaves 1250/,
    fix: /ip link set dev eth0 mtu 1500/,
  },
  {
    id: 'ResolvLoop',
    given: { nameservers: { file: '/etc/resolv.conf', addresses: ['10.96.0.10'] } },
    says: /names 10\.96\.0\.10, an address of the cluster/,
    fix: /real nameserver into \/etc\/resolv\.conf/,
  },
  {
    id: 'ResolvLoop',
    given: { nameservers: { file: '/etc/resolv.conf', addresses: ['127.0.0.53'] } },
    says: /names 127\.0\.0\.53, which a pod/,
    fix: /real nameserver/,
  },
  {
    id: 'IptablesBackend',
    given: { iptables: { backend: 'nf_tables', legacyRules: 3, saved: '' } },
    says: /3 rules are in the old iptables tables/,
    fix: /update-alternatives --set iptables/,
  },
  {
    id: 'IptablesBackend',
    given: { iptables: { backend: 'legacy', legacyRules: 3, saved: '' } },
    says: /iptables writes to the old tables/,
    fix: /iptables-nft/,
  },
  { id: 'Firewalld', given: { firewall: 'firewalld' }, says: /6443\/tcp, 10250\/tcp, 8472\/udp/, fix: /firewall-cmd/ },
  {
    id: 'IptablesForward',
    given: {
      iptables: {
        ...sound.iptables,
        saved: '*filter\n:FORWARD DROP [0:0]\n-A FORWARD -d 10.244.0.0/16 -j ACCEPT\n',
      },
    },
    says: /drops what this machine forwards/,
    fix: /^iptables -I FORWARD -s 10\.244\.0\.0\/16 -j ACCEPT$/,
  },
  { id: 'Firewalld', given: { firewall: 'ufw' }, says: /ufw is on/, fix: /ufw allow 8472\/udp/ },
  {
    id: 'HTTPProxy',
    given: { proxies: { https: 'http://me:secret@proxy.example.org:3128', except: ['example.org', '10.0.0.0/8'] } },
    says: /https_proxy is http:\/\/proxy\.example\.org:3128, and no_proxy does not name 192\.0\.2\.10/,
    fix: /no_proxy=/,
  },
  {
    id: 'Port-8472',
    given: { holders: [{ port: 8472, users: [{ pid: 9, program: 'nc' }] }] },
    says: /port 8472 is held by pid 9/,
    fix: /networking\.overlay\.port/,
  },
  { id: 'DirAvailable--var-lib-etcd', given: { usedDirs: ['/var/lib/etcd'] }, says: /not empty/, fix: /kubeadm reset/ },
  {
    id: 'LeftoverState',
    given: { foreign: { ...sound.foreign, cniConfigs: ['/etc/cni/net.d/05-cilium.conflist'] } },
    says: /the network of \/etc\/cni\/net\.d\/05-cilium/,
    fix: /^mv /,
  },
  {
    id: 'LeftoverState',
    given: { foreign: { ...sound.foreign, links: ['flannel.1'] } },
    says: /link flannel\.1/,
    fix: /ip link delete dev flannel\.1/,
  },
  {
    id: 'LeftoverState',
    given: { foreign: { ...sound.foreign, files: [{ path: '/var/lib/rancher/k3s', owner: 'k3s' }] } },
    says: /k3s was installed/,
    fix: /k3s's own uninstaller/,
  },
  {
    id: 'LeftoverState',
    given: { foreign: { ...sound.foreign, rules: Array.from({ length: 10 }, (_, n) => `KUBE-${n}`) } },
    says: /KUBE-0, .*KUBE-7 and 2 more/,
    fix: /reboot/,
  },
  {
    id: 'Service-Kubelet',
    given: { otherAgents: ['kubelet'] },
    says: /kubelet is enabled/,
    fix: /disable --now kubelet/,
  },
  { id: 'DefaultRoute', given: { hasDefaultRoute: false }, says: /no default route/, fix: /ip route add/ },
  {
    id: 'CIDROverlap',
    given: { routes: [{ range: '10.96.1.0/24', device: 'eth1' }] },
    says: /service range.*10.96.1.0\/24.*eth1/,
    fix: /--service-cidr/,
  },
  {
    id: 'DiskFree',
    given: { disks: [{ mount: '/var', freeBytes: 1 }] },
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
  t.ok(checks.every(({ why, remedy }) => why.length > 10 && remedy.length > 5));
});

t.test('an id means one thing', async (t) => {
  const ids = checks.map(({ id }) => id);
  t.strictSame([...new Set(ids)], ids);
});

for (const { id, given, says, fix } of provoked) {
  t.test(`${id}: ${says}`, async (t) => {
    t.match(judge({ ...sound, ...given }, [], checks), [{ id, message: says, fix }]);
  });
}

t.test('the lighter form of a finding is a warning, the graver one an error', async (t) => {
  const of = (given: Partial<PreflightFacts>): readonly string[] =>
    judge({ ...sound, ...given }, [], checks).map(({ severity }) => severity);
  t.strictSame(of({ disks: [{ mount: '/', freeBytes: 2 * gibibyte }] }), ['warning']);
  t.strictSame(of({ disks: [{ mount: '/', freeBytes: gibibyte / 2 }] }), ['error']);
  t.strictSame(of({ foreign: { ...sound.foreign, links: ['cali0123456789a'] } }), ['error']);
  t.strictSame(of({ nameservers: { file: '/etc/resolv.conf', addresses: ['127.0.0.1', '::1'] } }), [
    'warning',
    'warning',
  ]);
  t.strictSame(of({ hasSystemd: false }), ['error']);
});

t.test('a proxy that lets the API server through is none', async (t) => {
  for (const except of [['192.0.2.10'], ['192.0.2.0/24'], ['*']]) {
    t.strictSame(judge({ ...sound, proxies: { https: 'http://p', except } }, [], checks), [], except.join());
  }
  const named = { ...sound, apiHost: 'api.example.org' };
  for (const part of ['example.org', '.example.org']) {
    t.strictSame(judge({ ...named, proxies: { https: 'http://p', except: [part] } }, [], checks), [], part);
  }
});

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
