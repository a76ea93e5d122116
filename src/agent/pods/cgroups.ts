// The cgroup of a whole pod: what its containers may take together, and how much of the processor a class of pods weighs
// beside the others. Where the runtime manages cgroups itself (cgroupfs) they are folders of the kernel's file system,
// made here; where systemd does, they are its slices (slices.ts).
// node:fs is used directly, not Host: this is the kernel's interface. Only the folder of all pods outlives a pod, so it is
// noted for reset, in each hierarchy, because the runtime makes it in those that are not written to here.
// Source: kubernetes.io/docs/concepts/architecture/cgroups, pkg/kubelet/cm (pod and QoS container managers).

import { mkdir, readdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Pod, qosClassOf } from '../../api/index.ts';
import type { CgroupDriver } from '../../cri/index.ts';
import type { Host } from '../../host/index.ts';
import { nameOf } from './identity.ts';
import { cpuWeight, podCgroup, podLimits } from './resources.ts';
import { createPodSlices } from './slices.ts';

export interface PodCgroups {
  ensure(pod: Pod): Promise<void>;
  /** Not an error when it is gone, or still has processes in it. */
  remove(pod: Pod): Promise<void>;
}

interface WeightFile {
  readonly file: string;
  readonly least: number;
  readonly most: number;
}

const weightFile: WeightFile = { file: 'cpu.weight', least: 1, most: 10_000 };
const sharesFile: WeightFile = { file: 'cpu.shares', least: 2, most: 262_144 };
const period = 100_000;

const mounted = '/sys/fs/cgroup';

export async function hasUnifiedCgroups(root = mounted): Promise<boolean> {
  return (await stat(join(root, 'cgroup.controllers')).catch(() => undefined)) !== undefined;
}

/** @param root where the kernel's cgroup hierarchies are mounted */
export async function createPodCgroups(driver: CgroupDriver, host: Host, root = mounted): Promise<PodCgroups> {
  if (driver === 'systemd') return createPodSlices(host, root);
  const isUnified = await hasUnifiedCgroups(root);
  await noteTops(host, root, isUnified ? [''] : await readdir(root).catch(() => []));
  const pathOf = (pod: Pod): string => podCgroup(nameOf(pod).uid, qosClassOf(pod), driver);
  const weigh = (path: string): Promise<void> =>
    isUnified ? weighClass(join(root, path), weightFile) : weighClass(join(root, 'cpu', path), sharesFile);
  return {
    async ensure(pod) {
      const path = pathOf(pod);
      await (isUnified ? ensureUnified(root, pod, path) : ensureV1(root, pod, path));
      await weigh(path);
    },
    async remove(pod) {
      const path = pathOf(pod);
      const controllers = isUnified ? [''] : await readdir(root);
      await Promise.all(controllers.map((controller) => rmdir(join(root, controller, path)).catch(() => undefined)));
      await weigh(path).catch(() => undefined); // the last pod's class may be gone with it
    },
  };
}

async function noteTops(host: Host, root: string, controllers: readonly string[]): Promise<void> {
  for (const controller of controllers) {
    const path = join(root, controller, 'kubepods');
    if ((await host.stat(path)) === undefined) await host.record({ kind: 'directory', path, shared: true });
  }
}

async function ensureV1(root: string, pod: Pod, path: string): Promise<void> {
  const { shares, quota, memory } = podLimits(pod);
  const cpu = join(root, 'cpu', path);
  await mkdir(cpu, { recursive: true });
  await writeFile(join(cpu, 'cpu.shares'), String(shares));
  if (quota !== undefined) await writeFile(join(cpu, 'cpu.cfs_quota_us'), String(quota));
  if (memory === undefined) return;
  await mkdir(join(root, 'memory', path), { recursive: true });
  await writeFile(join(root, 'memory', path, 'memory.limit_in_bytes'), String(memory));
}

async function ensureUnified(root: string, pod: Pod, path: string): Promise<void> {
  const { shares, quota, memory } = podLimits(pod);
  // A folder has the controllers that every folder above it hands down.
  const controllers = (await readFile(join(root, 'cgroup.controllers'), 'utf8')).trim().split(' ');
  const handDown = controllers.map((name) => `+${name}`).join(' ');
  let at = root;
  for (const part of path.split('/').filter((name) => name !== '')) {
    await writeFile(join(at, 'cgroup.subtree_control'), handDown);
    at = join(at, part);
    await mkdir(at, { recursive: true });
  }
  await writeFile(join(at, 'cpu.weight'), String(cpuWeight(shares)));
  if (quota !== undefined) await writeFile(join(at, 'cpu.max'), `${quota} ${period}`);
  if (memory !== undefined) await writeFile(join(at, 'memory.max'), String(memory));
}

/**
 * The folder of a class stands beside Guaranteed pods and competes with each of them: it weighs as much as its pods do
 * together, and BestEffort pods together as little as can be. By default it would outweigh every pod that asks for less
 * than a processor.
 */
async function weighClass(podFolder: string, { file, least, most }: WeightFile): Promise<void> {
  const folder = dirname(podFolder);
  const name = basename(folder);
  if (name === 'kubepods') return; // a Guaranteed pod has no class folder
  const sum = name === 'besteffort' ? least : await sumOfWeights(folder, file);
  await writeFile(join(folder, file), String(Math.min(most, Math.max(least, sum))));
}

/** Of the pods in a class folder. */
async function sumOfWeights(folder: string, file: string): Promise<number> {
  const names = (await readdir(folder)).filter((name) => name.startsWith('pod'));
  const weights = names.map(async (name) => Number(await readFile(join(folder, name, file), 'utf8').catch(() => '0')));
  return (await Promise.all(weights)).reduce((sum, weight) => sum + weight, 0);
}
