// Files of a volume that change all at once. A reader sees the old set or the new one, never a mixture:
//
//   volume/..2026_11_21_08_00_00.123456/key    the files
//   volume/..data -> ..2026_11_21_08_00_00.123456   exchanged by one rename
//   volume/key    -> ..data/key
//
// The layout is the kubelet's (pkg/volume/util/atomic_writer.go): programs watch the `..data` link.
// node:fs is used directly, not Host: these files are the agent's own, come and go with pods, and must not be journaled.

import { chmod, chown, lstat, mkdir, readdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface VolumeFile {
  readonly data: Uint8Array;
  readonly mode: number;
  /** Owner, when it is not root. */
  readonly uid?: number | undefined;
}

export interface AtomicFilesOptions {
  /** Relative paths without `..`; may have folders. */
  readonly files: ReadonlyMap<string, VolumeFile>;
  /** Group that owns the files, with its read permission. */
  readonly fsGroup?: number | undefined;
}

export async function writeAtomicFiles(volume: string, { files, fsGroup }: AtomicFilesOptions): Promise<void> {
  await mkdir(volume, { recursive: true });
  await chmod(volume, fsGroup === undefined ? 0o777 : 0o2777);
  if (fsGroup !== undefined) await chown(volume, 0, fsGroup);
  const before = await readlink(join(volume, '..data')).catch(() => undefined);
  const stamp = `..${new Date().toISOString().replace(/[-T:]/g, '_').replace('Z', '')}${Math.random().toString().slice(2, 8)}`;
  await mkdir(join(volume, stamp), { mode: 0o755 });
  for (const [path, file] of files) await writeOne(join(volume, stamp, path), file, fsGroup);

  await symlink(stamp, join(volume, '..data_tmp'));
  await rename(join(volume, '..data_tmp'), join(volume, '..data'));

  const wanted = new Set([...files.keys()].map((path) => path.split('/')[0] ?? path));
  for (const name of wanted) {
    const there = await lstat(join(volume, name)).catch(() => undefined);
    if (there === undefined) await symlink(join('..data', name), join(volume, name));
  }
  for (const name of await readdir(volume)) {
    if (!name.startsWith('..') && !wanted.has(name)) await rm(join(volume, name), { recursive: true });
  }
  if (before !== undefined) await rm(join(volume, before), { recursive: true, force: true });
}

async function writeOne(path: string, { data, mode, uid }: VolumeFile, fsGroup: number | undefined): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await writeFile(path, data);
  if (uid !== undefined || fsGroup !== undefined) await chown(path, uid ?? 0, fsGroup ?? 0);
  await chmod(path, fsGroup === undefined ? mode : mode | 0o440);
}

/** Why a path from a spec cannot be a file of a volume; undefined when it can. */
export function whyNoVolumePath(path: string): string | undefined {
  if (path === '' || path.startsWith('/')) return `path "${path}" must be relative and not empty`;
  if (path.split('/').includes('..')) return `path "${path}" must not have ".." in it`;
  return path.startsWith('..') ? `path "${path}" must not start with ".."` : undefined;
}
