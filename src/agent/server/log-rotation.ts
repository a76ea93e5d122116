// Keeps container logs within 10 MiB and five files each: the file is renamed, the runtime told to open a new one, and all
// but the newest rotated file are compressed. Defaults and names are the kubelet's (containerLogMaxSize, containerLogMaxFiles).

import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Cri } from '../../cri/index.ts';

const maxBytes = 10 * 1024 * 1024;
const maxFiles = 5;

/** Rotates the log of a running container when it has grown too large. */
export async function rotateLog(
  cri: Cri,
  container: { readonly id: string; readonly logPath: string },
  now: number,
): Promise<void> {
  const { id, logPath: path } = container;
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.size < maxBytes) return;
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  const old = (await readdir(folder)).filter((name) => name.startsWith(prefix) && !name.endsWith('.tmp')).sort();
  // One place for the file that is written to, one for the file that is rotated now.
  const surplus = old.slice(0, Math.max(0, old.length - (maxFiles - 2)));
  for (const name of surplus) await rm(join(folder, name), { force: true });
  for (const name of old) if (!surplus.includes(name) && !name.endsWith('.gz')) await compress(join(folder, name));
  const stamp = new Date(now).toISOString().replace(/[-:T]/g, '').slice(0, 14);
  const rotated = `${path}.${stamp.slice(0, 8)}-${stamp.slice(8)}`;
  await rename(path, rotated);
  try {
    await cri.reopenContainerLog(id);
  } catch (error) {
    // Without a new file the runtime goes on writing to the old one: put it back, so that nothing is lost.
    await rename(rotated, path).catch(() => undefined);
    throw error;
  }
}

async function compress(path: string): Promise<void> {
  const temporary = `${path}.tmp`;
  await pipeline(createReadStream(path), createGzip(), createWriteStream(temporary, { mode: 0o640 }));
  await rename(temporary, `${path}.gz`);
  await rm(path, { force: true });
}
