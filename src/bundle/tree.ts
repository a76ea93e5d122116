// The files that make up an installed k8ts, from wherever this program runs: a checkout (dist/ and the Node that npm
// brought) or a folder that was installed or unpacked from a bundle. The name of a version holds a hash of its files, so
// equal names mean equal programs, and a changed program never overwrites one that runs.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CodedError, codeOf } from '../base/index.ts';
import { type BundleArchitecture, currentLink, installDir, type Manifest } from './places.ts';

export interface ProgramTree {
  /** The checkout or the unpacked folder. */
  readonly root: string;
  readonly manifest: Manifest;
  /** Without bundle.json; in path order. */
  readonly files: readonly TreeFile[];
}

export interface TreeFile {
  /** Inside the tree: bin/node */
  readonly path: string;
  /** Where it is now. */
  readonly source: string;
  readonly mode: number;
}

/** Inside the tree: V8's bytecode. Not part of the program, because it differs from run to run. */
export const codeCache = 'dist/.cache';

/** Beside the program, but not part of it: caches, stamps, archives, the module for tests. */
const leftOut = new Set([basename(codeCache), '.built', 'bundle', 'testing.js']);

/** The folder of a program that can be installed; undefined when it runs from sources. @param script k8ts.js, absolute */
export function rootOf(script: string): string | undefined {
  return script.endsWith('/dist/k8ts.js') ? script.slice(0, -'/dist/k8ts.js'.length) : undefined;
}

/** True when the program below `root` is an installed one already. */
export function isInstalled(root: string): boolean {
  return root === currentLink || dirname(root) === installDir;
}

/**
 * @param root of a checkout, or of an installed or unpacked bundle
 * @throws CodedError PROGRAM_NOT_BUILT, PROGRAM_INCOMPLETE, NODE_MISSING
 */
export async function readTree(root: string, architecture: BundleArchitecture): Promise<ProgramTree> {
  const unpacked = await readManifest(root);
  if (unpacked !== undefined) {
    if (unpacked.architecture !== architecture) throw nodeMissing(root, architecture);
    const names = ['LICENSE', 'bin', 'dist'];
    return { root, manifest: unpacked, files: (await Promise.all(names.map((name) => walk(root, name)))).flat() };
  }
  const program = await walk(root, 'dist');
  if (!program.some(({ path }) => path === 'dist/k8ts.js')) {
    throw new CodedError('PROGRAM_NOT_BUILT', `${root}/dist holds no k8ts`, { hint: 'run scripts/build' });
  }
  const node = await folderOfNode(root, architecture);
  const files: TreeFile[] = [
    { path: 'LICENSE', source: join(root, 'LICENSE'), mode: 0o644 },
    { path: 'bin/k8ts', source: join(root, 'bin/k8ts'), mode: 0o755 },
    { path: 'bin/node', source: join(node, 'bin/node'), mode: 0o755 },
    { path: 'bin/node.LICENSE', source: join(node, 'LICENSE'), mode: 0o644 },
    ...program,
  ];
  for (const { source } of files) {
    if (existsSync(source)) continue;
    throw new CodedError('PROGRAM_INCOMPLETE', `${source} is part of k8ts and is not there`, {
      hint: 'get k8ts again; in a checkout, git status shows what is gone',
    });
  }
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { readonly version: string };
  const nodePackage = JSON.parse(await readFile(join(node, 'package.json'), 'utf8')) as { readonly version: string };
  const hash = hashOf(
    files.filter(({ path }) => !path.startsWith('bin/node')),
    nodePackage.version,
  );
  const manifest = { name: `${version}-${hash}`, version, architecture, node: nodePackage.version };
  return { root, manifest, files };
}

export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

async function readManifest(root: string): Promise<Manifest | undefined> {
  try {
    return JSON.parse(await readFile(join(root, 'bundle.json'), 'utf8')) as Manifest;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Where npm put it; npm has only that of its own architecture, `npm run bundle` fetches the other. */
async function folderOfNode(root: string, architecture: BundleArchitecture): Promise<string> {
  for (const parent of ['node_modules', '.cache']) {
    const folder = join(root, parent, `node-linux-${architecture}`);
    if ((await stat(join(folder, 'package.json')).catch(() => undefined)) !== undefined) return folder;
  }
  throw nodeMissing(root, architecture);
}

function nodeMissing(root: string, architecture: BundleArchitecture): CodedError {
  return new CodedError('NODE_MISSING', `${root} has no Node for linux-${architecture}`, {
    hint: `in a checkout, run: npm run bundle -- ${architecture}`,
  });
}

async function walk(root: string, under: string): Promise<TreeFile[]> {
  const full = join(root, under);
  const found = await stat(full).catch(() => undefined);
  if (found?.isFile() === true) return [{ path: under, source: full, mode: found.mode & 0o111 ? 0o755 : 0o644 }];
  if (found?.isDirectory() !== true) return [];
  const names = (await readdir(full)).filter((name) => !leftOut.has(name)).sort();
  return (await Promise.all(names.map((name) => walk(root, `${under}/${name}`)))).flat();
}

/**
 * Twelve hexadecimal digits. Node is in it by its version: the program is the same on every architecture. Read in one go:
 * 5 MB in a hundred files take 10 ms, and ten times as long with a turn of the event loop for each call.
 */
function hashOf(files: readonly TreeFile[], node: string): string {
  const hash = createHash('sha256').update(`node ${node}\n`);
  for (const { path, source, mode } of files) hash.update(`${path} ${mode}\n`).update(readFileSync(source));
  return hash.digest('hex').slice(0, 12);
}
