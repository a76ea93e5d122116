// volumeMounts of a container as bind mounts: whole volumes, and parts of one (subPath).
//
// A subPath is chosen by whoever can write to the volume, so following its links could lead anywhere on the machine, and
// a link may be exchanged after it was checked (CVE-2017-1002101). The path is therefore opened once; where the open file
// really is gets checked; and that open file, not the path, is bound to a place of ours from which the runtime mounts.

import { chmod, mkdir, open, readlink, realpath, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Container } from '../../api/index.ts';
import type { ContainerConfig } from '../../cri/index.ts';
import type { Host } from '../../host/index.ts';
import { ContainerConfigError, type EnvVar, expand } from '../pods/env.ts';
import { type MountedVolumes, mountPoints } from './volumes.ts';

type Mounts = NonNullable<ContainerConfig['mounts']>;
type VolumeMount = NonNullable<Container['volumeMounts']>[number];

export interface ContainerMountsOptions {
  readonly host: Host;
  readonly volumes: MountedVolumes;
  readonly env: readonly EnvVar[];
  /** Folder for the bind sources of subPaths. */
  readonly subPathDir: string;
}

/** Throws ContainerConfigError. */
export async function containerMounts(container: Container, options: ContainerMountsOptions): Promise<Mounts> {
  return await Promise.all(
    (container.volumeMounts ?? []).map(async (mount, index) => {
      const volume = options.volumes.get(mount.name);
      if (volume === undefined) {
        throw new ContainerConfigError(
          `cannot find volume "${mount.name}" to mount into container "${container.name}"`,
        );
      }
      return {
        containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
        hostPath: await sourceOf(mount, volume, { ...options, target: `${container.name}/${index}` }),
        readonly: mount.readOnly ?? false,
        propagation: propagationOf(mount),
      };
    }),
  );
}

function propagationOf({ mountPropagation }: VolumeMount): 'private' | 'hostToContainer' | 'bidirectional' {
  if (mountPropagation === 'Bidirectional') return 'bidirectional';
  return mountPropagation === 'HostToContainer' ? 'hostToContainer' : 'private';
}

async function sourceOf(
  { subPath, subPathExpr }: VolumeMount,
  volume: string,
  options: ContainerMountsOptions & { readonly target: string },
): Promise<string> {
  const values = new Map(options.env.map(({ key, value }) => [key, value]));
  const path =
    subPathExpr === undefined || subPathExpr === '' ? (subPath ?? '') : expand(subPathExpr, (key) => values.get(key));
  if (path === '') return volume;
  if (path.startsWith('/') || path.split('/').includes('..')) {
    throw new ContainerConfigError(`subPath "${path}" must be relative and stay inside the volume`);
  }
  return await bindInside(volume, path, options);
}

/** O_PATH of Linux: names a file without opening it for reading. */
const openPath = 0o10000000;

async function bindInside(
  volume: string,
  path: string,
  { host, subPathDir, target: name }: ContainerMountsOptions & { readonly target: string },
): Promise<string> {
  const target = join(subPathDir, name);
  if ((await mountPoints()).includes(target)) return target;
  const root = await realpath(volume);
  const file = await open(join(root, path), openPath).catch(async () => {
    await makeInside(root, path);
    return await open(join(root, path), openPath);
  });
  try {
    const link = `/proc/self/fd/${file.fd}`;
    const real = await readlink(link);
    if (real !== root && !real.startsWith(`${root}/`)) {
      throw new ContainerConfigError(`subPath "${path}" leads out of its volume`);
    }
    await mkdir(join(target, '..'), { recursive: true });
    if ((await file.stat()).isDirectory()) await mkdir(target, { recursive: true });
    else await writeFile(target, '');
    await host.run('mount', ['--bind', `/proc/${process.pid}/fd/${file.fd}`, target]);
    return target;
  } finally {
    await file.close();
  }
}

/** Makes a subPath that does not exist yet as folders with the volume's mode, never through a link that leads out. */
async function makeInside(root: string, path: string): Promise<void> {
  const mode = (await stat(root)).mode & 0o7777;
  let at = root;
  for (const part of path.split('/').filter((name) => name !== '' && name !== '.')) {
    const next = join(at, part);
    const real = await realpath(next).catch(() => undefined);
    if (real === undefined) {
      await mkdir(next);
      await chmod(next, mode);
    }
    at = real ?? next;
    if (at !== root && !at.startsWith(`${root}/`))
      throw new ContainerConfigError(`subPath "${path}" leads out of its volume`);
  }
}
