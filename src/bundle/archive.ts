// Makes the archive of a program tree: tar and gzip, the same bytes for the same files (no times, no owners, path order).
// gzip, because every host can unpack it: xz makes it a third smaller, takes a minute of processor time instead of ten
// seconds, and is not part of a minimal Debian. See docs/adr/0012-bundle.md.
//
//   k8ts-0.1.0-linux-x64.tar.gz          0.1.0-1f2e3d4c5b6a/bin/k8ts …
//   k8ts-0.1.0-linux-x64.tar.gz.sha256   as sha256sum(1) prints and checks it
//   linux-x64.json                        what findBundle answers

import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { CodedError, codeOf } from '../base/index.ts';
import { archiveDir, type BundleArchitecture } from './places.ts';
import { stripProgram } from './strip.ts';
import { isInstalled, manifestText, type ProgramTree, readTree } from './tree.ts';

export interface Bundle {
  /** The archive, absolute. */
  readonly path: string;
  /** The folder inside the archive, and below /opt/k8ts: 0.1.0-1f2e3d4c5b6a */
  readonly name: string;
  readonly version: string;
  readonly architecture: BundleArchitecture;
  /** Of the archive, hexadecimal. */
  readonly sha256: string;
  /** Of the archive, bytes. */
  readonly size: number;
}

export interface BundleOptions {
  /** Where this program runs from: its checkout or its installed folder (rootOf). */
  readonly root: string;
  /** Called before an archive is made, which takes some seconds. */
  readonly onMake?: () => void;
}

/**
 * The archive of this very program for machines of `architecture`: the one that is there, or else a new one.
 * @throws CodedError PROGRAM_NOT_BUILT; NODE_MISSING when Node for that architecture is not here
 */
export async function bundleFor(architecture: BundleArchitecture, options: BundleOptions): Promise<Bundle> {
  const { root, onMake } = options;
  const dir = isInstalled(root) ? archiveDir : join(root, 'dist/bundle');
  const tree = await readTree(root, architecture).catch(async (error: unknown) => {
    // An archive for another architecture may have been put here by hand.
    const have = codeOf(error) === 'NODE_MISSING' ? await findBundle(dir, architecture) : undefined;
    if (have !== undefined) return have;
    throw error;
  });
  if (!('manifest' in tree)) return tree;
  const have = await findBundle(dir, architecture);
  if (have?.name === tree.manifest.name) return have;
  onMake?.();
  return makeBundle(tree, dir);
}

/** The newest archive for `architecture` in a folder; undefined: none. */
export async function findBundle(dir: string, architecture: BundleArchitecture): Promise<Bundle | undefined> {
  const pointer = join(dir, `linux-${architecture}.json`);
  try {
    const { file, ...rest } = JSON.parse(await readFile(pointer, 'utf8')) as Omit<Bundle, 'path'> & { file: string };
    const path = join(dir, file);
    return (await stat(path)).size === rest.size ? { path, ...rest } : undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new CodedError('BUNDLE_UNREADABLE', `${pointer} cannot be read`, { hint: 'delete it', cause: error });
  }
}

/** Writes the archive, its checksum, and the pointer by which findBundle knows it. */
export async function makeBundle(tree: ProgramTree, dir: string): Promise<Bundle> {
  const { name, version, architecture } = tree.manifest;
  const path = join(dir, `k8ts-${version}-linux-${architecture}.tar.gz`);
  await mkdir(dir, { recursive: true });
  const temporary = `${path}.${process.pid}`;
  try {
    await writeArchive(tree, temporary);
    const sha256 = await hashOfFile(temporary);
    const { size } = await stat(temporary);
    await rename(temporary, path);
    const file = basename(path);
    await writeFile(`${path}.sha256`, `${sha256}  ${file}\n`);
    const pointer = { file, name, version, architecture, sha256, size };
    await writeFile(join(dir, `linux-${architecture}.json`), `${JSON.stringify(pointer, null, 2)}\n`);
    return { path, name, version, architecture, sha256, size };
  } finally {
    await rm(temporary, { force: true });
  }
}

async function writeArchive({ manifest, files }: ProgramTree, path: string): Promise<void> {
  const { default: tar } = await import('tar-stream'); // here, because a server packs nothing
  const archive = tar.pack();
  const written = pipeline(archive, createGzip({ level: 6 }), createWriteStream(path, { mode: 0o644 }));
  const put = (name: string, mode: number, content: Buffer): Promise<void> =>
    new Promise((resolve, reject) => {
      const header = { name: `${manifest.name}/${name}`, mode, mtime: new Date(0), uid: 0, gid: 0 };
      archive.entry(header, content, (error) => (error ? reject(error) : resolve()));
    });
  const add = async (): Promise<void> => {
    for (const { path: name, source, mode } of files) {
      const content = await readFile(source);
      await Promise.race([put(name, mode, name === 'bin/node' ? stripProgram(content) : content), written]);
    }
    await Promise.race([put('bundle.json', 0o644, Buffer.from(manifestText(manifest))), written]);
    archive.finalize();
  };
  await Promise.all([add(), written]);
}

async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
