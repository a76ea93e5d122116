// Kernel settings that pod traffic depends on.
//   ip_forward            packets of pods are routed by the host
//   bridge-nf-call-*      the answer of a pod to another pod of the same node comes back over the bridge; only when it
//                         passes netfilter there is the Service address put back into it
// rp_filter stays as it is: every path here is symmetric, because a node that talks to a pod uses the vtep's address.

import { CodedError, type Logger } from '../base/index.ts';
import type { Host } from '../host/index.ts';

interface Setting {
  readonly key: string;
  readonly value: string;
  /** False: a kernel without it is no obstacle. */
  readonly required: boolean;
}

const settings = [
  { key: 'net.ipv4.ip_forward', value: '1', required: true },
  { key: 'net.bridge.bridge-nf-call-iptables', value: '1', required: true },
  { key: 'net.bridge.bridge-nf-call-ip6tables', value: '1', required: false },
] as const satisfies readonly Setting[];

/** Sets what is needed; throws CodedError BR_NETFILTER_MISSING when the bridge settings cannot be had. */
export async function ensureHostSettings(host: Host, logger: Logger): Promise<void> {
  await ensureBridgeNetfilter(host, logger);
  for (const { key, value, required } of settings) {
    const have = await host.readSysctl(key);
    if (have === value || (have === undefined && !required)) continue;
    await host.writeSysctl(key, value);
    logger.info('kernel setting changed', { key, value, before: have });
  }
}

async function ensureBridgeNetfilter(host: Host, logger: Logger): Promise<void> {
  const key = 'net.bridge.bridge-nf-call-iptables';
  if ((await host.readSysctl(key)) !== undefined) return; // loaded, or built in
  await host.record({ kind: 'module', name: 'br_netfilter' });
  const { code, stderr } = await host.run('modprobe', ['br_netfilter'], { accept: [1] });
  if (code === 0 && (await host.readSysctl(key)) !== undefined) {
    logger.info('kernel module loaded', { module: 'br_netfilter' });
    return;
  }
  throw new CodedError('BR_NETFILTER_MISSING', `the kernel has no bridge netfilter (br_netfilter): ${stderr.trim()}`, {
    exit: 'preflight',
    hint: 'modprobe br_netfilter; if the kernel was built without it, install the distribution kernel',
  });
}
