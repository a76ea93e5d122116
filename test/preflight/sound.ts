// A machine that passes every check; tests change one thing of it.

import type { ClusterFacts, PreflightFacts } from '../../src/preflight/index.ts';

export const gibibyte = 1024 ** 3;

export const sound: PreflightFacts = {
  role: 'control-plane',
  nodeName: 'master',
  nodeIp: '192.0.2.10',
  apiHost: '192.0.2.10',
  criSocket: 'unix:///run/containerd/containerd.sock',
  podCidr: '10.244.0.0/16',
  serviceCidr: '10.96.0.0/12',
  ports: [6443, 10250],
  overlayPort: 8472,
  cniBinDirs: ['/usr/lib/cni'],
  ownPids: [77],
  isMember: false,
  uid: 0,
  kernel: '6.1.0-18-amd64',
  processors: 2,
  memoryBytes: 2 * gibibyte,
  disks: [{ mount: '/', freeBytes: 10 * gibibyte }],
  swaps: [],
  // Our server, in the moment in which it starts a program.
  holders: [
    {
      port: 6443,
      users: [
        { pid: 80, program: 'node' },
        { pid: 77, program: 'node' },
      ],
    },
  ],
  programs: {
    ...{ ip: '/x', bridge: '/x', ss: '/x', nft: '/x', iptables: '/x', mount: '/x', umount: '/x', runc: '/x' },
    ...{ conntrack: '/x', modprobe: '/x' },
  },
  cniPlugins: { bridge: '/x', 'host-local': '/x', loopback: '/x', portmap: '/x' },
  runtime: {
    name: 'containerd',
    version: '1.6.20',
    conditions: [
      { type: 'RuntimeReady', status: true, reason: '', message: '' },
      { type: 'NetworkReady', status: false, reason: 'NetworkPluginNotReady', message: 'cni config uninitialized' },
    ],
    cgroupDriver: 'systemd',
  },
  runtimeProcess: {
    program: 'containerd',
    configFile: '/etc/containerd/config.toml',
    mayRaisePriority: true,
    restrictsOomScore: false,
  },
  hasSystemd: true,
  otherAgents: [],
  cgroups: { version: 2, controllers: ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids'] },
  unsetKernelOptions: [],
  modules: { overlay: 'present', br_netfilter: 'loadable', vxlan: 'unknown' },
  sysctls: {
    'net.ipv4.ip_forward': '0',
    'net.bridge.bridge-nf-call-iptables': undefined,
    'fs.inotify.max_user_instances': '512',
    'fs.inotify.max_user_watches': '65536',
  },
  canWriteSysctls: true,
  leftovers: [],
  usedDirs: [],
  foreign: { cniConfigs: [], links: [], files: [], rules: [] },
  nodeNameAddress: '192.0.2.10',
  hasDefaultRoute: true,
  routes: [
    { range: '192.0.2.0/24', device: 'eth0' },
    { range: '10.244.0.0/24', device: 'cni0' },
  ],
  underlay: { device: 'eth0', mtu: 1500 },
  nameservers: { file: '/etc/resolv.conf', addresses: ['192.0.2.1', '2001:db8::1'] },
  iptables: { backend: 'nf_tables', legacyRules: 0, saved: '' },
  firewall: undefined,
  proxies: { https: undefined, except: [] },
};

/** The same for a machine that joins a sound cluster of one master. */
export const joining: ClusterFacts = {
  role: 'worker',
  nodeName: 'n1',
  nodeIp: '192.0.2.11',
  podCidr: '10.244.0.0/16',
  serviceCidr: '10.96.0.0/12',
  clusterDns: '10.96.0.10',
  clusterDomain: 'cluster.local',
  dns: 'on',
  overlay: { vni: 1, port: 8472 },
  clockSkew: 400,
  serverVersion: 'v1.35.0+k8ts-0.1.0',
  release: '1.35',
  machineId: 'aaaa',
  nodes: [
    {
      metadata: { name: 'master' },
      status: { addresses: [{ type: 'InternalIP', address: '192.0.2.10' }], nodeInfo: { machineID: 'bbbb' } as never },
    },
  ],
  routes: [{ range: '192.0.2.0/24', device: 'eth0' }],
  overlayAnswer: { node: 'master', address: '192.0.2.10', came: true },
};
