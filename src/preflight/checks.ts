// The checks as data: kubeadm's ids where it has the check, so that --ignore-preflight-errors lists keep working. A check
// judges facts and returns its findings; none means passed. What k8ts sets itself (ip_forward, bridge netfilter) is checked
// only for being settable.

import { overlap } from '../config/index.ts';
import { type PreflightFacts, type Role, wantedPlugins, wantedPrograms } from './facts.ts';

export interface Finding {
  /** kubeadm's name, with its subject: Port-6443, FileExisting-nft. */
  readonly id: string;
  readonly message: string;
  /** What to do about it. */
  readonly fix: string;
}

export interface Check {
  /** The id, or the part before the subject. */
  readonly id: string;
  readonly severity: 'error' | 'warning';
  readonly roles: readonly Role[];
  /** Why it matters, for the documentation and for `--help`. */
  readonly why: string;
  readonly judge: (facts: PreflightFacts) => readonly Finding[];
}

const everyNode: readonly Role[] = ['control-plane', 'worker'];
const mebibyte = 1024 ** 2;
const debianPackages: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  nft: 'nftables',
  iptables: 'iptables',
  mount: 'mount',
  umount: 'mount',
  runc: 'runc',
};
/** Networks that k8ts makes itself; a route to one is no clash. */
const ownDevices = /^(cni|flannel|k8ts|veth)/;

