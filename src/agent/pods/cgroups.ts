// The cgroup of a whole pod: what its containers may take together. Only for the cgroupfs driver; with the systemd driver
// the runtime makes the pod's slice and the containers' own limits hold.
// node:fs is used directly, not Host: this is the kernel's interface. Only the folder of all pods outlives a pod, so it is
// noted for reset, in each hierarchy, because the runtime makes it in those that are not written to here.
// Source: kubernetes.io/docs/concepts/architecture/cgroups, pkg/kubelet/cm.

import { mkdir, readdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../../api/index.ts';
import type { CgroupDriver } from '../../cri/index.ts';
import type { Host } from '../../host/index.ts';
import { nameOf } from './identity.ts';
import { podCgroup, podLimits, qosClassOf } from './resources.ts';

export interface PodCgroups {
  ensure(pod: Pod): Promise<void>;
  /** Not an error when it is gone, or still has processes in it. */
  remove(pod: Pod): Promise<void>;
}

const root = '/sys/fs/cgroup';
const period = 100_000;

export async function createPodCgroups(driver: CgroupDriver, host: Host): Promise<PodCgroups> {
  const isUnified = (await stat(join(root, 'cgroup.controllers')).catch(() => undefined)) !== undefined;
  if (driver === 'cgroupfs') await noteTops(host, isUnified ? [''] : await readdir(root).catch(() => []));
  const pathOf = (pod: Pod): string => podCgroup(nameOf(pod).uid, qosClassOf(pod), driver);
  if (driver === 'systemd') return { ensure: async () => undefined, remove: async () => undefined };
  return {
    ensure: (pod) => (isUnified ? ensureUnified(pod, pathOf(pod)) : ensureV1(pod, pathOf(pod))),
    async remove(pod) {
      const controllers = isUnified ? [''] : await readdir(root);
      await Promise.all(
        controllers.map((controller) => rmdir(join(root, controller, pathOf(pod))).catch(() => undefined)),
      );
    },
  };
}

async function noteTops(host: Host, controllers: readonly string[]): Promise<void> {
  for (const controller of controllers) {
    const path = join(root, controller, 'kubepods');
    if ((await host.stat(path)) === undefined) await host.record({ kind: 'directory', path, shared: true });
  }
}

async function ensureV1(pod: Pod, path: string): Promise<void> {
  const { shares, quota, memory } = podLimits(pod);
  const cpu = join(root, 'cpu', path);
  await mkdir(cpu, { recursive: true });
  await writeFile(join(cpu, 'cpu.shares'), String(shares));
  if (quota !== undefined) await writeFile(join(cpu, 'cpu.cfs_quota_us'), String(quota));
  if (memory === undefined) return;
  await mkdir(join(root, 'memory', path), { recursive: true });
  await writeFile(join(root, 'memory', path, 'memory.limit_in_bytes'), String(memory));
}

async function ensureUnified(pod: Pod, path: string): Promise<void> {
  const { shares, quota, memory } = podLimits(pod);
  let at = root;
  for (const part of path.split('/').filter((name) => name !== '')) {
    // A folder's controllers are those that its parent hands down.
    const controllers = (await readFile(join(at, 'cgroup.controllers'), 'utf8')).trim().split(' ');
    await writeFile(join(at, 'cgroup.subtree_control'), controllers.map((name) => `+${name}`).join(' '));
    at = join(at, part);
    await mkdir(at, { recursive: true });
  }
  // 2..262144 shares are 1..10000 of weight. Source: KEP-2254.
  await writeFile(join(at, 'cpu.weight'), String(Math.floor(1 + ((shares - 2) * 9999) / 262_142)));
  if (quota !== undefined) await writeFile(join(at, 'cpu.max'), `${quota} ${period}`);
  if (memory !== undefined) await writeFile(join(at, 'memory.max'), String(memory));
}
