// The kernel: what it is, what it has, what it may be told.

import type { MachineCheck } from '../check.ts';
import { leastInotify, raiseInotifyLimits } from '../repairs/inotify.ts';
import { everyNode } from './units.ts';

/** nft maps with verdicts and a counter of its own per rule set: Linux 5.13, as upstream's nftables proxy. */
const oldestKernel = [5, 13] as const;

/** Controllers that limits of pods need; those of cgroup v1 have other names for the processor. */
const wantedControllers = {
  1: ['cpu', 'cpuacct', 'cpuset', 'devices', 'freezer', 'memory', 'pids'],
  2: ['cpu', 'cpuset', 'memory', 'pids'],
} as const;

export const kernelChecks = [
  {
    id: 'SystemVerification',
    severity: 'error',
    roles: everyNode,
    why: 'pods are made of namespaces and cgroups, Services of nftables; a kernel without them cannot run any',
    remedy: 'boot the distribution’s own kernel, Linux 5.13 or newer, with its cgroup controllers on',
    judge: ({ kernel, cgroups, unsetKernelOptions = [] }) => [
      ...(isOlder(kernel, oldestKernel)
        ? [
            {
              id: 'SystemVerification',
              message: `Linux ${kernel}; ${oldestKernel.join('.')} is needed`,
              fix: 'install a newer kernel of the distribution (Debian: apt-get install linux-image-amd64) and reboot',
            },
          ]
        : []),
      ...wantedControllers[cgroups.version]
        .filter((name) => !cgroups.controllers.includes(name))
        .map((name) => ({
          id: 'SystemVerification',
          message: `the cgroup controller ${name} (version ${cgroups.version}) is not on`,
          fix:
            name === 'memory'
              ? 'add cgroup_enable=memory to the kernel command line (GRUB_CMDLINE_LINUX) and reboot'
              : `take cgroup_disable=${name} off the kernel command line, or mount /sys/fs/cgroup/${name}`,
        })),
      ...unsetKernelOptions.map((name) => ({
        id: 'SystemVerification',
        message: `the kernel is built without CONFIG_${name}`,
        fix: 'boot the distribution’s own kernel',
      })),
    ],
  },
  {
    id: 'KernelModules',
    severity: 'error',
    roles: everyNode,
    why: 'overlay, bridge and VXLAN come as modules; k8ts loads those that are there and keeps them over a reboot',
    remedy: 'install the package with the modules of the running kernel',
    judge: ({ modules, kernel }) =>
      Object.entries(modules)
        .filter(([, state]) => state === 'absent')
        .map(([name]) => ({
          id: 'KernelModules',
          message: `the kernel ${kernel} has no module ${name}`,
          fix: `apt-get install linux-modules-extra-${kernel} (Ubuntu) or linux-image-amd64 (Debian); reboot if the kernel was upgraded`,
        })),
  },
  {
    id: 'Inotify',
    severity: 'warning',
    roles: everyNode,
    why: 'pods run as one user and share its file watches; when they are used up, the next fails with "too many open files"',
    remedy: 'raise fs.inotify.max_user_instances and fs.inotify.max_user_watches',
    repair: raiseInotifyLimits,
    judge: ({ sysctls }) =>
      Object.entries(leastInotify)
        .filter(([key, least]) => sysctls[key] !== undefined && Number(sysctls[key]) < least)
        .map(([key, least]) => ({
          id: 'Inotify',
          message: `${key} is ${sysctls[key]}; the kernel’s default is ${least}`,
          fix: `sysctl -w ${key}=${4 * least}, and the same in /etc/sysctl.d`,
        })),
  },
  {
    id: 'FileContent--proc-sys-net-ipv4-ip_forward',
    severity: 'error',
    roles: everyNode,
    why: 'packets of pods are forwarded between interfaces; k8ts switches it on',
    remedy: 'make /proc/sys writable, or set net.ipv4.ip_forward = 1 on the machine itself',
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
    remedy: 'load br_netfilter and set net.bridge.bridge-nf-call-iptables = 1 on the machine itself',
    judge: ({ sysctls, canWriteSysctls, programs }) => {
      const value = sysctls['net.bridge.bridge-nf-call-iptables'];
      const id = 'FileContent--proc-sys-net-bridge-bridge-nf-call-iptables';
      if (value === '1' || (value !== undefined && canWriteSysctls)) return [];
      if (value === undefined) {
        const message = 'the module br_netfilter is not loaded and there is no modprobe to load it';
        return programs['modprobe'] !== undefined
          ? []
          : [{ id, message, fix: 'apt-get install kmod, or on the machine itself: modprobe br_netfilter' }];
      }
      const fix = 'on the machine itself: sysctl -w net.bridge.bridge-nf-call-iptables=1';
      return [{ id, message: 'net.bridge.bridge-nf-call-iptables is 0 and /proc/sys is read-only here', fix }];
    },
  },
] as const satisfies readonly MachineCheck[];

function isOlder(release: string, [wantMajor, wantMinor]: readonly [number, number]): boolean {
  const [major = 0, minor = 0] = release.split(/[.-]/).map(Number);
  return major < wantMajor || (major === wantMajor && minor < wantMinor);
}
