// Kernel modules and settings: loaded and set now, kept over a reboot by files in /etc, all of it in the journal. A module
// counts as there when what it brings is there: built-in modules have no entry in /proc/modules.

import { CodedError, messageOf } from '../base/index.ts';
import type { Host } from './host.ts';

export interface KernelModule {
  readonly name: string;
  /** True when what it brings is there. */
  readonly isPresent: (host: Host) => Promise<boolean>;
}

export interface KernelNeeds {
  readonly modules: readonly KernelModule[];
  readonly sysctls: Readonly<Record<string, string>>;
}

/** What every node of a cluster needs from its kernel. */
export const kernelNeeds: KernelNeeds = {
  modules: [
    { name: 'overlay', isPresent: async (host) => / overlay|\toverlay/.test(await read(host, '/proc/filesystems')) },
    { name: 'br_netfilter', isPresent: async (host) => (await host.stat('/proc/sys/net/bridge')) !== undefined },
  ],
  sysctls: {
    'net.ipv4.ip_forward': '1',
    'net.bridge.bridge-nf-call-iptables': '1',
    'net.bridge.bridge-nf-call-ip6tables': '1',
  },
};

const modulesFile = '/etc/modules-load.d/k8ts.conf';
const sysctlFile = '/etc/sysctl.d/90-k8ts.conf';

/** @throws CodedError KERNEL_MODULE_ABSENT, SYSCTL_ABSENT, SYSCTL_REFUSED */
export async function prepareKernel(host: Host, needs: KernelNeeds = kernelNeeds): Promise<void> {
  for (const module of needs.modules) await ensureModule(host, module);
  for (const [key, value] of Object.entries(needs.sysctls)) await host.writeSysctl(key, value);
  await host.writeFile(modulesFile, `${needs.modules.map(({ name }) => name).join('\n')}\n`);
  const lines = Object.entries(needs.sysctls).map(([key, value]) => `${key} = ${value}\n`);
  await host.writeFile(sysctlFile, lines.join(''));
}

async function ensureModule(host: Host, module: KernelModule): Promise<void> {
  if (await module.isPresent(host)) return;
  await host.record({ kind: 'module', name: module.name });
  try {
    await host.run('modprobe', [module.name]);
  } catch (error) {
    throw new CodedError('KERNEL_MODULE_ABSENT', `kernel module ${module.name} cannot be loaded: ${messageOf(error)}`, {
      hint: `run \`modprobe ${module.name}\` on the machine itself if this is a container; install the distribution's kernel package otherwise`,
      cause: error,
    });
  }
}

async function read(host: Host, path: string): Promise<string> {
  return (await host.readFileIfExists(path))?.toString('utf8') ?? '';
}