export const checks = [
  {
    id: 'IsPrivilegedUser',
    severity: 'error',
    roles: everyNode,
    why: 'network links, mounts and kernel settings belong to root',
    judge: ({ uid }) =>
      uid === 0 ? [] : [{ id: 'IsPrivilegedUser', message: `running as uid ${uid}`, fix: 'run the command with sudo' }],
  },
  {
    id: 'NumCPU',
    severity: 'warning',
    roles: ['control-plane'],
    why: 'with one processor the API server competes with every pod',
    judge: ({ processors }) =>
      processors >= 2
        ? []
        : [{ id: 'NumCPU', message: `${processors} processor; 2 are recommended`, fix: 'give the machine another' }],
  },
  {
    id: 'Mem',
    severity: 'error',
    roles: ['control-plane'],
    why: 'the control plane and the agent need about 300 MiB, and pods need some as well',
    judge: ({ memoryBytes }) =>
      memoryBytes >= 700 * mebibyte
        ? []
        : [
            {
              id: 'Mem',
              message: `${Math.round(memoryBytes / mebibyte)} MiB of memory; 700 MiB are needed`,
              fix: 'use a machine with more memory',
            },
          ],
  },
  {
    id: 'Swap',
    severity: 'error',
    roles: everyNode,
    why: 'a pod that is swapped out keeps its memory limit and loses its latency',
    judge: ({ swaps }) =>
      swaps.length === 0
        ? []
        : [
            {
              id: 'Swap',
              message: `swap is on: ${swaps.join(', ')}`,
              fix: 'swapoff -a, and take the swap lines out of /etc/fstab',
            },
          ],
  },
  {
    id: 'Port',
    severity: 'error',
    roles: everyNode,
    why: 'the API server and the agent listen there',
    judge: ({ holders, ownPids }) =>
      holders
        .filter(({ pid }) => pid === undefined || !ownPids.includes(pid))
        .map(({ port, pid, program }) => ({
          id: `Port-${port}`,
          message: `port ${port} is held by ${pid === undefined ? 'another process' : `pid ${pid} (${program})`}`,
          fix:
            port === 10250
              ? 'stop that process; if it is a kubelet, this machine belongs to another cluster'
              : 'stop that process, or pass --apiserver-bind-port',
        })),
  },
  {
    id: 'FileAvailable',
    severity: 'error',
    roles: everyNode,
    why: 'files of an earlier cluster would be mixed with the new one',
    judge: ({ leftovers }) =>
      leftovers.map((path) => ({
        id: `FileAvailable-${path.replaceAll('/', '-')}`,
        message: `${path} is there from an earlier cluster`,
        fix: 'run k8ts reset (or kubeadm reset, if kubeadm made it)',
      })),
  },
  {
    id: 'CRI',
    severity: 'error',
    roles: everyNode,
    why: 'containers are run by a runtime that serves CRI v1',
    judge: ({ runtime, criSocket }) => {
      if ('problem' in runtime) {
        const { message, hint = 'install containerd and start it' } = runtime.problem;
        return [{ id: 'CRI', message, fix: hint }];
      }
      return runtime.conditions
        .filter(({ type, status }) => type === 'RuntimeReady' && !status)
        .map(({ reason, message }) => ({
          id: 'CRI',
          message: `${runtime.name} on ${criSocket} is not ready: ${reason} ${message}`,
          fix: `read ${runtime.name}'s log (journalctl -u containerd)`,
        }));
    },
  },
  {
    id: 'OOMScoreAdj',
    severity: 'error',
    roles: everyNode,
    why: 'a runtime without CAP_SYS_RESOURCE fails every pod that asks for a lower OOM score, which all do',
    judge: ({ runtimeProcess }) =>
      runtimeProcess === undefined || runtimeProcess.mayRaisePriority || runtimeProcess.restrictsOomScore
        ? []
        : [
            {
              id: 'OOMScoreAdj',
              message: 'the container runtime lacks CAP_SYS_RESOURCE and is not told to do without it',
              fix: 'set restrict_oom_score_adj = true under [plugins."io.containerd.grpc.v1.cri"] in /etc/containerd/config.toml and restart containerd',
            },
          ],
  },
  {
    id: 'FileExisting',
    severity: 'error',
    roles: everyNode,
    why: 'the agent uses these programs for links, rules and mounts',
    judge: ({ programs }) =>
      wantedPrograms
        .filter((name) => programs[name] === undefined)
        .map((name) => ({
          id: `FileExisting-${name}`,
          message: `${name} is not in PATH`,
          fix: `apt-get install ${debianPackages[name] ?? name}`,
        })),
  },
  {
    id: 'FileExisting-cni',
    severity: 'error',
    roles: everyNode,
    why: 'the runtime attaches pods to the network with these plugins',
    judge: ({ cniPlugins, cniBinDirs }) =>
      wantedPlugins
        .filter((name) => cniPlugins[name] === undefined)
        .map((name) => ({
          id: `FileExisting-cni-${name}`,
          message: `CNI plugin ${name} is in none of ${cniBinDirs.join(', ')}`,
          fix: 'apt-get install containernetworking-plugins',
        })),
  },
  {
    id: 'FileContent--proc-sys-net-ipv4-ip_forward',
    severity: 'error',
    roles: everyNode,
    why: 'packets of pods are forwarded between interfaces; k8ts switches it on',
    judge: ({ sysctls, canWriteSysctls }) =>
      sysctls['net.ipv4.ip_forward'] === '1' || canWriteSysctls
        ? []
        : [
            {
              id: 'FileContent--proc-sys-net-ipv4-ip_forward',
              message: 'net.ipv4.ip_forward is 0 and /proc/sys is read-only here',
              fix: 'on the machine itself: sysctl -w net.ipv4.ip_forward=1',
            },
          ],
  },
  {
    id: 'FileContent--proc-sys-net-bridge-bridge-nf-call-iptables',
    severity: 'error',
    roles: everyNode,
    why: 'traffic to a Service between pods of one node passes a bridge; k8ts loads br_netfilter and switches it on',
    judge: ({ sysctls, canWriteSysctls, hasModprobe }) => {
      const value = sysctls['net.bridge.bridge-nf-call-iptables'];
      const id = 'FileContent--proc-sys-net-bridge-bridge-nf-call-iptables';
      if (value === '1' || (value !== undefined && canWriteSysctls)) return [];
      if (value === undefined) {
        const message = 'the module br_netfilter is not loaded and there is no modprobe to load it';
        return hasModprobe
          ? []
          : [{ id, message, fix: 'apt-get install kmod, or on the machine itself: modprobe br_netfilter' }];
      }
      const fix = 'on the machine itself: sysctl -w net.bridge.bridge-nf-call-iptables=1';
      return [{ id, message: 'net.bridge.bridge-nf-call-iptables is 0 and /proc/sys is read-only here', fix }];
    },
  },
  {
    id: 'Hostname',
    severity: 'warning',
    roles: everyNode,
    why: 'programs that look their own name up wait for a timeout otherwise',
    judge: ({ nodeName, nodeNameAddress }) =>
      nodeNameAddress !== undefined
        ? []
        : [
            {
              id: 'Hostname',
              message: `the node name ${nodeName} does not resolve`,
              fix: `add it to /etc/hosts: echo "ADDRESS ${nodeName}" >> /etc/hosts`,
            },
          ],
  },
  {
    id: 'DefaultRoute',
    severity: 'warning',
    roles: everyNode,
    why: 'Service addresses are reached by the default route before they are rewritten',
    judge: ({ hasDefaultRoute }) =>
      hasDefaultRoute
        ? []
        : [
            {
              id: 'DefaultRoute',
              message: 'there is no default route',
              fix: 'ip route add default via GATEWAY; a route to nowhere is enough',
            },
          ],
  },
  {
    id: 'CIDROverlap',
    severity: 'error',
    roles: everyNode,
    why: 'addresses that this machine routes elsewhere cannot be reached as pods or Services',
    judge: ({ podCidr, serviceCidr, routes }) =>
      [
        { what: 'pod', range: podCidr, flag: '--pod-network-cidr' },
        { what: 'service', range: serviceCidr, flag: '--service-cidr' },
      ].flatMap(({ what, range, flag }) =>
        routes
          .filter(({ device }) => !ownDevices.test(device))
          .filter((route) => range !== undefined && overlap(range, route.range))
          .map((route) => ({
            id: 'CIDROverlap',
            message: `the ${what} range ${range} overlaps ${route.range}, which this machine reaches through ${route.device}`,
            fix: `pass another ${flag} to k8ts init`,
          })),
      ),
  },
  {
    id: 'DiskFree',
    severity: 'error',
    roles: everyNode,
    why: 'images, logs and the datastore live under /var/lib; a full disk stops all of them',
    judge: ({ disks }) =>
      disks
        .filter(({ mount }) => mount === mountOf('/var/lib', disks) || mount === mountOf('/var/lib/containerd', disks))
        .filter(({ freeBytes }) => freeBytes < 1024 * mebibyte)
        .map(({ mount, freeBytes }) => ({
          id: 'DiskFree',
          message: `${Math.round(freeBytes / mebibyte)} MiB free on ${mount}; 1024 MiB are needed`,
          fix: `free some space on ${mount} (df -h ${mount})`,
        })),
  },
] as const satisfies readonly Check[];

/** The mount point that `path` lies on. */
function mountOf(path: string, disks: PreflightFacts['disks']): string | undefined {
  return disks
    .map(({ mount }) => mount)
    .filter((mount) => mount === '/' || path === mount || path.startsWith(`${mount}/`))
    .sort((a, b) => b.length - a.length)[0];
}
