// A root file system for an image, from a folder or a tar archive (gzip or not): what `docker export`, `debootstrap` or
// `mmdebstrap` leave. Everything belongs to root in the image; device nodes and sockets are left out.

import { open, readFile, stat } from 'node:fs/promises';
import { normalize } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import type { Header } from 'tar-stream';
import { CodedError, codeOf, messageOf } from '../base/index.ts';
import { entriesOfTree, type LayerEntry } from './oci.ts';

/** @throws CodedError ROOTFS_MISSING, ROOTFS_UNREADABLE */
export async function entriesOfRootfs(path: string): Promise<readonly LayerEntry[]> {
  const found = await stat(path).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new CodedError('ROOTFS_MISSING', `there is no folder or archive ${path}`, {
      exit: 'invalidInput',
      hint: 'pass a folder, or a tar or tar.gz file with the files of the image',
    });
  });
  return found.isDirectory() ? entriesOfTree(path) : entriesOfTar(path);
}

async function entriesOfTar(path: string): Promise<readonly LayerEntry[]> {
  try {
    const bytes = (await isGzip(path)) ? gunzipSync(await readFile(path)) : await readFile(path);
    const entries = new Map<string, LayerEntry>();
    const { default: tar } = await import('tar-stream');
    for await (const part of Readable.from([bytes]).pipe(tar.extract())) {
      const chunks: Buffer[] = [];
      for await (const chunk of part) chunks.push(Buffer.from(chunk as Uint8Array));
      const entry = entryOf(part.header, Buffer.concat(chunks), entries);
      if (entry !== undefined) entries.set(entry.path, entry);
    }
    if (entries.size === 0) throw new Error('it holds no files');
    return [...entries.values()];
  } catch (error) {
    throw new CodedError('ROOTFS_UNREADABLE', `${path} cannot be read as a tar archive: ${messageOf(error)}`, {
      exit: 'invalidInput',
      hint: 'check it with: tar -tf FILE',
      cause: error,
    });
  }
}

/** A hard link becomes a copy of what it leads to. */
function entryOf(header: Header, content: Buffer, before: ReadonlyMap<string, LayerEntry>): LayerEntry | undefined {
  const path = inside(header.name);
  const mode = header.mode ?? 0o644;
  if (path === '') return undefined;
  switch (header.type) {
    case 'file':
    case 'contiguous-file':
      return { kind: 'file', path, content, mode };
    case 'directory':
      return { kind: 'directory', path, mode };
    case 'symlink':
      return { kind: 'link', path, target: header.linkname ?? '' };
    case 'link': {
      const target = before.get(inside(header.linkname ?? ''));
      return target === undefined ? undefined : { ...target, path };
    }
    default:
      return undefined;
  }
}

/** `./usr/bin/` → `usr/bin`; never above the root. */
function inside(name: string): string {
  return normalize(`/${name}`).replace(/^\/+|\/+$/g, '');
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return buffer.readUInt16BE(0) === 0x1f8b;
  } finally {
    await file.close();
  }
}
