// A pod's volumes on this machine: made before its containers start, written again when what they are made of changes,
// taken down when the pod ends. Mounting is idempotent, so an agent that restarts just mounts again.
//
// Secrets and tokens live below /run, which is memory on every Linux, so that they never reach a disk and no pod needs a
// tmpfs mount of its own for them (a mount is a process here: 5 ms of the pod's start).

import { createHash } from 'node:crypto';
import { chmod, chown, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Pod, parseQuantity, quantityValue, type Volume } from '../../api/index.ts';
import { codeOf, messageOf } from '../../base/index.ts';
import type { Host } from '../../host/index.ts';
import type { AgentPaths } from '../paths.ts';
import type { FieldSources } from '../pods/fields.ts';
import { nameOf } from '../pods/identity.ts';
import { writeAtomicFiles } from './atomic-files.ts';
import type { ClaimedFolder } from './claims.ts';
import { volumeFiles } from './files.ts';
import type { References } from './references.ts';
import type { Tokens } from './tokens.ts';

/** Where each volume is, by its name in the pod. */
export type MountedVolumes = ReadonlyMap<string, string>;

export interface Volumes {
  /** Throws VolumeError naming the volume. */
  mount(pod: Pod, fields: FieldSources): Promise<MountedVolumes>;
  /** Removes the pod's volumes and its whole folder. */
  unmount(uid: string): Promise<void>;
}

export class VolumeError extends Error {
  constructor(volume: string, cause: unknown) {
    super(`MountVolume.SetUp failed for volume "${volume}" : ${messageOf(cause)}`, { cause });
    this.name = 'VolumeError';
  }
}

export interface VolumesOptions {
  readonly host: Host;
  readonly paths: AgentPaths;
  readonly references: References;
  readonly tokens: Tokens;
  /** The folder behind a claim. Throws Error with what is missing. */
  readonly claimed: (namespace: string, claim: NonNullable<Volume['persistentVolumeClaim']>) => Promise<ClaimedFolder>;
}

export function createVolumes(options: VolumesOptions): Volumes {
  const { host, paths, references, tokens, claimed } = options;
  const written = new Map<string, string>();

  return {
    async mount(pod, fields) {
      const mounted = await Promise.all(
        (pod.spec?.volumes ?? []).map(async (volume) => {
          try {
            return [volume.name, await mountOne(pod, volume, fields)] as const;
          } catch (error) {
            throw new VolumeError(volume.name, error);
          }
        }),
      );
      return new Map(mounted);
    },
    async unmount(uid) {
      await unmountBelow(paths.podDir(uid));
      await rm(paths.podDir(uid), { recursive: true, force: true });
      await rm(join(paths.secrets, uid), { recursive: true, force: true });
      for (const key of written.keys()) if (key.startsWith(`${uid}/`)) written.delete(key);
    },
  };

  async function mountOne(pod: Pod, volume: Volume, fields: FieldSources): Promise<string> {
    const { uid, namespace } = nameOf(pod);
    const { name, emptyDir, hostPath, persistentVolumeClaim } = volume;
    if (hostPath !== undefined) return checkHostPath(hostPath.path, hostPath.type ?? '');
    if (persistentVolumeClaim !== undefined) {
      const folder = await claimed(namespace, persistentVolumeClaim);
      return checkHostPath(folder.path, folder.type ?? '');
    }
    if (emptyDir !== undefined) return makeEmptyDir(pod, volume, paths.volumeDir(uid, 'empty-dir', name));
    const files = await volumeFiles(pod, volume, {
      ...fields,
      configMap: (object) => references.configMap(namespace, object),
      secret: (object) => references.secret(namespace, object),
      token: (audience, seconds) => tokens.get(pod, audience, seconds),
    });
    if (files === undefined) throw new Error(`volume type ${typeOf(volume)} is not supported by k8ts yet`);
    const path = join(paths.secrets, uid, name);
    const hash = createHash('sha256');
    for (const [file, { data, mode }] of files) hash.update(`${file}\0${mode}\0${data.length}\0`).update(data);
    const digest = hash.digest('hex');
    if (written.get(`${uid}/${name}`) === digest) return path;
    const { fsGroup } = pod.spec?.securityContext ?? {};
    await writeAtomicFiles(path, { files, fsGroup });
    written.set(`${uid}/${name}`, digest);
    return path;
  }

  async function makeEmptyDir(pod: Pod, { emptyDir }: Volume, path: string): Promise<string> {
    const isNew = (await mkdir(path, { recursive: true })) !== undefined;
    const { medium = '', sizeLimit } = emptyDir ?? {};
    if (medium !== '' && medium !== 'Memory') throw new Error(`emptyDir medium ${medium} is not supported by k8ts yet`);
    if (medium === 'Memory' && !(await mountPoints()).includes(path)) {
      const size = sizeLimit === undefined ? [] : ['-o', `size=${quantityValue(parseQuantity(sizeLimit))}`];
      await host.run('mount', ['-t', 'tmpfs', ...size, 'tmpfs', path]);
    }
    if (isNew) {
      const { fsGroup } = pod.spec?.securityContext ?? {};
      if (fsGroup !== undefined) await chown(path, 0, fsGroup);
      await chmod(path, fsGroup === undefined ? 0o777 : 0o2777);
    }
    return path;
  }

  async function unmountBelow(dir: string): Promise<void> {
    const below = (await mountPoints()).filter((point) => point.startsWith(`${dir}/`));
    for (const point of below.reverse()) await host.run('umount', [point], { accept: [1, 32] });
  }
}

/** Mount points of this mount namespace, in the order they were mounted. */
export async function mountPoints(): Promise<string[]> {
  const text = await readFile('/proc/self/mounts', 'utf8');
  const decoded = (path: string): string =>
    path.replace(/\\(\d{3})/g, (_whole, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return text.split('\n').flatMap((line) => {
    const point = line.split(' ')[1];
    return point === undefined ? [] : [decoded(point)];
  });
}

async function checkHostPath(path: string, type: string): Promise<string> {
  const there = await stat(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (there === undefined && type === 'DirectoryOrCreate') await mkdir(path, { recursive: true, mode: 0o755 });
  else if (there === undefined && type === 'FileOrCreate') await writeFile(path, '', { mode: 0o644 });
  else if (type !== '') {
    const is: Readonly<Record<string, boolean | undefined>> = {
      Directory: there?.isDirectory(),
      DirectoryOrCreate: there?.isDirectory(),
      File: there?.isFile(),
      FileOrCreate: there?.isFile(),
      Socket: there?.isSocket(),
      CharDevice: there?.isCharacterDevice(),
      BlockDevice: there?.isBlockDevice(),
    };
    if (is[type] !== true) throw new Error(`hostPath type check failed: ${path} is not a ${type}`);
  }
  return path;
}

function typeOf(volume: Volume): string {
  return Object.keys(volume).find((key) => key !== 'name') ?? 'emptyDir';
}
